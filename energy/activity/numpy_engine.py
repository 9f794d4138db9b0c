"""Replay in plain NumPy: the same results as ``kernels``, a step kind at a time."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.activity.kernels import (
    RESULT,
    WORDS,
    Counts,
    Hold,
    Kept,
    Kind,
    Masks,
    Source,
    Span,
    States,
    Steps,
)
from spikewatt.energy.activity.words import ALL, earlier, pack, unpack

__all__ = ["new_values", "run_steps"]

Words = NDArray[np.uint64]
_ONE, _TOP = np.uint64(1), np.uint64(63)


def new_values(rows: int) -> Words:
    """Working memory uint64[rows, 1]: the last word of each row; row 1 is 1."""
    values = np.zeros((rows, 1), np.uint64)
    values[1] = ALL
    return values


def _compute(kind: int, x: list[Words]) -> Words:
    match kind:
        case Kind.BUF:
            return x[0]
        case Kind.AND2:
            return x[0] & x[1]
        case Kind.AND3:
            return x[0] & x[1] & x[2]
        case Kind.AND4:
            return x[0] & x[1] & x[2] & x[3]
        case Kind.XOR2:
            return x[0] ^ x[1]
        case Kind.XOR3:
            return x[0] ^ x[1] ^ x[2]
        case Kind.MUX:
            return (x[0] & x[1]) | (~x[0] & x[2])
        case Kind.MAJ:
            return (x[0] & x[1]) | (x[2] & (x[0] | x[1]))
        case Kind.AO21:
            return (x[0] & x[1]) | x[2]
        case Kind.AO22:
            return (x[0] & x[1]) | (x[2] & x[3])
        case Kind.AO211:
            return (x[0] & x[1]) | x[2] | x[3]
        case Kind.AO31:
            return (x[0] & x[1] & x[2]) | x[3]
    raise AssertionError(kind)


def _held(enable: Words, data: Words, state: int, known: bool) -> tuple[Words, bool]:
    """State uint64[words] that follows ``data`` while ``enable``, and holds otherwise."""
    on, value = unpack(enable), unpack(data)
    at = np.flatnonzero(on)
    if not len(at):
        return np.full(len(enable), ALL if state else 0, np.uint64), known
    first = state if known else int(value[at[0]])
    latest = np.cumsum(on, dtype=np.int64) - 1
    out = np.where(latest < 0, first, value[at[np.maximum(latest, 0)]]).astype(np.uint8)
    return pack(out, len(enable)), True


def _run_steps(
    states: States, source: Source, steps: Steps, span: Span, masks: Masks,
    results: tuple[Counts, Kept],
) -> None:  # fmt: skip
    """Run the chunks of a span; parameters as those of ``kernels.run_steps``.

    All chunks go through one group of steps before the next group, which NumPy does fastest.
    """
    (values, known), (counts, kept) = states, results
    words = slice(span.first * WORDS, span.last * WORDS)
    lead = values[:, 0].copy()
    now = np.zeros((len(values), (span.last - span.first) * WORDS), np.uint64)
    now[0], now[1] = 0, ALL
    now[source.rows] = source.words[:, words]
    hold = _Holds(now, lead, known, start=span.start)
    for low, stop in itertools.pairwise(steps.groups):
        code = int(steps.kind[low]) if low < len(steps.kind) else 0
        if code >= Hold.LATCH:
            for at in range(low, stop):
                hold.run(code, steps.operands[at], int(steps.inverted[at]), int(steps.out[at]))
            continue
        chosen = slice(low, stop)
        flags = steps.inverted[chosen]
        operands = [
            now[steps.operands[chosen, k]] ^ np.where(flags >> k & 1, ALL, np.uint64(0))[:, None]
            for k in range(4)
        ]
        inverse = np.where(flags >> RESULT & 1, ALL, np.uint64(0))[:, None]
        now[steps.out[chosen]] = _compute(code, operands) ^ inverse
    # Counted after all steps, not with each: the arrays are long here, and NumPy's calls few.
    rows = np.concatenate([source.rows[source.counted.astype(bool)], steps.out]).astype(np.int64)
    changed = now[rows] ^ earlier(now[rows], lead[rows])
    for c in range(span.first, span.last):
        chunk = slice((c - span.first) * WORDS, (c - span.first + 1) * WORDS)
        _count(changed[:, chunk], now[rows, chunk], c, masks, counts, rows)
    kept.words[:, words] = now[kept.rows]
    values[:, 0] = now[:, -1]


def _count(
    changed: Words, values: Words, chunk: int, masks: Masks, counts: Counts, rows: Any
) -> None:
    """Add the toggles of one chunk by block, and the time at 1."""
    toggles, high = counts
    for p in range(masks.piece_at[chunk], masks.piece_at[chunk + 1]):
        ones = np.bitwise_count(changed & masks.piece_mask[p]).sum(1, dtype=np.uint64)
        toggles[masks.piece_block[p], rows] += ones
    high[rows] += np.bitwise_count(values).sum(1, dtype=np.int64) * masks.usual
    for p in range(masks.plane_at[chunk], masks.plane_at[chunk + 1]):
        ones = np.bitwise_count(values & masks.plane_mask[p]).sum(1, dtype=np.int64)
        high[rows] += ones * masks.plane_more[p]
    for word, mask, more in masks.odd[masks.odd_at[chunk] : masks.odd_at[chunk + 1]]:
        ones = np.bitwise_count(values[:, int(word)] & mask).astype(np.int64)
        high[rows] += ones * more.astype(np.int64)


@dataclass(frozen=True)
class _Holds:
    """Latches and edge-triggered holds over ``now``, uint64[rows, words], with what was before."""

    now: Words
    lead: Words
    known: NDArray[np.uint8]
    start: bool

    def run(self, code: int, operands: NDArray[np.int32], flags: int, row: int) -> None:
        """Run one step."""
        inverse = [ALL if flags >> k & 1 else np.uint64(0) for k in range(RESULT + 1)]
        x = [self.now[operand] ^ inverse[k] for k, operand in enumerate(operands)]
        enable, data = x[0], x[1]
        if code == Hold.EDGE:
            before = [
                earlier(self.now[operand][None], self.lead[operand][None])[0] ^ inverse[k]
                for k, operand in enumerate(operands[:2])
            ]
            rise = x[0] & ~before[0]
            if self.start:
                rise[0] &= ~_ONE  # nothing is before the very first sample
            enable, data = rise | x[2], (x[2] & x[3]) | (~x[2] & before[1])
        state = int((self.lead[row] ^ inverse[RESULT]) >> _TOP)
        held, now_known = _held(enable, data, state, bool(self.known[row]))
        if now_known and not self.known[row]:
            self.lead[row] = (ALL if held[0] & _ONE else np.uint64(0)) ^ inverse[RESULT]
            self.known[row] = 1
        self.now[row] = held ^ inverse[RESULT]


run_steps: Any = _run_steps
