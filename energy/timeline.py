"""Which samples count, in which block, and for how long: masks for the kernels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.kernels import WORDS
from spikewatt.energy.words import pack

__all__ = ["Masks", "blocks_of", "masks"]

IntArray = NDArray[np.int64]
Words = NDArray[np.uint64]
CHUNK = 64 * WORDS
DISTINCT = 6
"""Beyond this many durations in a chunk their binary digits are cheaper than their values."""


@dataclass(frozen=True)
class Masks:
    """Masks of some chunks: pieces for toggles, planes for time at 1 (see ``run_stage``)."""

    piece_at: NDArray[np.int32]
    piece_mask: Words
    piece_block: IntArray
    piece_words: NDArray[np.int32]
    plane_at: NDArray[np.int32]
    plane_mask: Words
    plane_weight: IntArray

    @classmethod
    def none(cls, chunks: int) -> "Masks":
        """Masks that count nothing."""
        at, mask = np.zeros(chunks + 1, np.int32), np.zeros((0, WORDS), np.uint64)
        number, span = np.zeros(0, np.int64), np.zeros((0, 2), np.int32)
        return cls(at, mask, number, span, at, mask, number)

    def arguments(self) -> tuple[NDArray[np.generic], ...]:
        """In the order of ``run_stage``."""
        return (
            self.piece_at,
            self.piece_mask,
            self.piece_block,
            self.piece_words,
            self.plane_at,
            self.plane_mask,
            self.plane_weight,
        )


def _durations(lasts: IntArray) -> list[tuple[Words, int]]:
    """Masks and weights whose sum gives each sample's duration."""
    values = np.unique(lasts[lasts > 0])
    if len(values) <= DISTINCT:
        return [(pack(lasts == value, WORDS), int(value)) for value in values]
    planes = [((lasts >> digit) & 1, 1 << digit) for digit in range(int(values[-1]).bit_length())]
    return [(pack(flags, WORDS), weight) for flags, weight in planes if flags.any()]


def _pieces(block: IntArray) -> list[tuple[Words, int, tuple[int, int]]]:
    """For each block in a chunk: its samples, its number, and the words that hold them."""
    borders = np.flatnonzero(np.diff(block)) + 1
    found = []
    for start, stop in zip([0, *borders], [*borders, len(block)], strict=True):
        if block[start] < 0:
            continue
        flags = np.zeros(len(block), np.uint8)
        flags[start:stop] = 1
        found.append((pack(flags, WORDS), int(block[start]), (start >> 6, ((stop - 1) >> 6) + 1)))
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
    lasts = np.diff(np.clip(np.append(times, after), edges[0], edges[-1]))
    pieces: list[tuple[Words, int, tuple[int, int]]] = []
    planes: list[tuple[Words, int]] = []
    piece_at, plane_at = [0], [0]
    for start in range(0, len(times), CHUNK):
        pieces += _pieces(block[start : start + CHUNK])
        planes += _durations(lasts[start : start + CHUNK])
        piece_at.append(len(pieces))
        plane_at.append(len(planes))
    empty = np.zeros((0, WORDS), np.uint64)
    return Masks(
        piece_at=np.array(piece_at, np.int32),
        piece_mask=np.stack([mask for mask, _, _ in pieces]) if pieces else empty,
        piece_block=np.array([block for _, block, _ in pieces], np.int64),
        piece_words=np.array([words for _, _, words in pieces], np.int32).reshape(-1, 2),
        plane_at=np.array(plane_at, np.int32),
        plane_mask=np.stack([mask for mask, _ in planes]) if planes else empty,
        plane_weight=np.array([weight for _, weight in planes], np.int64),
    )
