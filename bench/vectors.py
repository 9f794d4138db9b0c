"""What the systolic array is given, weights and vectors in turn, and what it has to answer."""

import numpy as np
from gates import Stimulus
from numpy.typing import NDArray

from spikewatt.energy.activity.waveform import Waveform

__all__ = ["answers", "vectors"]

HALF_PERIOD = 5
"""Ticks; inputs change with the rising edge, as in a synchronous system."""
SIZE = 8
RESET, VECTORS, DRAIN = 4, 240, 16
"""Cycles in reset, with vectors between two sets of weights, and until the last one is out."""
_WIDTHS = {
    "clk": 1,
    "rst": 1,
    "weights__valid": 1,
    "weights__payload": 8 * SIZE,
    "i__valid": 1,
    "i__payload": 8 * SIZE,
    "o__ready": 1,
}


def vectors(cycles: int, seed: int) -> tuple[Stimulus, NDArray[np.int64]]:
    """Inputs for at least ``cycles`` cycles, and the results int64[n, SIZE] that follow from them.

    Weights and activations are uniform, and half of the activations are 0, as behind a ReLU.
    """
    rng = np.random.default_rng(seed)
    matrix = SIZE + VECTORS + DRAIN
    matrices = -(-(cycles - RESET) // matrix)
    record = dict.fromkeys(_WIDTHS, np.zeros(RESET + matrices * matrix, np.uint64))
    record = {name: column.copy() for name, column in record.items()}
    record["rst"][:RESET] = 1
    record["o__ready"][:] = 1
    results = []
    for start in range(RESET, len(record["rst"]), matrix):
        weights = rng.integers(-128, 128, (SIZE, SIZE))
        x = rng.integers(0, 128, (VECTORS, SIZE)) * rng.integers(0, 2, (VECTORS, SIZE))
        first, last = start + SIZE, start + SIZE + VECTORS
        record["weights__valid"][start:first] = 1
        record["weights__payload"][start:first] = _packed(weights[::-1])
        record["i__valid"][first:last] = 1
        record["i__payload"][first:last] = _packed(x)
        results.append(x @ weights)
    words = np.repeat(np.stack([np.zeros_like(record["clk"]), *record.values()], 1), 2, 0)[1:]
    words[:, 0] = HALF_PERIOD * np.arange(len(words))
    words[1::2, 1] = 1
    return Stimulus(_WIDTHS, words), np.concatenate(results)


def answers(wave: Waveform, scope: str, stimulus: Stimulus) -> NDArray[np.int64]:
    """Results that left the array, int64[n, SIZE]."""
    before = stimulus.words[1::2, 0].astype(np.int64) - 1

    def at_edges(name: str) -> NDArray[np.uint64]:
        changes = wave.changes(wave.signals[f"{scope}.{name}"])
        return changes.values[np.searchsorted(changes.times, before, "right") - 1]

    sums = at_edges("o__payload")[at_edges("o__valid")[:, 0] == 1]
    low, middle, high = np.moveaxis(sums.view(np.uint8).reshape(-1, SIZE, 3), 2, 0).astype(np.int64)
    return low + (middle << 8) + (high << 16) - (high >> 7 << 24)


def _packed(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Rows of signed bytes as words, element 0 in the lowest bits."""
    return np.ascontiguousarray(values.astype(np.int8)).view("<u8").ravel()
