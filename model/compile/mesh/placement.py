"""Where on the mesh each part of a network goes, so that its spikes make few hops."""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.base.errors import ParameterError
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.compile.mesh.route import HOST, hops
from spikewatt.model.compile.mesh.tile import TilePlan
from spikewatt.model.network.graph import INPUT, Network
from spikewatt.model.params import MeshParams

__all__ = ["Placement", "distances", "flows", "place", "weighted_hops"]

Placement = Literal["greedy", "search"]
FloatArray = NDArray[np.float64]


def distances(params: MeshParams) -> NDArray[np.int64]:
    """Hops between any two tiles, int64[tiles + 1, tiles + 1]; the host comes last."""
    ends = [*range(params.tiles), HOST]
    return np.array([[hops(params, a, b) for b in ends] for a in ends])


def flows(network: Network, plans: list[TilePlan], rates: Mapping[str, float] | None) -> FloatArray:
    """Packets that go from one part to another, float64[parts + 1, parts + 1]; the host is last.

    Parameters
    ----------
    rates:
        Spikes of each neuron of a population, and of each input under ``"input"``; 1 where none is
        given.

    Raises
    ------
    ParameterError
        When a rate is negative or not finite, or names no population.
    """
    rates = rates or {}
    for name, rate in rates.items():
        if name != INPUT and all(name != p.name for p in network.populations):
            raise ParameterError(f"rates: there is no population {name!r}")
        if not (np.isfinite(rate) and rate >= 0):
            raise ParameterError(f"rate of {name!r} must be finite and at least 0, not {rate!r}")
    host = len(plans)
    counted = network.readout.population if network.readout.kind == "count" else None
    flow = np.zeros((host + 1, host + 1))
    for b, plan in enumerate(plans):
        for bundle in plan.bundles:
            if bundle.source == INPUT:
                flow[host, b] += rates.get(INPUT, 1.0) * bundle.sources
            for a, other in enumerate(plans):
                for name, _, members in other.pieces:
                    if name == bundle.source and a != b:
                        flow[a, b] += rates.get(name, 1.0) * len(members)
        for name, _, members in plan.pieces:
            if name == counted:
                flow[b, host] += rates.get(name, 1.0) * len(members)
    return flow


def place(flow: FloatArray, distance: NDArray[np.int64], method: Placement) -> list[int]:
    """The tile of each part.

    ``greedy``: part by part, each time the one that has the most traffic with those that have their
    place, where that traffic makes the fewest hops; the host has its place from the start. Where
    that is no better than one part after the other along the rows, those. ``search``: then two
    tiles are swapped as long as it helps.

    Parameters
    ----------
    flow:
        From `flows`.
    distance:
        From `distances`.
    """
    parts, tiles = len(flow) - 1, len(distance) - 1
    # A hop costs the same either way. Rows of tiles without a part stay 0: they cost nothing
    # anywhere.
    both = np.zeros((tiles + 1, tiles + 1))
    both[:parts, :parts] = flow[:-1, :-1] + flow[:-1, :-1].T
    both[-1, :parts] = both[:parts, -1] = flow[-1, :-1] + flow[:-1, -1]

    def cost(order: NDArray[np.int64]) -> float:
        return float((both * distance[np.ix_(order, order)]).sum())

    order = min(np.arange(tiles + 1), _greedy(both, distance, parts), key=cost)
    if method == "search":
        order = _search(order, cost)
    return [int(tile) for tile in order[:parts]]


def _greedy(both: FloatArray, distance: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    tiles = len(distance) - 1
    order = np.full(tiles + 1, tiles)
    placed, free = [tiles], list(range(tiles))
    while len(placed) <= parts:
        rest = [part for part in range(parts) if part not in placed]
        # The first of several that are as good, here and below: a network is placed alike
        # everywhere.
        part = max(rest, key=lambda part: both[part, placed].sum())
        weights = both[part, placed]
        tile = min(free, key=lambda tile: float((weights * distance[tile, order[placed]]).sum()))
        order[part] = tile
        placed.append(part)
        free.remove(tile)
    order[parts:tiles] = free
    return order


def _search(
    order: NDArray[np.int64], cost: Callable[[NDArray[np.int64]], float]
) -> NDArray[np.int64]:
    best = cost(order)
    improved = True
    while improved:
        improved = False
        for a, b in combinations(range(len(order) - 1), 2):
            other = order.copy()
            other[[a, b]] = order[[b, a]]
            if (value := cost(other)) < best * (1 - 1e-12):  # rounding is no gain
                order, best, improved = other, value, True
    return order


def weighted_hops(program: MeshProgram, counts: Mapping[str, ArrayLike] | None = None) -> float:
    """Hops of all packets that so many spikes send.

    Parameters
    ----------
    counts:
        For each population, and for the inputs under ``"input"``, the spikes of each neuron, or one
        number for all of them; 1 where none is given.
    """
    counts = counts or {}
    params = program.params
    distance = distances(params)
    total = 0.0
    inputs = max((port.first + port.count for port in program.inputs), default=0)
    entering = np.broadcast_to(np.asarray(counts.get(INPUT, 1)), inputs)
    for port in program.inputs:
        spikes = entering[port.first : port.first + port.count]
        total += float(spikes.sum() * distance[HOST, port.tile])
    per_tile = [np.zeros(params.core.neurons) for _ in program.tiles]
    for name, pieces in program.neurons_of.items():
        size = max(piece.members.stop for piece in pieces)
        spikes = np.broadcast_to(np.asarray(counts.get(name, 1)), size)
        for piece in pieces:
            members = slice(piece.members.start, piece.members.stop)
            per_tile[piece.tile][piece.neurons.start : piece.neurons.stop] = spikes[members]
    for tile, (sent, spikes) in enumerate(zip(program.sends, per_tile, strict=True)):
        total += float((spikes[sent.neuron] * distance[tile, sent.target]).sum())
    return total
