"""The way of packets through a mesh: X, then Y, then out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.program import Program
from spikewatt.model.params import MeshParams, Port

__all__ = ["HOST", "Sends", "hops", "sends", "walk"]

HOST = -1
"""Stands for the host where a tile could stand."""

IntArray = NDArray[np.int64]


def hops(params: MeshParams, source: int, target: int) -> int:
    """Routers that a packet passes between two tiles, or a tile and the host (`HOST`).

    ``|dx| + |dy| + 1``; the host is beside the router of tile (0, 0). What a core sends to itself
    passes none.
    """
    if source == target:
        return 0
    # The host is beyond (0, 0), whose router a packet passes as it does any other.
    (ax, ay), (bx, by) = (params.place(max(end, 0)) for end in (source, target))
    return abs(ax - bx) + abs(ay - by) + 1


def walk(params: MeshParams, source: int, target: int) -> list[tuple[int, Port]]:
    """Routers on the way, and the port by which the packet leaves each: ``hops`` of them."""
    if source == target:
        return []
    x, y = params.place(max(source, 0))
    dx, dy = params.host_offset(source) if target == HOST else params.place(target)
    if target != HOST:
        dx, dy = dx - x, dy - y
    way = []
    while dx or dy:
        # All of X before Y: without turns from Y to X no packets can wait for each other in a
        # circle (Dally & Seitz, IEEE Trans. Comput. C-36 (1987) 547).
        port = (Port.EAST if dx > 0 else Port.WEST) if dx else Port.SOUTH if dy > 0 else Port.NORTH
        way.append((y * params.columns + x, port))
        step = 1 if port in (Port.EAST, Port.SOUTH) else -1
        if dx:
            x, dx = x + step, dx - step
        else:
            y, dy = y + step, dy - step
    return way if target == HOST else [*way, (target, Port.LOCAL)]


@dataclass(frozen=True, kw_only=True)
class Sends:
    """Destination lists of a tile's neurons, one after the other: int64[n] each.

    ``target``: the tile, its own for what it sends to itself, or `HOST`.
    """

    neuron: IntArray
    target: IntArray
    axon: IntArray
    delay: IntArray


def sends(params: MeshParams, tile: int, program: Program) -> Sends:
    """What each spike of a tile's neurons sends, and to whom; outside the mesh the target is -2."""
    count = program.fanout_count
    neuron = np.repeat(np.arange(len(count)), count)
    entry = np.arange(count.sum()) + np.repeat(
        program.fanout_start - np.cumsum(count) + count, count
    )
    dx, dy = program.dx[entry], program.dy[entry]
    x, y = params.place(tile)
    inside = (x + dx >= 0) & (x + dx < params.columns) & (y + dy >= 0) & (y + dy < params.rows)
    target = np.where(inside, (y + dy) * params.columns + x + dx, -2)
    host_dx, host_dy = params.host_offset(tile)
    target[(dx == host_dx) & (dy == host_dy)] = HOST
    return Sends(neuron=neuron, target=target, axon=program.axon[entry], delay=program.delay[entry])
