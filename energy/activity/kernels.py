"""Replay in numba: one chunk of time through all gates while it is in the cache.

The working memory has a row for every net. A row is ``LEAD`` words, of which the last holds the
row's last word of the chunk before, and ``WORDS`` words of 64 samples each, the earliest in bit 0.
So a word and the samples just before its own are two loads, and counting toggles needs no carry.

Words of 64 samples: one machine operation is then 64 evaluations of a gate, whatever its values
are, and a loop over words without branches is what the compiler makes vectors of.

`Kind` and `Hold` stand here and not with those who compile a netlist, for numba keeps a compiled
kernel until *this* file changes: numbers that came from another one could part from it unseen.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.jit import numba
from spikewatt.base.popcount import popcount

__all__ = [
    "END",
    "LEAD",
    "RESULT",
    "WORDS",
    "Counts",
    "Hold",
    "Kept",
    "Kind",
    "Masks",
    "Source",
    "Span",
    "States",
    "Steps",
    "new_values",
    "run_steps",
]

WORDS = 32
"""Words of a chunk: 2,048 samples. Fewer cost more for each step, more leave the cache."""
LEAD = 8
"""Words before them: a whole cache line, for alignment. Only the last is used."""
END = LEAD + WORDS
RESULT = 4
"""Bit of ``Steps.inverted`` that inverts the result; bits 0 to 3 invert the operands."""

_LINE_BYTES, _WORD_BYTES = 64, 8  # of a cache line; of a word

_U = np.uint64
_ONE, _TOP, _ALL, _NONE = _U(1), _U(63), _U(0xFFFFFFFFFFFFFFFF), _U(0)


class Kind(IntEnum):
    """What a step computes from operands a, b, c, d."""

    BUF = 0
    AND2 = 1
    AND3 = 2
    AND4 = 3
    XOR2 = 4
    XOR3 = 5
    MUX = 6
    """a ? b : c"""
    MAJ = 7
    AO21 = 8
    """a b + c"""
    AO22 = 9
    """a b + c d"""
    AO211 = 10
    """a b + c + d"""
    AO31 = 11
    """a b c + d"""


class Hold(IntEnum):
    """Steps that remember: kinds beyond those of ``Kind``."""

    LATCH = 16
    """While operand 0: operand 1; else as a sample ago."""
    EDGE = 17
    """When operand 0 rises: operand 1 as a sample ago; while operand 2: operand 3; else held."""


# Plain integers, which numba makes constants of.
_BUF, _AND2, _AND3, _AND4, _XOR2, _XOR3, _MUX, _MAJ, _AO21, _AO22, _AO211, _AO31 = map(int, Kind)
_LATCH, _EDGE = map(int, Hold)
_GIVEN = 255
"""In place of a kind: the row is a source's, whose samples are there already."""


class States(NamedTuple):
    """What a run of steps works on, and carries from call to call.

    Parameters
    ----------
    values:
        uint64[rows, END], of `new_values`.
    known:
        uint8[rows], whether a hold has taken a value yet.
    """

    values: NDArray[np.uint64]
    known: NDArray[np.uint8]


class Source(NamedTuple):
    """Rows that are given.

    Parameters
    ----------
    rows:
        int32[n].
    words:
        uint64[n, words], their samples.
    counted:
        uint8[n], whether to count their toggles.
    """

    rows: NDArray[np.int32]
    words: NDArray[np.uint64]
    counted: NDArray[np.uint8]


class Steps(NamedTuple):
    """Steps in an order that respects their dependencies.

    Parameters
    ----------
    kind:
        uint8[steps], of ``Kind`` and ``Hold``.
    operands:
        int32[steps, 4], rows.
    inverted:
        uint8[steps]: bit ``k`` inverts operand ``k``, bit ``RESULT`` the result.
    out:
        int32[steps], rows.
    groups:
        int32[g + 1]: borders of runs of steps of one kind that do not need each other.
    """

    kind: NDArray[np.uint8]
    operands: NDArray[np.int32]
    inverted: NDArray[np.uint8]
    out: NDArray[np.int32]
    groups: NDArray[np.int32]


class Span(NamedTuple):
    """Chunks ``first`` to ``last``; ``start``: the first begins with the very first sample."""

    first: int
    last: int
    start: bool


class Masks(NamedTuple):
    """Which samples count, in which block, and for how long.

    Nearly every sample lasts as long as every other (a half or whole period), and nearly every
    chunk lies in one block. So the time at 1 is a population count times ``usual``, corrected by
    the few samples that last longer or shorter.

    Parameters
    ----------
    piece_at, piece_mask, piece_block, piece_words:
        int32[chunks + 1], where a chunk's pieces begin; uint64[p, WORDS], samples whose toggles
        count; int64[p], in which block; int32[p, 2], first and last word that hold some.
    usual:
        Ticks that a sample lasts.
    plane_at, plane_mask, plane_more:
        int32[chunks + 1]; uint64[q, WORDS], samples that last longer; int64[q], by how much
        (shorter: below 0).
    odd_at, odd:
        int32[chunks + 1]; uint64[r, 3], the same for a single word: word, samples, by how much.
    """

    piece_at: NDArray[np.int32]
    piece_mask: NDArray[np.uint64]
    piece_block: NDArray[np.int64]
    piece_words: NDArray[np.int32]
    usual: int
    plane_at: NDArray[np.int32]
    plane_mask: NDArray[np.uint64]
    plane_more: NDArray[np.int64]
    odd_at: NDArray[np.int32]
    odd: NDArray[np.uint64]


class Counts(NamedTuple):
    """Results, added to: uint64[blocks, rows] of toggles, and int64[rows] of ticks at 1."""

    toggles: NDArray[np.uint64]
    high: NDArray[np.int64]


class Kept(NamedTuple):
    """Rows whose samples others need: int32[m], and uint64[m, words] that takes them."""

    rows: NDArray[np.int32]
    words: NDArray[np.uint64]


def new_values(rows: int) -> NDArray[np.uint64]:
    """Working memory uint64[rows, END], aligned to cache lines; row 0 is 0 and row 1 is 1."""
    flat = np.zeros(rows * END + _LINE_BYTES // _WORD_BYTES, np.uint64)
    start = -flat.ctypes.data % _LINE_BYTES // _WORD_BYTES
    values = flat[start : start + rows * END].reshape(rows, END)
    values[1] = _ALL
    return values


@numba.njit
def _scan(enable, data, carry):
    """State over a word that follows ``data`` while ``enable``, and holds otherwise.

    A prefix scan: after the step of 2**n every sample has looked back 2**(n + 1) - 1 samples for
    the latest one that was enabled, so six steps do for 64 samples.
    """
    value, hold = data & enable, ~enable
    for step in (1, 2, 4, 8, 16, 32):
        shift = _U(step)
        value |= hold & (value << shift)
        hold &= (hold << shift) | ((_ONE << shift) - _ONE)
    return value | (hold & carry)


@numba.njit
def _hold(values, enables, data, row, inverted, known):
    """Write a row from enables and data; before the first enable it has that one's value.

    A state is X until it is first written. What it is until then nobody can tell; the value that it
    takes first costs no toggle of its own.
    """
    carry = _NONE - ((values[row, LEAD - 1] >> _TOP) ^ (inverted & _ONE))
    if not known[row]:
        for k in range(WORDS):
            if enables[k]:
                lowest = enables[k] & (_NONE - enables[k])
                carry = _ALL if data[k] & lowest else _NONE
                values[row, LEAD - 1] = carry ^ inverted
                known[row] = 1
                break
    for k in range(WORDS):
        state = _scan(enables[k], data[k], carry)
        values[row, LEAD + k] = state ^ inverted
        carry = _NONE - (state >> _TOP)


@numba.njit(boundscheck=False, error_model="numpy")
def _remember(states, steps, at, begin, room):
    """Compute the row of a latch or flip-flop.

    ``begin``: the chunk begins with the very first sample. ``room`` is uint64[2, WORDS], for when
    the row takes a value, and which.
    """
    values = states.values
    enables, data = room[0], room[1]
    flags, y = steps.inverted[at], steps.out[at]
    a, b = steps.operands[at, 0], steps.operands[at, 1]
    xa, xb = _ALL if flags & 1 else _NONE, _ALL if flags & 2 else _NONE
    if steps.kind[at] == _LATCH:
        for k in range(WORDS):
            enables[k], data[k] = values[a, LEAD + k] ^ xa, values[b, LEAD + k] ^ xb
    else:
        c, d = steps.operands[at, 2], steps.operands[at, 3]
        xc, xd = _ALL if flags & 4 else _NONE, _ALL if flags & 8 else _NONE
        for k in range(LEAD, END):
            # Bit 0 of "a sample ago" is the top bit of the word before: k - 1, not k.
            clock = values[a, k]
            rise = (clock ^ xa) & ~(((clock << _ONE) | (values[a, k - 1] >> _TOP)) ^ xa)
            if begin and k == LEAD:
                rise &= ~_ONE  # nothing is before the very first sample
            before = ((values[b, k] << _ONE) | (values[b, k - 1] >> _TOP)) ^ xb
            forced = values[c, k] ^ xc
            enables[k - LEAD] = rise | forced
            data[k - LEAD] = (forced & (values[d, k] ^ xd)) | (~forced & before)
    xy = _ALL if flags & (1 << RESULT) else _NONE
    _hold(values, enables, data, y, xy, states.known)


@numba.njit(boundscheck=False, error_model="numpy")
def _count_pieces(values, y, chunk, masks, toggles):
    """Add the toggles of a row in a chunk that lies in several blocks, or partly in none."""
    for p in range(masks.piece_at[chunk], masks.piece_at[chunk + 1]):
        count = _NONE
        for k in range(LEAD + masks.piece_words[p, 0], LEAD + masks.piece_words[p, 1]):
            v = values[y, k]
            changed = v ^ ((v << _ONE) | (values[y, k - 1] >> _TOP))
            count += popcount(changed & masks.piece_mask[p, k - LEAD])
        toggles[masks.piece_block[p], y] += count


# What nearly every step does is written out here: a call costs more than the work of a chunk.
@numba.njit(nogil=True, cache=True, boundscheck=False, error_model="numpy")
def _run_steps(states, source, steps, span, masks, results):
    """Run the chunks of a span through sources and steps; ``results`` are (`Counts`, `Kept`)."""
    values = states.values
    kind, operands, inverted, out = steps.kind, steps.operands, steps.inverted, steps.out
    piece_at, piece_mask, piece_words = masks.piece_at, masks.piece_mask, masks.piece_words
    counts, kept = results
    toggles, high = counts
    sources = source.rows.shape[0]
    room = np.empty((2, WORDS), np.uint64)
    # All steps of one chunk before the next chunk: its rows stay in the cache.
    for chunk in range(span.first, span.last):
        base = chunk * WORDS
        for at in range(-sources, kind.shape[0]):
            if at < 0:
                given = at + sources
                y = source.rows[given]
                values[y, LEAD - 1] = values[y, END - 1]
                for k in range(WORDS):
                    values[y, LEAD + k] = source.words[given, base + k]
                if not source.counted[given]:
                    continue
                code, flags, a, b, c, d = np.uint8(_GIVEN), np.uint8(0), y, y, y, y
            else:
                code, flags, y = kind[at], inverted[at], out[at]
                a, b, c, d = operands[at, 0], operands[at, 1], operands[at, 2], operands[at, 3]
                values[y, LEAD - 1] = values[y, END - 1]
            # Exclusive or with these inverts an operand, or leaves it.
            xa = _ALL if flags & 1 else _NONE
            xb = _ALL if flags & 2 else _NONE
            xc = _ALL if flags & 4 else _NONE
            xd = _ALL if flags & 8 else _NONE
            xy = _ALL if flags & (1 << RESULT) else _NONE
            if code == _BUF:
                for k in range(LEAD, END):
                    values[y, k] = values[a, k] ^ xa ^ xy
            elif code == _AND2:
                for k in range(LEAD, END):
                    values[y, k] = ((values[a, k] ^ xa) & (values[b, k] ^ xb)) ^ xy
            elif code == _AND3:
                for k in range(LEAD, END):
                    both = (values[a, k] ^ xa) & (values[b, k] ^ xb)
                    values[y, k] = (both & (values[c, k] ^ xc)) ^ xy
            elif code == _AND4:
                for k in range(LEAD, END):
                    both = (values[a, k] ^ xa) & (values[b, k] ^ xb)
                    values[y, k] = (both & (values[c, k] ^ xc) & (values[d, k] ^ xd)) ^ xy
            elif code == _XOR2:
                for k in range(LEAD, END):
                    values[y, k] = values[a, k] ^ values[b, k] ^ xa ^ xb ^ xy
            elif code == _XOR3:
                for k in range(LEAD, END):
                    values[y, k] = values[a, k] ^ values[b, k] ^ values[c, k] ^ xa ^ xb ^ xc ^ xy
            elif code == _MUX:
                for k in range(LEAD, END):
                    chosen = values[a, k] ^ xa
                    other = ~chosen & (values[c, k] ^ xc)
                    values[y, k] = ((chosen & (values[b, k] ^ xb)) | other) ^ xy
            elif code == _MAJ:
                for k in range(LEAD, END):
                    u, v, w = values[a, k] ^ xa, values[b, k] ^ xb, values[c, k] ^ xc
                    values[y, k] = ((u & v) | (w & (u | v))) ^ xy
            elif code == _AO21:
                for k in range(LEAD, END):
                    both = (values[a, k] ^ xa) & (values[b, k] ^ xb)
                    values[y, k] = (both | (values[c, k] ^ xc)) ^ xy
            elif code == _AO22:
                for k in range(LEAD, END):
                    both = (values[a, k] ^ xa) & (values[b, k] ^ xb)
                    values[y, k] = (both | ((values[c, k] ^ xc) & (values[d, k] ^ xd))) ^ xy
            elif code == _AO211:
                for k in range(LEAD, END):
                    both = (values[a, k] ^ xa) & (values[b, k] ^ xb)
                    values[y, k] = (both | (values[c, k] ^ xc) | (values[d, k] ^ xd)) ^ xy
            elif code == _AO31:
                for k in range(LEAD, END):
                    both = (values[a, k] ^ xa) & (values[b, k] ^ xb)
                    values[y, k] = ((both & (values[c, k] ^ xc)) | (values[d, k] ^ xd)) ^ xy
            elif code != _GIVEN:
                _remember(states, steps, at, span.start and chunk == span.first, room)
            # Toggles by block, and time at 1.
            ones = _NONE
            p = piece_at[chunk]
            if piece_at[chunk + 1] - p == 1 and piece_words[p, 1] - piece_words[p, 0] == WORDS:
                count = _NONE
                for k in range(LEAD, END):  # a known number of turns, which are made vectors
                    v = values[y, k]
                    changed = v ^ ((v << _ONE) | (values[y, k - 1] >> _TOP))
                    count += popcount(changed & piece_mask[p, k - LEAD])
                    ones += popcount(v)
                toggles[masks.piece_block[p], y] += count
            else:
                _count_pieces(values, y, chunk, masks, toggles)
                for k in range(LEAD, END):
                    ones += popcount(values[y, k])
            time = np.int64(ones) * masks.usual
            for p in range(masks.plane_at[chunk], masks.plane_at[chunk + 1]):
                count = _NONE
                for k in range(LEAD, END):
                    count += popcount(values[y, k] & masks.plane_mask[p, k - LEAD])
                time += np.int64(count) * masks.plane_more[p]
            for q in range(masks.odd_at[chunk], masks.odd_at[chunk + 1]):
                v = values[y, LEAD + np.int64(masks.odd[q, 0])] & masks.odd[q, 1]
                time += np.int64(popcount(v)) * np.int64(masks.odd[q, 2])
            high[y] += time
        for m in range(kept.rows.shape[0]):
            for k in range(WORDS):
                kept.words[m, base + k] = values[kept.rows[m], LEAD + k]


run_steps: Any = _run_steps
