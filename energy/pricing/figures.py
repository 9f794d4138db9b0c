"""What ``spikewatt energy`` says as JSON, field by field."""

from dataclasses import dataclass, field
from typing import Literal

from msgspec import UNSET, UnsetType

from spikewatt.base.report import Report
from spikewatt.energy.pricing.energy import EnergyFigures
from spikewatt.energy.pricing.sram import SramModel

__all__ = ["EnergyReport", "EnergyRow", "MemoryAccesses", "OriginCounts", "OriginEnergies"]


@dataclass(frozen=True, slots=True)
class MemoryAccesses:
    """How often a memory was read and written in the window, and what one of either costs, J."""

    name: str
    words: int
    width: int
    reads: int
    writes: int
    read_j: float
    write_j: float


@dataclass(frozen=True, kw_only=True)
class OriginCounts:
    """Of how many nets the activity is known in which way; `Origin` says what each means."""

    recorded: int
    replayed: int
    inferred: int
    assumed: int
    unused: int


@dataclass(frozen=True, kw_only=True)
class OriginEnergies:
    """J of the toggles of these nets, switching and internal."""

    recorded: float
    replayed: float
    inferred: float
    assumed: float
    unused: float


@dataclass(frozen=True, kw_only=True)
class EnergyRow:
    """A line of a view, J: it has the name of the view's own field, and the terms that are known.

    Fields of other views are left out of the JSON. One type for all of them, because lists of
    several kinds of objects cannot be told apart when JSON is read back.
    """

    module: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    net: str | UnsetType = UNSET
    cell: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    toggles: int | UnsetType = UNSET
    switching: float | UnsetType = UNSET
    internal: float | UnsetType = UNSET
    leakage: float | UnsetType = UNSET
    total: float


@dataclass(frozen=True, kw_only=True)
class EnergyReport(Report):
    """The energy of a window of a waveform; watts are means over the window.

    ``power_w`` and ``energy_j`` count instances, as OpenSTA does; nets that top-level ports drive
    are ``port_nets_w``, and ``total_j`` has both. ``toggles`` are those of all nets; ``by`` lists
    the energy by one view, the largest first; ``notes`` say what was assumed, and what is left out.
    Checked were ``clock_edges_checked`` next states of flip-flops and ``outputs_compared`` samples
    of output ports, bits of memories that were read, and nets of a SAIF whose times add up to its
    duration; ``mismatches`` were not as the waveform shows, and were tolerated.
    ``delays`` and ``inputs`` say how the waveform was judged.
    """

    schema: Literal["spikewatt.energy/2"] = "spikewatt.energy/2"
    design: str
    library: str
    voltage_v: float
    scope: str
    window_s: tuple[float, float]
    duration_s: float
    toggles: int
    nets: int
    instances: int
    origins: OriginCounts
    unmatched: list[str]
    flip_flops_matched: int
    clock_edges_checked: int
    outputs_compared: int
    reads_checked: int
    saif_nets_checked: int
    mismatches: int
    delays: bool
    inputs: Literal["before", "after"]
    origins_j: OriginEnergies
    power_w: EnergyFigures
    energy_j: EnergyFigures
    port_nets_w: float
    groups: dict[str, EnergyFigures]
    total_j: float
    memories: list[MemoryAccesses]
    sram: SramModel | None
    by: list[EnergyRow]
    notes: list[str] = field(default_factory=list)
