"""The RTL beside the golden model: on the native runner, and under cocotb in both simulators."""

import pickle
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.bench.cases import JOB_VARIABLE, Case, Job
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.simulate import CocotbOptions, Simulator, simulate
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.configuration import scheduler_bits
from spikewatt.model.compile.program import Program
from spikewatt.model.params import CoreParams, Leak, TableId
from spikewatt.model.run import Run, comparable, difference
from spikewatt.synth.verilog import export

__all__ = [
    "SIMULATORS",
    "check_memories",
    "check_trace",
    "expected_visits",
    "run_bench",
    "run_job",
    "verilog",
]

SIMULATORS: tuple[Simulator, ...] = ("verilator", "icarus")
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@lru_cache(maxsize=64)
def verilog(params: CoreParams, simulator: Simulator) -> str:
    """Text of the core in the dialect that suits the simulator."""
    dialect = "assigns" if simulator == "icarus" else "blocks"
    return export(Blueprint.of(NeuroCore, params), "neuro", dialect=dialect)


def run_bench(
    module: str,
    params: CoreParams,
    simulator: Simulator,
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    public: bool = False,
) -> None:
    """Run the cocotb tests of ``module`` on a core; a failure of theirs is raised here."""
    text = verilog(params, simulator)
    options = CocotbOptions(simulator=simulator, env=env or {}, public=public)
    simulate(text, "neuro", module, folder, options)


def run_job(
    params: CoreParams, cases: Sequence[Case], simulator: Simulator, folder: Path, **options: Any
) -> list[int]:
    """Run cases through the bench of `spikewatt.cosim.bench.cases`; returns the cycles of each."""
    job = Job(params=params, cases=list(cases), result=folder / "result.pickle", **options)
    path = folder / "job.pickle"
    path.write_bytes(pickle.dumps(job))
    env = {JOB_VARIABLE: str(path)}
    run_bench("spikewatt.cosim.bench.cases", params, simulator, folder, env=env)
    cycles = pickle.loads(job.result.read_bytes())
    assert len(cycles) == len(cases)
    return cycles


def expected_visits(program: Program, golden: Run) -> BoolArray:
    """Groups bool[ticks, groups] that a core visits: those a spike reaches, and those awake.

    A group sleeps after a visit without input that changed nothing; the first tick visits all, and
    so does one in which a window opens. Where leaks are built, a group with a window is awake after
    the tick that gave it its bias.
    """
    params, visits = program.params, []
    group = np.arange(params.groups)
    awake = np.ones(params.groups, np.bool_)
    opening = {kind.window_first for kind in program.types if kind.windowed}
    windowed = np.array([program.types[kind].windowed for kind in program.group_type])
    moved = golden.spikes[0] | _changes(golden.membranes[0]) | _changes(golden.refractory[0])
    for tick, (served, changed) in enumerate(zip(golden.served[0], moved, strict=True)):
        rows = program.row_first[served, None], program.row_last[served, None]
        touched = ((rows[0] <= group) & (group <= rows[1])).any(axis=0)
        visited = touched | awake | (tick in opening)
        stirred = touched | changed.reshape(params.groups, params.lanes).any(axis=1)
        assert not stirred[~visited].any()
        awake = np.where(visited, stirred, awake)
        if tick == 0 and params.leaks != (Leak.NONE,):
            awake |= windowed
        visits.append(visited)
    return np.array(visits)


def _changes(after: NDArray[np.int32]) -> BoolArray:
    """Where a state [ticks, neurons], 0 at first, is another than the tick before."""
    return np.diff(after, axis=0, prepend=0) != 0


def check_trace(name: str, rtl: Run, program: Program, golden: Run) -> None:
    """Every tick of a native run is the golden model's, and visits no group more than it must."""
    told = {"spikes", "membranes", "merges", "synapse_words", "sent"}
    assert told <= set(comparable(rtl, golden)), name
    unequal = difference(rtl, golden)
    assert unequal is None, f"{name}: {unequal}"
    # Neurons send in order, and so does a core: `difference` would allow any within a tick.
    np.testing.assert_array_equal(rtl.sent, golden.sent, err_msg=f"{name}: packets")
    visits = expected_visits(program, golden)
    np.testing.assert_array_equal(rtl.updates[0], visits.sum(axis=1), err_msg=f"{name}: updates")


def check_memories(name: str, core: NativeCore, golden: Run) -> None:
    """The state SRAM and the scheduler SRAM hold what the golden model remembers."""
    params = core.params
    state = core.read_table(TableId.STATE)
    slots = scheduler_bits(params, core.read_table(TableId.SCHEDULER))
    np.testing.assert_array_equal(
        state["membrane"].ravel(), golden.final_membranes[0], err_msg=name
    )
    if params.refractory_bits:
        np.testing.assert_array_equal(
            state["refractory"].ravel(), golden.final_refractory[0], err_msg=name
        )
    np.testing.assert_array_equal(slots[:, : params.axons], golden.final_scheduler[0], err_msg=name)
    assert not slots[:, params.axons :].any(), f"{name}: bits beyond the last axon are set"
