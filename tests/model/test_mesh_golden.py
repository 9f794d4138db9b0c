"""A mesh does what one large core does, and the fast run what the plain one does."""


import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.model.batch import run_batch
from spikewatt.model.mapping import map_network
from spikewatt.model.mesh.golden import MeshTrace, run_mesh
from spikewatt.model.mesh.program import MeshProgram
from spikewatt.model.network import Network
from tests.model.mesh_builders import random_mesh, run_plain, shuffled

SEEDS = range(80)
TICKS, BATCH = 14, 3


def input_spikes(network: Network, seed: int) -> NDArray[np.bool_]:
    rng = np.random.default_rng([seed, 2])
    rate = rng.choice([0.1, 0.4, 0.9])
    return rng.random((BATCH, TICKS, network.encoder.inputs)) < rate


def assert_same_network(network: Network, program: MeshProgram, trace: MeshTrace, spikes) -> None:
    """Spikes, membranes and operations of the mesh are those of one core that holds it all."""
    single = map_network(network)
    alone = run_batch(single, spikes)
    for name, numbers in single.neurons_of.items():
        for field in ("spikes", "membranes"):
            got = program.gather([getattr(tile, field) for tile in trace.tiles], name)
            assert np.array_equal(got, getattr(alone, field)[:, :, numbers]), (name, field)
        left = program.gather([tile.refractory for tile in trace.tiles], name)
        assert np.array_equal(left, alone.refractory[:, numbers]), name
    operations = np.sum([tile.synaptic_ops for tile in trace.tiles], axis=0)
    assert np.array_equal(operations, alone.synaptic_ops)
    assert np.sum([tile.merges for tile in trace.tiles]) == 0


def padding_is_silent(program: MeshProgram, trace: MeshTrace) -> bool:
    idle = np.ones((program.params.tiles, program.params.core.neurons), np.bool_)
    for pieces in program.neurons_of.values():
        for piece in pieces:
            idle[piece.tile, piece.neurons.start : piece.neurons.stop] = False
    pairs = zip(trace.tiles, idle, strict=True)
    return not any(t.spikes[:, :, n].any() or t.membranes[:, :, n].any() for t, n in pairs)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mesh_equals_one_core(seed: int) -> None:
    network, program = random_mesh(seed)
    spikes = input_spikes(network, seed)
    trace = run_mesh(program, spikes)
    assert_same_network(network, program, trace, spikes)
    assert padding_is_silent(program, trace)


def assert_equals_plain(program: MeshProgram, spikes: NDArray[np.bool_], trace: MeshTrace) -> None:
    runs = [run_plain(program, sample) for sample in spikes]
    for name in ("packets", "hops", "to_host"):
        expected = np.array([getattr(run, name) for run in runs])
        assert np.array_equal(getattr(trace, name), expected), name
    assert np.array_equal(trace.traffic, sum(run.traffic for run in runs))
    for tile, got in enumerate(trace.tiles):
        for name in ("spikes", "membranes", "scheduler", "merges", "synaptic_ops"):
            expected = np.array([getattr(run, name)[tile] for run in runs])
            assert np.array_equal(getattr(got, name), expected), (tile, name)


@pytest.mark.parametrize("mixed", [False, True], ids=["mapped", "shuffled"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_fast_run_equals_the_plain_one(seed: int, mixed: bool) -> None:
    network, program = random_mesh(seed)
    program = shuffled(program, seed) if mixed else program
    spikes = input_spikes(network, seed)
    assert_equals_plain(program, spikes, run_mesh(program, spikes))
