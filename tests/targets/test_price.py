"""What a priced run says of itself: by hand, and against the same run priced otherwise."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from spikewatt.cosim.recording import MemoryWaveform
from spikewatt.energy.activity.replay import Prepared
from spikewatt.energy.delays.timing import StaticTiming
from spikewatt.energy.pricing.ledger import LEDGER_GROUPS, TERMS, Ledger
from spikewatt.energy.pricing.options import PricingOptions
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_activity
from spikewatt.flow.compare.run import sides
from spikewatt.flow.compare.variants import usual
from spikewatt.synth.asic_result import AsicResult
from spikewatt.targets import target
from spikewatt.targets.neuro import NeuroTarget
from spikewatt.targets.price import PricedRun, mean_wire_pitches, typical_wires
from spikewatt.targets.systolic import SystolicTarget
from tests.flow.small_comparison import CATEGORIES, NETWORK, X, near, small


def by_hand(images: list[int], cycles: list[int]) -> PricedRun:
    """A core of two modules, ``dp`` the datapath; joules are drawn."""
    shape = (len(images), 2, len(LEDGER_GROUPS), len(TERMS))
    joules = np.random.default_rng(3).random(shape) * 1e-12
    edges = np.concatenate([[0.0], np.cumsum(cycles) * 1e-8])
    memories = [SimpleNamespace(words=64, width=8), SimpleNamespace(words=10, width=3)]
    return PricedRun(
        estimate=cast(
            PricedActivity,
            SimpleNamespace(
                ledger=Ledger(edges, ("", "dp"), joules),
                netlist=SimpleNamespace(memories=memories),
                sram=SimpleNamespace(node_nm=90),
            ),
        ),
        prepared=cast(Prepared, None),
        mapped=cast(AsicResult, SimpleNamespace(area=100.0, cells=25)),
        timing=cast(StaticTiming, SimpleNamespace(period_s=4e-9)),
        images=np.array(images),
        cycles=np.array(cycles),
        period_s=1e-8,
        category=lambda path: "datapath" if path == "dp" else "control",
    )


def test_figures_by_hand() -> None:
    price = by_hand([1, 1, 1], [10, 20, 60])
    joules = price.estimate.ledger.joules
    assert near(price.total_j, joules.sum())
    assert near(price.per_inference_j, joules.sum() / 3)
    blocks = joules.reshape(3, -1).sum(1)
    np.testing.assert_allclose(price.blocks_j, blocks, rtol=1e-12)
    mean = blocks.mean()
    variance = sum((one - mean) ** 2 for one in blocks) / 2
    assert price.standard_error_j is not None
    assert near(price.standard_error_j, (variance / 3) ** 0.5)
    assert near(price.latency_s, 30 * 1e-8)
    assert near(price.seconds_per_inference, 30 * 1e-8)
    leakage = joules[..., TERMS.index("leakage")].sum() / 3
    assert near(price.by_category["leakage"], leakage)
    assert near(price.leakage_w, leakage / 3e-7)
    # At 1 kHz the dynamic energy a thousand times a second, and the leakage all the time.
    dynamic = price.per_inference_j - leakage
    assert near(price.power_w(1e3), 1e3 * dynamic + leakage / 3e-7)
    # As fast as it can, it takes the mean energy in the mean time.
    assert near(price.power_w(1 / 3e-7), price.per_inference_j / 3e-7)


def test_categories_are_the_whole() -> None:
    price = by_hand([1, 1, 1], [10, 20, 60])
    assert tuple(price.by_category) == CATEGORIES
    assert near(sum(price.by_category.values()), price.per_inference_j)
    joules = price.estimate.ledger.joules.sum(0)
    rest = [LEDGER_GROUPS.index(n) for n in LEDGER_GROUPS if n not in ("clock", "macro")]
    plain = [TERMS.index(n) for n in ("switching", "internal")]
    assert near(price.by_category["datapath"], joules[1][rest][:, plain].sum() / 3)
    assert near(price.by_category["control"], joules[0][rest][:, plain].sum() / 3)


def test_batches_are_per_inference() -> None:
    price = by_hand([4, 4], [100, 140])
    assert near(price.per_inference_j, price.total_j / 8)
    assert near(sum(price.by_category.values()), price.per_inference_j)
    assert near(price.latency_s, 120e-8)  # an inference waits for its batch
    assert near(price.seconds_per_inference, 240e-8 / 8)
    assert price.standard_error_j is not None
    one, other = price.blocks_j / 4
    # Two values: half their distance is the standard error of their mean.
    assert near(price.standard_error_j, abs(one - other) / 2)


def test_a_smaller_last_batch_is_no_sample_of_the_others() -> None:
    """It costs more for each inference, which says nothing about how inferences differ."""
    price = by_hand([4, 4, 1], [100, 140, 60])
    assert price.standard_error_j is not None
    one, other = price.blocks_j[:2] / 4
    assert near(price.standard_error_j, abs(one - other) / 2)
    assert near(price.per_inference_j, price.total_j / 9)
    assert near(price.latency_s, (4 * 100 + 4 * 140 + 60) / 9 * 1e-8)
    assert by_hand([4, 1], [100, 60]).standard_error_j is None


def test_one_block_has_no_standard_error() -> None:
    assert by_hand([4], [100]).standard_error_j is None


def test_area_by_hand() -> None:
    price = by_hand([1], [10])
    # 0.346 µm² a cell at 45 nm, four times that at 90 nm, and as much again for the rest.
    memory = (64 * 8 + 10 * 3) * 0.346 * 4 * 2
    assert price.area_um2["logic"] == 100.0
    assert near(price.area_um2["memory"], memory)
    assert near(price.area_um2["total"], 100 + memory)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 3.0])
def test_factors_by_hand(factor: float) -> None:
    price = by_hand([1, 2], [10, 20])
    joules = price.estimate.ledger.joules.copy()
    internal, leakage = TERMS.index("internal"), TERMS.index("leakage")
    macro = LEDGER_GROUPS.index("macro")
    scaled = joules.copy()
    scaled[:, :, macro, internal] *= factor
    scaled[:, :, macro, leakage] *= factor
    assert near(price.with_sram(factor), scaled.sum() / 3)
    scaled = joules.copy()
    for term in range(len(TERMS)):
        if term != leakage:
            scaled[:, :, LEDGER_GROUPS.index("combinational"), term] *= factor
    assert near(price.with_glitches(factor), scaled.sum() / 3)


@pytest.fixture(scope="module", params=["neuro", "systolic"])
def price(request: pytest.FixtureRequest) -> PricedRun:
    found = small()
    return found.price() if request.param == "neuro" else found.price(1)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_memories_as_the_model_prices_them(price: PricedRun, factor: float) -> None:
    """The factor after the fact is the factor of the SRAM model."""
    old = price.estimate
    assert old.sram is not None
    again = price_activity(
        old.activity,
        old.netlist,
        old.library,
        PricingOptions(sram=replace(old.sram, factor=factor)),
        roots=price.prepared.clock_roots,
    )
    assert near(price.with_sram(factor), again.ledger.total / int(price.images.sum()))
    assert near(price.with_sram(1.0), price.per_inference_j)


def test_wires_cost_more_the_more_there_are(price: PricedRun) -> None:
    none, half, one, two = (price.with_wires(scale) for scale in (0.0, 0.5, 1.0, 2.0))
    assert near(none, price.per_inference_j)
    assert none < half < one < two
    # Switching is linear in the capacitance; slews add what little is not.
    assert near((two - none) / (one - none), 2, 0.1)
    assert near((half - none) / (one - none), 0.5, 0.1)


def test_typical_wires_by_hand(price: PricedRun) -> None:
    cells, area = price.mapped.cells, price.mapped.area
    wires = typical_wires(price.mapped, 3.0)
    farad = 3 * 0.2e-15 * (area / cells) ** 0.5 * mean_wire_pitches(cells)
    assert near(wires.per_sink, farad)
    assert near(wires.clock_per_sink, 2 * farad)


def test_cycles_add_up_to_their_block(price: PricedRun) -> None:
    for block in range(len(price.images)):
        edges, joules = price.block_cycles(block)
        assert len(edges) == price.cycles[block] + 1
        assert near(joules.sum(), price.blocks_j[block])
    assert near(price.period_s, 1e-8)
    assert near(price.estimate.duration_s, float(price.cycles.sum()) * price.period_s, 1e-9)


def donath(levels: int, rent: float) -> float:
    """Mean length of a connection, by counting: cells on a grid, quartered again and again.

    Donath's placement puts the four quarters of every square at random into its quadrants. A
    square of n cells has n^rent terminals; what its quarters have more than it is connected
    between them, at the mean distance of two cells in different quadrants.
    """
    count = length = 0.0
    for level in range(levels):
        side = 2**level
        cells = list(product(range(2 * side), repeat=2))
        apart = [
            abs(a - c) + abs(b - d)
            for (a, b), (c, d) in product(cells, repeat=2)
            if (a // side, b // side) != (c // side, d // side)
        ]
        squares = 4 ** (levels - level - 1)
        wires = squares * (4 * side ** (2 * rent) - (2 * side) ** (2 * rent)) / 2
        count += wires
        length += wires * sum(apart) / len(apart)
    return length / count


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_mean_wire_length_is_donaths(levels: int) -> None:
    assert near(mean_wire_pitches(4**levels), donath(levels, 0.6))


def test_mean_wire_length_grows_with_the_cells() -> None:
    lengths = [mean_wire_pitches(cells) for cells in (1, 4, 100, 10_000, 1_000_000)]
    assert near(lengths[0], 4 / 3)  # four cells: 1 four times of six, 2 twice
    assert lengths[0] == lengths[1] < lengths[2] < lengths[3] < lengths[4]


@pytest.mark.parametrize("room", [0, 50_000])
def test_a_waveform_in_memory_has_the_price_of_its_file(
    room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = NeuroTarget(NETWORK, lanes=2)
    stimulus = NETWORK.stimulus(X[:3])
    kept = core.price(stimulus)
    files = []

    def short(file: Path) -> MemoryWaveform:
        files.append(MemoryWaveform(file, room=room))
        return files[-1]

    monkeypatch.setattr(target, "MemoryWaveform", short)
    spilled = core.price(stimulus)
    (waveform,) = files
    assert waveform.content is None
    assert not waveform.file.exists()
    one, two = (price.estimate.ledger.joules for price in (kept, spilled))
    np.testing.assert_allclose(one, two, rtol=1e-12, atol=0)
    assert kept.figures() == spilled.figures()


@pytest.mark.parametrize("name", ["neuro", "systolic"])
def test_states_are_all_that_a_price_needs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, systolic = sides(NETWORK, X[:3])
    if name == "neuro":
        core, stimulus = NeuroTarget(NETWORK, lanes=2), NETWORK.stimulus(X[:3])
    else:
        core, stimulus = SystolicTarget(systolic.program(usual(4, 4, 2))), systolic.x
    lean = core.price(stimulus)
    monkeypatch.setattr(type(core), "trace", "vcd")
    whole = core.price(stimulus)
    assert lean.figures() == whole.figures()
    assert lean.prepared.matches.roots.keys() == whole.prepared.matches.roots.keys()
    assert len(lean.prepared.matches.others) < len(whole.prepared.matches.others)
