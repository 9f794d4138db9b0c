"""Corners of the window by name: each is met, and the RTL agrees with the golden model in it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikewatt.cosim.bench.cases import Case
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.simulate import Simulator
from spikewatt.model.golden.core import run
from tests.cosim.agree import check_memories, check_trace, expected_visits, run_job
from tests.cosim.corners_of_windows import WINDOW_CORE, WINDOW_CORNERS, kind, window_program

NOTHING = np.zeros((0, 2), np.int64)


@pytest.fixture(scope="module")
def core() -> Iterator[NativeCore]:
    with NativeCore(WINDOW_CORE) as built:
        yield built


@pytest.mark.parametrize("name", WINDOW_CORNERS)
def test_native(name: str, core: NativeCore) -> None:
    """Twice: the command CLEAR begins with tick 0 again."""
    corner = WINDOW_CORNERS[name]
    golden = run(corner.program, corner.events)
    assert corner.met(golden)
    core.configure(corner.program)
    for _ in range(2):
        core.clear()
        rtl = core.run(corner.events)
        check_trace(name, rtl, corner.program, golden)
        check_memories(name, core, golden)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("simulator", [pytest.param("verilator", marks=pytest.mark.long), "icarus"])
def test_cocotb(simulator: Simulator, tmp_path: Path) -> None:
    """All corners in a row: what one leaves behind is the next one's trouble."""
    jobs = [
        Case(name=name, program=c.program, events=c.events, early=k % 2 == 0, reset=k % 4 == 0)
        for k, (name, c) in enumerate(WINDOW_CORNERS.items())
    ]
    run_job(WINDOW_CORE, jobs, simulator, tmp_path, stall=0.3, seed=8)


def test_all_groups_are_visited_as_a_window_opens_and_only_then(core: NativeCore) -> None:
    """What the wake costs: a visit of every group, once for each tick in which windows open."""
    program = window_program(
        weights={0: [60] * 4 + [0] * 8}, threshold=90, types=[kind(3, 2), kind(5, 1)]
    )
    events = [np.array([(0, 1)]), *[NOTHING] * 8]
    golden = run(program, events)
    core.configure(program)
    core.clear()
    rtl = core.run(events)
    # Tick 1: all, by the row of axon 0. Tick 4: what fired in tick 3. Types no group has count.
    assert rtl.updates[0].tolist() == [3, 3, 0, 3, 1, 3, 0, 0, 0]
    assert expected_visits(program, golden).sum(axis=1).tolist() == rtl.updates[0].tolist()


def test_a_window_that_changes_between_ticks(core: NativeCore) -> None:
    """Types are read anew in every tick; the counter goes on."""
    early = window_program(weights={0: 60}, threshold=90, types=[kind(1, 1)])
    late = replace(early, types=(kind(4, 1),))
    core.configure(late)
    core.clear()
    first = core.run([np.array([(0, 1)]), NOTHING, NOTHING])
    core.configure(early)
    second = core.run([NOTHING])
    core.configure(late)
    third = core.run([NOTHING])
    assert [int(r.spikes.sum()) for r in (first, second, third)] == [0, 0, 12]
