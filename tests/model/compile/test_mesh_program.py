"""What a mesh program holds: packets of the host, populations put together, and what it refuses."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.model.compile.mesh.mapping import MeshFit, map_mesh
from spikewatt.model.compile.mesh.program import MeshInput, MeshProgram
from spikewatt.model.network.graph import Readout
from tests.model.builders import dense_network


@pytest.fixture
def program() -> MeshProgram:
    """Twelve neurons over two tiles, read by counts; three inputs."""
    network = dense_network(3, 12)
    network = replace(network, readout=Readout(population="layer 1", kind="count"))
    return map_mesh(network, MeshFit(mesh=(2, 1), lanes=4))


def test_input_packets(program: MeshProgram) -> None:
    assert program.inputs == (MeshInput(0, 0, 1, 0, 3), MeshInput(1, 0, 1, 0, 3))
    spikes = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], np.bool_)
    packets = program.input_packets(spikes)
    assert [p.tolist() for p in packets] == [
        [[0, 0, 1], [0, 2, 1], [1, 0, 1], [1, 2, 1]],
        [],
        [[0, 1, 1], [1, 1, 1]],
    ]
    assert all(p.dtype == np.int64 and p.shape[1] == 3 for p in packets)
    some = replace(program, inputs=(MeshInput(1, 9, 1, 1, 2), MeshInput(0, 4, 1, 0, 1)))
    assert [p.tolist() for p in some.input_packets(spikes)] == [
        [[1, 10, 1], [0, 4, 1]],
        [],
        [[1, 9, 1]],
    ]
    assert [p.shape for p in replace(program, inputs=()).input_packets(spikes)] == [(0, 3)] * 3


def test_gather(program: MeshProgram) -> None:
    held = [(p.tile, p.neurons, p.members) for p in program.neurons_of["layer 1"]]
    assert held == [(0, range(8), range(8)), (1, range(4), range(8, 12))]
    arrays = [np.arange(8)[None, :] + 100 * tile for tile in range(2)]
    got = program.gather([array.astype(np.int32) for array in arrays], "layer 1")
    assert got.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 100, 101, 102, 103]]
    assert got.dtype == np.int32


def test_sends_to_the_host(program: MeshProgram) -> None:
    assert program.host_axons == program.params.core.axons == 12
    here, there = program.sends
    assert here.target.tolist() == [-1] * 8
    assert there.axon.tolist() == [8, 9, 10, 11]
    tile = program.tiles[1]
    assert (tile.dx[:4].tolist(), tile.dy[:4].tolist()) == ([-1] * 4, [-1] * 4)


def changed(program: MeshProgram, **tables: Any) -> dict[str, Any]:
    """Second tile with other tables."""
    return {"tiles": (program.tiles[0], replace(program.tiles[1], **tables))}


CHANGES = [
    (
        lambda p: {"tiles": p.tiles[:1]},
        "tiles must hold 2 programs, one for each tile, not 1",
    ),
    (
        lambda p: {"params": replace(p.params, core=replace(p.params.core, weight_bits=9))},
        "the program of tile 0 is for another core",
    ),
    (
        lambda p: {"host_axons": 13},
        "host_axons must be an integer from 0 to 12, not 13",
    ),
    (
        lambda p: {"host_axons": 11},
        "tile 1 sends to an axon of the host beyond its 11",
    ),
    (
        lambda p: changed(p, dx=np.where(np.arange(8) == 2, 1, p.tiles[1].dx)),
        "neuron 2 of tile 1 sends outside the mesh",
    ),
    (
        lambda p: changed(p, dy=np.where(np.arange(8) == 3, -2, p.tiles[1].dy)),
        "neuron 3 of tile 1 sends outside the mesh",
    ),
    (
        lambda p: {"inputs": (MeshInput(2, 0, 1, 0, 3),)},
        "tile of an input must be an integer from 0 to 1, not 2",
    ),
    (
        lambda p: {"inputs": (MeshInput(1, 0, 2, 0, 3),)},
        "delay of an input must be an integer from 1 to 1, not 2",
    ),
    (
        lambda p: {"inputs": (MeshInput(1, 10, 1, 0, 3),)},
        "last axon of an input must be an integer from 0 to 11, not 12",
    ),
    (
        lambda p: {"inputs": (MeshInput(1, -1, 1, 0, 3),)},
        "first axon of an input must be an integer from 0 to 11, not -1",
    ),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_what_is_refused(program: MeshProgram, change: Any, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        replace(program, **change(program))
    assert str(caught.value) == message
