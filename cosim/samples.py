"""Samples through the neuromorphic core's RTL, on either simulator, with the same answers."""

import pickle
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import ParameterError
from spikewatt.base.files import scratch
from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.recording import (
    JOB_VARIABLE,
    PLAIN,
    MemoryWaveform,
    RecordingJob,
    Simulation,
    with_memories,
)
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.program import Program
from spikewatt.model.params import TableId
from spikewatt.model.run import Chosen, Run, together
from spikewatt.synth.verilog import export

__all__ = ["run_samples"]

Samples = Sequence[Sequence[NDArray[np.int64]]]


def run_samples(
    program: Program,
    samples: Samples,
    how: Simulation = PLAIN,
    *,
    readout: range | None = None,
    progress: Progress = silent,
) -> Run:
    """Run each sample from the cleared state.

    Parameters
    ----------
    samples:
        For each sample and tick the events int64[n, 2] (axon, delay) that come before the tick.
    readout:
        Groups whose membranes the host reads back after each sample, if ``how.readout``.

    Returns
    -------
    Run
        With the memories after the last sample, read back through the configuration port.

    Raises
    ------
    ToolError, SimulationError
    """
    if how.simulator == "verilator":
        return _run_native(program, samples, how, readout if how.readout else None, progress)
    if how.readout:
        raise ParameterError(f"the host reads nothing back on {how.simulator}: use verilator")
    return _run_icarus(program, samples, how, progress)


def _run_native(
    program: Program,
    samples: Samples,
    how: Simulation,
    readout: range | None,
    progress: Progress,
) -> Run:
    params, seconds = program.params, 0.0
    runs: list[Run] = []
    starts: list[int] = []
    cycles: list[int] = []
    answers = []
    progress("building the core")
    # One simulation for all samples: the waveform is one, and nothing is configured twice.
    with NativeCore(params, trace=how.trace, waveform=how.waveform) as core:
        core.configure(program)
        for done, events in enumerate(samples, start=1):
            # Clearing is part of the sample, as reading its answer is: hardware has to do both.
            before, start = core.cycles, time.perf_counter()
            core.clear()
            run = core.run(events)
            if readout is not None:
                answers.append(core.read_table(TableId.STATE, readout)["membrane"].ravel())
            seconds += time.perf_counter() - start
            runs.append(how.observe(done - 1, run))
            starts.append(before)
            cycles.append(core.cycles - before)
            progress("simulating", done, len(samples))
        run = replace(together(runs), seconds=seconds)
        run = run.with_arrays(starts=np.array(starts), cycles=np.array(cycles))
        if readout is not None:
            # The host reads whole groups, so that neighbours of the readout's neurons may be among
            # them.
            neurons = np.arange(readout.start * params.lanes, readout.stop * params.lanes)
            run = run.with_arrays(Chosen(neurons=neurons), final_membranes=np.array(answers))
        tables = {key: core.read_table(key) for key in (TableId.STATE, TableId.SCHEDULER)}
    return with_memories(run, params, tables)


def _run_icarus(program: Program, samples: Samples, how: Simulation, progress: Progress) -> Run:
    from spikewatt.cosim.simulate import CocotbOptions, simulate  # which imports cocotb

    if isinstance(how.waveform, MemoryWaveform) or how.trace == "states":
        raise ParameterError("icarus writes whole waveforms into files: use verilator for states")
    progress("building the core")
    verilog = export(Blueprint.of(NeuroCore, program.params), "neuro", dialect="assigns")
    with scratch() as folder:
        job = RecordingJob(
            program=program,
            samples=[list(events) for events in samples],
            result=folder / "result.pickle",
            progress=folder / "progress",
        )
        job.progress.touch()
        (folder / "job.pickle").write_bytes(pickle.dumps(job))
        simulate(
            verilog,
            "neuro",
            "spikewatt.cosim.bench.record",
            folder / "simulation",
            CocotbOptions(
                simulator="icarus",
                trace=how.trace,
                waveform=how.waveform.resolve() if how.waveform else None,
                env={JOB_VARIABLE: str(folder / "job.pickle")},
            ),
            poll=lambda: progress("simulating", job.progress.stat().st_size, len(samples)),
        )
        # The simulator is a process of its own, whose run comes when it has ended.
        return how.observe(0, pickle.loads(job.result.read_bytes()))
