"""A run on a mesh that is not the golden model's is told, and where it left it."""

import copy
import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError
from spikewatt.cosim import mesh
from spikewatt.cosim.mesh import NativeMesh
from spikewatt.cosim.mesh_samples import MeshRecording, run_mesh_samples
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.params import RouterKind, TableId
from spikewatt.targets import mesh_ledger
from spikewatt.targets.mesh_evaluate import MeshEvaluation
from spikewatt.targets.mesh_ledger import price_mesh_samples
from tests.cosim.mesh_cases import CORE, MeshCase, mesh_case

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
def evaluation(kind: str) -> MeshEvaluation:
    """Two samples on four tiny tiles, synchronous."""
    case = _case(kind)
    spikes = np.stack([case.spikes, np.roll(case.spikes, 1, axis=0)])
    program = case.on(RouterKind.SYNC)
    population = case.network.readout.population if kind == "membrane" else None
    return MeshEvaluation(
        network=case.network,
        program=program,
        spikes=spikes,
        classes=None,
        golden=run_mesh(program, spikes),
        recording=run_mesh_samples(program, list(spikes), readout=population),
    )


def tampered(kind: str, change: Callable[[MeshRecording], object]) -> MeshEvaluation:
    """The same run with something else in what was recorded."""
    found = evaluation(kind)
    recording = copy.deepcopy(found.recording)
    change(recording)
    return replace(found, recording=recording)


@pytest.mark.parametrize("kind", ["count", "membrane"])
def test_the_same(kind: str) -> None:
    """Nothing differs; figures are those of the RTL and of the golden model alike."""
    found = evaluation(kind)
    assert found.difference() is None
    assert (found.golden.to_host.sum() > 0) == (kind == "count")
    figures = found.figures()
    assert figures["packets"] == found.golden.packets.sum() > 0
    assert figures["hops"] == found.golden.hops.sum() == found.golden.traffic.sum()
    assert figures["merges"] == sum(tile.merges.sum() for tile in found.golden.cores)
    for population in found.network.populations:
        for name in ("spikes", "membranes"):
            got = found.of_rtl(name, population.name)
            assert np.array_equal(np.stack(got), found.of_golden(name, population.name))
            assert got[0].shape[1] == population.size


def test_tables_are_sent_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between them a run can be interrupted; the mesh is the same."""
    expected, sizes, exchange = evaluation("count"), [], NativeMesh.exchange

    def count(self: NativeMesh, packets: NDArray[np.uint64], *room: int) -> NDArray[np.uint64]:
        sizes.append(len(packets))
        return exchange(self, packets, *room)

    monkeypatch.setattr(mesh, "_PIECE", 100)
    monkeypatch.setattr(NativeMesh, "exchange", count)
    recording = run_mesh_samples(expected.program, list(expected.spikes))
    assert replace(expected, recording=recording).difference() is None
    pieces = list(itertools.takewhile(lambda size: size == 100, sizes))
    assert len(pieces) > 10


def test_samples_follow_each_other() -> None:
    """Without a gap, from the end of the rest on; the clear and the readout count."""
    found = evaluation("membrane")
    readout = found.network.readout.population
    recording = run_mesh_samples(found.program, list(found.spikes), readout=readout, idle_cycles=20)
    assert recording.idle == (0, 20)
    first, second = recording.starts
    assert (first, second) == (20, 20 + recording.cycles[0])
    plain = run_mesh_samples(found.program, list(found.spikes))
    assert plain.starts == [0, plain.cycles[0]]
    assert not plain.readouts
    for with_readout, without, trace in zip(
        recording.cycles, plain.cycles, plain.traces, strict=True
    ):
        assert with_readout > without > trace.cycles.sum() > 0


def test_readback_is_the_last_membrane() -> None:
    """Whatever tiles and groups the readout is on."""
    found = evaluation("membrane")
    readout = found.network.readout.population
    last = found.of_golden("membranes", readout)[:, -1]
    assert np.array_equal(np.stack(found.recording.readouts), last)


def test_answers_are_the_rtl_s() -> None:
    """Not those that the golden model would give."""

    def raise_one(recording: MeshRecording) -> None:
        for tile in recording.traces[1].tiles:
            tile.membranes[:] = 0

    found = tampered("membrane", raise_one)
    assert found.figures()["predictions"][1] == 0
    assert all((each == 0).all() for each in found.of_rtl("membranes", "p0")[1:])


def _swap_offsets(recording: MeshRecording) -> None:
    """A packet that goes one router further."""
    packets = next(tile.packets for tile in recording.traces[1].tiles if len(tile.packets))
    packets[0, 3] += 1 if packets[0, 3] >= 0 else -1


def _drop_packet(recording: MeshRecording) -> None:
    for tile in recording.traces[0].tiles:
        if len(tile.packets):
            object.__setattr__(tile, "packets", tile.packets[1:])
            return


def _drop_host(recording: MeshRecording) -> None:
    trace = recording.traces[1]
    object.__setattr__(trace, "host", trace.host[:-1])


def _turn_host(recording: MeshRecording) -> None:
    """As many spikes, one of them of another neuron."""
    host = recording.traces[0].host
    host[0, 0] = 1 - min(host[0, 0], 1)


def _change_state(recording: MeshRecording) -> None:
    recording.tables[3][TableId.STATE]["membrane"].ravel()[0] ^= 1


def _change_membrane(recording: MeshRecording) -> None:
    recording.traces[1].tiles[2].membranes[4, 1] ^= 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_change_membrane, ("tile (0, 1), sample 1", "tick 4")),
        (_swap_offsets, ("sample 1, tick ", " hops in RTL, ", " in the model")),
        (_drop_packet, ("sample 0, tick ", " packets in RTL, ", " in the model")),
        (_drop_host, ("sample 1: the host got other spikes than in the model",)),
        (_turn_host, ("sample 0: the host got other spikes than in the model",)),
        (_change_state, ("the membrane SRAM of tile (1, 1) after the last sample differs",)),
        (lambda recording: recording.traces.pop(), ("1 of 2 samples were simulated",)),
    ],
)
def test_a_difference_is_named(
    change: Callable[[MeshRecording], object], words: tuple[str, ...]
) -> None:
    found = tampered("count", change)
    told = found.difference()
    assert told is not None
    for word in words:
        assert word in told, told
    if change is _change_state:  # of a part of the samples, the state may be another
        assert found.difference(complete=False) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_drop_packet, "with a waveform the RTL is another: sample 0, tick "),
        (
            lambda recording: recording.readouts[1].__setitem__(0, 99),
            "sample 1: the host reads other membranes back",
        ),
    ],
)
def test_no_joules_of_another_run(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[MeshRecording], object], words: str
) -> None:
    """What is priced is held against the golden model, and so is what the host read."""
    found = evaluation("membrane")
    broken = tampered("membrane", change).recording

    def recorded(*_: object, waveform: Path, readout: str, **__: object) -> MeshRecording:
        assert waveform.name == "mesh.vcd"
        assert readout == found.network.readout.population
        return broken

    def priced(*_: object, **__: object) -> None:
        raise AssertionError("it was priced")

    monkeypatch.setattr(mesh_ledger, "run_mesh_samples", recorded)
    monkeypatch.setattr(mesh_ledger, "price_core", priced)
    with pytest.raises(SimulationError, match=words):
        price_mesh_samples(found, 2)
