"""What the numbers leave out, bounded: does the verdict change?"""

from dataclasses import dataclass
from typing import TypedDict

from spikewatt.base.errors import SimulationError
from spikewatt.energy.glitches.bound import glitch_factor
from spikewatt.targets.price import PricedRun

__all__ = [
    "SRAM_FACTORS",
    "WIRE_SCALES",
    "BoundFigures",
    "Bounds",
    "Factors",
    "Scenario",
    "bound",
    "measure_glitches",
]

SRAM_FACTORS = (0.5, 1.0, 2.0, 4.0)
"""On the energy of memories, for each core by itself (docs/sram.md)."""
WIRE_SCALES = (0.0, 1.0, 2.0)
"""Times `typical_wires`."""


@dataclass(frozen=True)
class Scenario:
    """Both energies of an inference, J, under one set of assumptions; ``ratio``: E_n / E_s."""

    name: str
    neuro_j: float
    systolic_j: float
    ratio: float


class Factors(TypedDict):
    """A factor for each core, where it was measured."""

    neuro: float | None
    systolic: float | None


@dataclass(frozen=True, kw_only=True)
class BoundFigures:
    """The verdict of a batch under every scenario."""

    glitch_factor: Factors
    scenarios: list[Scenario]
    verdict_flips: bool
    flips: list[str]


@dataclass(frozen=True)
class Bounds:
    """The verdict under every scenario.

    ``glitch_factor``: energy of combinational gates with glitches over that without, of the
    neuromorphic and of the systolic core. ``flips``: names of the scenarios with another winner.
    Each scenario varies one thing; they may well come together.
    """

    glitch_factor: tuple[float | None, float | None]
    scenarios: tuple[Scenario, ...]
    flips: tuple[str, ...]

    def figures(self) -> BoundFigures:
        """The bounds as a report holds them."""
        neuro, systolic = self.glitch_factor
        return BoundFigures(
            glitch_factor={"neuro": neuro, "systolic": systolic},
            scenarios=list(self.scenarios),
            verdict_flips=bool(self.flips),
            flips=list(self.flips),
        )


def measure_glitches(price: PricedRun, cycles: int = 400) -> float | None:
    """Glitch factor of combinational gates, from a simulation with delays of the first block.

    ``None`` where the gates, each with one delay of its own, are too slow for the clock: then they
    compute something else.

    Parameters
    ----------
    cycles:
        At most so many clock cycles of it.
    """
    begin, end = (float(edge) for edge in price.estimate.activity.edges_s[:2])
    # A simulation with delays is slow; some hundred cycles stand for the whole.
    end = min(end, begin + cycles * price.period_s)
    try:
        return glitch_factor(price.prepared, price.estimate, window=(begin, end)).factor
    except SimulationError:
        return None


def bound(
    neuro: PricedRun, systolic: PricedRun, glitches: tuple[float | None, float | None]
) -> Bounds:
    """Vary what is least certain or freely chosen: memories, wires, clock period, glitches.

    Parameters
    ----------
    glitches:
        Factors of both cores, as `measure_glitches` gives them.
    """
    scenarios = [_scenario("as priced", neuro.per_inference_j, systolic.per_inference_j)]
    for ours in SRAM_FACTORS:
        for theirs in SRAM_FACTORS:
            # That is the scenario as priced.
            if (ours, theirs) != (1.0, 1.0):
                name = f"memories: neuro x{ours:g}, systolic x{theirs:g}"
                scenarios.append(_scenario(name, neuro.with_sram(ours), systolic.with_sram(theirs)))
    for scale in WIRE_SCALES[1:]:
        pair = neuro.with_wires(scale), systolic.with_wires(scale)
        scenarios.append(_scenario(f"wires and clock tree x{scale:g}", *pair))
    # The fastest clock that both meet.
    period = max(neuro.timing.period_s, systolic.timing.period_s)
    pair = neuro.with_period(period), systolic.with_period(period)
    scenarios.append(_scenario(f"clock of {period * 1e9:.2f} ns", *pair))
    ours, theirs = glitches
    if ours is not None and theirs is not None:
        pair = neuro.with_glitches(ours), systolic.with_glitches(theirs)
        scenarios.append(_scenario("glitches", *pair))
    first = scenarios[0].ratio
    flips = tuple(scenario.name for scenario in scenarios if (scenario.ratio < 1) != (first < 1))
    return Bounds(glitches, tuple(scenarios), flips)


def _scenario(name: str, neuro: float, systolic: float) -> Scenario:
    return Scenario(name, neuro, systolic, neuro / systolic)
