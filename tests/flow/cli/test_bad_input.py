"""Bad input: one line that names the thing and the remedy, status 2, nothing left behind."""

import dataclasses
import subprocess
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.model.network.dataset import load_digits
from spikewatt.model.network.file import load_network, save_network
from spikewatt.model.network.graph import Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import NeuronType
from tests.flow.command import COMMAND, Cli, assert_one_line


def bad_data(tmp_path: Path) -> dict[str, tuple[dict | bytes | None, str]]:
    """Contents of a data file, and what the error must say."""
    x = load_digits()[1][:4].astype(np.float64)
    nan, high = x.copy(), x.copy()
    nan[2, 5], high[1, 3] = np.nan, 17
    return {
        "missing": (None, "No such file"),
        "text": (b"not an archive", "not an NPZ file"),
        "no x": ({"z": x}, "no array 'x'"),
        "shape": ({"x": x[:, :60]}, "(n, 64)"),
        "vector": ({"x": x[0]}, "(n, 64)"),
        "empty": ({"x": x[:0]}, "no sample"),
        "words": ({"x": x.astype(str)}, "numbers"),
        "nan": ({"x": nan}, "x[2, 5] is nan"),
        "range": ({"x": high}, "x[1, 3] is 17"),
        "classes": ({"x": x, "y": np.zeros(3, int)}, "one integer for each of the 4"),
        "real classes": ({"x": x, "y": np.zeros(4)}, "one integer for each of the 4"),
        "scalar": ({"x": np.float64(3)}, "(n, inputs)"),
        "no such class": ({"x": x, "y": np.array([1, 2, 10, 3])}, "y[2] is 10"),
        "objects": ({"x": np.array([[None] * 64])}, "plain arrays"),
    }


@pytest.mark.parametrize("case", sorted(bad_data(Path())))
def test_bad_data(cli: Cli, digits: tuple[Path, Path], tmp_path: Path, case: str) -> None:
    content, message = bad_data(tmp_path)[case]
    path = tmp_path / "bad.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.savez(path, **content)
    assert_one_line(cli("run", digits[0], "--data", path), "bad.npz", message)


def test_truncated_data(cli: Cli, digits: tuple[Path, Path]) -> None:
    network, data = digits
    data.write_bytes(data.read_bytes()[:-300])
    assert_one_line(cli("run", network, "--data", data), "data.npz", "NPZ")


def test_bad_network(cli: Cli, digits: tuple[Path, Path], tmp_path: Path) -> None:
    network, data = digits
    assert_one_line(cli("run", "no.swn", "--data", data), "no.swn", "No such file")
    assert_one_line(cli("run", tmp_path, "--data", data), "directory")
    network.write_bytes(network.read_bytes()[:2000])
    assert_one_line(cli("run", network, "--data", data), "net.swn", "truncated")


def test_network_that_does_not_fit(cli: Cli, digits: tuple[Path, Path], tmp_path: Path) -> None:
    huge = Network(
        name="huge",
        encoder=Encoder(inputs=3000, timesteps=1),
        populations=(Population(name="h", neuron=NeuronType(), threshold=np.full(3000, 9)),),
        connections=(Connection(source="input", target="h", weights=np.ones((3000, 3000), int)),),
        readout=Readout(population="h"),
    )
    save_network(huge, tmp_path / "huge.swn")
    np.savez(tmp_path / "huge.npz", x=np.zeros((1, 3000)))
    run = cli("run", tmp_path / "huge.swn", "--data", tmp_path / "huge.npz")
    assert_one_line(run, "synapse_words = 1125000", "at most 1048576", "more lanes")


def test_bad_options(cli: Cli, digits: tuple[Path, Path]) -> None:
    network, data = digits
    assert_one_line(cli("run", network), "--data")
    assert_one_line(cli("run", network, "--data", data, "--sim", "vcs"), "vcs", "icarus")
    assert_one_line(cli("demo", "--colour"), "--colour")
    assert_one_line(cli("demo", "--images", 0), "--images")
    assert_one_line(cli("demo", "--images", 361), "361", "360")
    assert_one_line(cli("demo", "--lanes", 65), "--lanes")
    assert_one_line(cli("dance"), "dance")


def test_missing_tools(cli: Cli, tmp_path: Path) -> None:
    empty = {"PATH": "/nowhere", "SPIKEWATT_CACHE": str(tmp_path / "cache")}
    run = cli("demo", "--images", 1, "--no-energy", env=empty)
    assert_one_line(run, "no C++ compiler", "apt-get install g++")
    run = cli("demo", "--images", 1, "--no-energy", "--sim", "icarus", env=empty)
    assert_one_line(run, "Icarus Verilog is missing", "apt-get install iverilog")


def test_awkward_names_and_places(cli: Cli, digits: tuple[Path, Path], tmp_path: Path) -> None:
    network, data = digits
    shown = dataclasses.replace(load_network(network), name="x[/red]")
    folder = tmp_path / "a 'b' c"
    folder.mkdir()
    save_network(shown, folder / "n e t.swn")
    run = cli("run", folder / "n e t.swn", "--data", data, "--images", 1, "--out", folder / "o u t")
    assert run.returncode == 0, run.stderr
    assert "x[/red] on the neuromorphic core" in run.stdout
    assert [p.name for p in (folder / "o u t").iterdir()] == ["report.json"]


def test_output_that_cannot_be_written() -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [*COMMAND, "demo", "--images", "1", "--no-energy", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1


def test_unwritable_places(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = cli(
        "demo", "--images", 1, "--no-energy", "--trace", "vcd", "--out", tmp_path / "file" / "out"
    )
    assert_one_line(run, "cannot write to", "--out")
    run = cli("demo", "--images", 1, "--no-energy", "--out", tmp_path / "file")
    assert_one_line(run, "cannot write to", "not a folder", "--out")
    run = cli(
        "demo",
        "--images",
        1,
        "--no-energy",
        env={"SPIKEWATT_CACHE": str(tmp_path / "file" / "cache")},
    )
    assert_one_line(run, "cannot write the build cache", "SPIKEWATT_CACHE")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_api_refuses_unknown_choices() -> None:
    from spikewatt.flow.run import run

    network, x, y = load_digits()
    with pytest.raises(ParameterError, match=r"simulator must be one of verilator, icarus, not"):
        run(network, x[:1], y[:1], simulator="vcs")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"trace must be one of none, fst, vcd, not 'xml'"):
        run(network, x[:1], y[:1], trace="xml")  # type: ignore[arg-type]
