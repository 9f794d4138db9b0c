"""A run on a mesh that is not the golden model's is told, and where it left it."""

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError
from spikewatt.cosim import mesh
from spikewatt.cosim.mesh import NativeMesh
from spikewatt.cosim.mesh_samples import run_mesh_samples
from spikewatt.cosim.recording import MemoryWaveform, Simulation
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.params import RouterKind
from spikewatt.model.run import Run, comparable, difference
from spikewatt.targets import target
from spikewatt.targets.mesh import MeshTarget
from tests.cosim.mesh_cases import CORE, MeshCase, mesh_case
from tests.flow.small_mesh import LANES, NETWORK, X

COLUMNS = ROWS = 2


def _case(kind: str) -> MeshCase:
    """The first random network whose readout spikes beyond the first tile.

    Where the host reads membranes back, a group of them is not full.
    """
    for number in range(100):
        case = mesh_case(COLUMNS, ROWS, number)
        readout = case.network.readout
        pieces = case.program.neurons_of[readout.population]
        far = [case.golden.cores[p.tile].spikes[0][:, p.neurons].any() for p in pieces if p.tile]
        partial = any(piece.neurons.stop % CORE.lanes for piece in pieces)
        if readout.kind == kind and any(far) and (kind == "count" or partial):
            return case
    raise AssertionError(f"no case with {kind}")


@lru_cache
def ran(kind: str) -> tuple[MeshProgram, NDArray[np.bool_], Run, Run]:
    """Two samples on four tiny tiles, synchronous: the program, spikes, RTL and golden model."""
    case = _case(kind)
    spikes = np.stack([case.spikes, np.roll(case.spikes, 1, axis=0)])
    program = case.on(RouterKind.SYNC)
    population = case.network.readout.population if kind == "membrane" else None
    how = Simulation(readout=True)
    rtl = run_mesh_samples(program, list(spikes), how, readout=population)
    return program, spikes, rtl, run_mesh(program, spikes)


def with_core(run: Run, tile: int, core: Run) -> Run:
    """The run with another core."""
    cores = list(run.cores)
    cores[tile] = core
    return replace(run, cores=tuple(cores))


def altered(run: Run, name: str, place: tuple[int, ...], amount: int = 1) -> Run:
    """The run with another number at a place of an array."""
    array = run.arrays[name].copy()
    array[place] = array[place] + amount
    return run.with_arrays(run.chosen.get(name), **{name: array})


@pytest.mark.parametrize("kind", ["count", "membrane"])
def test_the_same(kind: str) -> None:
    """Nothing differs, in all that both know."""
    _, _, rtl, golden = ran(kind)
    case = _case(kind)
    assert difference(rtl, golden) is None
    both = set(comparable(rtl, golden))
    assert both >= {"spikes", "membranes", "merges", "synapse_words", "packets", "hops"}
    assert both >= {"host_counts", "final_membranes", "final_scheduler", "final_refractory"}
    assert (golden.to_host.sum() > 0) == (kind == "count")
    assert rtl.total("packets") == golden.packets.sum() > 0
    assert rtl.total("hops") == golden.hops.sum() == golden.traffic.sum()
    for population in case.network.populations:
        for name in ("spikes", "membranes"):
            got = rtl.of(name, population.name)
            assert np.array_equal(got, golden.of(name, population.name))
            assert got.shape[2] == population.size


def test_tables_are_sent_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between them a run can be interrupted; the mesh is the same."""
    program, spikes, _, golden = ran("count")
    sizes, exchange = [], NativeMesh.exchange

    def count(self: NativeMesh, packets: NDArray[np.uint64], *room: int) -> NDArray[np.uint64]:
        sizes.append(len(packets))
        return exchange(self, packets, *room)

    monkeypatch.setattr(mesh, "_PIECE", 100)
    monkeypatch.setattr(NativeMesh, "exchange", count)
    assert difference(run_mesh_samples(program, list(spikes)), golden) is None
    pieces = list(itertools.takewhile(lambda size: size == 100, sizes))
    assert len(pieces) > 10


def test_samples_follow_each_other() -> None:
    """Without a gap, from the end of the rest on; the clear and the readout count."""
    program, spikes, _, _ = ran("membrane")
    readout = _case("membrane").network.readout.population
    how = Simulation(readout=True, rest=20)
    rested = run_mesh_samples(program, list(spikes), how, readout=readout)
    assert rested.rest.tolist() == [0, 20]
    assert rested.starts.tolist() == [20, 20 + rested.cycles[0]]
    plain = run_mesh_samples(program, list(spikes), readout=readout)
    assert plain.starts.tolist() == [0, plain.cycles[0]]
    assert (rested.cycles > plain.cycles).all()
    assert (plain.cycles > plain.tick_cycles.sum(axis=1)).all()


def test_readback_is_the_last_membrane() -> None:
    """Whatever tiles and groups the readout is on."""
    _, _, rtl, golden = ran("membrane")
    readout = _case("membrane").network.readout
    last = golden.of("membranes", readout.population)[:, -1]
    assert np.array_equal(readout.scores(rtl), last)
    held = [core for core in rtl.cores if "final_membranes" in core.chosen]
    assert any(core.chosen["final_membranes"].neurons is not None for core in held)


def test_answers_are_the_rtl_s() -> None:
    """Not those that the golden model would give."""
    _, _, rtl, _ = ran("membrane")
    network = _case("membrane").network
    wiped = rtl
    for tile, core in enumerate(rtl.cores):
        membranes = core.final_membranes.copy()
        membranes[-1] = 0
        chosen = core.chosen.get("final_membranes")
        wiped = with_core(wiped, tile, core.with_arrays(chosen, final_membranes=membranes))
    assert network.readout.classes(wiped)[1] == 0
    assert network.readout.classes(wiped)[0] == network.readout.classes(rtl)[0]


def _membrane(run: Run) -> Run:
    return with_core(run, 2, altered(run.cores[2], "membranes", (1, 4, 1)))


def _state(run: Run) -> Run:
    return with_core(run, 3, altered(run.cores[3], "final_membranes", (0, 0)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_membrane, r"tile \(0, 1\), sample 1, tick 4, neuron 1: membranes "),
        (lambda run: altered(run, "hops", (1, 3)), r"sample 1, tick 2: hops \d+ by RTL, "),
        (lambda run: altered(run, "packets", (0, 1), -1), "sample 0, tick 0: packets "),
        (lambda run: altered(run, "host_counts", (1, 0)), "sample 1, axon 0: host counts "),
        (_state, r"tile \(1, 1\), sample 1, neuron 0: final membranes "),
    ],
)
def test_a_difference_is_named(change: Callable[[Run], Run], words: str) -> None:
    _, _, rtl, golden = ran("count")
    assert re.match(words, str(difference(change(rtl), golden)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: altered(run, "packets", (0, 1), -1), "sample 0, tick 0: packets "),
        (
            lambda run: with_core(run, 0, altered(run.cores[0], "final_membranes", (1, 0))),
            r"tile \(0, 0\), sample 1, neuron \d+: final membranes ",
        ),
    ],
)
def test_no_joules_of_another_run(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Run], Run], words: str
) -> None:
    """What is priced is held against the golden model, and so is what the host read."""
    chosen = MeshTarget(NETWORK, mesh=(2, 1), lanes=LANES, router="sync")
    spikes, simulate = NETWORK.stimulus(X[:2]), MeshTarget.simulate

    def broken(self: MeshTarget, x: NDArray[np.bool_], how: Simulation, *rest: object) -> Run:
        assert isinstance(how.waveform, MemoryWaveform)
        assert (how.waveform.file.name, how.readout, how.rest) == ("mesh.vcd", True, 256)
        return change(simulate(self, x, replace(how, trace="none", waveform=None)))

    def priced(*_: object, **__: object) -> None:
        raise AssertionError("it was priced")

    monkeypatch.setattr(MeshTarget, "simulate", broken)
    monkeypatch.setattr(target, "price_blocks", priced)
    with pytest.raises(SimulationError, match=f"with a waveform the RTL is another: {words}"):
        chosen.price(spikes)
