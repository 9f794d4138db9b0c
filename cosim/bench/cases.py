"""Runs inside the simulator: every case of a job through one `CoreBench`."""

import os
import pickle
from dataclasses import dataclass, field
from pathlib import Path

import cocotb
import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.bench.core import CoreBench, Scoreboard
from spikewatt.model.compile.program import Program
from spikewatt.model.params import CoreParams

__all__ = ["Case", "Job"]

JOB_VARIABLE = "SPIKEWATT_JOB"


@dataclass(kw_only=True)
class Case:
    """One program and its events, int64[n, 2] (axon, delay) before each tick."""

    name: str
    program: Program
    events: list[NDArray[np.int64]]
    early: bool = False
    reset: bool = True


@dataclass(kw_only=True)
class Job:
    """What a simulation is to do, and where it leaves what it measured."""

    params: CoreParams
    cases: list[Case]
    stall: float = 0.0
    seed: int = 0
    result: Path = Path("result.pickle")
    cycles: list[int] = field(default_factory=list)


@cocotb.test()
async def run_cases(dut: object) -> None:
    """Run the job's cases one after another, each compared with the golden model."""
    job: Job = pickle.loads(Path(os.environ[JOB_VARIABLE]).read_bytes())
    bench = CoreBench(dut, job.params, stall=job.stall, seed=job.seed)
    await bench.reset()
    for case in job.cases:
        if case.reset:
            await bench.reset()
        else:
            await bench.clear()
        await bench.load(case.program)
        before = bench.cycles
        board = Scoreboard(case.name)
        await bench.run(case.program, case.events, board, early=case.early)
        assert board.checks > len(case.events)
        job.cycles.append(bench.cycles - before)
    job.result.write_bytes(pickle.dumps(job.cycles))
