"""Runs of the neuromorphic core's RTL, whoever drives it: no simulator is imported here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.choices import ModelTrace, Simulator
from spikewatt.model.compile.configuration import scheduler_bits
from spikewatt.model.compile.program import Program
from spikewatt.model.params import CoreParams, TableId
from spikewatt.model.run import Chosen, Run

__all__ = [
    "JOB_VARIABLE",
    "PLAIN",
    "RTL",
    "MemoryWaveform",
    "Observer",
    "RecordingJob",
    "Simulation",
    "Tables",
    "keep_all",
    "with_memories",
]

# The simulator is a process of its own: a job goes there, and a run comes back, as files.
JOB_VARIABLE = "SPIKEWATT_JOB"
"""Environment variable with the path of the pickled job."""
RTL = "RTL"
"""Who a simulated run is by."""


Observer = Callable[[int, Run], Run]
"""Takes the number of the first sample and the run of those that are done; gives what is kept."""


def keep_all(first: int, run: Run) -> Run:
    """Keep everything."""
    del first
    return run


@dataclass(eq=False)
class MemoryWaveform:
    """A VCD that a native run leaves in memory, for a replay in the same process.

    A priced image takes megabytes, and a run has any number of them: past ``room`` bytes all goes
    to a file, as a waveform does that is asked for.

    Parameters
    ----------
    file:
        Where it goes if it is longer.
    room:
        Bytes that stay in memory.
    content:
        uint8[bytes], the waveform, once the run is over; ``None`` where the file has it.
    """

    file: Path
    room: int = 1 << 28
    content: NDArray[np.uint8] | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """How the RTL of a target is to be run.

    Parameters
    ----------
    simulator:
        ``verilator`` runs it as a shared library in this process, ``icarus`` under cocotb.
    trace, waveform:
        Kind of waveform, and its file; on Verilator a VCD may stay in memory. A core that records
        ``states`` is soon there, for short runs; it need not write them.
    readout:
        The host reads the answer back after each sample, as it would to know it; that is part of
        the sample's cycles. On Verilator only.
    rest:
        Clock cycles of rest before the first sample, on a mesh.
    observe:
        Gets the run of every sample, or of several at once, and the number of the first, as soon as
        they are done; what it gives back is kept of them.
    """

    simulator: Simulator = "verilator"
    trace: ModelTrace = "none"
    waveform: Path | MemoryWaveform | None = None
    readout: bool = False
    rest: int = 0
    observe: Observer = keep_all


PLAIN = Simulation()
Tables = Mapping[TableId, dict[str, NDArray[np.int64]]]


@dataclass(kw_only=True)
class RecordingJob:
    """A program, the events of each sample and tick (int64[n, 2]), and where the run goes.

    One byte is appended to ``progress`` for each sample done.
    """

    program: Program
    samples: list[list[NDArray[np.int64]]]
    result: Path
    progress: Path


def with_memories(run: Run, params: CoreParams, tables: Tables) -> Run:
    """The run with what its memories hold after the last sample, as it was read back.

    Membranes that the host read after every sample stay: they say more.
    """
    state = tables[TableId.STATE]
    scheduler = scheduler_bits(params, tables[TableId.SCHEDULER])
    read_back = {
        "final_membranes": state["membrane"].reshape(1, -1),
        "final_scheduler": scheduler[None, :, : params.axons],
    }
    if params.refractory_bits:
        read_back["final_refractory"] = state["refractory"].reshape(1, -1)
    kept = {name: array for name, array in read_back.items() if name not in run.arrays}
    return run.with_arrays(Chosen(samples=np.array([run.samples - 1])), **kept)
