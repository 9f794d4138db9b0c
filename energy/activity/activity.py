"""What every net did in a window of time, and how that is known."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.choices import InputOrder

__all__ = ["Activity", "Origin"]


class Origin(IntEnum):
    """How the activity of a net is known."""

    RECORDED = 0
    """The waveform shows the net, or SAIF counts it."""
    REPLAYED = 1
    """A gate, latch or clock gate drives it; computed from what is recorded."""
    INFERRED = 2
    """A flip-flop that the waveform does not show drives it; computed edge by edge, unchecked. Or
    SAIF does not hold it: propagated."""
    ASSUMED = 3
    """Nothing tells its value: taken as 0 at all times."""
    UNUSED = 4
    """Nothing drives it and nothing reads it: it costs nothing, and nobody looks for it."""


@dataclass(frozen=True)
class Activity:
    """What every net did, within a window of time.

    Parameters
    ----------
    edges_s:
        float64[blocks + 1], s: the borders of the blocks; the window is all of them.
    toggles:
        uint64[blocks, nets], settled changes between 0 and 1; float64, with fractions, where some
        are propagated.
    high_s:
        float64[nets], s at 1 within the window.
    origins:
        uint8[nets], of ``Origin``.
    accesses, clock_edges:
        uint64[blocks, ports] for each memory port in the netlist's order: clock edges with the
        port enabled, and all of them.
    unmatched:
        Names of state bits that the waveform does not show, and of nets without a driver.
    matched:
        Number of flip-flops that the waveform shows.
    judged:
        Clock edges of flip-flops at which the replay was held against the waveform.
    scope:
        Where in the waveform the design was found.
    propagated:
        Nets that SAIF does not hold, whose activity comes from the probabilities of others.
    compared:
        Samples of output ports at which the replay was held against the waveform.
    reads:
        Bits that memories read, held against what was written to them.
    summed:
        Nets of a SAIF whose times add up to its duration.
    mismatches:
        Differences that were found, and tolerated.
    delays, inputs:
        How the waveform was judged: as one with delays; and inputs that change at a clock edge as
        changing ``before`` or ``after`` it; before it, but at so many edges ``late_inputs``.
    """

    edges_s: NDArray[np.float64]
    toggles: NDArray[np.uint64] | NDArray[np.float64]
    high_s: NDArray[np.float64]
    origins: NDArray[np.uint8]
    accesses: NDArray[np.uint64]
    clock_edges: NDArray[np.uint64]
    unmatched: tuple[str, ...]
    matched: int
    judged: int
    scope: str
    propagated: tuple[int, ...] = ()
    compared: int = 0
    reads: int = 0
    summed: int = 0
    mismatches: int = 0
    delays: bool = False
    inputs: InputOrder = "after"
    late_inputs: int = 0

    @property
    def checked(self) -> bool:
        """Whether anything was held against the waveform."""
        return self.judged + self.compared + self.reads + self.summed > 0

    @property
    def duration_s(self) -> float:
        """Length of the window, s."""
        return float(self.edges_s[-1] - self.edges_s[0])

    @property
    def totals(self) -> NDArray[np.int64]:
        """int64[nets], toggles in the whole window."""
        return self.toggles.sum(0).astype(np.int64)

    def count_origins(self) -> dict[str, int]:
        """Number of nets of each origin, the two constants apart."""
        counts = np.bincount(self.origins[2:], minlength=len(Origin)).tolist()
        return {origin.name.lower(): count for origin, count in zip(Origin, counts, strict=True)}
