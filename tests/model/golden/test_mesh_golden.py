"""A mesh does what one large core does, and the fast run what the plain one does."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.mesh.mapping import MeshFit, TileLimits, map_mesh
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.dataset import load_digits
from spikewatt.model.network.graph import Network, Readout
from spikewatt.model.run import Run
from tests.model.builders import dense_network
from tests.model.mesh_builders import random_mesh, run_plain, shuffled

SEEDS = range(80)
TICKS, BATCH = 14, 3


def input_spikes(network: Network, seed: int) -> NDArray[np.bool_]:
    rng = np.random.default_rng([seed, 2])
    rate = rng.choice([0.1, 0.4, 0.9])
    return rng.random((BATCH, TICKS, network.encoder.inputs)) < rate


def assert_same_network(network: Network, program: MeshProgram, trace: Run, spikes) -> None:
    """Spikes, membranes and operations of the mesh are those of one core that holds it all."""
    single = map_network(network)
    alone = run_batch(single, spikes)
    for name, numbers in single.neurons_of.items():
        for field in ("spikes", "membranes"):
            got = trace.of(field, name)
            assert np.array_equal(got, getattr(alone, field)[:, :, numbers]), (name, field)
        left = trace.of("final_refractory", name)
        assert np.array_equal(left, alone.final_refractory[:, numbers]), name
    operations = np.sum([tile.synaptic_ops for tile in trace.cores], axis=0)
    assert np.array_equal(operations, alone.synaptic_ops)
    assert trace.total("merges") == 0


def padding_is_silent(program: MeshProgram, trace: Run) -> bool:
    idle = np.ones((program.params.tiles, program.params.core.neurons), np.bool_)
    for pieces in program.neurons_of.values():
        for piece in pieces:
            idle[piece.tile, piece.neurons.start : piece.neurons.stop] = False
    pairs = zip(trace.cores, idle, strict=True)
    return not any(t.spikes[:, :, n].any() or t.membranes[:, :, n].any() for t, n in pairs)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mesh_equals_one_core(seed: int) -> None:
    network, program = random_mesh(seed)
    spikes = input_spikes(network, seed)
    trace = run_mesh(program, spikes)
    assert_same_network(network, program, trace, spikes)
    assert padding_is_silent(program, trace)


def assert_equals_plain(program: MeshProgram, spikes: NDArray[np.bool_], trace: Run) -> None:
    runs = [run_plain(program, sample) for sample in spikes]
    for name in ("packets", "hops", "to_host"):
        expected = np.array([getattr(run, name) for run in runs])
        assert np.array_equal(getattr(trace, name), expected), name
    assert np.array_equal(trace.traffic, sum(run.traffic for run in runs))
    for tile, got in enumerate(trace.cores):
        for name in ("spikes", "membranes", "final_scheduler", "merges", "synaptic_ops"):
            expected = np.array([getattr(run, name.removeprefix("final_"))[tile] for run in runs])
            assert np.array_equal(getattr(got, name), expected), (tile, name)


@pytest.mark.parametrize("mixed", [False, True], ids=["mapped", "shuffled"])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_fast_run_equals_the_plain_one(seed: int, mixed: bool) -> None:
    network, program = random_mesh(seed)
    program = shuffled(program, seed) if mixed else program
    spikes = input_spikes(network, seed)
    assert_equals_plain(program, spikes, run_mesh(program, spikes))


def test_the_random_cases_reach_everything() -> None:
    """Equality over cases in which nothing happens would prove nothing."""
    seen = dict.fromkeys(
        ("split", "empty", "several in a tile", "to the host", "recurrent", "delay", "window"), 0
    )
    totals = dict.fromkeys(("spikes", "between tiles", "merges", "shuffled to host"), 0)
    sizes, lanes = set(), set()
    for seed in SEEDS:
        network, program = random_mesh(seed)
        spikes = input_spikes(network, seed)
        trace = run_mesh(program, spikes)
        mixed = run_mesh(shuffled(program, seed), spikes)
        sizes.add((program.params.columns, program.params.rows))
        lanes.add(program.params.core.lanes)
        seen["split"] += any(len(pieces) > 1 for pieces in program.neurons_of.values())
        seen["empty"] += any(not tile.neurons_of for tile in program.tiles)
        seen["several in a tile"] += any(len(tile.neurons_of) > 1 for tile in program.tiles)
        seen["to the host"] += bool(trace.to_host.any())
        seen["recurrent"] += any(link.source == link.target for link in network.connections)
        seen["delay"] += any(link.delay > 1 for link in network.connections)
        seen["window"] += any(p.neuron.windowed for p in network.populations)
        totals["spikes"] += sum(int(tile.spikes.sum()) for tile in trace.cores)
        links = [sent.target != tile for tile, sent in enumerate(program.sends)]
        totals["between tiles"] += sum(int(link.sum()) for link in links)
        totals["merges"] += sum(int(tile.merges.sum()) for tile in mixed.cores)
        totals["shuffled to host"] += int(mixed.to_host.sum())
    assert min(seen.values()) >= 10, seen
    assert min(totals.values()) > 300, totals
    assert lanes == {1, 2, 3, 4, 8}
    assert {(1, 1), (2, 2), (3, 3), (4, 4), (4, 2)} <= sizes


def test_the_digits_on_cores_too_small_for_them() -> None:
    network, x, y = load_digits()
    program = map_mesh(network, MeshFit(mesh=(2, 2), limits=TileLimits(neurons=40)))
    assert program.params.core.neurons < map_network(network).params.neurons / 3
    spikes = network.stimulus(x)
    trace = run_mesh(program, spikes)
    assert_same_network(network, program, trace, spikes)
    assert np.mean(network.readout.classes(trace) == y) >= 0.975
    # An input spike goes to every tile, as each holds hidden neurons; a hidden one to the outputs'.
    (output,) = program.neurons_of["output"]
    hidden = [p for p in program.neurons_of["hidden"] if p.tile != output.tile]
    assert len(hidden) == 3
    sent = [
        trace.cores[p.tile].spikes[:, :, p.neurons.start : p.neurons.stop].sum(axis=2)
        for p in hidden
    ]
    packets = np.zeros((len(x), network.ticks + 1), np.int64)
    packets[:, :-1] += 4 * spikes.sum(axis=2)
    packets[:, 1:] += np.sum(sent, axis=0)
    assert np.array_equal(trace.packets, packets)
    assert trace.to_host.shape == (len(x), network.ticks, 0)


def test_spikes_of_a_readout_by_counts_reach_the_host() -> None:
    network = dense_network(6, 20, 12)
    network = replace(network, readout=Readout(population="layer 2", kind="count"))
    program = map_mesh(network, MeshFit(mesh=(3, 1), lanes=4))
    spikes = np.random.default_rng(1).random((4, 10, 6)) < 0.5
    trace = run_mesh(program, spikes)
    fired = trace.of("spikes", "layer 2")
    assert fired.any()
    assert np.array_equal(trace.to_host, fired)
    assert trace.traffic[0, 2] == fired.sum()  # north of (0, 0)
