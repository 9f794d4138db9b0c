"""Golden run of a mesh: every core does tick t, then every packet of t arrives.

A packet arrives before the next tick whatever its way (the mesh waits for it), so routers and
their delays have no place here: only how many packets there are, and how far they go.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.compile.mesh.route import HOST, Sends, hops, walk
from spikewatt.model.golden.batch import ALL_TICKS, BatchCore, golden_run
from spikewatt.model.golden.core import MODEL
from spikewatt.model.params import PORTS
from spikewatt.model.run import Keep, Run

__all__ = ["run_mesh"]

IntArray = NDArray[np.int64]


def run_mesh(program: MeshProgram, spikes: NDArray[np.bool_], keep: Keep = ALL_TICKS) -> Run:
    """Golden runs of encoded samples, each from the reset state.

    The run has one of each core in it; merges there are of all its arrivals.

    Parameters
    ----------
    spikes:
        bool[B, ticks, inputs]: what the host sends before each tick.
    keep:
        What of every tick and neuron the run keeps.
    """
    batch, ticks, _ = spikes.shape
    cores = [BatchCore(tile, batch, ticks) for tile in program.tiles]
    links = [_links(sent) for sent in program.sends]
    to_host = np.zeros((batch, ticks, program.host_axons), np.int64)
    for t in range(ticks):
        for port in program.inputs:
            axons = port.axon + np.arange(port.count)
            entering = spikes[:, t, port.first : port.first + port.count]
            cores[port.tile].deliver(t - 1, port.delay, axons, entering)
        fired = [core.tick(t) for core in cores]
        for sent, tile_links in zip(fired, links, strict=True):
            for (target, delay), (neurons, axons) in tile_links.items():
                if target == HOST:
                    np.add.at(to_host[:, t].T, axons, sent[:, neurons].T)
                else:
                    cores[target].deliver(t, delay, axons, sent[:, neurons])
    arrays = [core.arrays() for core in cores]
    packets, passed, traffic = _count(program, spikes, [each["spikes"] for each in arrays])
    own = {
        "packets": packets,
        "hops": passed,
        "to_host": to_host,
        "host_counts": to_host.sum(axis=1),
        "traffic": traffic,
    }
    tiles = [golden_run(each, keep, program.layout, k) for k, each in enumerate(arrays)]
    return Run(
        by=MODEL,
        arrays=own,
        cores=tuple(replace(tile, core=program.name(k)) for k, tile in enumerate(tiles)),
        layout=program.layout,
    )


def _links(sent: Sends) -> dict[tuple[int, int], tuple[IntArray, IntArray]]:
    """Neurons that send, and the axons they send to, by (target, delay)."""
    ways = sorted(set(zip(sent.target.tolist(), sent.delay.tolist(), strict=True)))
    chosen = {(a, d): (sent.target == a) & (sent.delay == d) for a, d in ways}
    return {way: (sent.neuron[mine], sent.axon[mine]) for way, mine in chosen.items()}


def _count(
    program: MeshProgram, spikes: NDArray[np.bool_], fired: list[NDArray[np.bool_]]
) -> tuple[IntArray, IntArray, IntArray]:
    """Packets and hops int64[B, T + 1], and traffic int64[tiles, ports]."""
    params = program.params
    batch, ticks, _ = spikes.shape
    packets, passed = (np.zeros((batch, ticks + 1), np.int64) for _ in range(2))
    traffic = np.zeros((params.tiles, len(PORTS)), np.int64)

    def add(source: int, target: int, sent: IntArray, when: slice) -> None:
        """Count packets int64[B, T] from one end to another."""
        packets[:, when] += sent
        passed[:, when] += sent * hops(params, source, target)
        for tile, port in walk(params, source, target):
            traffic[tile, port] += sent.sum()

    for port in program.inputs:
        entering = spikes[:, :, port.first : port.first + port.count].sum(axis=2)
        add(HOST, port.tile, entering, slice(0, ticks))
    for tile, (sent, mine) in enumerate(zip(program.sends, fired, strict=True)):
        for target in np.unique(sent.target[sent.target != tile]).tolist():
            entries = np.bincount(sent.neuron[sent.target == target], minlength=params.core.neurons)
            add(tile, target, mine @ entries, slice(1, ticks + 1))
    return packets, passed, traffic
