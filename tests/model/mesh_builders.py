"""Random meshes, and the plain form of a mesh: cores one event at a time, packets hop by hop."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.mesh.mapping import MeshFit, TileLimits, map_mesh
from spikewatt.model.compile.mesh.program import MeshInput, MeshProgram
from spikewatt.model.compile.mesh.split import squarest
from spikewatt.model.golden.core import deliver, initial_state, tick
from spikewatt.model.network.graph import Network, Readout
from tests.model.builders import random_network

__all__ = ["PlainRun", "mesh_network", "random_mesh", "run_plain", "shuffled"]

MESHES = [(1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (3, 2), (2, 3), (3, 3), (4, 2), (4, 4)]
WEST, EAST, NORTH, SOUTH, LOCAL = 1, 0, 2, 3, 4  # docs of `Port`, written out once more


@dataclass
class PlainRun:
    """What a sample did: lists by tick, of each tile where it says so."""

    spikes: NDArray[np.bool_]  # [tiles, ticks, neurons]
    membranes: NDArray[np.int64]  # [tiles, ticks, neurons]
    scheduler: NDArray[np.bool_]  # [tiles, D, axons]
    merges: NDArray[np.int64]  # [tiles, ticks + 1]
    synaptic_ops: NDArray[np.int64]  # [tiles, ticks]
    packets: NDArray[np.int64]  # [ticks + 1]
    hops: NDArray[np.int64]  # [ticks + 1]
    to_host: NDArray[np.int64]  # [ticks, host_axons]
    traffic: NDArray[np.int64]  # [tiles, 5]


def run_plain(program: MeshProgram, sample: NDArray[np.bool_]) -> PlainRun:
    """Run a sample bool[ticks, inputs]: `golden.tick` on every core, each packet on its way."""
    params, ticks = program.params, len(sample)
    tiles, core = params.tiles, params.core
    states = [initial_state(core) for _ in program.tiles]
    run = PlainRun(
        spikes=np.zeros((tiles, ticks, core.neurons), np.bool_),
        membranes=np.zeros((tiles, ticks, core.neurons), np.int64),
        scheduler=np.zeros((tiles, core.delay_slots, core.axons), np.bool_),
        merges=np.zeros((tiles, ticks + 1), np.int64),
        synaptic_ops=np.zeros((tiles, ticks), np.int64),
        packets=np.zeros(ticks + 1, np.int64),
        hops=np.zeros(ticks + 1, np.int64),
        to_host=np.zeros((ticks, program.host_axons), np.int64),
        traffic=np.zeros((tiles, 5), np.int64),
    )

    def send(t: int, x: int, y: int, dx: int, dy: int, axon: int, delay: int) -> None:
        run.packets[t + 1] += 1
        while True:
            run.hops[t + 1] += 1
            if dx > 0:
                port, x, dx = EAST, x + 1, dx - 1
            elif dx < 0:
                port, x, dx = WEST, x - 1, dx + 1
            elif dy > 0:
                port, y, dy = SOUTH, y + 1, dy - 1
            elif dy < 0:
                port, y, dy = NORTH, y - 1, dy + 1
            else:
                port = LOCAL
            back = {EAST: (-1, 0), WEST: (1, 0), NORTH: (0, 1), SOUTH: (0, -1), LOCAL: (0, 0)}[port]
            run.traffic[(y + back[1]) * params.columns + x + back[0], port] += 1
            if (x, y) == (0, -1):
                assert (dx, dy) == (0, 0)
                run.to_host[t, axon] += 1
                return
            assert 0 <= x < params.columns
            assert 0 <= y < params.rows
            if port == LOCAL:
                tile = y * params.columns + x
                states[tile], merged = deliver(states[tile], np.array([(axon, delay)]), core)
                run.merges[tile, t + 1] += merged
                return

    for t, packets in enumerate(program.input_packets(sample)):
        for tile, axon, delay in packets.tolist():
            send(t - 1, 0, 0, tile % params.columns, tile // params.columns, axon, delay)
        outputs = []
        for tile, tile_program in enumerate(program.tiles):
            output, states[tile] = tick(states[tile], tile_program)
            outputs.append(output)
            run.merges[tile, t + 1] += output.merges
            run.spikes[tile, t] = output.spikes
            run.membranes[tile, t] = states[tile].membrane
            run.synaptic_ops[tile, t] = output.synaptic_ops
        for tile, output in enumerate(outputs):
            for axon, delay, dx, dy in output.packets.tolist():
                send(t, tile % params.columns, tile // params.columns, dx, dy, axon, delay)
    run.scheduler[:] = [state.scheduler for state in states]
    return run


def mesh_network(seed: int) -> Network:
    """Random network; every second one is read by spike counts."""
    network = random_network(seed)
    kind = "count" if seed % 2 else "membrane"
    return replace(network, readout=Readout(population=network.readout.population, kind=kind))


def random_mesh(seed: int) -> tuple[Network, MeshProgram]:
    """Random network on a random mesh, often larger than needed or with hardly any room."""
    rng = np.random.default_rng([seed, 7])
    network = mesh_network(seed)
    lanes = int(rng.choice([1, 2, 3, 4, 8]))
    mesh = MESHES[rng.integers(len(MESHES))]
    fan_in = [
        sum(c.weights.shape[0] for c in network.connections if c.target == p.name)
        for p in network.populations
    ]
    readout = network.population(network.readout.population).size
    tight = TileLimits(neurons=3 * lanes, axons=max(*fan_in, readout, 1))
    if rng.random() < 0.4:
        fewest = map_mesh(network, MeshFit(lanes=lanes, limits=tight)).params.tiles
        return network, map_mesh(network, MeshFit(lanes=lanes, limits=tight, mesh=squarest(fewest)))
    return network, map_mesh(network, MeshFit(lanes=lanes, mesh=mesh))


def shuffled(program: MeshProgram, seed: int) -> MeshProgram:
    """The mesh with its destination lists and inputs at random: events merge, lists overlap."""
    rng = np.random.default_rng([seed, 8])
    params = program.params
    core = params.core
    tiles = []
    for tile, old in enumerate(program.tiles):
        entries = core.destinations
        x, y = params.place(tile)
        to = rng.integers(-1 if program.host_axons else 0, params.tiles, entries)
        axon = rng.integers(0, core.axons, entries)
        axon = np.where(to < 0, axon % max(program.host_axons, 1), axon)
        dx = np.where(to < 0, -x, to % params.columns - x)
        dy = np.where(to < 0, -(y + 1), to // params.columns - y)
        start = rng.integers(0, entries, core.neurons)
        count = np.minimum(rng.integers(0, 4, core.neurons), entries - start)
        tiles.append(
            replace(
                old,
                fanout_start=start,
                fanout_count=count,
                axon=axon,
                delay=rng.integers(1, core.delay_slots, entries),
                dx=dx,
                dy=dy,
            )
        )
    inputs = max((port.first + port.count for port in program.inputs), default=0)
    ports = []
    for _ in range(4 if inputs else 0):
        first = int(rng.integers(inputs))
        count = min(int(rng.integers(1, inputs - first + 1)), core.axons)
        axon = int(rng.integers(core.axons - count + 1))
        ports.append(
            MeshInput(
                int(rng.integers(params.tiles)),
                axon,
                int(rng.integers(1, core.delay_slots)),
                first,
                count,
            )
        )
    return replace(program, tiles=tuple(tiles), inputs=tuple(ports))
