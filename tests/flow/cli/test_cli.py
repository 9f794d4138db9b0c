"""The command line as a user meets it: a process, its output and its exit status."""

import importlib.metadata
import json
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import vcdvcd
from pywellen import Waveform  # pyright: ignore[reportAttributeAccessIssue]  # has no stubs

from spikewatt.base.report import from_json
from spikewatt.flow.report import RunReport
from spikewatt.model.network.dataset import load_digits
from spikewatt.model.network.file import load_network
from tests.flow.command import Cli


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_demo_json(cli: Cli, simulator: str) -> None:
    run = cli("demo", "--images", 6, "--sim", simulator, "--no-energy", "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    from_json(report, RunReport)  # every field is there, and of its type
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


@pytest.mark.long
def test_demo_in_full(cli: Cli) -> None:
    """All images; `test_digits_pair` and `test_digits` ask the same of the golden model."""
    report = json.loads(cli("demo", "--no-compare", "--json").stdout)
    assert report["images"] == 360
    assert report["bit_exact"] is True
    assert report["accuracy"]["rtl"] >= 0.975
    assert report["spike_rate"]["all"] <= 0.064


def test_table_for_people(cli: Cli) -> None:
    run = cli("demo", "--images", 2, "--no-energy")
    assert run.returncode == 0
    assert "yes, every tick" in run.stdout
    for row in ("accuracy: float", "spike rate: all", "synaptic operations", "RTL speed"):
        assert row in run.stdout


@pytest.mark.parametrize(
    ("simulator", "trace"),
    [
        ("verilator", "fst"),
        pytest.param("icarus", "vcd", marks=pytest.mark.long),
        pytest.param("verilator", "vcd", marks=pytest.mark.long),
        pytest.param("icarus", "fst", marks=pytest.mark.long),
    ],
)
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


def test_help_and_version(cli: Cli) -> None:
    assert "demo" in cli().stdout
    assert cli("--version").stdout.strip() == importlib.metadata.version("spikewatt")


def test_rtl_that_differs_fails_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A golden model off by one threshold: status 1, and the place is named."""
    from spikewatt.flow.cli import main as command
    from spikewatt.model.golden.batch import run_batch
    from spikewatt.targets import neuro

    def wrong(program, spikes, **options):
        trace = run_batch(program, spikes, **options)
        if "membranes" not in trace.arrays:  # asked for its counters alone
            return trace
        membranes = trace.membranes.copy()
        membranes[1, 4, 7] += 1
        return trace.with_arrays(membranes=membranes)

    monkeypatch.setattr(neuro, "run_batch", wrong)
    monkeypatch.setattr(
        sys, "argv", ["spikewatt", "demo", "--images", "3", "--no-compare", "--json"]
    )
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
