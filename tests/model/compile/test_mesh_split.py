"""Networks split over tiles: as few and as even as can be, and what is said where none would do."""

import functools
import itertools
from dataclasses import replace

import numpy as np
import pytest

from spikewatt.model.compile.mesh.mapping import MeshFit, TileLimits, map_mesh
from spikewatt.model.compile.mesh.split import split, squarest
from spikewatt.model.compile.mesh.tile import Part, TilePlan
from spikewatt.model.network.graph import (
    INPUT,
    Connection,
    Encoder,
    Network,
    Population,
    Readout,
)
from spikewatt.model.params import NeuronType
from tests.model.builders import dense_network
from tests.model.mesh_builders import mesh_network


def test_squarest() -> None:
    sizes = [squarest(n) for n in (1, 2, 3, 4, 6, 7, 12, 36, 64)]
    assert sizes == [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (7, 1), (4, 3), (6, 6), (8, 8)]


def fewest(network: Network, lanes: int, limits: TileLimits, cap: int) -> int:
    """Fewest tiles of at most ``cap`` groups, by trying every way to fill each."""
    names = [p.name for p in network.populations]

    @functools.cache
    def fits(counts: tuple[int, ...]) -> bool:
        parts = [Part(name, 0, n) for name, n in zip(names, counts, strict=True) if n]
        plan = TilePlan.of(network, lanes, tuple(parts))
        return sum(counts) <= cap and plan.axons <= limits.axons

    @functools.cache
    def needed(left: tuple[int, ...]) -> int:
        if not any(left):
            return 0
        tries = itertools.product(*(range(n + 1) for n in left))
        rests = [tuple(np.subtract(left, t).tolist()) for t in tries if any(t) and fits(t)]
        return 1 + min(needed(rest) for rest in rests)

    return needed(tuple(-(-p.size // lanes) for p in network.populations))


def random_limits(network: Network, seed: int) -> tuple[int, TileLimits]:
    rng = np.random.default_rng([seed, 9])
    lanes = int(rng.choice([1, 2, 3]))
    fan_in = [
        sum(c.weights.shape[0] for c in network.connections if c.target == p.name)
        for p in network.populations
    ]
    readout = network.population(network.readout.population).size
    axons = max(*fan_in, readout, 1) + int(rng.integers(0, 20))
    return lanes, TileLimits(neurons=int(rng.integers(2, 7)) * lanes, axons=axons)


def test_no_fewer_tiles_and_no_evener_spread_would_do() -> None:
    by_axons = uneven = 0
    for seed in range(100):
        network = mesh_network(seed)
        lanes, limits = random_limits(network, seed)
        groups = sum(-(-p.size // lanes) for p in network.populations)
        most = limits.neurons // lanes
        least = fewest(network, lanes, limits, most)
        by_axons += least > -(-groups // most)
        assert len(split(network, lanes, limits)) == least, seed
        for tiles in (least, least + 1):
            parts = split(network, lanes, limits, tiles)
            fullest = max(sum(part.groups for part in each) for each in parts)
            assert len(parts) <= tiles
            if (fullest - 1) * tiles >= groups:
                assert fewest(network, lanes, limits, fullest - 1) > tiles, seed
                uneven += 1
    assert by_axons > 10  # cases in which counting neurons is not enough
    assert uneven > 3


def linked(seed: int) -> tuple[Network, TileLimits]:
    """Four or five populations with random links and hardly any room for axons."""
    rng = np.random.default_rng(seed)
    sizes = {f"p{i}": int(rng.integers(1, 9)) for i in range(rng.integers(4, 6))}
    names = list(sizes)
    ends = [(INPUT, "p0"), *((a, b) for a in names for b in names if rng.random() < 0.35)]
    sizes[INPUT] = 5
    links = [
        Connection(source=a, target=b, weights=np.ones((sizes[a], sizes[b]), int)) for a, b in ends
    ]
    fan_in = [sum(sizes[a] for a, b in ends if b == name) for name in names]
    network = Network(
        name="linked",
        encoder=Encoder(inputs=5, timesteps=3),
        populations=tuple(
            Population(name=name, neuron=NeuronType(), threshold=np.full(sizes[name], 9))
            for name in names
        ),
        connections=tuple(links),
        readout=Readout(population=names[-1]),
    )
    limits = TileLimits(
        neurons=2 * int(rng.integers(3, 8)), axons=max(fan_in) + int(rng.integers(0, 12))
    )
    return network, limits


@pytest.mark.parametrize("seed", [*range(20), 75])  # 1 and 75 need the order of fan-ins, 16 not
def test_no_fewer_tiles_would_do_for_more_populations(seed: int) -> None:
    network, limits = linked(seed)
    assert len(split(network, 2, limits)) == fewest(network, 2, limits, limits.neurons // 2)


@pytest.mark.parametrize("seed", range(40))
def test_limits_hold(seed: int) -> None:
    network = mesh_network(seed)
    lanes, limits = random_limits(network, seed)
    core = map_mesh(network, MeshFit(lanes=lanes, limits=limits)).params.core
    assert core.neurons <= limits.neurons
    assert core.axons <= limits.axons
    exact = TileLimits(
        neurons=core.neurons,
        axons=core.axons,
        synapse_words=core.synapse_words,
        destinations=core.destinations,
    )
    again = map_mesh(network, MeshFit(lanes=lanes, limits=exact)).params.core
    for name in ("neurons", "axons", "synapse_words", "destinations"):
        assert getattr(again, name) <= getattr(exact, name), name


def test_synapse_words_are_a_limit_too() -> None:
    network = dense_network(20, 40)
    program = map_mesh(network, MeshFit(limits=TileLimits(synapse_words=40)))
    assert program.params.core.synapse_words == 40
    assert program.params.tiles == 3  # 5 groups, 2 of them in a tile


def test_neuron_types_are_a_limit_too() -> None:
    """A core holds 16 types; 20 of them take two, with 10 each."""
    network = dense_network(4, *[2] * 20)
    populations = tuple(
        replace(p, neuron=NeuronType(refractory=i)) for i, p in enumerate(network.populations)
    )
    program = map_mesh(replace(network, populations=populations), MeshFit(lanes=2))
    assert (program.params.tiles, program.params.core.types) == (2, 10)
    assert [len(tile.types) for tile in program.tiles] == [10, 10]


def test_destinations_are_a_limit_too() -> None:
    """16 neurons to one tile each, unless that one is cut in two."""
    network = dense_network(4, 16, 16)
    program = map_mesh(network, MeshFit(limits=TileLimits(neurons=16, destinations=16)))
    assert (program.params.tiles, program.params.core.destinations) == (2, 16)
    program = map_mesh(network, MeshFit(limits=TileLimits(neurons=24, destinations=16)))
    assert program.params.core.destinations <= 16
