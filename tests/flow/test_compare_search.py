"""The cheapest core of each side, bounds and ratios: arithmetic, on cores that cost what we say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import ParameterError, SimulationError
from spikewatt.flow.compare.bounds import SRAM_FACTORS, bound
from spikewatt.flow.compare.result import Ratio
from spikewatt.flow.compare.run import Plan, compare, sides
from spikewatt.flow.compare.search import Found, Measured, search_neuro, search_systolic
from spikewatt.flow.compare.sides import NeuroSide, Pricing, SystolicSide
from spikewatt.flow.compare.variants import (
    NeuroVariant,
    SystolicVariant,
    parse_array,
    refinements,
    usual,
)
from spikewatt.model.params.systolic import Loading
from tests.flow.small_comparison import NETWORK, X, near, priced, small


def bounded(joules: float, memories: float, gates: float, wires: float) -> Any:
    """A core of so many J, of which memories and gates take a part; wires add."""
    return priced(
        joules,
        with_sram=lambda factor: joules + (factor - 1) * memories,
        with_glitches=lambda factor: joules + (factor - 1) * gates,
        with_wires=lambda scale: joules + scale * wires,
        with_period=lambda period: joules,
    )


def test_flips_by_hand() -> None:
    # 10 against 11: a memory of 4 makes 14 at twice, 22 at four times; wires add 3 against 1.
    ours, theirs = bounded(10, 4, 5, 3), bounded(11, 0.1, 1, 1)
    result = bound(ours, theirs, (1.5, 1.1))
    assert set(result.flips) == {
        *(f"memories: neuro x{a}, systolic x{b:g}" for a in (2, 4) for b in SRAM_FACTORS),
        *(f"wires and clock tree x{scale}" for scale in (1, 2)),
        "glitches",
    }
    assert result.figures().verdict_flips is True
    # The other way round the same scenarios flip.
    swapped = bound(theirs, ours, (1.1, 1.5))
    assert len(swapped.flips) == len(result.flips)
    assert bound(ours, bounded(100, 1, 1, 1), (None, None)).flips == ()
    names = [one.name for one in bound(ours, theirs, (None, 1.1)).scenarios]
    assert "glitches" not in names


def test_ratio_by_hand() -> None:
    ours = replace(Measured.of("a", 1, priced(6.0, error=0.3)), blocks=10)  # 5 %
    theirs = replace(Measured.of("b", 1, priced(3.0, error=0.36)), blocks=10)  # 12 %: 13 % together
    ratio = Ratio.of(ours, theirs, None)
    assert ratio.ci95 is not None
    assert near(ratio.mean, 2.0)
    low, high = ratio.ci95
    assert near(low, 2 * np.exp(-1.96 * 0.13))
    assert near(high, 2 * np.exp(1.96 * 0.13))
    inverse = Ratio.of(theirs, ours, None)
    assert inverse.ci95 is not None
    assert near(inverse.ci95[0], 1 / high)
    alone = replace(theirs, standard_error_j=None)
    assert Ratio.of(ours, alone, 0.36).ci95 is None  # nothing is known of ten batches
    few = replace(theirs, standard_error_j=0.01, blocks=9)
    assert Ratio.of(ours, few, 0.36) == ratio
    assert Ratio.of(ours, few, None).ci95 is None
    assert Ratio.of(replace(ours, standard_error_j=None), theirs, None).ci95 is None


def test_cheapest_of_those_that_meet_the_clock() -> None:
    found: Found[NeuroVariant] = Found()
    for lanes, joules, period in ((1, 5, 9e-9), (2, 3, 11e-9), (3, 4, 10e-9), (4, 4, 1e-9)):
        found.consider(NeuroVariant(lanes), 1, priced(joules, period_s=period))
    assert found.variant == NeuroVariant(3)
    assert found.best is not None
    assert found.price is not None
    assert found.best.energy_per_inference_j == found.price.per_inference_j == 4
    assert [one.meets_clock for one in found.tried] == [True, False, True, True]


class Pretender(SystolicSide):
    """A side whose cores cost what a table says: no RTL."""

    costs: dict[str, float]
    asked: list[SystolicVariant]

    def price(self, variant: SystolicVariant, *_: Any, **__: Any) -> Any:
        self.asked.append(variant)
        words = dict(variant.options)
        joules = {(8, 8): 10.0, (4, 4): 12.0}[variant.rows, variant.columns]
        joules += 0.25 * (words["tile_columns"] == 1)
        return priced(joules + sum(self.costs.get(name, 0.0) for name in words if words[name]))


def pretender(**costs: float) -> Pretender:
    side = Pretender(sides(NETWORK, X)[1].network, np.zeros((1, 6), np.int64))
    object.__setattr__(side, "costs", {"double_buffer": 1.0, **costs})
    object.__setattr__(side, "asked", [])
    return side


def search(side: SystolicSide, *, refine: bool) -> Found[SystolicVariant]:
    return search_systolic(side, ((4, 4), (8, 8)), 1, Pricing(1), refine=refine)


def test_options_stay_if_they_pay() -> None:
    side = pretender(isolate_activations=-2.0, isolate_weights=1.0, gate_idle=-1.0, loading=-0.5)
    begin = dict(usual(8, 8, 1).options)
    found = search(side, refine=True)
    assert found.variant is not None
    assert (found.variant.rows, found.variant.columns) == (8, 8)
    kept = {"isolate_activations": True, "gate_idle": True, "loading": Loading.SHIFT}
    assert dict(found.variant.options) == begin | kept
    assert found.best is not None
    assert near(found.best.energy_per_inference_j, 6.5)
    assert len(found.tried) == 2 + 6
    # Each attempt stands on all that paid before, and on nothing that did not.
    assert dict(side.asked[-1].options) == begin | kept
    assert dict(side.asked[2].options) == begin | {"tile_columns": 1}
    assert dict(side.asked[3].options) == begin | {"double_buffer": True}
    assert len(search(pretender(), refine=False).tried) == 2


def test_no_core_that_meets_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = priced(1.0, period_s=11e-9)
    monkeypatch.setattr(NeuroSide, "price", lambda *_, **__: slow)
    monkeypatch.setattr(SystolicSide, "price", lambda *_, **__: slow)
    found = search_neuro(sides(NETWORK, X)[0], (NeuroVariant(4), NeuroVariant(8)), Pricing(1))
    assert (found.variant, found.best, found.price) == (None, None, None)
    assert len(found.tried) == 2
    assert search(sides(NETWORK, X)[1], refine=True).price is None
    with pytest.raises(
        SimulationError, match=r"^no neuromorphic core of the search meets the clock$"
    ):
        compare(NETWORK, X, plan=Plan(sizes=((4, 4),)))


def test_variants_tell_themselves_apart() -> None:
    base = SystolicVariant(4, 8, 32)
    labels = [base.label, *(one.label for one in refinements(base))]
    assert len(set(labels)) == 7
    assert labels[0] == "4x8, batch 32"
    assert labels[1:] == [
        f"{labels[0]}, {words}"
        for words in (
            "tile columns 1",
            "two buffers",
            "zero weights isolated",
            "zero activations isolated",
            "idle rows and columns gated",
            "loaded by shift",
        )
    ]
    assert usual(4, 8, 32).label == "4x8, batch 32, broadcast, one buffer"
    twice = base.with_option("gate_idle", True).with_option("gate_idle", False)
    assert twice.options == (("gate_idle", False),)


@pytest.mark.parametrize("text", ["8x8", "1X256", "016x4"])
def test_array_sizes(text: str) -> None:
    assert "x".join(map(str, parse_array(text))) == text.lower().lstrip("0")


@pytest.mark.parametrize(
    "text",
    ["", "8", "x", "8x", "0x8", "8x0", "8x257", "8x8x8", "-8x8", "8.0x8", "²x2", "9" * 5000 + "x8"],
)
def test_bad_array_sizes(text: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_array(text)
    assert str(caught.value) == (
        f"--array must be rows x columns like 8x8, 1 to 256 each, not {text!r}"
    )


def test_bit_exact_is_what_was_shown() -> None:
    """A run of which one inference was not held against the model is not called exact."""
    found = small()
    assert found.neuro.best is not None
    assert found.to_json()["neuro"]["bit_exact"] is True
    less = replace(found.neuro.best, proven=found.images - 1)
    neuro = replace(found.neuro, best=less)
    report = replace(found, neuro=neuro).to_json()
    assert report["neuro"]["bit_exact"] is False
    assert report["systolic"]["bit_exact"] is True
