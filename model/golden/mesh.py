"""Golden run of a mesh: every core does tick t, then every packet of t arrives.

A packet arrives before the next tick whatever its way (the mesh waits for it), so routers and
their delays have no place here: only how many packets there are, and how far they go. All tiles
run as if they were one core, whose axons and neurons are theirs, one tile's after another's.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.compile.mesh.route import HOST, Sends, hops, walk
from spikewatt.model.golden.batch import ALL_TICKS, Watched, core_arrays, run_tables
from spikewatt.model.golden.core import MODEL
from spikewatt.model.golden.tables import Links, build_tables
from spikewatt.model.params import PORTS
from spikewatt.model.run import Chosen, Keep, Run

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
    inputs = spikes.shape[2]
    spiking, holding = _chosen(program, keep, "spikes"), _chosen(program, keep, "membranes")
    # Who reports to the host is watched whatever is kept: the host gets its spikes tick by tick.
    reporting = _join([_numbers(program, k, s.neuron[s.target == HOST]) for k, s in _each(program)])
    watched = Watched(
        spikes=np.union1d(_all(program, spiking), reporting), membranes=_all(program, holding)
    )
    tables = build_tables(program.tiles, _links(program, inputs), inputs, _leaving(program))
    kept = run_tables(tables, spikes, watched)

    cores = []
    for tile, own in enumerate(program.tiles):
        arrays, chosen = core_arrays(kept, tile, own), {}
        for name, neurons, columns in (
            ("spikes", spiking[tile], watched.spikes),
            ("membranes", holding[tile], watched.membranes),
        ):
            everyone = np.arange(program.params.core.neurons)
            mine = _numbers(program, tile, everyone if neurons is None else neurons)
            array = arrays.pop(name)
            if neurons is None or len(neurons):
                arrays[name] = array[..., _columns(columns, mine)]
            if neurons is not None and len(neurons):
                chosen[name] = Chosen(neurons=neurons)
        cores.append(Run(by=MODEL, arrays=arrays, chosen=chosen, core=program.name(tile)))

    to_host = _to_host(program, kept.spikes, watched.spikes)
    packets, passed = _traffic_of_host(program, spikes)
    # Spikes of tick t belong to time t, which is index t + 1: index 0 is what came before tick 0.
    packets[:, 1:] += kept.left[:, :, 0]
    passed[:, 1:] += kept.left[:, :, 1]
    own = {
        "packets": packets,
        "hops": passed,
        "to_host": to_host,
        "host_counts": to_host.sum(axis=1),
        "traffic": _traffic(program, spikes, kept.spike_counts),
    }
    return Run(by=MODEL, arrays=own, cores=tuple(cores), layout=program.layout)


def _each(program: MeshProgram) -> Iterator[tuple[int, Sends]]:
    return iter(enumerate(program.sends))


def _join(parts: list[IntArray]) -> IntArray:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _numbers(program: MeshProgram, tile: int, neurons: IntArray) -> IntArray:
    """Numbers of a tile's neurons among those of all tiles."""
    return tile * program.params.core.neurons + neurons


def _chosen(
    program: MeshProgram, keep: Keep, name: Literal["spikes", "membranes"]
) -> list[IntArray | None]:
    """For each tile, whose ``name`` is kept; ``None``: all of its neurons'."""
    return [keep.neurons(name, program.layout, tile) for tile in range(program.params.tiles)]


def _all(program: MeshProgram, chosen: list[IntArray | None]) -> IntArray:
    """The same as numbers among those of all tiles."""
    everyone = np.arange(program.params.core.neurons)
    return _join(
        [
            _numbers(program, tile, everyone if neurons is None else neurons)
            for tile, neurons in enumerate(chosen)
        ]
    )


def _columns(numbers: IntArray, wanted: IntArray) -> slice | IntArray:
    """Where rising ``wanted`` numbers stand among rising ``numbers``: a slice, if side by side."""
    at = np.searchsorted(numbers, wanted)
    if len(at) and at[-1] - at[0] == len(at) - 1:
        return slice(at[0], at[-1] + 1)
    return at


def _links(program: MeshProgram, inputs: int) -> Links:
    axons = program.params.core.axons
    links = [
        Links(
            port.first + (number := np.arange(port.count)),
            port.tile * axons + port.axon + number,
            np.full(port.count, port.delay),
        )
        for port in program.inputs
    ]
    for tile, sent in _each(program):
        inside = sent.target != HOST
        source = inputs + _numbers(program, tile, sent.neuron)
        links.append(
            Links(
                source[inside],
                (sent.target * axons + sent.axon)[inside],
                sent.delay[inside],
            )
        )
    return Links.join(links)


def _leaving(program: MeshProgram) -> IntArray:
    """Packets int64[2, all neurons] that a spike sends to other cores, and the routers passed."""
    leaving = []
    for tile, sent in _each(program):
        routers = np.array([hops(program.params, tile, end) for end in range(program.params.tiles)])
        passed = np.where(
            sent.target == HOST, hops(program.params, tile, HOST), routers[sent.target]
        )
        size = program.params.core.neurons
        leaving.append(
            [
                np.bincount(sent.neuron, sent.target != tile, minlength=size),
                np.bincount(sent.neuron, passed, minlength=size),
            ]
        )
    return np.concatenate(leaving, axis=1).astype(np.int64)


def _to_host(program: MeshProgram, fired: NDArray[np.uint8], numbers: IntArray) -> IntArray:
    """Spikes int64[B, T, host_axons] that the host gets; ``fired``: [B, T, k] of these neurons."""
    to_host = np.zeros((*fired.shape[:2], program.host_axons), np.int64)
    for tile, sent in _each(program):
        mine = sent.target == HOST
        columns = np.searchsorted(numbers, _numbers(program, tile, sent.neuron[mine]))
        # Axons in front, where `np.add.at` takes their numbers.
        np.add.at(
            np.moveaxis(to_host, 2, 0), sent.axon[mine], np.moveaxis(fired[..., columns], 2, 0)
        )
    return to_host


def _traffic_of_host(program: MeshProgram, spikes: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Packets that the host sends, and the routers that they pass: int64[B, T + 1] each."""
    batch, ticks, _ = spikes.shape
    packets, passed = (np.zeros((batch, ticks + 1), np.int64) for _ in range(2))
    for port in program.inputs:
        entering = spikes[:, :, port.first : port.first + port.count].sum(axis=2)
        packets[:, :ticks] += entering
        passed[:, :ticks] += entering * hops(program.params, HOST, port.tile)
    return packets, passed


def _traffic(program: MeshProgram, spikes: NDArray[np.bool_], spike_counts: IntArray) -> IntArray:
    """Packets int64[tiles, ports] that left each router, of the whole batch."""
    params = program.params
    traffic = np.zeros((params.tiles, len(PORTS)), np.int64)

    def add(source: int, target: int, packets: int) -> None:
        for tile, port in walk(params, source, target):
            traffic[tile, port] += packets

    for port in program.inputs:
        add(HOST, port.tile, int(spikes[:, :, port.first : port.first + port.count].sum()))
    # The way depends on source and target alone, so that totals are enough: no packet is followed.
    counts = spike_counts.sum(axis=0).reshape(params.tiles, -1)
    for tile, sent in _each(program):
        for target in np.unique(sent.target[sent.target != tile]).tolist():
            add(tile, target, int(counts[tile, sent.neuron[sent.target == target]].sum()))
    return traffic
