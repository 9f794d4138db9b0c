"""``spikewatt compare`` from the outside: what it prints, what it writes, what it refuses."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import ToolError
from spikewatt.flow.cli.main import main
from spikewatt.flow.compare.run import sides
from spikewatt.model.network.file import save_network
from spikewatt.synth.technology.library import default_library_path
from tests.flow.cli.test_interrupts import children_of, interrupted
from tests.flow.command import COMMAND, Cli, assert_one_line
from tests.flow.small_comparison import CATEGORIES, NETWORK, X, Y, leaky, near
from tests.model.pairs import layered
from tests.processes import Start

NEGATIVE = X.copy()
NEGATIVE[5, 3] = -0.5
QUICK = ("--lanes", 4, "--array", "4x4", "--no-refine", "--no-glitches")
PICTURES = {"energy.svg", "layers.svg", "power-neuro.svg", "power-systolic.svg"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """The command within this process, in a folder with a network and its samples."""
    monkeypatch.chdir(tmp_path)
    save_network(NETWORK, tmp_path / "net.swn")
    np.savez(tmp_path / "data.npz", x=X, y=Y)

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["spikewatt", "compare", *map(str, words)])
        handler, status = signal.getsignal(signal.SIGTERM), 0
        try:
            main()
        except SystemExit as left:
            status = int(left.code or 0)
        finally:
            signal.signal(signal.SIGTERM, handler)
        printed = capfd.readouterr()
        return subprocess.CompletedProcess(sys.argv, status, printed.out, printed.err)

    return run


def compared(cli: Cli, *words: object) -> dict[str, Any]:
    run = cli(*words, *QUICK, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    return json.loads(run.stdout)


def test_json_and_files(here: Cli, tmp_path: Path) -> None:
    report = compared(here, "net.swn", "--data", "data.npz", "--images", 2, "--out", "a/b")
    assert {"mode", "timesteps", "activation_bits", "neuro", "systolic", "ratio"} <= set(report)
    for side in (report["neuro"], report["systolic"]):
        assert side["bit_exact"] is True
        assert side["accuracy"] == report["neuro"]["accuracy"]
        assert set(side["by_category"]) == set(CATEGORIES)
        assert near(sum(side["by_category"].values()), side["energy_per_inference_j"])
        assert side["latency_s"] > 0
        assert side["area_um2"]["total"] > 0
    assert [v["batch"] for v in report["systolic"]["variants"]] == [1, 2]
    assert report["batch_cut_from"] == 32
    joules = [report[core]["energy_per_inference_j"] for core in ("neuro", "systolic")]
    assert near(report["ratio"]["mean"], joules[0] / joules[1])
    assert len(report["ratio"]["ci95"]) == 2
    assert report["activations"] == {"differing": 0, "of": 56}
    assert {report[n] for n in ("mesh", "router", "packets", "hops", "barrier_cycles")} == {None}
    names = {path.name for path in (tmp_path / "a" / "b").iterdir()}
    assert names >= {"comparison.json", "variants.csv"} | PICTURES
    assert json.loads((tmp_path / "a/b/comparison.json").read_text()) == report
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "data.npz", "net.swn"]


def test_tables_and_the_verdict(here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that could be markup is none."""
    monkeypatch.setenv("COLUMNS", "200")
    save_network(dataclasses.replace(NETWORK, name="x[/red]"), tmp_path / "odd.swn")
    run = here("odd.swn", "--data", "data.npz", "--images", 1, *QUICK)
    assert (run.returncode, run.stderr) == (0, "")
    assert "x[/red]" in run.stdout
    for words in (
        "neuromorphic",
        "systolic ×1",
        "accuracy",
        "latency",
        "energy × delay",
        "shortest period",
    ):
        assert words in run.stdout
    for words in (
        "The usual batch of 32 needs as many images: with 1 the systolic core ran batches of 1",
        "It rests on: mode window, T = 3, b = 2, array 4x4",
        "times less energy",
    ):
        assert words in " ".join(run.stdout.split())


@pytest.mark.long
def test_every_tick_and_timesteps(here: Cli) -> None:
    """Another mode and another T, and the count of activations that differ."""
    words = ("--mode", "every-tick", "--timesteps", 2, "--images", 1)
    report = compared(here, "net.swn", "--data", "data.npz", *words)
    assert (report["mode"], report["timesteps"], report["activation_bits"]) == ("every-tick", 2, 2)
    neuro, systolic = sides(NETWORK, X, timesteps=2, mode="every-tick")
    differing = int((neuro.counts[0] != systolic.golden[0]).sum())
    assert report["activations"] == {"differing": differing, "of": 56}
    assert differing > 0
    assert report["neuro"]["accuracy"] == (neuro.classes == Y).mean()
    assert report["systolic"]["accuracy"] == (systolic.classes == Y).mean()


@pytest.mark.long
def test_rival(here: Cli, tmp_path: Path) -> None:
    """A network without an equal, against one of the same task; the data name no classes."""
    save_network(leaky(), tmp_path / "leaky.swn")
    np.savez(tmp_path / "plain.npz", x=X)
    words = ("leaky.swn", "--data", "plain.npz", "--rival", "net.swn", "--images", 1)
    report = compared(here, *words)
    assert (report["kind"], report["mode"]) == ("equal accuracy", "as trained")
    assert (report["network"], report["rival"]) == ("leaky", "chain")
    assert report["activations"] is None
    assert report["neuro"]["accuracy"] is report["systolic"]["accuracy"] is None


def test_sweep(here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikewatt.flow.compare.sweep.PARTS", (0.5, 1.0))
    words = ("--sweep-rate", "0.2:0.8:2", "--images", 2, "--out", "out", "--json")
    run = here("net.swn", "--lanes", 4, "--array", "4x4", *words)
    assert (run.returncode, run.stderr) == (0, "")
    report = json.loads(run.stdout)
    assert [point["rate"] for point in report["rates"]] == [0.2, 0.8]
    assert report["lines"]["neuro_against_spikes"]["slope_j"] > 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert (report["batch"], report["batch_cut_from"]) == (2, 32)
    assert names == ["sweep.csv", "sweep.json", "sweep.svg"]
    assert json.loads((tmp_path / "out" / "sweep.json").read_text()) == report


def refuse(cli: Cli, message: str, *words: object) -> None:
    """One line, exactly, and nothing left."""
    before = sorted(path.name for path in Path().iterdir())
    run = cli(*words)
    assert_one_line(run)
    assert run.stderr.splitlines()[0] == f"spikewatt: {message}"
    assert sorted(path.name for path in Path().iterdir()) == before


HELP = " (spikewatt --help shows the commands)"
SIZE = "--array must be rows x columns like 8x8, 1 to 256 each, not "
RATES = (
    "--sweep-rate must be first:last:points like 0.01:0.3:8, with rates above 0 and up to 1 and 2 "
    "to 100 points, not "
)
AS_THEY_ARE = (
    "--timesteps and --mode make a pair of one network: with --rival the networks run as they are, "
    "leave both out"
)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--array", "8"), f"{SIZE}'8'"),
        (("--array", "0x8"), f"{SIZE}'0x8'"),
        (("--array", "8x8x8"), f"{SIZE}'8x8x8'"),
        (("--array", "8x257"), f"{SIZE}'8x257'"),
        (("--sweep-rate", "0.3:0.1:8"), f"{RATES}'0.3:0.1:8'"),
        (("--sweep-rate", "fast"), f"{RATES}'fast'"),
        (("--images", 8), "data.npz: --images 8 is not within the 7 samples there are"),
        (("--rival", "net.swn", "--timesteps", 7), AS_THEY_ARE),
        (("--rival", "net.swn", "--mode", "every-tick"), AS_THEY_ARE),
    ],
    ids=str,
)
def test_bad_options(here: Cli, words: tuple[object, ...], message: str) -> None:
    refuse(here, message, "net.swn", "--data", "data.npz", "--out", "out", *words)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--images", 0), ("--timesteps", 0), ("--timesteps", 300), ("--lanes", 0)),
        *(("--lanes", 65), ("--mode", "leaky"), ("--batch", 3)),
    ],
)
def test_options_out_of_range(here: Cli, option: str, value: object) -> None:
    run = here("net.swn", "--data", "data.npz", option, value)
    assert_one_line(run, option, HELP)


def test_no_data(here: Cli) -> None:
    message = "--data is missing: name an NPZ with the samples, or --sweep-rate"
    refuse(here, message, "net.swn")


def test_bad_networks(here: Cli, tmp_path: Path) -> None:
    data = ("--data", "data.npz", "--no-glitches")
    refuse(here, "no.swn: No such file or directory", "no.swn", *data)
    run = here("data.npz", *data)
    assert_one_line(run, "data.npz")
    run = here("net.swn", *data, "--rival", "data.npz")
    assert_one_line(run, "data.npz")
    save_network(leaky(), tmp_path / "leaky.swn")
    message = (
        "population 'h1' leaks (SHIFT): choose leak NONE; or name a quantised network of the same "
        "task with --rival"
    )
    refuse(here, message, "leaky.swn", *data)
    # A rival must have an equal itself: no advice to name a rival.
    message = "population 'h1' leaks (SHIFT): choose leak NONE"
    refuse(here, message, "net.swn", *data, "--rival", "leaky.swn")
    save_network(layered((5, 3, 4), (4,), 1), tmp_path / "other.swn")
    message = "rival 'chain' has 5 inputs, and 'leaky' has 6"
    refuse(here, message, "leaky.swn", *data, "--rival", "other.swn")
    save_network(layered((6, 4), (), 1), tmp_path / "flat.swn")
    message = "network 'chain' has no hidden population: nothing to sweep"
    refuse(here, message, "flat.swn", "--sweep-rate", "0.1:0.3:2")


def test_a_network_too_large_for_a_core_needs_no_rival(here: Cli, tmp_path: Path) -> None:
    save_network(layered((3000, 3000, 2), (5,), 1), tmp_path / "huge.swn")
    np.savez(tmp_path / "huge.npz", x=np.zeros((1, 3000)))
    run = here("huge.swn", "--data", "huge.npz", "--no-glitches", "--lanes", 1)
    assert_one_line(run, "synapse_words", "more lanes")
    assert "--rival" not in run.stderr


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X[0], "data.npz: x must have shape (n, 6), not (6,)"),
        (X[:, :5], "data.npz: x must have shape (n, 6), not (7, 5)"),
        (X[None], "data.npz: x must have shape (n, 6), not (1, 7, 6)"),
        (X[:0], "data.npz: x holds no sample: give at least one row"),
        (X.astype(str), "data.npz: x must hold numbers, not <U32"),
        (NEGATIVE, "data.npz: x[5, 3] is -0.5, outside the encoder's range 0..1: rescale the data"),
    ],
    ids=["vector", "narrow", "deep", "empty", "words", "negative"],
)
def test_bad_data(here: Cli, tmp_path: Path, x: np.ndarray, message: str) -> None:
    np.savez(tmp_path / "data.npz", x=x)
    words = ("--data", "data.npz", "--images", 1, "--no-glitches")
    refuse(here, message, "net.swn", *words)


def test_unwritable_folders(here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told before the work, not after."""
    (tmp_path / "file").touch()

    def work(*_: object, **__: object) -> None:
        raise AssertionError("it began")

    monkeypatch.setattr("spikewatt.flow.compare.run.search_neuro", work)
    monkeypatch.setattr("spikewatt.flow.compare.sweep.SystolicSide.price", work)
    message = "cannot write to file (it is not a folder): choose another folder with --out"
    for words in (("--data", "data.npz"), ("--sweep-rate", "0.1:0.3:2")):
        refuse(here, message, "net.swn", *words, *QUICK, "--out", "file")


def test_failure_leaves_nothing(here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ToolError("the tool failed")

    monkeypatch.setattr("spikewatt.flow.compare.run.search_systolic", fail)
    monkeypatch.setattr("spikewatt.flow.compare.run.search_neuro", lambda *_, **__: None)
    words = ("net.swn", "--data", "data.npz", *QUICK, "--out", "out")
    refuse(here, "the tool failed", *words)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    refuse(here, "the tool failed", *words)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_bad_library(here: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.lib").write_text("library (x) {")
    words = ("net.swn", "--data", "data.npz", "--images", 1, *QUICK, "--out", "out")
    assert_one_line(here(*words, "--liberty", "bad.lib"), "bad.lib")
    assert_one_line(here(*words, "--liberty", "none.lib"), "none.lib")
    assert not (tmp_path / "out").exists()
    assert default_library_path().exists()


def test_glitches_need_icarus_before_the_work(here: Cli, cli: Cli) -> None:
    """A process of its own: where tools are is looked up once in each."""
    assert here("no.swn").returncode == 2  # the fixture's files are there
    run = cli("compare", "net.swn", "--data", "data.npz", env={"PATH": "/nowhere"})
    assert_one_line(run, "needs Icarus Verilog", "apt-get install iverilog", "--no-glitches")


@pytest.mark.parametrize(
    "stop", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_interrupted(start: Start, tmp_path: Path, stop: signal.Signals) -> None:
    """While it builds: no file, no folder, no child."""
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    save_network(NETWORK, tmp_path / "net.swn")
    np.savez(tmp_path / "data.npz", x=X, y=Y)
    process = start(
        [*COMMAND, "compare", "net.swn", "--data", "data.npz", "--images", "2", "--out", "out"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary), "SPIKEWATT_CACHE": str(cache)},
    )
    deadline = time.monotonic() + 180
    while not any(cache.glob(".*/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert any(cache.glob(".*/*")), "it never began"
    interrupted(process, stop)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["cache", "data.npz", "net.swn", "temporary"]
    assert not list(temporary.iterdir())
    assert not list(cache.glob(".*"))
    assert not children_of(tmp_path)


def test_sweep_is_for_one_network(here: Cli) -> None:
    message = "--sweep-rate is for one network and its equal: leave --rival out"
    refuse(here, message, "net.swn", "--sweep-rate", "0.1:0.3:2", "--rival", "net.swn")
    refuse(here, "NETWORK is missing: name a network file (.swn)", "--data", "data.npz")
