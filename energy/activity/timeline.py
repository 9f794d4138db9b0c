"""Which samples count, in which block, and for how long: masks for the kernels."""

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.jit import numba
from spikewatt.energy.activity.kernels import WORDS, Masks
from spikewatt.energy.activity.words import ALL, pack

__all__ = ["blocks_of", "masks", "no_masks"]

IntArray = NDArray[np.int64]
Words = NDArray[np.uint64]
CHUNK = 64 * WORDS
_FULL = np.full(WORDS, ALL)
PLANE = 6
"""From this many words on, a mask over the whole chunk is quicker than a word at a time."""
PLANES = 8
"""Room for planes, per chunk; what does not fit stays in single words."""


def no_masks(chunks: int) -> Masks:
    """Masks that count nothing."""
    at = np.zeros(chunks + 1, np.int32)
    return Masks(
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


@numba.njit(cache=True)
def _fill_odd(lasts, masks):
    """Enter samples that do not last as long as usual; return the numbers of planes and of words.

    A difference that many words of a chunk have is a plane over the chunk, others are single words.
    """
    usual, planes, odd = masks.usual, masks.plane_mask, masks.odd
    plane_count, odd_count = 0, 0
    for c in range(masks.odd_at.shape[0] - 1):
        begin = odd_count
        for k in range(WORDS):
            start, first = 64 * (c * WORDS + k), odd_count
            for at in range(start, start + 64):
                more = (lasts[at] if at < lasts.shape[0] else 0) - usual
                if not more:
                    continue
                place = first
                while place < odd_count and np.int64(odd[place, 2]) != more:
                    place += 1
                if place == odd_count:
                    odd[odd_count, 0], odd[odd_count, 1] = np.uint64(k), np.uint64(0)
                    odd[odd_count, 2] = np.uint64(more)
                    odd_count += 1
                odd[place, 1] |= np.uint64(1) << np.uint64(at - start)
        at = begin
        while at < odd_count:
            more, words = odd[at, 2], 0
            for other in range(at, odd_count):
                words += odd[other, 2] == more
            if words < PLANE or plane_count == planes.shape[0]:
                at += 1
                continue
            keep = at
            for other in range(at, odd_count):
                if odd[other, 2] == more:
                    planes[plane_count, odd[other, 0]] = odd[other, 1]
                else:
                    # One by one: numba compiles an assignment of a row for two seconds.
                    for field in range(3):
                        odd[keep, field] = odd[other, field]
                    keep += 1
            odd_count = keep
            masks.plane_more[plane_count] = np.int64(more)
            plane_count += 1
        masks.odd_at[c + 1], masks.plane_at[c + 1] = odd_count, plane_count
    return plane_count, odd_count


def _pieces(block: IntArray) -> list[tuple[Words, int, tuple[int, int]]]:
    """For each block in a chunk: its samples, its number, and the words that hold them."""
    if len(block) == CHUNK and block[0] == block[-1] >= 0:  # as a rule
        return [(_FULL, int(block[0]), (0, WORDS))]
    borders = np.flatnonzero(np.diff(block)) + 1
    pieces = []
    for start, stop in zip([0, *borders], [*borders, len(block)], strict=True):
        if block[start] < 0:
            continue
        flags = np.zeros(len(block), np.uint8)
        flags[start:stop] = 1
        words = (int(start) >> 6, ((int(stop) - 1) >> 6) + 1)
        if len(borders) < 2:  # whole chunks take the quick way
            words = (0, WORDS)
        pieces.append((pack(flags, WORDS), int(block[start]), words))
    return pieces


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
    empty = np.zeros((0, WORDS), np.uint64)
    room = Masks(
        piece_at=piece_at,
        piece_mask=np.stack([mask for mask, _, _ in pieces]) if pieces else empty,
        piece_block=np.array([number for _, number, _ in pieces], np.int64),
        piece_words=np.array([words for _, _, words in pieces], np.int32).reshape(-1, 2),
        usual=usual,
        plane_at=np.zeros(chunks + 1, np.int32),
        plane_mask=np.zeros((PLANES * chunks, WORDS), np.uint64),
        plane_more=np.zeros(PLANES * chunks, np.int64),
        odd_at=np.zeros(chunks + 1, np.int32),
        odd=np.zeros((len(times) + CHUNK, 3), np.uint64),
    )
    planes, words = _fill_odd(lasts, room)
    return room._replace(
        plane_mask=room.plane_mask[:planes].copy(),
        plane_more=room.plane_more[:planes].copy(),
        odd=room.odd[:words].copy(),
    )
