"""Every neuron and synapse of a network is in its place on the mesh, and nothing else is."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from spikewatt.model.compile.mapping import fit_params, map_network
from spikewatt.model.compile.mesh.mapping import MeshFit, TileLimits, map_mesh
from spikewatt.model.compile.mesh.program import MeshInput, MeshProgram, Piece
from spikewatt.model.network.dataset import load_digits
from spikewatt.model.network.graph import INPUT, Network
from spikewatt.model.params import RouterKind
from tests.model.builders import dense_network
from tests.model.mesh_builders import random_mesh

SEEDS = range(60)


def rows_behind(program: MeshProgram, tile: int, n: int) -> Counter:
    """(tile, delay, row of the tile's matrix) behind each entry of a neuron's list."""
    own = program.tiles[tile]
    x, y = program.params.place(tile)
    found = Counter()
    for e in range(own.fanout_start[n], own.fanout_start[n] + own.fanout_count[n]):
        to_x, to_y = x + int(own.dx[e]), y + int(own.dy[e])
        if (to_x, to_y) == (0, -1):
            found["host", 1, int(own.axon[e])] += 1
            continue
        target = to_y * program.params.columns + to_x
        row = program.tiles[target].matrix[own.axon[e]]
        found[target, int(own.delay[e]), tuple(row.tolist())] += 1
    return found


def weights_behind(program: MeshProgram, rows: Counter) -> Counter:
    """(delay, population, member, weight) behind them, each synapse by itself, zeros left out."""
    found = Counter()
    for (tile, delay, row), times in rows.items():
        if tile == "host":
            continue
        left = np.array(row)
        for name, pieces in program.neurons_of.items():
            for piece in pieces:
                if piece.tile == tile:
                    for n, member in zip(piece.neurons, piece.members, strict=True):
                        if left[n]:
                            found[delay, name, member, int(left[n])] += times
                        left[n] = 0
        assert not left.any()  # nothing reaches padding
    return found


def weights_wanted(network: Network, source: str, i: int) -> Counter:
    wanted = Counter()
    for link in network.connections:
        if link.source == source:
            for j in np.flatnonzero(link.weights[i]):
                wanted[link.delay, link.target, int(j), int(link.weights[i, j])] += 1
    return wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_every_synapse_is_in_its_place(seed: int) -> None:
    network, program = random_mesh(seed)
    for i in range(network.encoder.inputs):
        rows = Counter()
        for port in program.inputs:
            if port.first <= i < port.first + port.count:
                matrix = program.tiles[port.tile].matrix
                row = matrix[port.axon + i - port.first]
                rows[port.tile, port.delay, tuple(row.tolist())] += 1
        assert weights_behind(program, rows) == weights_wanted(network, INPUT, i)
    for name, pieces in program.neurons_of.items():
        for piece in pieces:
            for n, i in zip(piece.neurons, piece.members, strict=True):
                rows = rows_behind(program, piece.tile, n)
                assert weights_behind(program, rows) == weights_wanted(network, name, i)
                to_host = [axon for (to, _, axon), _ in rows.items() if to == "host"]
                read = network.readout.kind == "count" and network.readout.population == name
                assert to_host == ([i] if read else [])
    stored = sum(int(tile.fan_out.sum()) for tile in program.tiles)
    assert stored == sum(link.weights.size for link in network.connections)
    total = sum(int(np.abs(tile.matrix).sum()) for tile in program.tiles)
    assert total == sum(int(np.abs(link.weights).sum()) for link in network.connections)


@pytest.mark.parametrize("seed", SEEDS)
def test_neurons_are_in_their_place(seed: int) -> None:
    network, program = random_mesh(seed)
    lanes = program.params.core.lanes
    taken: set[tuple[int, int]] = set()
    for population in network.populations:
        pieces = program.neurons_of[population.name]
        members = [m for piece in pieces for m in piece.members]
        assert members == list(range(population.size))
        for piece in pieces:
            tile = program.tiles[piece.tile]
            place = slice(piece.neurons.start, piece.neurons.stop)
            assert len(piece.neurons) == len(piece.members)
            assert piece.neurons.start % lanes == piece.members.start % lanes == 0
            assert np.array_equal(tile.threshold[place], population.threshold[piece.members])
            assert np.array_equal(tile.bias[place], np.asarray(population.bias)[piece.members])
            groups = {n // lanes for n in piece.neurons}
            assert {tile.types[tile.group_type[g]] for g in groups} == {population.neuron}
            assert taken.isdisjoint((piece.tile, g) for g in groups)
            taken |= {(piece.tile, g) for g in groups}
            assert tile.neurons_of[population.name] == piece.neurons
    for index, tile in enumerate(program.tiles):
        for group in range(program.params.core.groups):
            if (index, group) not in taken:
                place = slice(group * lanes, (group + 1) * lanes)
                assert (tile.threshold[place] == program.params.core.membrane_range[1]).all()
                assert not tile.bias[place].any()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_core_is_as_small_as_its_fullest_tile_allows(seed: int) -> None:
    network, program = random_mesh(seed)
    core, tiles = program.params.core, program.tiles
    lanes = core.lanes
    used = [[len(piece) for piece in tile.neurons_of.values()] for tile in tiles]
    assert core.neurons == lanes * max(sum(-(-n // lanes) for n in each) for each in used)
    axons = max(int((tile.row_first <= tile.row_last).sum()) for tile in tiles)
    readout = network.population(network.readout.population).size * bool(program.host_axons)
    assert core.axons == max(axons, readout, 1)
    assert core.synapse_words == max(1, *(int(tile.row_words.sum()) for tile in tiles))
    assert core.destinations == max(1, *(int(tile.fanout_count.sum()) for tile in tiles))
    kinds = [{network.population(name).neuron for name in tile.neurons_of} for tile in tiles]
    assert core.types == max(len(each) for each in kinds)
    single = fit_params(network, lanes=lanes)
    for name in (
        *("weight_bits", "state_bits", "bias_bits", "delay_slots", "refractory_bits"),
        *("window_bits", "leaks", "shifts", "resets", "compares", "lanes"),
    ):
        assert getattr(core, name) == getattr(single, name), name
    for tile in tiles:
        present = tile.row_first <= tile.row_last
        assert all(a <= b for a, b in pairwise(tile.row_first[present]))
        assert not present[int(present.sum()) :].any()  # axons without a row are the last


def test_one_tile_is_the_core_of_the_network() -> None:
    network = dense_network(20, 30, 10)
    mesh, single = map_mesh(network), map_network(network)
    assert (mesh.params.columns, mesh.params.rows) == (1, 1)
    assert mesh.params.core == single.params
    (tile,) = mesh.tiles
    for name in ("threshold", "synapses", "row_first", "row_base", "axon", "delay", "fan_out"):
        assert np.array_equal(getattr(tile, name), getattr(single, name)), name
    assert mesh.inputs == (MeshInput(0, 0, 1, 0, 20),)
    assert mesh.params.router is RouterKind.CLICK


def test_the_digits_on_2x2_by_hand() -> None:
    """16 groups of hidden neurons and 2 of outputs over 4 tiles: 5, 5, 5, and 1 + 2."""
    network, _, _ = load_digits()
    program = map_mesh(network, MeshFit(mesh=(2, 2), router=RouterKind.SYNC, clock_gating=False))
    sizes = [[len(piece.members) for piece in program.neurons_of[n]] for n in ("hidden", "output")]
    assert sizes == [[40, 40, 40, 8], [10]]
    core = program.params.core
    assert (core.neurons, core.axons, core.destinations) == (40, 64 + 128, 40)
    assert core.synapse_words == max(64 * 5, 64 * 1 + 128 * 2)
    assert (core.hop_bits, core.clock_gating, program.params.router) == (2, False, "sync")
    assert sorted(port.tile for port in program.inputs) == [0, 1, 2, 3]


def test_a_split_population_needs_all_sources_everywhere() -> None:
    network = dense_network(20, 40, 10)
    program = map_mesh(network, MeshFit(limits=TileLimits(neurons=24)))
    assert program.params.tiles == 3
    assert [len(p.members) for p in program.neurons_of["layer 1"]] == [24, 16]
    assert [(p.axon, p.first, p.count) for p in program.inputs] == [(0, 0, 20)] * 2
    (out,) = program.neurons_of["layer 2"]
    assert isinstance(out, Piece)
    tile = program.tiles[out.tile]
    assert (tile.row_words > 0).sum() == 40  # from both halves, once each
    assert int(tile.matrix.sum()) == int(network.connections[1].weights.sum())
