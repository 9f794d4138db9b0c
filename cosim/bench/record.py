"""Runs inside the simulator: samples through the core, recorded rather than judged."""

import os
import pickle
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cocotb
import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.bench.core import CoreBench
from spikewatt.cosim.recording import JOB_VARIABLE, RTL, RecordingJob, with_memories
from spikewatt.model.compile.codec import decode_packets
from spikewatt.model.compile.program import Program
from spikewatt.model.params import TableId
from spikewatt.model.run import Run, together

__all__ = ["record_samples"]


async def _record(bench: CoreBench, program: Program, events: Sequence[NDArray[np.int64]]) -> Run:
    """Run one sample from the cleared state."""
    monitor, params = bench.monitor, bench.params
    rows: dict[str, list] = {
        name: [] for name in ("spikes", "membranes", "merges", "words", "updates", "cycles")
    }
    packets = [np.zeros((0, 5), np.int64)]
    for tick, arriving in enumerate(events):
        before, words, updates = bench.cycles, monitor.words, monitor.updates
        bench.packets.words.clear()
        # Merges before tick 0 are those of t = -1; the last ones come behind the last tick.
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
    spikes = np.array([rows["spikes"]], np.bool_)
    return Run(
        by=RTL,
        arrays={
            "spikes": spikes,
            "membranes": np.array([rows["membranes"]], np.int32),
            "spike_counts": spikes.sum(axis=1),
            "merges": np.array([rows["merges"]], np.int64),
            "synapse_words": np.array([rows["words"]], np.int64),
            "updates": np.array([rows["updates"]], np.int64),
            "tick_cycles": np.array([rows["cycles"]], np.int64),
            "sent": np.insert(np.concatenate(packets), 0, 0, axis=1),
        },
        layout=program.layout,
    )


@cocotb.test()
async def record_samples(dut: object) -> None:
    """Run the job's samples one after another, without stalls."""
    job: RecordingJob = pickle.loads(Path(os.environ[JOB_VARIABLE]).read_bytes())
    bench = CoreBench(dut, job.program.params, stall=0.0, seed=0)
    await bench.reset()
    await bench.load(job.program)
    runs: list[Run] = []
    starts: list[int] = []
    cycles: list[int] = []
    begun = time.perf_counter()
    # A byte for each sample: whoever waits outside looks at the file's size and needs no other
    # channel.
    with job.progress.open("ab") as progress:
        for events in job.samples:
            starts.append(bench.cycles)
            await bench.clear()
            runs.append(await _record(bench, job.program, events))
            cycles.append(bench.cycles - starts[-1])
            progress.write(b".")
            progress.flush()
    seconds = time.perf_counter() - begun
    run = replace(together(runs), seconds=seconds)
    run = run.with_arrays(starts=np.array(starts), cycles=np.array(cycles))
    tables = {key: await bench.read_table(key) for key in (TableId.STATE, TableId.SCHEDULER)}
    run = with_memories(run, job.program.params, tables)
    job.result.write_bytes(pickle.dumps(run))
