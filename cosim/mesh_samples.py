"""Samples through a mesh of cores."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.mesh import NativeMesh
from spikewatt.cosim.recording import PLAIN, Simulation, with_memories
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.params import TableId
from spikewatt.model.run import Chosen, Run, together

__all__ = ["run_mesh_samples"]

IntArray = NDArray[np.int64]


def run_mesh_samples(
    program: MeshProgram,
    samples: Sequence[NDArray[np.bool_]],
    how: Simulation = PLAIN,
    *,
    readout: str | None = None,
    progress: Progress = silent,
) -> Run:
    """Run each sample from the cleared state.

    Parameters
    ----------
    samples:
        For each sample its spikes, bool[ticks, inputs].
    how:
        The waveform begins after the configuration.
    readout:
        Population whose membranes the host reads back after each sample, through the packet port,
        if ``how.readout``.

    Returns
    -------
    Run
        With the memories of every tile after the last sample.

    Raises
    ------
    ToolError, SimulationError
    """
    params, seconds = program.params, 0.0
    groups = _groups(program, readout) if readout is not None and how.readout else {}
    runs: list[Run] = []
    starts: list[int] = []
    cycles: list[int] = []
    answers: dict[int, list[IntArray]] = {tile: [] for tile in groups}
    progress("building the mesh")
    with NativeMesh(params, trace=how.trace) as mesh:
        progress("configuring the mesh")
        mesh.configure(program)
        # Joules of a run leave the configuration out, and so do its cycles and its waveform.
        first = mesh.cycles
        if how.waveform is not None:
            mesh.open_waveform(how.waveform)
        # Leakage and the clocks that never stop are measured at rest.
        mesh.wait(how.rest)
        rest = np.array([0, mesh.cycles - first])
        for done, spikes in enumerate(samples, start=1):
            before, start = mesh.cycles, time.perf_counter()
            run = mesh.run(program.input_packets(spikes))
            for tile, parts in groups.items():
                answers[tile].append(_membranes(mesh, tile, parts))
            seconds += time.perf_counter() - start
            runs.append(how.observe(done - 1, run))
            starts.append(before - first)
            cycles.append(mesh.cycles - before)
            progress("simulating", done, len(samples))
        mesh.wait(1)  # the last cycle ends in the waveform
        run = together(runs)
        cores = []
        for tile, core in enumerate(run.cores):
            if tile in groups:
                lanes = params.core.lanes
                neurons = [np.arange(g.start * lanes, g.stop * lanes) for g in groups[tile]]
                chosen = Chosen(neurons=np.concatenate(neurons))
                core = core.with_arrays(chosen, final_membranes=np.array(answers[tile]))
            keys = (TableId.STATE, TableId.SCHEDULER)
            tables = {key: mesh.read_table(tile, key) for key in keys}
            cores.append(with_memories(core, params.core, tables))
    run = replace(run, cores=tuple(cores), seconds=seconds)
    return run.with_arrays(starts=np.array(starts), cycles=np.array(cycles), rest=rest)


def _groups(program: MeshProgram, population: str) -> dict[int, list[range]]:
    """Groups of each tile that hold a population's neurons, in rising order."""
    lanes, of_tile = program.params.core.lanes, dict[int, list[range]]()
    for piece in sorted(program.neurons_of[population], key=lambda p: (p.tile, p.neurons.start)):
        groups = range(piece.neurons.start // lanes, -(-piece.neurons.stop // lanes))
        of_tile.setdefault(piece.tile, []).append(groups)
    return of_tile


def _membranes(mesh: NativeMesh, tile: int, parts: Sequence[range]) -> IntArray:
    """Membranes int64[k] of some groups of a tile, as the host reads them."""
    tables = [mesh.read_table(tile, TableId.STATE, part)["membrane"].ravel() for part in parts]
    return np.concatenate(tables)
