"""Replay in plain NumPy: the same results as ``kernels``, a step kind at a time."""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.activity.kernels import WORDS
from spikewatt.energy.activity.lowering import Kind
from spikewatt.energy.activity.program import Hold
from spikewatt.energy.activity.words import ALL, earlier, pack, unpack

__all__ = ["new_values", "run_stage"]

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


def _run_stage(
    V, source_rows, source, counted, first, last, start,
    kind, operands, inverted, out, known,
    toggles, high, piece_at, piece_mask, piece_block, piece_words, usual,
    plane_at, plane_mask, plane_more, odd_at, odd,
    kept_rows, kept, groups,
) -> None:  # fmt: skip
    """Run chunks; parameters as those of ``kernels.run_stage``, and ``Stage.groups``.

    All chunks go through one group of steps before the next group, which NumPy does fastest.
    """
    span = slice(first * WORDS, last * WORDS)
    lead = V[:, 0].copy()
    now = np.zeros((len(V), (last - first) * WORDS), np.uint64)
    now[0], now[1] = 0, ALL
    now[source_rows] = source[:, span]
    for low, stop in itertools.pairwise(groups):
        code = int(kind[low]) if low < len(kind) else 0
        if code >= Hold.LATCH:
            for at in range(low, stop):
                flags, y = int(inverted[at]), int(out[at])
                _hold_step(now, lead, code, operands[at], flags, y, known, start)
            continue
        chosen = slice(low, stop)
        flags = inverted[chosen]
        operand = [
            now[operands[chosen, k]] ^ np.where(flags >> k & 1, ALL, np.uint64(0))[:, None]
            for k in range(4)
        ]
        result = _compute(code, operand)
        now[out[chosen]] = result ^ np.where(flags >> 4 & 1, ALL, np.uint64(0))[:, None]
    rows = np.concatenate([source_rows[counted.astype(bool)], out]).astype(np.int64)
    changed = now[rows] ^ earlier(now[rows], lead[rows])
    for c in range(first, last):
        chunk = slice((c - first) * WORDS, (c - first + 1) * WORDS)
        for p in range(piece_at[c], piece_at[c + 1]):
            ones = np.bitwise_count(changed[:, chunk] & piece_mask[p]).sum(1, dtype=np.uint64)
            toggles[piece_block[p], rows] += ones
        values = now[rows, chunk]
        high[rows] += np.bitwise_count(values).sum(1, dtype=np.int64) * usual
        for p in range(plane_at[c], plane_at[c + 1]):
            ones = np.bitwise_count(values & plane_mask[p]).sum(1, dtype=np.int64)
            high[rows] += ones * plane_more[p]
        for word, mask, more in odd[odd_at[c] : odd_at[c + 1]]:
            ones = np.bitwise_count(values[:, int(word)] & mask).astype(np.int64)
            high[rows] += ones * more.astype(np.int64)
    kept[:, span] = now[kept_rows]
    V[:, 0] = now[:, -1]


def _hold_step(
    now: Words, lead: Words, code: int, operands: Any, flags: int, y: int, known: Any, start: bool
) -> None:
    """Run a latch or an edge-triggered hold."""
    inverse = [ALL if flags >> k & 1 else np.uint64(0) for k in range(5)]
    x = [now[row] ^ inverse[k] for k, row in enumerate(operands)]
    enable, data = x[0], x[1]
    if code == Hold.EDGE:
        before = [
            earlier(now[row][None], lead[row][None])[0] ^ inverse[k]
            for k, row in enumerate(operands[:2])
        ]
        rise = x[0] & ~before[0]
        if start:
            rise[0] &= ~_ONE
        enable, data = rise | x[2], (x[2] & x[3]) | (~x[2] & before[1])
    state = int((lead[y] ^ inverse[4]) >> _TOP)
    held, now_known = _held(enable, data, state, bool(known[y]))
    if now_known and not known[y]:
        lead[y] = (ALL if held[0] & _ONE else np.uint64(0)) ^ inverse[4]
        known[y] = 1
    now[y] = held ^ inverse[4]


run_stage: Any = _run_stage
