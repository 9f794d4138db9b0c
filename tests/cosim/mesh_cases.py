"""Small meshes, random networks for them, and the golden run beside the RTL's."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import CapacityError
from spikewatt.cosim.mesh import NativeMesh
from spikewatt.model.compile.configuration import scheduler_bits
from spikewatt.model.compile.mesh.mapping import map_mesh
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.compile.mesh.route import HOST
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.graph import INPUT, Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import CoreParams, Leak, MeshParams, RouterKind, TableId
from spikewatt.model.run import FIELDS, Run, comparable, difference
from tests.cosim.random_cores import random_program
from tests.model.mesh_builders import shuffled

__all__ = [
    "CORE",
    "MeshCase",
    "MeshJob",
    "MeshWork",
    "check_memories",
    "check_run",
    "expected_packets",
    "happenings",
    "joined",
    "mesh_case",
    "mesh_cases",
    "small_mesh",
]

CORE = CoreParams(
    neurons=6,
    axons=16,
    lanes=2,
    weight_bits=4,
    state_bits=9,
    bias_bits=4,
    delay_slots=8,
    scheduler_bits=16,
    synapse_words=36,
    destinations=20,
    refractory_bits=2,
    window_bits=4,
    types=3,
    shifts=(1, 3),
    hop_bits=3,
)
"""Of every tile: the smaller, the sooner the mesh is built and its tables are loaded."""

IntArray = NDArray[np.int64]


def small_mesh(columns: int, rows: int, router: RouterKind, **core: int) -> MeshParams:
    """Mesh of the smallest cores that still do everything, but for changes of the ``core``."""
    return MeshParams(columns=columns, rows=rows, core=replace(CORE, **core), router=router)


@dataclass(frozen=True, kw_only=True)
class MeshWork:
    """A program on a mesh, the spikes bool[ticks, inputs] that it is given, and what must come."""

    name: str
    program: MeshProgram
    spikes: NDArray[np.bool_]
    golden: Run


@dataclass(frozen=True, kw_only=True)
class MeshCase(MeshWork):
    """A network on a mesh; its work can go to another process, and a network cannot."""

    network: Network

    @property
    def work(self) -> MeshWork:
        """All but the network."""
        return MeshWork(
            name=self.name, program=self.program, spikes=self.spikes, golden=self.golden
        )

    def on(self, router: RouterKind) -> MeshProgram:
        """The program for the same mesh with other routers."""
        return replace(self.program, params=replace(self.program.params, router=router))


@dataclass(frozen=True, kw_only=True)
class MeshJob:
    """What a bench inside the simulator is to do.

    Cases come made: there each process would compile the golden model once more.
    """

    params: MeshParams
    cases: Sequence[MeshWork]
    stall: float
    seed: int


def _connection(rng: np.random.Generator, source: str, target: str, **sizes: int) -> Connection:
    weights = rng.integers(-4, 8, (sizes[source], sizes[target]))
    delay = int(rng.choice([1, 1, 2, 3, 7]))
    return Connection(source=source, target=target, weights=weights, weight_bits=4, delay=delay)


def _network(rng: np.random.Generator, tiles: int) -> Network:
    """One to three populations of any kind; they may be recurrent, and read in either way."""
    types = random_program(rng, CORE).types
    count = int(rng.integers(1, 4))
    sizes = {f"p{k}": int(rng.integers(1, 3 + 3 * min(tiles, 4) // count)) for k in range(count)}
    names, inputs = list(sizes), int(rng.integers(2, 6))
    ends = [(INPUT, names[0]), *((a, b) for a in names for b in names if rng.random() < 0.5)]
    return Network(
        name="random",
        encoder=Encoder(inputs=inputs, timesteps=8),
        populations=tuple(
            Population(
                name=name,
                neuron=types[rng.integers(len(types))],
                threshold=rng.integers(0, 12, size),
                bias=rng.integers(-2, 6, size) if rng.random() < 0.5 else None,
            )
            for name, size in sizes.items()
        ),
        connections=tuple(_connection(rng, *e, **sizes, **{INPUT: inputs}) for e in ends),
        readout=Readout(population=names[-1], kind="count" if rng.random() < 0.6 else "membrane"),
        state_bits=CORE.state_bits,
    )


@cache
def mesh_case(columns: int, rows: int, number: int) -> MeshCase:
    """Case ``number`` of a mesh: the same in every run.

    Every second one has its destination lists and inputs at random: its events merge.
    """
    rng = np.random.default_rng([columns, rows, number])
    params = small_mesh(columns, rows, RouterKind.CLICK)
    while True:
        network = _network(rng, params.tiles)
        try:
            program = map_mesh(network, params)
        except CapacityError:
            continue
        if number % 2:
            program = shuffled(program, number)
        ticks, rate = int(rng.integers(9, 16)), rng.choice([0.2, 0.5, 0.9])
        spikes = rng.random((ticks, network.encoder.inputs)) < rate
        golden = run_mesh(program, spikes[None])
        lively = sum(int(tile.spikes.sum()) for tile in golden.cores) >= 12
        if lively and (not program.host_axons or golden.to_host.sum() >= 4):
            break
    return MeshCase(
        name=f"{columns}x{rows}, case {number}",
        network=network,
        program=program,
        spikes=spikes,
        golden=golden,
    )


def mesh_cases(columns: int, rows: int, count: int) -> list[MeshCase]:
    """The first cases of a mesh."""
    return [mesh_case(columns, rows, number) for number in range(count)]


def expected_packets(case: MeshWork, tile: int) -> list[tuple[int, ...]]:
    """Packets (tick, axon, delay, dx, dy) that a tile sends, sorted."""
    params, sent = case.program.params, case.program.sends[tile]
    x, y = params.place(tile)
    away = sent.target != tile
    places = [params.host_offset(tile) if a == HOST else params.place(a) for a in sent.target]
    offsets = np.array(
        [p if a == HOST else (p[0] - x, p[1] - y) for p, a in zip(places, sent.target, strict=True)]
    ).reshape(-1, 2)
    ticks, entries = np.nonzero(case.golden.cores[tile].spikes[0][:, sent.neuron] & away)
    columns = (ticks, sent.axon[entries], sent.delay[entries], *offsets[entries].T)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def joined(first: Run, rest: Run) -> Run:
    """Two runs of one sample, one after the other, as one.

    What came before the first tick of the second belongs to the last tick of the first.
    """
    arrays = {}
    for name, ours in first.arrays.items():
        theirs = rest.arrays[name]
        if name == "sent":
            later = np.array([0, first.ticks, 0, 0, 0, 0])
            arrays[name] = np.concatenate([ours, theirs + later])
        elif FIELDS[name][1:2] == ("time",):
            middle = ours[:, -1:] + theirs[:, :1]
            arrays[name] = np.concatenate([ours[:, :-1], middle, theirs[:, 1:]], axis=1)
        elif FIELDS[name][1:2] == ("tick",):
            arrays[name] = np.concatenate([ours, theirs], axis=1)
        else:
            arrays[name] = ours + theirs
    cores = [joined(a, b) for a, b in zip(first.cores, rest.cores, strict=True)]
    return replace(first, arrays=arrays, cores=tuple(cores))


def check_run(case: MeshWork, rtl: Run, what: str) -> None:
    """Every tick of every tile is the golden model's."""
    where = f"{case.name}, {what}"
    compared = {"spikes", "membranes", "synapse_words", "merges", "packets", "hops", "host_counts"}
    assert compared <= set(comparable(rtl, case.golden)), where
    found = difference(rtl, case.golden)
    assert found is None, f"{where}: {found}"
    for index, core in enumerate(rtl.cores):
        packets = sorted(map(tuple, core.sent[:, 1:].tolist()))
        assert packets == expected_packets(case, index), f"{where}: packets of tile {index}"
    (barrier,), (cycles,) = rtl.barrier, rtl.tick_cycles
    assert (barrier[1:] >= 2 * (case.program.params.tiles + 1)).all(), where
    assert (cycles > barrier[1:]).all(), where


def check_memories(case: MeshCase, mesh: NativeMesh, what: str) -> None:
    """The state and the scheduler of every tile, as read back, are the golden model's last."""
    for index, golden in enumerate(case.golden.cores):
        where = f"{case.name}, {what}, tile {index}"
        state = mesh.read_table(index, TableId.STATE)
        slots = scheduler_bits(CORE, mesh.read_table(index, TableId.SCHEDULER))
        for name, expected in (
            ("membrane", golden.final_membranes[0]),
            ("refractory", golden.final_refractory[0]),
        ):
            np.testing.assert_array_equal(state[name].ravel(), expected, err_msg=where)
        np.testing.assert_array_equal(slots, golden.final_scheduler[0], err_msg=where)


def happenings(case: MeshCase) -> Counter[str]:
    """How much of what could go wrong happens in a case."""
    program, golden, network = case.program, case.golden, case.network
    spikes = [tile.spikes[0] for tile in golden.cores]
    once = [s.any(axis=0) for s in spikes]

    def fired(attribute: str, value: int | None = None) -> int:
        """Neurons that fired, of types with this value of an attribute, or any but 0."""
        total = 0
        for tile, who in zip(program.tiles, once, strict=True):
            values = tile.neuron_types(attribute)
            total += int(who[values != 0 if value is None else values == value].sum())
        return total

    return Counter(
        {
            "spikes": sum(int(s.sum()) for s in spikes),
            "packets": int(golden.packets.sum()),
            "hops": int(golden.hops.sum()),
            "merges": sum(int(tile.merges.sum()) for tile in golden.cores),
            "to the host": int(golden.to_host.sum()),
            "waiting at the end": sum(int(tile.final_scheduler.sum()) for tile in golden.cores),
            "split": any(len(pieces) > 1 for pieces in program.neurons_of.values()),
            "recurrent": any(link.source == link.target for link in network.connections),
            "delay": any(link.delay > 1 for link in network.connections),
            f"read by {network.readout.kind}": 1,
            **{name: fired(name) for name in ("refractory", "windowed")},
            **{f"leak {leak.name}": fired("leak", leak) for leak in Leak},
        }
    )
