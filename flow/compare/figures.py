"""What a comparison says as JSON; docs/comparison.md documents the fields."""

from dataclasses import dataclass
from typing import Literal, TypedDict

from spikewatt.base.report import Report
from spikewatt.flow.compare.bounds import BoundFigures
from spikewatt.flow.compare.search import Measured

__all__ = [
    "Activations",
    "Assumptions",
    "ComparisonReport",
    "Gates",
    "NeuroFigures",
    "RatioFigures",
    "Side",
    "SingleFigures",
    "SystolicFigures",
]


@dataclass(frozen=True, kw_only=True)
class RatioFigures:
    """E_neuro / E_systolic; ``ci95`` is ``None`` where there is one image."""

    mean: float
    ci95: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Side(Measured):
    """The cheapest core of a kind; ``power_w``: at inferences a second."""

    accuracy: float | None
    bit_exact: bool
    energy_delay_js: float
    power_w: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class NeuroFigures(Side):
    """The neuromorphic side."""

    spike_rate: float
    spikes_per_inference: float
    synaptic_ops_per_inference: float
    variants: list[Measured]


@dataclass(frozen=True, kw_only=True)
class SystolicFigures(Side):
    """The systolic side, at the batch where it is cheapest."""

    activation_sparsity: float
    macs_per_inference: int
    variants: list[Measured]


class Sides(TypedDict):
    """A number for each core."""

    neuro: int
    systolic: int


class Gates(TypedDict):
    """Where the clock gates of each core come from: ``library``, ``none`` or ``off``."""

    neuro: str
    systolic: str


class Activations(TypedDict):
    """Hidden activations that differ between both networks, and how many there are."""

    differing: int
    of: int


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What a verdict rests on; ``None`` where it was not tried or does not exist."""

    mode: str
    timesteps: int
    activation_bits: int
    neuro_core: str
    systolic_core: str
    batch: int
    clock_gates: Gates
    library: str
    voltage_v: float
    clock_period_s: float
    sram_node_nm: int | None
    sram_factor: float | None
    verdict_flips_under: list[str] | None


@dataclass(frozen=True, kw_only=True)
class SingleFigures:
    """The same against the systolic core one inference at a time."""

    batch: int
    systolic: Side
    ratio: RatioFigures
    verdict: str


@dataclass(frozen=True, kw_only=True)
class ComparisonReport(Report):
    """A spiking network on its core, and a quantised one on its own, in joules.

    ``batch_cut_from``: the usual batch that the images were too few for, so that batches of all of
    them ran. ``layers``: J of an inference on each core, by the layer's name in its network.
    """

    schema: Literal["spikewatt.comparison/2"] = "spikewatt.comparison/2"
    kind: str
    network: str
    rival: str
    mode: str
    timesteps: int
    activation_bits: int
    weight_bits: Sides
    images: int
    samples: int
    batch_cut_from: int | None
    activations: Activations | None
    neuro: NeuroFigures
    systolic: SystolicFigures
    ratio: RatioFigures
    verdict: str
    rests_on: Assumptions
    mesh: str | None
    router: str | None
    packets: int | None
    hops: int | None
    barrier_cycles: int | None
    single: SingleFigures
    layers: dict[str, dict[str, float]]
    bounds: dict[str, BoundFigures]
