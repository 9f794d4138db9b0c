"""The joule ledger at the end of ``demo`` and ``run --energy``."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec import ValidationError

from spikewatt.base.report import from_json
from spikewatt.flow.report import RunReport
from spikewatt.flow.run import load_digits, run
from spikewatt.model.run import DENSE
from tests.flow.conftest import Cli

IMAGES = 6


@pytest.fixture(scope="module")
def report() -> RunReport:
    network, x, y = load_digits()
    return run(network, x[:IMAGES], y[:IMAGES], energy=IMAGES)


@pytest.fixture(scope="module")
def ledger(report: RunReport) -> dict:
    assert report.bit_exact
    assert report.energy is not None
    return {**report.energy, "ops": report.synaptic_ops, "ticks": report.ticks}


def near(value: float, expected: float, rel: float = 1e-9) -> bool:
    return abs(value - expected) <= rel * abs(expected)


def test_json_has_the_fields_of_the_types(report: RunReport) -> None:
    """Each is there, and of its type: what the schema says is what is written."""
    data = report.to_json()
    assert from_json(data, RunReport).to_json() == data
    broken = {**data, "energy": {**data["energy"], "cells": "many"}}
    with pytest.raises(
        ValidationError, match=r"Expected `int`, got `str` - at `\$\.energy\.cells`"
    ):
        from_json(broken, RunReport)


def test_views_agree(ledger: dict) -> None:
    total = ledger["per_image_j"]
    assert near(ledger["total_j"], IMAGES * total)
    assert near(sum(ledger["by_category"].values()), total)
    assert near(sum(ledger["by_module"].values()), total)
    assert near(ledger["per_tick_j"] * 16, total)
    assert near(ledger["per_synaptic_op"]["all_in_j"] * ledger["ops"], ledger["total_j"])
    assert near(ledger["power_w"] * ledger["duration_s"], ledger["total_j"])
    assert near(ledger["sram_sweep"]["1.0"], total)
    assert ledger["sram_sweep"]["0.5"] < total < ledger["sram_sweep"]["4.0"]


def test_everything_was_seen_and_checked(ledger: dict) -> None:
    assert ledger["unmatched"] == []
    # Every flip-flop of the core, at every clock edge that reached it.
    assert ledger["flip_flops_matched"] > 700
    assert ledger["clock_edges_checked"] > 100_000 * IMAGES
    assert set(ledger["by_category"]) == {"clock", "control", "datapath", "sram", "leakage"}
    assert all(value > 0 for value in ledger["by_category"].values())


def test_synaptic_words_are_read_as_the_model_says(ledger: dict) -> None:
    """Reads of the synapse memory, counted from the waveform, are the golden model's."""
    network, x, _ = load_digits()
    report = run(network, x[:IMAGES])
    synapses = next(m for m in ledger["memories"] if m.name.startswith("logic.synapses"))
    assert synapses.reads == report.synapse_words


def test_an_operation_costs_more_than_none(ledger: dict) -> None:
    operation = ledger["per_synaptic_op"]
    assert 0 < operation["marginal_j"] < operation["all_in_j"]
    assert operation["r2"] > 0.9
    dynamic = ledger["per_image_j"] - operation["leakage_per_image_j"]
    fitted = operation["fixed_per_image_j"] + operation["marginal_j"] * ledger["ops"] / IMAGES
    assert near(fitted, dynamic, 1e-6)  # a regression passes through the means


@pytest.mark.long
def test_demo_ends_with_the_ledger_and_both_comparisons(cli: Cli, tmp_path: Path) -> None:
    shown = cli("demo", "--images", 3, "--energy-images", 2, "--out", tmp_path / "out")
    assert shown.returncode == 0, shown.stderr
    for row in ("an image: sram", "marginal", "leakage of an image", "replayed right"):
        assert row in shown.stdout
    for row in ("equal function: digits_t7", "equal accuracy: digits", "It rests on", "flip"):
        assert row in shown.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["energy"]["images"] == 2
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    plots = ["equal_accuracy.svg", "equal_function.svg", "power.svg"]
    assert names == sorted([*plots, "neuro.json", "report.json"])
    assert set(report["comparison"]) == {"equal_function", "equal_accuracy"}
    for name, found in report["comparison"].items():
        assert found["kind"] == name.replace("_", " ")
        assert found["neuro"]["bit_exact"] is True
        assert found["systolic"]["bit_exact"] is True
        joules = [found[side]["energy_per_inference_j"] for side in ("neuro", "systolic")]
        assert near(found["ratio"]["mean"], joules[0] / joules[1], 1e-9)
    picture = ElementTree.parse(tmp_path / "out" / "power.svg").getroot()
    assert picture.tag.endswith("svg")


def test_waveform_and_gates_give_the_same_joules(
    cli: Cli, digits: tuple[Path, Path], tmp_path: Path
) -> None:
    """What ``--out`` leaves is enough for ``spikewatt energy`` to say it again."""
    network, data = digits
    out = tmp_path / "out"
    words = ("--images", 3, "--energy", "--trace", "fst", "--out", out, "--json")
    ledger = json.loads(cli("run", network, "--data", data, *words).stdout)["energy"]
    files = ("--waveform", out / "neuro.fst", "--netlist", out / "neuro.json")
    again = cli("energy", *files, "--json")
    assert again.returncode == 0, again.stderr
    report = json.loads(again.stdout)
    assert report["unmatched"] == []
    # Reset, configuration and reading back are in this window, and not in the ledger.
    assert ledger["total_j"] < report["total_j"] < 2 * ledger["total_j"]
    synapses = [
        next(m["reads"] for m in memories if m["name"].startswith("logic.synapses"))
        for memories in (report["memories"], ledger["memories"])
    ]
    assert synapses[0] == synapses[1]


def test_run_prices_only_when_asked(cli: Cli, digits: tuple[Path, Path]) -> None:
    network, data = digits
    plain = json.loads(cli("run", network, "--data", data, "--images", 2, "--json").stdout)
    assert plain["energy"] is None
    words = ("run", network, "--data", data, "--images", 2, "--energy", "--json")
    priced = json.loads(cli(*words).stdout)
    assert priced["energy"]["per_image_j"] > 0
    assert {k: v for k, v in priced.items() if k in ("cycles", "spikes", "synaptic_ops")} == {
        k: v for k, v in plain.items() if k in ("cycles", "spikes", "synaptic_ops")
    }


def test_cycles_add_up_to_their_image() -> None:
    """The power trace holds the ledger's joules, cycle by cycle."""
    from spikewatt.targets.neuro import NeuroTarget

    network, x, _ = load_digits()
    priced = NeuroTarget(network).price(network.stimulus(x[:2]))
    assert priced.proven == 2
    assert not priced.run.kept & {*DENSE}  # which the comparison needed, and nobody after it
    for image in range(2):
        edges, joules = priced.block_cycles(image)
        assert near(float(joules.sum()), float(priced.blocks_j[image]), 1e-9)
        assert len(edges) > 1000
