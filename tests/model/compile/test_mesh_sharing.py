"""Axons that connections share: where rows can be one run of groups, and zeros cost less."""

from dataclasses import replace

import numpy as np
import pytest

from spikewatt.model.compile.mesh.mapping import map_mesh
from spikewatt.model.compile.mesh.program import MeshInput
from spikewatt.model.compile.mesh.tile import Part, TilePlan
from spikewatt.model.network.graph import INPUT, Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import NeuronType


def star(targets: dict[str, int], *, delay: int = 1, bits: int = 8) -> Network:
    """Inputs, and populations of the given sizes; ``a``, ``c``, … get all 3 inputs, ``b`` none."""
    return Network(
        name="star",
        encoder=Encoder(inputs=3, timesteps=4),
        populations=tuple(
            Population(name=name, neuron=NeuronType(), threshold=np.full(size, 9))
            for name, size in targets.items()
        ),
        connections=tuple(
            Connection(
                source=INPUT,
                target=name,
                weights=np.arange(3 * size).reshape(3, size) % 2,
                weight_bits=bits,
                delay=delay,
            )
            for name, size in targets.items()
            if name != "b"
        ),
        readout=Readout(population="a"),
    )


@pytest.mark.parametrize(
    ("middle", "bits", "shared"),
    [(0, 8, True), (8, 8, True), (9, 8, False), (9, 4, True), (25, 4, False), (8, 9, False)],
)
def test_axons_are_shared_across_zeros_where_that_saves(
    middle: int, bits: int, shared: bool
) -> None:
    """At 8 lanes a group of zeros takes 64 bits at 8 bits a weight, and an axon takes 70."""
    sizes = {"a": 5, "b": middle, "c": 10} if middle else {"a": 5, "c": 10}
    program = map_mesh(star(sizes, bits=bits))
    (tile,) = program.tiles
    gap = -(-middle // 8)
    if not shared:
        assert len(program.inputs) == 2
        assert tile.fan_out.tolist() == [5, 5, 5, 10, 10, 10]
        return
    assert program.inputs == (MeshInput(0, 0, 1, 0, 3),)
    assert tile.fan_out.tolist() == [15, 15, 15]
    assert tile.row_words.tolist() == [1 + gap + 2] * 3
    assert tile.row_first.tolist() == [0, 0, 0]


def test_axons_of_other_delays_or_of_the_same_target_are_apart() -> None:
    network = star({"a": 5, "c": 10})
    first, second = network.connections
    late = replace(network, connections=(first, replace(second, delay=2)))
    assert map_mesh(late).tiles[0].fan_out.tolist() == [5, 5, 5, 10, 10, 10]
    twice = replace(network, connections=(first, first, second))
    program = map_mesh(twice)
    assert sorted(program.tiles[0].fan_out.tolist()) == [5, 5, 5, 15, 15, 15]
    assert program.tiles[0].matrix.sum() == sum(link.weights.sum() for link in twice.connections)


def test_a_row_joins_the_nearest_before_it() -> None:
    """Two rows end at ``a``, and one of them goes on to ``c``: there ``d`` needs no zeros."""
    network = star({"a": 5, "c": 8, "d": 8})
    first, *rest = network.connections
    (tile,) = map_mesh(replace(network, connections=(first, first, *rest))).tiles
    assert tile.row_words.tolist() == [3, 3, 3, 1, 1, 1]
    assert tile.fan_out.tolist() == [21, 21, 21, 5, 5, 5]


def test_rows_ascend_though_a_shared_one_ends_late() -> None:
    network = star({"a": 5, "b": 8, "c": 10})
    link = Connection(source="a", target="b", weights=np.ones((5, 8), int))
    plan = TilePlan.of(
        replace(network, connections=(*network.connections, link)),
        8,
        (Part("a", 0, 1), Part("b", 0, 1), Part("c", 0, 2)),
    )
    ends = [(b.source, b.axon, b.first, b.last, b.words) for b in plan.bundles]
    assert ends == [(INPUT, 0, 0, 3, 12), ("a", 3, 1, 1, 5)]
    assert (plan.axons, plan.synapse_words, plan.groups) == (8, 17, 4)
