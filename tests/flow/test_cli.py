"""The command line as a user meets it: a process, its output and its exit status."""

import contextlib
import dataclasses
import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import vcdvcd
from pywellen import Waveform  # pyright: ignore[reportAttributeAccessIssue]  # has no stubs

from spikewatt.model.dataset import load_digits
from spikewatt.model.errors import ParameterError
from spikewatt.model.netfile import load_network, save_network
from spikewatt.model.network import Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import NeuronType

Cli = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-c", "from spikewatt.flow.cli import main; main()"]
REQUIRED = {
    "images": int,
    "ticks": int,
    "bit_exact": bool,
    "accuracy": dict,
    "spike_rate": dict,
    "synaptic_ops": int,
    "cycles": int,
    "sop_per_cycle": float,
    "rtl_cycles_per_second": float,
    "seconds": float,
}


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    def run(*words: object, env: dict[str, str] | None = None):
        return subprocess.run(
            [*COMMAND, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def digits(tmp_path: Path) -> tuple[Path, Path]:
    """The shipped network and eight of its images, as files of a user's."""
    network, x, y = load_digits()
    save_network(network, tmp_path / "net.swn")
    np.savez(tmp_path / "data.npz", x=x[:8], y=y[:8])
    return tmp_path / "net.swn", tmp_path / "data.npz"


def assert_one_line(run: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line that says ``words`` on standard error, nothing on standard output, status 2."""
    assert run.returncode == 2, run
    assert run.stdout == ""
    lines = run.stderr.splitlines()
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("spikewatt: ")
    for word in words:
        assert word in lines[0], lines[0]


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_demo_json(cli: Cli, simulator: str) -> None:
    run = cli("demo", "--images", 6, "--sim", simulator, "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    for key, kind in REQUIRED.items():
        assert isinstance(report[key], kind), key
    assert report["images"] == 6
    assert report["ticks"] == 6 * 16
    assert report["bit_exact"] is True
    assert set(report["accuracy"]) == {"float", "quantised", "rtl"}
    assert report["accuracy"]["rtl"] == report["accuracy"]["quantised"] == 1.0
    assert set(report["spike_rate"]) == {"input", "hidden", "all"}
    assert report["sop_per_cycle"] == pytest.approx(report["synaptic_ops"] / report["cycles"])
    # Both simulators read the same synapses; 1 input spike is 128 synapses, 1 hidden spike 10.
    assert (
        report["synaptic_ops"]
        == 128 * report["spikes"]["input"] + 10 * (report["spikes"]["hidden"])
    )


def test_demo_in_full(cli: Cli) -> None:
    report = json.loads(cli("demo", "--json").stdout)
    assert report["images"] == 360
    assert report["bit_exact"] is True
    assert report["accuracy"]["rtl"] >= 0.975
    assert report["spike_rate"]["all"] <= 0.064


def test_table_for_people(cli: Cli) -> None:
    run = cli("demo", "--images", 2)
    assert run.returncode == 0
    assert "yes, every tick" in run.stdout
    for row in ("accuracy: float", "spike rate: all", "synaptic operations", "RTL speed"):
        assert row in run.stdout


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("trace", ["vcd", "fst"])
def test_run_writes_waveform_and_report(
    cli: Cli, digits: tuple[Path, Path], tmp_path: Path, simulator: str, trace: str
) -> None:
    network, data = digits
    out = tmp_path / "out"
    options = ("--images", 2, "--sim", simulator, "--trace", trace, "--out", out, "--json")
    run = cli("run", network, "--data", data, *options)
    assert run.returncode == 0, run.stderr
    assert sorted(p.name for p in out.iterdir()) == [f"neuro.{trace}", "report.json"]
    assert json.loads(run.stdout) == json.loads((out / "report.json").read_text())
    names = {var.full_name for var in Waveform(str(out / f"neuro.{trace}")).all_vars()}
    assert {"neuro.clk", "neuro.probe__spikes"} <= names
    if trace == "vcd":  # the independent reader finds the same signals
        reference = {
            re.sub(r"\[.*", "", name) for name in vcdvcd.VCDVCD(str(out / "neuro.vcd")).signals
        }
        assert {"neuro.clk", "neuro.probe__spikes"} <= reference


def test_run_without_classes(cli: Cli, digits: tuple[Path, Path], tmp_path: Path) -> None:
    np.savez(tmp_path / "bare.npz", x=np.load(digits[1])["x"])
    report = json.loads(cli("run", digits[0], "--data", tmp_path / "bare.npz", "--json").stdout)
    assert report["bit_exact"] is True
    assert report["accuracy"] == {"float": None, "quantised": None, "rtl": None}


def test_doctor(cli: Cli) -> None:
    tools = json.loads(cli("doctor", "--json").stdout)
    assert tools["C++ compiler"]["path"]
    assert tools["verilator"]["version"]
    assert "verilator" in cli("doctor").stdout


def test_doctor_says_what_is_missing(cli: Cli) -> None:
    run = cli("doctor", "--json", env={"PATH": "/nowhere"})
    tools = json.loads(run.stdout)
    assert tools["C++ compiler"]["path"] is None
    assert "apt-get install g++" in tools["C++ compiler"]["remedy"]
    assert "apt-get install iverilog" in tools["Icarus Verilog"]["remedy"]


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
    run = cli("demo", "--images", 1, env=empty)
    assert_one_line(run, "no C++ compiler", "apt-get install g++")
    run = cli("demo", "--images", 1, "--sim", "icarus", env=empty)
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
            [*COMMAND, "demo", "--images", "1", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1


def test_help_and_version(cli: Cli) -> None:
    assert "demo" in cli().stdout
    assert cli("--version").stdout.strip() == importlib.metadata.version("spikewatt")


def test_api_refuses_unknown_choices() -> None:
    from spikewatt.flow.run import run

    network, x, y = load_digits()
    with pytest.raises(ParameterError, match=r"simulator must be one of verilator, icarus, not"):
        run(network, x[:1], y[:1], simulator="vcs")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"trace must be one of none, fst, vcd, not 'xml'"):
        run(network, x[:1], y[:1], trace="xml")  # type: ignore[arg-type]


def test_unwritable_places(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = cli("demo", "--images", 1, "--trace", "vcd", "--out", tmp_path / "file" / "out")
    assert_one_line(run, "cannot write to", "--out")
    run = cli("demo", "--images", 1, "--out", tmp_path / "file")
    assert_one_line(run, "cannot write to", "not a folder", "--out")
    run = cli("demo", "--images", 1, env={"SPIKEWATT_CACHE": str(tmp_path / "file" / "cache")})
    assert_one_line(run, "cannot write the build cache", "SPIKEWATT_CACHE")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def children_of(session: Path) -> list[str]:
    """Command lines of running processes that mention ``session``."""
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                lines += [line] if str(session) in line else []
    return lines


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("phase", ["building", "verilator", "icarus"])
def test_interrupted_run_leaves_nothing(tmp_path: Path, stop: signal.Signals, phase: str) -> None:
    """Stopped while it builds, or while it simulates on either simulator."""
    out, cache, temporary = (tmp_path / name for name in ("out", "cache", "temporary"))
    temporary.mkdir()
    simulator = "icarus" if phase == "icarus" else "verilator"
    words = ["demo", "--sim", simulator, "--trace", "vcd", "--out", str(out)]
    env = {**os.environ, "TMPDIR": str(temporary)}
    if phase == "building":
        env["SPIKEWATT_CACHE"] = str(cache)
    else:  # the build comes from the cache
        subprocess.run([*COMMAND, *words[:5], "--images", "1", *words[5:]], env=env, check=True)
        shutil.rmtree(out)
    process = subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=env,
    )
    mark = cache.glob if phase == "building" else tmp_path.glob
    pattern = ".*/*" if phase == "building" else ".spikewatt-*/neuro.vcd"
    deadline = time.monotonic() + 60
    while not any(mark(pattern)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert any(mark(pattern)), "it never began"
    process.send_signal(stop)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 2
    assert stdout == ""
    assert stderr.splitlines()[-1] == "spikewatt: interrupted: nothing was written"
    assert not out.exists()
    assert not list(tmp_path.glob(".spikewatt-*"))
    assert not list(temporary.iterdir())
    assert not list(cache.glob(".*")), "half a build was left in the cache"
    assert not children_of(tmp_path), "a child lives on"


def test_rtl_that_differs_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A golden model off by one threshold: status 1, and the place is named."""
    from spikewatt.flow import cli as command
    from spikewatt.flow import run as flow
    from spikewatt.model.batch import run_batch

    def wrong(program, spikes):
        trace = run_batch(program, spikes)
        trace.membranes[1, 4, 7] += 1
        return trace

    monkeypatch.setattr(flow, "run_batch", wrong)
    monkeypatch.setattr(sys, "argv", ["spikewatt", "demo", "--images", "3", "--json"])
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as stop:
            command.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stop.value.code == 1
    output = capsys.readouterr()
    report = json.loads(output.out)
    assert report["bit_exact"] is False
    assert "sample 1, tick 4, neuron 7: membranes" in report["difference"]
    assert "the RTL differs from the golden model: sample 1, tick 4" in output.err


def test_network_file_of_a_user_is_the_shipped_one(digits: tuple[Path, Path]) -> None:
    shipped, _, _ = load_digits()
    loaded = load_network(digits[0])
    assert loaded.name == shipped.name
    for ours, theirs in zip(loaded.connections, shipped.connections, strict=True):
        np.testing.assert_array_equal(ours.weights, theirs.weights)
