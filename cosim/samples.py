"""Samples through the RTL, on either simulator, with the same answers."""

import pickle
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.files import scratch
from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.bench.record import JOB_VARIABLE, Recording, RecordingJob
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.simulate import Simulator, simulate
from spikewatt.cosim.verilated import Trace
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.program import Program
from spikewatt.model.params import TableId
from spikewatt.synth.verilog import export

__all__ = ["run_samples"]

Samples = Sequence[Sequence[NDArray[np.int64]]]


def run_samples(
    program: Program,
    samples: Samples,
    *,
    simulator: Simulator = "verilator",
    trace: Trace = "none",
    waveform: Path | None = None,
    readout: range | None = None,
    progress: Progress = silent,
) -> Recording:
    """Run each sample from the cleared state.

    Parameters
    ----------
    samples:
        For each sample and tick the events int64[n, 2] (axon, delay) that come before the tick.
    simulator:
        ``verilator`` runs the core as a shared library in this process, ``icarus`` under cocotb.
    trace, waveform:
        Kind of waveform, and its file.
    readout:
        Groups whose states the host reads back after each sample, as it would to know the answer;
        that is part of the sample's cycles. On Verilator only.

    Raises
    ------
    ToolError, SimulationError
    """
    if simulator == "verilator":
        return _run_native(program, samples, trace, waveform, readout, progress)
    return _run_icarus(program, samples, trace, waveform, progress)


def _run_native(
    program: Program,
    samples: Samples,
    trace: Trace,
    waveform: Path | None,
    readout: range | None,
    progress: Progress,
) -> Recording:
    recording = Recording()
    progress("building the core")
    with NativeCore(program.params, trace=trace, waveform=waveform) as core:
        core.configure(program)
        for done, events in enumerate(samples, start=1):
            before, start = core.cycles, time.perf_counter()
            core.clear()
            recording.traces.append(core.run(events))
            if readout is not None:
                state = core.read_table(TableId.STATE, readout)
                recording.readouts.append(state["membrane"].ravel())
            recording.seconds += time.perf_counter() - start
            recording.starts.append(before)
            recording.cycles.append(core.cycles - before)
            progress("simulating", done, len(samples))
        for key in (TableId.STATE, TableId.SCHEDULER):
            recording.tables[key] = core.read_table(key)
    return recording


def _run_icarus(
    program: Program, samples: Samples, trace: Trace, waveform: Path | None, progress: Progress
) -> Recording:
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
            simulator="icarus",
            trace=trace,
            waveform=waveform.resolve() if waveform else None,
            env={JOB_VARIABLE: str(folder / "job.pickle")},
            poll=lambda: progress("simulating", job.progress.stat().st_size, len(samples)),
        )
        return pickle.loads(job.result.read_bytes())
