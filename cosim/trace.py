"""What the RTL did, and where it first differs from the golden model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.run import Run

__all__ = ["RtlTrace", "first_difference"]


@dataclass(frozen=True, kw_only=True)
class RtlTrace:
    """A run of T ticks on a core of N neurons.

    ``spikes``: bool[T, N]. ``membranes``: int32[T, N], after each tick. ``merges``: int64[T + 1],
    of t = -1, 0, 1, …. ``synapse_words``, ``updates``, ``cycles``: int64[T]; cycles run from one
    tick's end to the next, the first with its events. ``packets``: int64[n, 5], (tick, axon,
    delay, dx, dy).
    """

    spikes: NDArray[np.bool_]
    membranes: NDArray[np.int32]
    merges: NDArray[np.int64]
    synapse_words: NDArray[np.int64]
    updates: NDArray[np.int64]
    cycles: NDArray[np.int64]
    packets: NDArray[np.int64]


def first_difference(rtl: RtlTrace, golden: Run, sample: int) -> str | None:
    """Name the first tick and place at which the RTL left the golden model; ``None`` if nowhere."""
    found = []
    for name in ("spikes", "membranes", "synapse_words", "merges"):
        got, expected = getattr(rtl, name), getattr(golden, name)[sample]
        if not np.array_equal(got, expected):
            at = tuple(int(i) for i in np.argwhere(got != expected)[0])
            tick = at[0] - (name == "merges")
            where = f"tick {tick}, neuron {at[1]}" if len(at) > 1 else f"tick {tick}"
            found.append((tick, f"{where}: {name} {got[at]} in RTL, {expected[at]} in the model"))
    return f"sample {sample}, {min(found)[1]}" if found else None
