"""Which samples count, in which block, and for how long: masks for the kernels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.kernels import WORDS

__all__ = ["Masks", "masks"]

CHUNK = 64 * WORDS
DISTINCT = 6
"""Beyond this many durations in a chunk their binary digits are cheaper than their values."""


@dataclass(frozen=True)
class Masks:
    """Masks of some chunks: ``piece_*`` for toggles, ``plane_*`` for time (see ``run_stage``)."""

    piece_at: NDArray[np.int32]
    piece_mask: NDArray[np.uint64]
    piece_block: NDArray[np.int64]
    plane_at: NDArray[np.int32]
    plane_mask: NDArray[np.uint64]
    plane_weight: NDArray[np.int64]


def _pack(flags: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """uint64[WORDS] of up to ``CHUNK`` flags."""
    full = np.zeros(CHUNK, np.uint8)
    full[: len(flags)] = flags
    return np.packbits(full, bitorder="little").view("<u8").astype(np.uint64)


def _durations(lasts: NDArray[np.int64]) -> list[tuple[NDArray[np.uint64], int]]:
    """Masks and weights whose sum gives each sample's duration."""
    values = np.unique(lasts[lasts > 0])
    if len(values) <= DISTINCT:
        return [(_pack(lasts == value), int(value)) for value in values]
    digits = int(values[-1]).bit_length()
    planes = [((lasts >> digit & 1).astype(bool), 1 << digit) for digit in range(digits)]
    return [(_pack(flags), weight) for flags, weight in planes if flags.any()]


def masks(times: NDArray[np.int64], after: int, edges: NDArray[np.int64], *, first: bool) -> Masks:
    """Masks of samples at ``times``; the sample that follows them comes at ``after``.

    Block ``b`` is the time from ``edges[b]``, not included, to ``edges[b + 1]``. ``first`` says
    that the first of these samples is the first of all, whose value is no toggle.
    """
    block = np.searchsorted(edges, times, side="left") - 1
    block[block >= len(edges) - 1] = -1
    if first:
        block[0] = -1
    bounds = np.clip(np.append(times, after), edges[0], edges[-1])
    lasts = np.diff(bounds)
    pieces: list[tuple[NDArray[np.uint64], int]] = []
    planes: list[tuple[NDArray[np.uint64], int]] = []
    piece_at, plane_at = [0], [0]
    for start in range(0, len(times), CHUNK):
        chunk = block[start : start + CHUNK]
        pieces += [(_pack(chunk == b), int(b)) for b in np.unique(chunk) if b >= 0]
        planes += _durations(lasts[start : start + CHUNK])
        piece_at.append(len(pieces))
        plane_at.append(len(planes))

    def stack(parts: list[tuple[NDArray[np.uint64], int]]) -> NDArray[np.uint64]:
        return np.stack([mask for mask, _ in parts]) if parts else np.zeros((0, WORDS), np.uint64)

    return Masks(
        piece_at=np.array(piece_at, np.int32),
        piece_mask=stack(pieces),
        piece_block=np.array([b for _, b in pieces], np.int64),
        plane_at=np.array(plane_at, np.int32),
        plane_mask=stack(planes),
        plane_weight=np.array([weight for _, weight in planes], np.int64),
    )
