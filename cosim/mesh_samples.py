"""Samples through a mesh of cores."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.mesh import MeshRtlTrace, NativeMesh
from spikewatt.cosim.verilated import Trace
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.params import TableId

__all__ = ["MeshRecording", "run_mesh_samples"]

IntArray = NDArray[np.int64]


@dataclass(kw_only=True)
class MeshRecording:
    """What samples did on a mesh.

    ``starts``, ``cycles``: for each sample the clock cycle at which it begins, counted from the
    beginning of the waveform, and how many it takes, clear and readout included. ``idle``: cycles
    (first, last) of the wait before the first sample, in which nothing was asked for. ``seconds``:
    wall time of the samples alone. ``tables``: of each tile after the last sample. ``readouts``:
    for each sample the membranes of the readout population that the host read back, where it did.
    """

    traces: list[MeshRtlTrace] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    cycles: list[int] = field(default_factory=list)
    idle: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    tables: list[dict[TableId, dict[str, IntArray]]] = field(default_factory=list)
    readouts: list[IntArray] = field(default_factory=list)


def run_mesh_samples(
    program: MeshProgram,
    samples: Sequence[NDArray[np.bool_]],
    *,
    trace: Trace = "none",
    waveform: Path | None = None,
    readout: str | None = None,
    idle_cycles: int = 0,
    progress: Progress = silent,
) -> MeshRecording:
    """Run each sample from the cleared state.

    Parameters
    ----------
    samples:
        For each sample its spikes, bool[ticks, inputs].
    trace, waveform:
        Kind of waveform, and its file: it begins after the configuration.
    readout:
        Population whose membranes the host reads back after each sample, through the packet port;
        that is part of the sample's cycles.
    idle_cycles:
        Let the mesh rest for so long before the first sample.

    Raises
    ------
    ToolError, SimulationError
    """
    recording = MeshRecording()
    progress("building the mesh")
    with NativeMesh(program.params, trace=trace) as mesh:
        progress("configuring the mesh")
        mesh.configure(program)
        first = mesh.cycles
        if waveform is not None:
            mesh.open_waveform(waveform)
        mesh.wait(idle_cycles)
        recording.idle = (0, mesh.cycles - first)
        for done, spikes in enumerate(samples, start=1):
            before, start = mesh.cycles, time.perf_counter()
            recording.traces.append(mesh.run(program.input_packets(spikes)))
            if readout is not None:
                recording.readouts.append(_read_back(mesh, program, readout))
            recording.seconds += time.perf_counter() - start
            recording.starts.append(before - first)
            recording.cycles.append(mesh.cycles - before)
            progress("simulating", done, len(samples))
        mesh.wait(1)  # the last cycle ends in the waveform
        for tile in range(program.params.tiles):
            keys = (TableId.STATE, TableId.SCHEDULER)
            recording.tables.append({key: mesh.read_table(tile, key) for key in keys})
    return recording


def _read_back(mesh: NativeMesh, program: MeshProgram, population: str) -> IntArray:
    """Membranes int64[size] of a population, read by groups from the tiles that hold it."""
    lanes, core = program.params.core.lanes, program.params.core
    membranes = [np.zeros(core.neurons, np.int64) for _ in program.tiles]
    for piece in program.neurons_of[population]:
        groups = range(piece.neurons.start // lanes, -(-piece.neurons.stop // lanes))
        state = mesh.read_table(piece.tile, TableId.STATE, groups)["membrane"].ravel()
        membranes[piece.tile][groups.start * lanes : groups.stop * lanes] = state
    return program.gather(membranes, population)
