"""The comparison: one verdict, whatever the order of the images, and everything it rests on."""

import csv
import io
import itertools
import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import DataError, NetworkError, SimulationError
from spikewatt.base.report import from_json
from spikewatt.cosim.systolic import NativeSystolic
from spikewatt.flow.compare.bounds import SRAM_FACTORS, WIRE_SCALES
from spikewatt.flow.compare.figures import ComparisonReport
from spikewatt.flow.compare.layers import neuro_layers, systolic_layers
from spikewatt.flow.compare.output import write
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.compare.run import Plan, canonical, compare, sides
from spikewatt.flow.compare.search import Found
from spikewatt.flow.compare.sides import Pricing
from spikewatt.flow.compare.variants import (
    NeuroVariant,
    SystolicVariant,
    cut_batch,
    usual,
)
from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.golden.systolic import first_vectors
from spikewatt.model.params.systolic import Loading
from spikewatt.model.run import Run
from tests.flow.small_comparison import (
    CATEGORIES,
    IMAGES,
    NETWORK,
    X,
    Y,
    leaky,
    near,
    priced,
    small,
)
from tests.model.pairs import layered


@pytest.fixture(scope="module")
def found() -> Comparison:
    return small()


@pytest.fixture(scope="module")
def report(found: Comparison) -> dict[str, Any]:
    report = json.loads(found.to_text())
    from_json(report, ComparisonReport)  # every field is there, and of its type
    return report


def bests(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [report["neuro"], report["systolic"], report["single"]["systolic"]]


def test_fields(report: dict[str, Any]) -> None:
    assert report["schema"] == "spikewatt.comparison/2"
    assert (report["mode"], report["timesteps"], report["activation_bits"]) == ("window", 3, 2)
    assert (report["images"], report["samples"]) == (IMAGES, len(X))
    assert report["kind"] == "equal function"
    assert report["weight_bits"] == {"neuro": 4, "systolic": 4}
    for side in bests(report):
        assert {"accuracy", "bit_exact", "energy_per_inference_j", "by_category"} <= side.keys()
        assert {"latency_s", "area_um2", "standard_error_j", "leakage_w"} <= side.keys()
        assert side["bit_exact"] is True
        assert set(side["by_category"]) == set(CATEGORIES)
        assert near(sum(side["by_category"].values()), side["energy_per_inference_j"])
        assert all(joules > 0 for joules in side["by_category"].values())
        assert near(side["energy_delay_js"], side["energy_per_inference_j"] * side["latency_s"])
        leakage = side["by_category"]["leakage"]
        dynamic = side["energy_per_inference_j"] - leakage
        expected = 1000 * dynamic + leakage / side["seconds_per_inference"]
        assert near(side["power_w"]["1000"], expected)
        area = side["area_um2"]
        assert near(area["total"], area["logic"] + area["memory"])


def test_ratio_is_a_quotient(report: dict[str, Any]) -> None:
    neuro, headline, single = (side["energy_per_inference_j"] for side in bests(report))
    assert near(report["ratio"]["mean"], neuro / headline)
    assert near(report["single"]["ratio"]["mean"], neuro / single)
    for ratio in (report["ratio"], report["single"]["ratio"]):
        low, high = ratio["ci95"]
        assert 0 < low < ratio["mean"] < high


def test_headline_is_the_cheapest(found: Comparison, report: dict[str, Any]) -> None:
    for side in ("neuro", "systolic"):
        met = [v for v in report[side]["variants"] if v["meets_clock"]]
        least = min(v["energy_per_inference_j"] for v in met)
        assert report[side]["energy_per_inference_j"] == least
    assert [v["label"] for v in report["neuro"]["variants"]] == ["2 lanes", "4 lanes"]
    labels = [v["label"] for v in report["systolic"]["variants"]]
    assert labels == [usual(4, 4, batch).label for batch in (1, 2)]
    assert found.headline == report["systolic"]["batch"]
    assert report["single"]["batch"] == 1
    assert report["rests_on"]["systolic_core"] == report["systolic"]["label"]
    assert report["rests_on"]["neuro_core"] == report["neuro"]["label"]


def test_csv_holds_every_variant(found: Comparison, report: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    variants = [(core, v) for core in ("neuro", "systolic") for v in report[core]["variants"]]
    assert len(rows) == len(variants) == 4
    for row, (core, variant) in zip(rows, variants, strict=True):
        assert (row["core"], row["variant"]) == (core, variant["label"])
        assert float(row["energy_per_inference_j"]) == variant["energy_per_inference_j"]
        parts = [float(row[f"{name}_j"]) for name in CATEGORIES]
        assert near(sum(parts), variant["energy_per_inference_j"])
        for name, value in (("logic_um2", "logic"), ("memory_um2", "memory")):
            assert float(row[name]) == variant["area_um2"][value]
        for name in ("latency_s", "seconds_per_inference", "leakage_w", "shortest_period_s"):
            assert float(row[name]) == variant[name]
        assert row["meets_clock"] == str(int(variant["meets_clock"]))


def test_networks_agree(found: Comparison, report: dict[str, Any]) -> None:
    assert report["activations"] == {"differing": 0, "of": len(X) * 8}
    assert found.accuracy[0] == found.accuracy[1]
    _, systolic = sides(NETWORK, X)
    answers = systolic.network.run(np.rint(X * 3).astype(int))[-1].argmax(1)
    assert found.accuracy[0] == (answers == Y).mean()
    assert report["systolic"]["macs_per_inference"] == 6 * 8 + 8 * 4


def test_rates_and_sparsity_by_hand(found: Comparison) -> None:
    counts = np.rint(X * 3).astype(int)
    hidden = sides(NETWORK, X)[1].network.run(counts)[0]
    spikes = counts.sum() + hidden.sum()
    assert near(found.spike_rate, spikes / (len(X) * (6 + 8) * 3))
    assert near(found.spikes_per_inference, spikes / len(X))
    zeros = (counts == 0).sum() + (hidden == 0).sum()
    assert near(found.sparsity, zeros / (len(X) * 14))
    # Each input spike meets 8 synapses, each hidden one 4.
    operations = 8 * counts.sum() + 4 * hidden.sum()
    assert near(found.synaptic_ops_per_inference, operations / len(X))


def test_layers_are_the_whole(found: Comparison) -> None:
    neuro = found.neuro.best
    assert neuro is not None
    assert list(found.layers["neuromorphic"]) == ["h1", "out"]
    assert near(sum(found.layers["neuromorphic"].values()), neuro.energy_per_inference_j)
    for batch in (1, 2):
        layers = found.layers[f"systolic, batch {batch}"]
        assert list(layers) == ["h1", "out"]
        price = found.price(batch)
        assert near(sum(layers.values()), price.per_inference_j)
        variant = found.systolic[batch].variant
        assert variant is not None
        program, first = sides(NETWORK, X)[1].program(variant), 0.0
        for block, images in enumerate(price.images.tolist()):
            _, joules = price.block_cycles(block)
            first += joules[: first_vectors(program, images)[1]].sum()
        assert near(layers["h1"], first / IMAGES)


def test_layers_of_the_spiking_core_share_by_words(found: Comparison) -> None:
    neuro, _ = sides(NETWORK, X)
    variant = found.neuro.variant
    assert variant is not None
    groups = [-(-size // variant.lanes) for size in (8, 4)]
    words = [neuro.spikes.sum() * groups[0], neuro.counts[0].sum() * groups[1]]
    layers = found.layers["neuromorphic"]
    assert near(layers["h1"] / layers["out"], words[0] / words[1])


def test_layers_share_by_words_and_not_by_neurons() -> None:
    """With eight lanes a word holds all eight hidden neurons, or the four of the readout."""
    neuro, _ = sides(NETWORK, X)
    found: Found[NeuroVariant] = Found()
    found.consider(NeuroVariant(8), 1, priced(1.0))
    layers = neuro_layers(neuro, found)
    assert near(layers["h1"] / layers["out"], neuro.spikes.sum() / neuro.counts[0].sum())
    assert near(sum(layers.values()), 1.0)


def test_layers_have_the_names_of_the_network() -> None:
    """Of both cores: whose network it is knows its populations by these names."""
    neuro, systolic = sides(NETWORK, X)
    ours: Found[NeuroVariant] = Found()
    ours.consider(NeuroVariant(8), 1, priced(1.0))
    assert list(neuro_layers(neuro, ours)) == ["h1", "out"]
    theirs: Found[SystolicVariant] = Found()
    parts = [np.array([3.0, 1.0]), np.array([5.0, 3.0])]
    cut = priced(1.0, images=np.array([2, 2]), parts=lambda cuts: parts)
    theirs.consider(SystolicVariant(4, 4, 2), 2, cut)
    assert systolic_layers(systolic, theirs) == {"h1": 2.0, "out": 1.0}


def test_order_of_the_images_does_not_matter(found: Comparison, report: dict[str, Any]) -> None:
    """Other orders, among those that run and among the rest, give the very same numbers."""
    order = np.concatenate([np.random.default_rng(2).permutation(IMAGES), [6, 5]])
    assert not np.array_equal(order[:IMAGES], np.arange(IMAGES))
    plan = Plan(lanes=(4,), sizes=((4, 4),), batches=(2,), refine=False, glitches=False)
    again = json.loads(compare(NETWORK, X[order], Y[order], images=IMAGES, plan=plan).to_text())
    assert again["neuro"]["variants"] == report["neuro"]["variants"][1:]
    assert again["systolic"]["variants"] == report["systolic"]["variants"][1:]
    assert again["ratio"]["mean"] == report["ratio"]["mean"]
    assert again["layers"]["neuromorphic"] == report["layers"]["neuromorphic"]
    for name in ("spike_rate", "spikes_per_inference", "accuracy", "synaptic_ops_per_inference"):
        assert again["neuro"][name] == report["neuro"][name]
    assert again["systolic"]["activation_sparsity"] == report["systolic"]["activation_sparsity"]


def test_bounds_begin_with_the_prices(found: Comparison, report: dict[str, Any]) -> None:
    neuro = found.price()
    for batch in (1, 2):
        systolic = found.price(batch)
        told = report["bounds"][str(batch)]
        scenarios = {one["name"]: one for one in told["scenarios"]}
        plain = scenarios["as priced"]
        assert plain["neuro_j"] == neuro.per_inference_j
        assert plain["systolic_j"] == systolic.per_inference_j
        assert near(plain["ratio"], found.ratio(batch).mean)
        assert len(scenarios) == len(told["scenarios"])
        assert len(scenarios) == 1 + len(SRAM_FACTORS) ** 2 - 1 + len(WIRE_SCALES) - 1 + 2
        period = max(neuro.timing.period_s, systolic.timing.period_s)
        faster = scenarios[f"clock of {period * 1e9:.2f} ns"]
        for price, side in ((neuro, "neuro_j"), (systolic, "systolic_j")):
            leakage = price.by_category["leakage"]
            rest = price.per_inference_j - leakage
            assert near(faster[side], rest + leakage * period / 10e-9)
        for one in scenarios.values():
            assert near(one["ratio"], one["neuro_j"] / one["systolic_j"])
        assert near(scenarios["memories: neuro x2, systolic x0.5"]["neuro_j"], neuro.with_sram(2))
        assert near(
            scenarios["memories: neuro x2, systolic x0.5"]["systolic_j"], systolic.with_sram(0.5)
        )
        assert near(scenarios["wires and clock tree x2"]["systolic_j"], systolic.with_wires(2))
        factors = told["glitch_factor"]
        assert 1 <= factors["neuro"] < 10
        assert 1 <= factors["systolic"] < 10
        expected = neuro.with_glitches(factors["neuro"])
        assert near(scenarios["glitches"]["neuro_j"], expected)
        expected = systolic.with_glitches(factors["systolic"])
        assert near(scenarios["glitches"]["systolic_j"], expected)
        flips = [n for n, one in scenarios.items() if (one["ratio"] < 1) != (plain["ratio"] < 1)]
        assert told["flips"] == flips
        assert told["verdict_flips"] == bool(flips)


@pytest.mark.parametrize("steps", [1, 2, 3, 7])
def test_window_mode_has_no_differing_activation(steps: int) -> None:
    network = layered((6, 8, 5, 4), (5, 7), 3, bias=6, T=3)
    x = np.random.default_rng(1).random((50, 6))
    neuro, systolic = sides(network, x, timesteps=steps)
    assert systolic.network.input_max == neuro.network.encoder.timesteps == steps
    for ours, theirs in zip(neuro.counts, systolic.golden[:-1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(neuro.classes, systolic.classes)


def test_every_tick_mode_differs_somewhere() -> None:
    x = np.random.default_rng(1).random((50, 6))
    neuro, systolic = sides(NETWORK, x, mode="every-tick")
    differing = (neuro.counts[0] != systolic.golden[0]).sum()
    assert 0 < differing < 0.3 * systolic.golden[0].size


def test_rival_sees_the_same_samples() -> None:
    """Both sides encode the samples themselves, each with its own timesteps."""
    rival = layered((6, 3, 4), (4,), 5, T=7)
    neuro, systolic = sides(leaky(), X, rival=rival)
    np.testing.assert_array_equal(neuro.spikes.sum(1), np.rint(X * 3))
    np.testing.assert_array_equal(systolic.x, np.floor(X * 7 + 0.5))
    assert neuro.network.name == "leaky"
    assert [layer.outputs for layer in systolic.network.layers] == [3, 4]


def test_written_whole_or_not_at_all(
    found: Comparison, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "out", found)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert {"comparison.json", "variants.csv", "energy.svg", "layers.svg"} <= set(names)
    assert {"power-neuro.svg", "power-systolic.svg"} <= set(names)
    assert (tmp_path / "out" / "variants.csv").read_text() == found.to_csv()
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == json.loads(
        found.to_text()
    )

    def fail(*_: object) -> None:
        raise SimulationError("no")

    monkeypatch.setattr("spikewatt.flow.compare.output.plot_comparison", fail)
    with pytest.raises(SimulationError, match="no"):
        write(tmp_path / "other", found)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("images", [0, -1, 8])
def test_more_images_than_there_are(images: int) -> None:
    with pytest.raises(DataError, match=rf"^--images {images} is not within the 7 samples"):
        compare(NETWORK, X, images=images)


def test_a_batch_needs_as_many_images() -> None:
    """By default the largest is all images; one that was asked for is not cut down in silence."""
    assert Plan().batches_of(16) == [1, 16]
    assert Plan().batches_of(64) == [1, 32]
    assert [cut_batch(images) for images in (1, 31, 32, 64)] == [32, 32, None, None]
    assert Plan(batches=(8, 1, 8)).batches_of(8) == [1, 8]
    with pytest.raises(DataError) as stop:
        compare(NETWORK, X, images=3, plan=Plan(batches=(1, 4), glitches=False))
    assert str(stop.value) == (
        "a batch of 4 needs as many images, and 3 are compared: choose more images or a smaller "
        "batch"
    )


def test_bad_samples_by_their_own_row() -> None:
    """Rows are those of the file, whatever order they run in."""
    x = X[::-1].copy()
    x[4, 2] = 7
    with pytest.raises(DataError, match=r"^x\[4, 2\] is 7, outside the encoder's range 0..1"):
        compare(NETWORK, x)
    for odd in (X[0], X[None], X[:, :5]):
        with pytest.raises(DataError, match=r"^x must have shape \(n, 6\), not "):
            compare(NETWORK, odd, images=1)
    with pytest.raises(DataError, match=r"^y\[1\] is 4, and the readout has classes 0..3$"):
        compare(NETWORK, X, np.array([0, 4, 0, 0, 0, 0, 0]))


def test_no_equal_and_no_rival() -> None:
    with pytest.raises(NetworkError, match=r"^population 'h1' leaks"):
        compare(leaky(), X)


def test_a_rival_of_another_task() -> None:
    with pytest.raises(NetworkError, match=r"^rival 'chain' has 5 inputs, and 'leaky' has 6$"):
        compare(leaky(), X, rival=layered((5, 3, 4), (4,), 1))
    with pytest.raises(NetworkError, match=r"^rival 'chain' has 3 classes, and 'leaky' has 4$"):
        compare(leaky(), X, rival=layered((6, 3, 3), (4,), 1))


OPTIONS = {
    "isolate_activations": True,
    "isolate_weights": True,
    "gate_idle": True,
    "loading": Loading.SHIFT,
    "tile_rows": 2,
    "tile_columns": 2,
    "double_buffer": True,
}


def energies(options: dict[str, Any]) -> list[float]:
    """Of an array with each option alone; `price` holds results to the model."""
    _, systolic = sides(NETWORK, X[:IMAGES][canonical(X[:IMAGES])])
    begin = usual(4, 4, 1)
    variants = [begin.with_option(name, value) for name, value in options.items()]
    return [systolic.price(v, Pricing(IMAGES)).per_inference_j for v in variants]


@pytest.mark.long
def test_every_option_changes_the_energy(found: Comparison) -> None:
    joules = [found.systolic[1].tried[0].energy_per_inference_j, *energies(OPTIONS)]
    assert len(joules) == len(OPTIONS) + 1
    assert all(not near(a, b, 1e-4) for a, b in pairwise(sorted(joules)))


def damaged(run: Run, what: str) -> Run:
    """A run of `NETWORK` with one thing wrong in it."""
    arrays = {name: array.copy() for name, array in run.arrays.items()}
    if what == "accumulators":
        arrays["values"][:, 8:] += 1
    elif what == "activations":
        arrays["values"][:, :8] ^= 1
    elif what == "cycles":
        arrays["cycles"] += 1
    else:
        arrays["accesses"][:, 1] = 0
    return replace(run, arrays=arrays)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("accumulators", "sample 1, neuron 8: values "),
        ("activations", "sample 1, neuron 0: values "),
        ("cycles", "block 1: cycles "),
        ("accesses", "block 1, memory 1: accesses 0 by RTL, "),
    ],
)
def test_wrong_rtl_is_found_out(monkeypatch: pytest.MonkeyPatch, what: str, message: str) -> None:
    """One thing wrong in the second sample."""
    _, systolic = sides(NETWORK, X[:2])
    genuine, runs = NativeSystolic.run, itertools.count()

    def run(core: NativeSystolic, program: SystolicProgram, x: np.ndarray) -> Run:
        rtl = genuine(core, program, x)
        return damaged(rtl, what) if next(runs) == 1 else rtl

    monkeypatch.setattr(NativeSystolic, "run", run)
    with pytest.raises(SimulationError, match=f"the RTL is another: {message}"):
        systolic.price(usual(4, 4, 1), Pricing(2))
    assert next(runs) == 2
