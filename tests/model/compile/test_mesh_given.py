"""A network is mapped onto a mesh that is given."""

from dataclasses import replace

import pytest

from spikewatt.base.errors import CapacityError, ParameterError
from spikewatt.model.compile.mesh.mapping import MeshFit, map_mesh
from spikewatt.model.network.graph import Network, Readout
from spikewatt.model.params import Leak, MeshParams, NeuronType, Reset, RouterKind
from tests.model.builders import dense_network


def counted() -> Network:
    """24 neurons after 6 inputs, read by spike counts."""
    network = dense_network(6, 16, 8, neuron=NeuronType(leak=Leak.SHIFT, leak_amount=2))
    return replace(network, readout=Readout(population="layer 2", kind="count"))


def test_the_mesh_that_was_made_for_a_network_holds_it_as_it_did() -> None:
    made = map_mesh(
        counted(), MeshFit(mesh=(2, 2), lanes=4, router=RouterKind.SYNC, clock_gating=False)
    )
    given = map_mesh(counted(), made.params)
    assert given.params is made.params
    for tile, expected in zip(given.tiles, made.tiles, strict=True):
        for name, value in vars(expected).items():
            assert repr(getattr(tile, name)) == repr(value), name
    assert given.inputs == made.inputs
    assert given.neurons_of == made.neurons_of
    assert given.host_axons == made.host_axons == 8


def test_a_larger_mesh_holds_it_with_its_own_lanes() -> None:
    made = map_mesh(counted(), MeshFit(mesh=(2, 1), lanes=4)).params
    core = replace(
        made.core, neurons=48, axons=40, synapse_words=400, destinations=90, lanes=2, hop_bits=3
    )
    larger = MeshParams(columns=3, rows=2, core=core)
    program = map_mesh(counted(), larger)
    assert program.params is larger
    assert {len(tile.threshold) for tile in program.tiles} == {48}


@pytest.mark.parametrize(
    ("name", "change", "verb", "sign"),
    [
        ("weight_bits", -1, "needs", ">="),
        ("delay_slots", 0, "needs", ">="),
        ("state_bits", 1, "is made for", "="),
        ("state_bits", -1, "is made for", "="),
    ],
)
def test_what_is_missing_is_named(name: str, change: int, verb: str, sign: str) -> None:
    network = counted()
    first, second = network.connections
    network = replace(network, connections=(first, replace(second, delay=9)))
    made = map_mesh(network, MeshFit(mesh=(2, 1), lanes=4)).params
    need = getattr(made.core, name)
    have = need + change if change else need // 2
    given = replace(made, core=replace(made.core, **{name: have}))
    message = (
        rf"^network 'layers' {verb} {name} = {need}, and this core has {have}: "
        rf"choose a core with {name} {sign} {need}$"
    )
    with pytest.raises(CapacityError, match=message):
        map_mesh(network, given)


@pytest.mark.parametrize("name", ["neurons", "axons", "synapse_words", "destinations"])
def test_tiles_that_are_too_small_are_named(name: str) -> None:
    made = map_mesh(counted(), MeshFit(mesh=(2, 1), lanes=4)).params
    core = replace(made.core, **{name: 4})
    with pytest.raises(CapacityError, match=r"layer|takes|needs more"):
        map_mesh(counted(), replace(made, core=core))


def test_the_datapath_must_have_what_neurons_use() -> None:
    made = map_mesh(counted(), MeshFit(mesh=(2, 1), lanes=4)).params
    for change, message in (
        ({"leaks": (Leak.NONE,)}, r"^leak SHIFT is not built into this core: \(<Leak.NONE: 0>,\)$"),
        ({"shifts": (1,)}, r"^leak shift 2 is not built into this core: \(1,\)$"),
        ({"resets": (Reset.NONE,)}, r"^reset \w+ is not built into this core: \(<Reset.NONE: 2>,"),
    ):
        with pytest.raises(ParameterError, match=message):
            map_mesh(counted(), replace(made, core=replace(made.core, **change)))
