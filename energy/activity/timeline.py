"""Which samples count, in which block, and for how long: masks for the kernels."""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.activity.kernels import WORDS
from spikewatt.energy.activity.words import ALL, pack

__all__ = ["Masks", "blocks_of", "masks"]

IntArray = NDArray[np.int64]
Words = NDArray[np.uint64]
CHUNK = 64 * WORDS
_FULL = np.full(WORDS, ALL)
PLANE = 6
"""From this many words on, a mask over the whole chunk is quicker than a word at a time."""


@dataclass(frozen=True)
class Masks:
    """Masks of some chunks, in the order of ``run_stage``, which says what they mean."""

    piece_at: NDArray[np.int32]
    piece_mask: Words
    piece_block: IntArray
    piece_words: NDArray[np.int32]
    usual: int
    plane_at: NDArray[np.int32]
    plane_mask: Words
    plane_more: IntArray
    odd_at: NDArray[np.int32]
    odd: Words

    @classmethod
    def none(cls, chunks: int) -> "Masks":
        """Masks that count nothing."""
        at = np.zeros(chunks + 1, np.int32)
        return cls(
            piece_at=at,
            piece_mask=np.zeros((0, WORDS), np.uint64),
            piece_block=np.zeros(0, np.int64),
            piece_words=np.zeros((0, 2), np.int32),
            usual=0,
            plane_at=at,
            plane_mask=np.zeros((0, WORDS), np.uint64),
            plane_more=np.zeros(0, np.int64),
            odd_at=at,
            odd=np.zeros((0, 3), np.uint64),
        )

    def arguments(self) -> tuple[Any, ...]:
        """In the order of ``run_stage``."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)


@numba.njit(cache=True)
def _odd(lasts, usual, plane_at, planes, more_of, odd_at, odd):
    """Samples that do not last as long as usual; returns the numbers of planes and of words.

    A difference that many words of a chunk have is a plane over the chunk, others are single words.
    """
    count, found = 0, 0
    for c in range(odd_at.shape[0] - 1):
        begin = found
        for k in range(WORDS):
            start, first = 64 * (c * WORDS + k), found
            for at in range(start, start + 64):
                more = (lasts[at] if at < lasts.shape[0] else 0) - usual
                if not more:
                    continue
                place = first
                while place < found and np.int64(odd[place, 2]) != more:
                    place += 1
                if place == found:
                    odd[found, 0], odd[found, 1] = np.uint64(k), np.uint64(0)
                    odd[found, 2] = np.uint64(more)
                    found += 1
                odd[place, 1] |= np.uint64(1) << np.uint64(at - start)
        at = begin
        while at < found:
            more, words = odd[at, 2], 0
            for other in range(at, found):
                words += odd[other, 2] == more
            if words < PLANE or count == planes.shape[0]:
                at += 1
                continue
            keep = at
            for other in range(at, found):
                if odd[other, 2] == more:
                    planes[count, odd[other, 0]] = odd[other, 1]
                else:
                    odd[keep] = odd[other]
                    keep += 1
            found = keep
            more_of[count] = np.int64(more)
            count += 1
        odd_at[c + 1], plane_at[c + 1] = found, count
    return count, found


def _pieces(block: IntArray) -> list[tuple[Words, int, tuple[int, int]]]:
    """For each block in a chunk: its samples, its number, and the words that hold them."""
    if len(block) == CHUNK and block[0] == block[-1] >= 0:  # as a rule
        return [(_FULL, int(block[0]), (0, WORDS))]
    borders = np.flatnonzero(np.diff(block)) + 1
    found = []
    for start, stop in zip([0, *borders], [*borders, len(block)], strict=True):
        if block[start] < 0:
            continue
        flags = np.zeros(len(block), np.uint8)
        flags[start:stop] = 1
        words = (int(start) >> 6, ((int(stop) - 1) >> 6) + 1)
        if len(borders) < 2:  # whole chunks take the quick way
            words = (0, WORDS)
        found.append((pack(flags, WORDS), int(block[start]), words))
    return found


def blocks_of(times: IntArray, edges: IntArray) -> IntArray:
    """Block of each time, -1 outside: block ``b`` ends with ``edges[b + 1]``, included."""
    block = np.searchsorted(edges, times, side="left") - 1
    block[block >= len(edges) - 1] = -1
    return block


def masks(times: IntArray, after: int, edges: IntArray, base: int, *, first: bool) -> Masks:
    """Masks of samples at ``times``; the sample that follows them comes at ``after``.

    Parameters
    ----------
    edges:
        int64[blocks + 1], borders of the blocks.
    base:
        The block that is to have number 0.
    first:
        Whether the first of these samples is the first of all, whose value is no toggle.
    """
    block = blocks_of(times, edges)
    block[block >= 0] -= base
    if first:
        block[0] = -1
    chunks = -(-len(times) // CHUNK)
    pieces: list[tuple[Words, int, tuple[int, int]]] = []
    piece_at = np.zeros(chunks + 1, np.int32)
    for c in range(chunks):
        pieces += _pieces(block[c * CHUNK : (c + 1) * CHUNK])
        piece_at[c + 1] = len(pieces)
    lasts = np.diff(np.clip(np.append(times, after), edges[0], edges[-1]))
    usual = int(np.median(lasts[:: max(1, len(lasts) // 1000)]))
    odd_at, odd = np.zeros(chunks + 1, np.int32), np.zeros((len(times) + CHUNK, 3), np.uint64)
    plane_at, plane_mask = np.zeros(chunks + 1, np.int32), np.zeros((8 * chunks, WORDS), np.uint64)
    plane_more = np.zeros(8 * chunks, np.int64)
    planes, count = _odd(lasts, usual, plane_at, plane_mask, plane_more, odd_at, odd)
    empty = np.zeros((0, WORDS), np.uint64)
    return Masks(
        piece_at=piece_at,
        piece_mask=np.stack([mask for mask, _, _ in pieces]) if pieces else empty,
        piece_block=np.array([number for _, number, _ in pieces], np.int64),
        piece_words=np.array([words for _, _, words in pieces], np.int32).reshape(-1, 2),
        usual=usual,
        plane_at=plane_at,
        plane_mask=plane_mask[:planes].copy(),
        plane_more=plane_more[:planes].copy(),
        odd_at=odd_at,
        odd=odd[:count].copy(),
    )
