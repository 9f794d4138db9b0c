"""Runs inside the simulator: samples through the core, recorded rather than judged."""

import os
import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cocotb
import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.bench.core import CoreBench
from spikewatt.cosim.trace import RtlTrace
from spikewatt.model.compile.codec import decode_packets
from spikewatt.model.compile.program import Program
from spikewatt.model.params import TableId

__all__ = ["JOB_VARIABLE", "Recording", "RecordingJob"]

JOB_VARIABLE = "SPIKEWATT_JOB"
"""Environment variable with the path of the pickled job."""


@dataclass(kw_only=True)
class RecordingJob:
    """A program, the events of each sample and tick (int64[n, 2]), and where answers go.

    One byte is appended to ``progress`` for each sample done.
    """

    program: Program
    samples: list[list[NDArray[np.int64]]]
    result: Path
    progress: Path


@dataclass(kw_only=True)
class Recording:
    """Traces of the samples, their cycles (clear included), and the tables after the last one.

    ``starts``: clock cycles since the beginning of the simulation at which each sample begins.
    ``seconds``: wall time of the samples alone. ``readouts``: for each sample the membranes
    int64[k] of the groups that the host read back, where it did.
    """

    traces: list[RtlTrace] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    cycles: list[int] = field(default_factory=list)
    seconds: float = 0.0
    tables: dict[TableId, dict[str, NDArray[np.int64]]] = field(default_factory=dict)
    readouts: list[NDArray[np.int64]] = field(default_factory=list)


async def _record(
    bench: CoreBench, program: Program, events: Sequence[NDArray[np.int64]]
) -> RtlTrace:
    """Run one sample from the cleared state."""
    monitor, params = bench.monitor, bench.params
    rows: dict[str, list] = {
        name: [] for name in ("spikes", "membranes", "merges", "words", "updates", "cycles")
    }
    packets = [np.zeros((0, 5), np.int64)]
    for tick, arriving in enumerate(events):
        before, words, updates = bench.cycles, monitor.words, monitor.updates
        bench.packets.words.clear()
        rows["merges"].append(await bench.tick(arriving, early=tick > 0))
        if tick + 1 < len(events):
            bench.events.send_events(events[tick + 1])
            await bench.events.drain()
        await bench.idle()
        rows["spikes"].append(monitor.spikes.copy())
        rows["membranes"].append(monitor.membrane.astype(np.int32))
        rows["words"].append(monitor.words - words)
        rows["updates"].append(monitor.updates - updates)
        rows["cycles"].append(bench.cycles - before)
        sent = decode_packets(params, np.array(bench.packets.words, np.uint64))
        packets.append(np.insert(sent, 0, tick, axis=1))
    rows["merges"].append(monitor.take_merges())
    return RtlTrace(
        spikes=np.array(rows["spikes"], np.bool_),
        membranes=np.array(rows["membranes"], np.int32),
        merges=np.array(rows["merges"], np.int64),
        synapse_words=np.array(rows["words"], np.int64),
        updates=np.array(rows["updates"], np.int64),
        cycles=np.array(rows["cycles"], np.int64),
        packets=np.concatenate(packets),
    )


@cocotb.test()
async def record_samples(dut: object) -> None:
    """Run the job's samples one after another, without stalls."""
    job: RecordingJob = pickle.loads(Path(os.environ[JOB_VARIABLE]).read_bytes())
    bench = CoreBench(dut, job.program.params, stall=0.0, seed=0)
    await bench.reset()
    await bench.load(job.program)
    recording = Recording()
    with job.progress.open("ab") as progress:
        for events in job.samples:
            before, start = bench.cycles, time.perf_counter()
            await bench.clear()
            recording.traces.append(await _record(bench, job.program, events))
            recording.starts.append(before)
            recording.cycles.append(bench.cycles - before)
            recording.seconds += time.perf_counter() - start
            progress.write(b".")
            progress.flush()
    for key in (TableId.STATE, TableId.SCHEDULER):
        recording.tables[key] = await bench.read_table(key)
    job.result.write_bytes(pickle.dumps(recording))
