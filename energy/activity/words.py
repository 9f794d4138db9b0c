"""Bits over time in words of 64: small tools that the replay shares."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.jit import numba
from spikewatt.base.popcount import popcount

__all__ = ["ALL", "add_bits", "aligned", "earlier", "expand", "extend", "pack", "unpack"]

Words = NDArray[np.uint64]
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
"""A word of ones."""
_ONE, _TOP = np.uint64(1), np.uint64(63)


def pack(flags: NDArray[np.generic], words: int) -> Words:
    """uint64[words] of up to ``64 * words`` flags, the first in bit 0; then zeros."""
    full = np.zeros(words * 64, np.uint8)
    full[: len(flags)] = flags
    return np.packbits(full, bitorder="little").view("<u8").astype(np.uint64)


def unpack(words: Words) -> NDArray[np.uint8]:
    """uint8[64 * words], the bits of a row."""
    return np.unpackbits(words.astype("<u8").view(np.uint8), bitorder="little")


def earlier(words: Words, lead: Words) -> Words:
    """uint64[n, words] one sample earlier; ``lead`` uint64[n] are the words before the first."""
    before = np.concatenate([lead[:, None], words[:, :-1]], axis=1)
    return (words << _ONE) | (before >> _TOP)


def extend(source: Words, count: int) -> None:
    """Repeat the last of ``count`` samples to the end of each row of uint64[n, words]."""
    word, bit = (count - 1) >> 6, np.uint64((count - 1) & 63)
    # All ones or all zeros, as the last sample is: -1 and 0 in two's complement.
    last = np.uint64(0) - ((source[:, word] >> bit) & _ONE)
    keep = ALL >> (_TOP - bit)
    source[:, word] = (source[:, word] & keep) | (last & ~keep)
    source[:, word + 1 :] = last[:, None]


def aligned(words: Words, shift: int) -> Words:
    """uint64[n, words - 1]: rows from bit ``shift`` on, which comes to bit 0."""
    if not shift:  # a shift by 64 would be undefined
        return words[:, :-1].copy()
    low, high = np.uint64(shift), np.uint64(64 - shift)
    return (words[:, :-1] >> low) | (words[:, 1:] << high)


@numba.njit(cache=True, nogil=True)
def _expand(rows, index, out):
    """Samples ``index`` (int64[k]) of each row of uint64[n, words], packed into ``out``."""
    count = index.shape[0]
    for row in range(rows.shape[0]):
        for k in range((count + 63) >> 6):
            word = np.uint64(0)
            start = k << 6
            for bit in range(min(64, count - start)):
                at = index[start + bit]
                word |= ((rows[row, at >> 6] >> np.uint64(at & 63)) & _ONE) << np.uint64(bit)
            out[row, k] = word


@numba.njit(cache=True, nogil=True)
def _add_bits(words, block, totals):
    """Add the ones of a row to ``totals`` by the blocks (-1: none) of their samples."""
    for k in range((block.shape[0] + 63) >> 6):
        word = words[k]
        while word:
            low = word & (np.uint64(0) - word)
            at = (k << 6) + np.int64(popcount(low - _ONE))
            word ^= low
            if at < block.shape[0] and block[at] >= 0:
                totals[block[at]] += _ONE


expand: Any = _expand
add_bits: Any = _add_bits
