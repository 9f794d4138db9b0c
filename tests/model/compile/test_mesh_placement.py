"""Where tiles go: never worse than row by row, and what a hop is."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from spikewatt.model.compile.mesh.mapping import MeshFit, TileLimits, map_mesh, weighted_hops
from spikewatt.model.compile.mesh.placement import distances, flows, place
from spikewatt.model.compile.mesh.route import HOST, hops, walk
from spikewatt.model.compile.mesh.split import split
from spikewatt.model.compile.mesh.tile import TilePlan
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.graph import INPUT, Network, Readout
from spikewatt.model.params import CoreParams, MeshParams, Port
from tests.model.builders import dense_network
from tests.model.mesh_builders import MESHES, mesh_network, random_mesh


def mesh(columns: int, rows: int) -> MeshParams:
    return MeshParams(columns=columns, rows=rows, core=CoreParams())


def cost(flow: np.ndarray, distance: np.ndarray, order: list[int]) -> float:
    """Sum of packets times hops, pair by pair."""
    ends = [*order, len(distance) - 1]
    pairs = [(a, b) for a in range(len(ends)) for b in range(len(ends))]
    return sum(flow[a, b] * distance[ends[a], ends[b]] for a, b in pairs)


def random_flow(rng: np.random.Generator, parts: int) -> np.ndarray:
    flow = rng.integers(0, 30, (parts + 1, parts + 1)) * (rng.random((parts + 1, parts + 1)) < 0.4)
    np.fill_diagonal(flow, 0)
    return flow.astype(np.float64)


@pytest.mark.parametrize("seed", range(40))
def test_greedy_beats_rows_and_search_beats_greedy(seed: int) -> None:
    rng = np.random.default_rng([seed, 3])
    columns, rows = MESHES[rng.integers(len(MESHES))]
    distance = distances(mesh(columns, rows))
    parts = int(rng.integers(1, columns * rows + 1))
    flow = random_flow(rng, parts)
    naive = cost(flow, distance, list(range(parts)))
    orders = [place(flow, distance, method) for method in ("greedy", "search")]
    greedy, search = (cost(flow, distance, order) for order in orders)
    assert search <= greedy <= naive
    for order in orders:
        assert len(set(order)) == parts
        assert set(order) <= set(range(columns * rows))
    assert place(flow, distance, "search") == orders[1]
    order = orders[1]
    free = sorted(set(range(columns * rows)) - set(order))
    for part in range(parts):
        for tile in (*order, *free):  # no swap, and no move to a free tile, helps further
            other = [order[part] if t == tile else t for t in order]
            other[part] = tile
            assert cost(flow, distance, other) >= search - 1e-9


def test_they_do_more_than_nothing() -> None:
    """Summed over cases: greedy saves hops, search saves more and is close to the best there is."""
    sums = dict.fromkeys(("naive", "greedy", "search", "best"), 0.0)
    distance = distances(mesh(3, 2))
    for seed in range(20):
        flow = random_flow(np.random.default_rng([seed, 4]), 6)
        sums["naive"] += cost(flow, distance, list(range(6)))
        for method in ("greedy", "search"):
            sums[method] += cost(flow, distance, place(flow, distance, method))
        sums["best"] += min(cost(flow, distance, list(order)) for order in permutations(range(6)))
    assert sums["greedy"] < 0.97 * sums["naive"]
    assert sums["search"] < 0.99 * sums["greedy"]
    assert sums["best"] <= sums["search"] < 1.03 * sums["best"]


def test_a_chain_lies_along_a_path_from_the_host() -> None:
    """Layers of one tile each: packets go to neighbours, and the answer is near the host."""
    network = dense_network(8, 8, 8, 8, 8)
    network = replace(network, readout=Readout(population="layer 4", kind="count"))
    program = map_mesh(network, MeshFit(mesh=(2, 2)), placement="search")
    at = [program.neurons_of[f"layer {i}"][0].tile for i in range(1, 5)]
    assert sorted(at) == [0, 1, 2, 3]
    # 8 spikes each: from the host, three times to a neighbour, to the host.
    x, y = program.params.place(at[0])
    u, v = program.params.place(at[3])
    assert weighted_hops(program) == 8 * (x + y + 1 + 3 * 2 + u + v + 1)
    assert x + y + u + v == 1


def test_rates_move_what_spikes() -> None:
    """Two layers of two tiles on a row: the one whose spikes reach the host most is next to it."""
    network = dense_network(8, 8, 8)
    network = replace(network, readout=Readout(population="layer 2", kind="count"))
    near = map_mesh(network, MeshFit(mesh=(2, 1)), rates={INPUT: 0.1, "layer 2": 5.0})
    assert [near.neurons_of[f"layer {i}"][0].tile for i in (1, 2)] == [1, 0]
    far = map_mesh(network, MeshFit(mesh=(2, 1)), rates={INPUT: 5.0, "layer 2": 0.1})
    assert [far.neurons_of[f"layer {i}"][0].tile for i in (1, 2)] == [0, 1]
    assert weighted_hops(near, {INPUT: 1, "layer 1": 0, "layer 2": 0}) == 8 * 2
    assert weighted_hops(near, {INPUT: 0, "layer 1": np.arange(8), "layer 2": 0}) == 28 * 2
    assert weighted_hops(near, {INPUT: 0, "layer 1": 0, "layer 2": 3}) == 24 * 1


def counted(network: Network, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, 5])
    return rng.random((2, 12, network.encoder.inputs)) < 0.4


@pytest.mark.parametrize("seed", range(40))
def test_weighted_hops_are_the_hops_of_the_run(seed: int) -> None:
    network, program = random_mesh(seed)
    spikes = counted(network, seed)
    trace = run_mesh(program, spikes)
    counts = {name: trace.of("spikes", name).sum(axis=(0, 1)) for name in program.neurons_of}
    counts[INPUT] = spikes.sum(axis=(0, 1))
    assert weighted_hops(program, counts) == trace.hops.sum() == trace.traffic.sum()


@pytest.mark.parametrize("seed", range(40))
def test_what_is_minimised_is_what_is_paid(seed: int) -> None:
    """Flows between parts, times distances, are the hops of the mapped program."""
    network = mesh_network(seed)
    rates = {INPUT: 0.5, network.populations[0].name: 2.25}
    limits = TileLimits(neurons=64)
    plans = [TilePlan.of(network, 2, parts) for parts in split(network, 2, limits, 6)]
    flow = flows(network, plans, rates)
    assert not np.diag(flow).any()  # what a core sends to itself is no packet
    program = map_mesh(network, MeshFit(mesh=(3, 2), lanes=2, limits=limits), rates=rates)
    order = place(flow, distances(program.params), "greedy")
    assert weighted_hops(program, rates) == pytest.approx(
        cost(flow, distances(program.params), order), abs=0
    )
    for part, plan in enumerate(plans):
        for name, group, members in plan.pieces:
            held = [(p.tile, p.neurons.start, p.members) for p in program.neurons_of[name]]
            assert (order[part], group * 2, members) in held


def test_hops_and_ways_by_hand() -> None:
    params = mesh(3, 2)
    assert [hops(params, 0, to) for to in (0, 1, 2, 3, 4, 5)] == [0, 2, 3, 2, 3, 4]
    assert [hops(params, HOST, to) for to in range(6)] == [1, 2, 3, 2, 3, 4]
    assert [hops(params, at, HOST) for at in range(6)] == [1, 2, 3, 2, 3, 4]
    assert walk(params, 4, 4) == []
    assert walk(params, 5, 0) == [
        (5, Port.WEST),
        (4, Port.WEST),
        (3, Port.NORTH),
        (0, Port.LOCAL),
    ]
    assert walk(params, HOST, 4) == [(0, Port.EAST), (1, Port.SOUTH), (4, Port.LOCAL)]
    assert walk(params, 4, HOST) == [(4, Port.WEST), (3, Port.NORTH), (0, Port.NORTH)]
    assert walk(params, 0, HOST) == [(0, Port.NORTH)]
