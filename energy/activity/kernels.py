"""Replay in numba: one chunk of time through all gates while it is in the cache.

A row is ``LEAD`` words, of which the last holds the row's last word of the chunk before, and
``WORDS`` words of 64 samples each. So a word and the samples just before its own are two loads,
and counting toggles needs no carry.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.activity.popcount import popcount

__all__ = ["END", "LEAD", "WORDS", "new_values", "run_stage"]

WORDS = 32
"""Words of a chunk: 2,048 samples. Fewer cost more for each step, more leave the cache."""
LEAD = 8
"""Words before them: a whole cache line, for alignment."""
END = LEAD + WORDS

_U = np.uint64
_ONE, _TOP, _ALL, _NONE = _U(1), _U(63), _U(0xFFFFFFFFFFFFFFFF), _U(0)


def new_values(rows: int) -> NDArray[np.uint64]:
    """Working memory uint64[rows, END], aligned to cache lines; row 0 is 0 and row 1 is 1."""
    flat = np.zeros(rows * END + 8, np.uint64)
    start = -flat.ctypes.data % 64 // 8
    values = flat[start : start + rows * END].reshape(rows, END)
    values[1] = _ALL
    return values


@numba.njit
def _scan(enable, data, carry):
    """State over a word that follows ``data`` while ``enable``, and holds otherwise."""
    value, hold = data & enable, ~enable
    for step in (1, 2, 4, 8, 16, 32):
        shift = _U(step)
        value |= hold & (value << shift)
        hold &= (hold << shift) | ((_ONE << shift) - _ONE)
    return value | (hold & carry)


@numba.njit
def _hold(V, E, D, y, inverted, known):
    """Write row ``y`` from enables and data; before the first enable it has that one's value."""
    carry = _NONE - ((V[y, LEAD - 1] >> _TOP) ^ (inverted & _ONE))
    if not known[y]:
        for k in range(WORDS):
            if E[k]:
                lowest = E[k] & (_NONE - E[k])
                carry = _ALL if D[k] & lowest else _NONE
                V[y, LEAD - 1] = carry ^ inverted
                known[y] = 1
                break
    for k in range(WORDS):
        state = _scan(E[k], D[k], carry)
        V[y, LEAD + k] = state ^ inverted
        carry = _NONE - (state >> _TOP)


@numba.njit(nogil=True, cache=True, boundscheck=False, error_model="numpy")
def _run_stage(
    V, source_rows, source, counted, first, last, start,
    kind, operands, inverted, out, known,
    toggles, high, piece_at, piece_mask, piece_block, piece_words, usual,
    plane_at, plane_mask, plane_more, odd_at, odd,
    kept_rows, kept,
):  # fmt: skip
    """Run chunks ``first`` to ``last`` of a stage.

    Parameters
    ----------
    V:
        uint64[rows, END], working memory; it carries the states from call to call.
    source_rows, source:
        int32[n], rows that are given; uint64[n, words], their samples.
    counted:
        uint8[n], whether to count the toggles of the source.
    start:
        Whether chunk ``first`` begins with the very first sample.
    kind, operands, inverted, out:
        The steps (``Stage``).
    known:
        uint8[rows], whether a hold has taken a value yet.
    toggles, high:
        uint64[blocks, rows] and int64[rows]: results, added to.
    piece_at, piece_mask, piece_block, piece_words:
        int32[chunks + 1]; uint64[p, WORDS], samples whose toggles count; int64[p], in which block;
        int32[p, 2], first and last word that hold some.
    usual, plane_at, plane_mask, plane_more, odd_at, odd:
        Ticks that a sample lasts; int32[chunks + 1]; uint64[p, WORDS], samples that last longer;
        int64[p], by how much (shorter: below 0); int32[chunks + 1]; uint64[q, 3], the same for a
        single word: word, samples, by how much.
    kept_rows, kept:
        int32[m]; uint64[m, words], takes the samples of these rows.
    """
    E, D = np.empty(WORDS, np.uint64), np.empty(WORDS, np.uint64)
    for c in range(first, last):
        base = c * WORDS
        for g in range(-source_rows.shape[0], kind.shape[0]):
            if g < 0:  # a source
                place = g + source_rows.shape[0]
                y = source_rows[place]
                V[y, LEAD - 1] = V[y, END - 1]
                for k in range(WORDS):
                    V[y, LEAD + k] = source[place, base + k]
                if not counted[place]:
                    continue
                o, flags, a, b, e, d = np.uint8(255), np.uint8(0), y, y, y, y
            else:
                o, flags, y = kind[g], inverted[g], out[g]
                a, b, e, d = operands[g, 0], operands[g, 1], operands[g, 2], operands[g, 3]
                V[y, LEAD - 1] = V[y, END - 1]
            ma = _ALL if flags & 1 else _NONE
            mb = _ALL if flags & 2 else _NONE
            me = _ALL if flags & 4 else _NONE
            md = _ALL if flags & 8 else _NONE
            mo = _ALL if flags & 16 else _NONE
            if o == 0:
                for k in range(LEAD, END):
                    V[y, k] = V[a, k] ^ ma ^ mo
            elif o == 1:
                for k in range(LEAD, END):
                    V[y, k] = ((V[a, k] ^ ma) & (V[b, k] ^ mb)) ^ mo
            elif o == 2:
                for k in range(LEAD, END):
                    V[y, k] = ((V[a, k] ^ ma) & (V[b, k] ^ mb) & (V[e, k] ^ me)) ^ mo
            elif o == 3:
                for k in range(LEAD, END):
                    V[y, k] = (
                        (V[a, k] ^ ma) & (V[b, k] ^ mb) & (V[e, k] ^ me) & (V[d, k] ^ md)
                    ) ^ mo
            elif o == 4:
                for k in range(LEAD, END):
                    V[y, k] = V[a, k] ^ V[b, k] ^ ma ^ mb ^ mo
            elif o == 5:
                for k in range(LEAD, END):
                    V[y, k] = V[a, k] ^ V[b, k] ^ V[e, k] ^ ma ^ mb ^ me ^ mo
            elif o == 6:
                for k in range(LEAD, END):
                    chosen = V[a, k] ^ ma
                    V[y, k] = ((chosen & (V[b, k] ^ mb)) | (~chosen & (V[e, k] ^ me))) ^ mo
            elif o == 7:
                for k in range(LEAD, END):
                    u, v, w = V[a, k] ^ ma, V[b, k] ^ mb, V[e, k] ^ me
                    V[y, k] = ((u & v) | (w & (u | v))) ^ mo
            elif o == 8:
                for k in range(LEAD, END):
                    V[y, k] = (((V[a, k] ^ ma) & (V[b, k] ^ mb)) | (V[e, k] ^ me)) ^ mo
            elif o == 9:
                for k in range(LEAD, END):
                    V[y, k] = (
                        ((V[a, k] ^ ma) & (V[b, k] ^ mb)) | ((V[e, k] ^ me) & (V[d, k] ^ md))
                    ) ^ mo
            elif o == 10:
                for k in range(LEAD, END):
                    V[y, k] = (
                        ((V[a, k] ^ ma) & (V[b, k] ^ mb)) | (V[e, k] ^ me) | (V[d, k] ^ md)
                    ) ^ mo
            elif o == 11:
                for k in range(LEAD, END):
                    V[y, k] = (
                        ((V[a, k] ^ ma) & (V[b, k] ^ mb) & (V[e, k] ^ me)) | (V[d, k] ^ md)
                    ) ^ mo
            elif o == 16:
                for k in range(WORDS):
                    E[k], D[k] = V[a, LEAD + k] ^ ma, V[b, LEAD + k] ^ mb
                _hold(V, E, D, y, mo, known)
            elif o == 17:
                for k in range(LEAD, END):
                    clock, data = V[a, k], V[b, k]
                    rise = (clock ^ ma) & ~(((clock << _ONE) | (V[a, k - 1] >> _TOP)) ^ ma)
                    if start and c == first and k == LEAD:
                        rise &= ~_ONE
                    before = ((data << _ONE) | (V[b, k - 1] >> _TOP)) ^ mb
                    forced = V[e, k] ^ me
                    E[k - LEAD] = rise | forced
                    D[k - LEAD] = (forced & (V[d, k] ^ md)) | (~forced & before)
                _hold(V, E, D, y, mo, known)
            # Toggles by block, and time at 1. Written out here: a call costs more than the work.
            ones = _NONE
            p = piece_at[c]
            if piece_at[c + 1] - p == 1 and piece_words[p, 1] - piece_words[p, 0] == WORDS:
                count = _NONE
                for k in range(LEAD, END):  # a known number of turns, which are made vectors
                    v = V[y, k]
                    changed = v ^ ((v << _ONE) | (V[y, k - 1] >> _TOP))
                    count += popcount(changed & piece_mask[p, k - LEAD])
                    ones += popcount(v)
                toggles[piece_block[p], y] += count
            else:
                for p in range(piece_at[c], piece_at[c + 1]):
                    count = _NONE
                    for k in range(LEAD + piece_words[p, 0], LEAD + piece_words[p, 1]):
                        v = V[y, k]
                        changed = v ^ ((v << _ONE) | (V[y, k - 1] >> _TOP))
                        count += popcount(changed & piece_mask[p, k - LEAD])
                    toggles[piece_block[p], y] += count
                for k in range(LEAD, END):
                    ones += popcount(V[y, k])
            time = np.int64(ones) * usual
            for p in range(plane_at[c], plane_at[c + 1]):
                count = _NONE
                for k in range(LEAD, END):
                    count += popcount(V[y, k] & plane_mask[p, k - LEAD])
                time += np.int64(count) * plane_more[p]
            for q in range(odd_at[c], odd_at[c + 1]):
                v = V[y, LEAD + np.int64(odd[q, 0])] & odd[q, 1]
                time += np.int64(popcount(v)) * np.int64(odd[q, 2])
            high[y] += time
        for m in range(kept_rows.shape[0]):
            for k in range(WORDS):
                kept[m, base + k] = V[kept_rows[m], LEAD + k]


run_stage: Any = _run_stage
