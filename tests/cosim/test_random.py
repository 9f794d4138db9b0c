"""RTL equals golden model, tick by tick, over random hardware, programs and events."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikewatt.cosim.bench.cases import Case
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.simulate import Simulator
from spikewatt.model.golden.core import initial_state, leak, steps
from spikewatt.model.params import Leak, Reset
from spikewatt.model.run import difference
from tests.cosim.agree import (
    SIMULATORS,
    check_memories,
    check_trace,
    expected_visits,
    run_job,
)
from tests.cosim.builds import BUILDS, ON_FPGA
from tests.cosim.random_cores import RandomCase, random_case

CASES = 9
"""Cases of each build."""
HAPPENINGS = 17 + len(Reset) + 2 * len(Leak)
"""Kinds of things that `happenings` counts."""
STALLS = (0.0, 0.2, 0.5)
"""Probability of a pause on every stream: builds take turns."""


ALL_BUILDS = BUILDS | ON_FPGA
FIRST = ("eight lanes", "33 groups", "windows without leak", "windows, on an FPGA")
"""Builds of every run of the tests. What the others vary, the tests of blocks vary too
(`tests/hdl/neuro`); a core of each is compiled behind ``long``."""
LATER = [build for build in ALL_BUILDS if build not in FIRST]


def first_and_later() -> list[Any]:
    """Every build; those that come later so marked."""
    return [*FIRST, *(pytest.param(build, marks=pytest.mark.long) for build in LATER)]


def cases(build: str) -> list[RandomCase]:
    return [random_case(build, ALL_BUILDS[build], number) for number in range(CASES)]


@pytest.mark.parametrize("build", first_and_later())
def test_native(build: str) -> None:
    with NativeCore(ALL_BUILDS[build]) as core:
        for case in cases(build):
            core.clear()
            core.configure(case.program)
            first = core.run(case.events)
            check_trace(case.name, first, case.program, case.golden)
            check_memories(case.name, core, case.golden)
            core.clear()
            second = core.run(case.events)
            check_trace(f"{case.name}, again", second, case.program, case.golden)
            assert difference(first, second) is None, case.name


def in_simulators() -> list[Any]:
    """Builds with simulators: one each at first, with pauses of either length; later every one."""
    now = {
        "verilator": ("wide membranes",),
        "icarus": ("eight lanes",),
    }
    return [
        pytest.param(build, simulator, marks=() if build in now[simulator] else pytest.mark.long)
        for build in [*BUILDS, "eight lanes, on an FPGA"]
        for simulator in SIMULATORS
    ]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("build", "simulator"), in_simulators())
def test_cocotb(build: str, simulator: Simulator, tmp_path: Path) -> None:
    number = list(ALL_BUILDS).index(build)
    jobs = [
        Case(
            name=case.name,
            program=case.program,
            events=case.events,
            early=k % 2 == 1,
            reset=k % 3 == 0,
        )
        for k, case in enumerate(cases(build))
    ]
    stall = STALLS[number % len(STALLS)]
    cycles = run_job(ALL_BUILDS[build], jobs, simulator, tmp_path, stall=stall, seed=number)
    assert min(cycles) > 0


def happenings(case: RandomCase) -> Counter[str]:
    """How often each thing that could go wrong happened in a case."""
    program = case.program
    low, high = program.params.membrane_range
    before = initial_state(program.params)
    seen: Counter[str] = Counter()
    reset = program.neuron_types("reset")
    for arrived, output, after in steps(program, case.events):
        sums = program.matrix[output.served].sum(axis=0)
        total = leak(before.membrane, program) + sums + program.bias
        awake = before.refractory == 0
        v = np.clip(total, low, high)
        seen["merges of arrivals"] += arrived
        seen["merges of the core's own"] += output.merges
        seen["saturated above"] += int((awake & (total > high)).sum())
        seen["saturated below"] += int((awake & (total < low)).sum())
        seen["input while refractory"] += int((~awake & (sums != 0)).sum())
        seen["at the threshold"] += int((awake & (v == program.threshold)).sum())
        seen["packets"] += len(output.packets)
        seen["spikes"] += int(output.spikes.sum())
        seen["ticks with all axons"] += int(output.served.all())
        seen["ticks with none"] += int(not output.served.any())
        for kind in Reset:
            seen[f"reset {kind.name}"] += int((output.spikes & (reset == kind)).sum())
        for kind in Leak:
            leaking = awake & (before.membrane != 0) & (program.neuron_types("leak") == kind)
            seen[f"leak {kind.name}, above 0"] += int((leaking & (before.membrane > 0)).sum())
            seen[f"leak {kind.name}, below 0"] += int((leaking & (before.membrane < 0)).sum())
        before = after
    seen.update(window_happenings(case))
    visits = expected_visits(program, case.golden)
    seen["sleeping groups"] = int((~visits).sum())
    seen["visits"] = int(visits.sum())
    return seen


def window_happenings(case: RandomCase) -> Counter[str]:
    """How often a window made a difference in a case; a neuron counts once a tick."""
    program = case.program
    windowed = program.neuron_types("windowed") != 0
    first, end = program.neuron_types("window_first"), program.neuron_types("window_end")
    half = (program.threshold + 1) >> 1
    before = initial_state(program.params)
    seen: Counter[str] = Counter()
    for _, output, after in steps(program, case.events):
        t = after.t
        ready = windowed & (before.refractory == 0) & (program.neuron_types("silent") == 0)
        above = ready & ~output.spikes & (after.membrane > half)
        still = (before.membrane == after.membrane) & (output.spikes | above)
        seen["held before the window"] += int((above & (t < first)).sum())
        seen["held after the window"] += int((above & (t >= end)).sum())
        seen["fired within the window"] += int((windowed & output.spikes).sum())
        seen["fired as the window opened"] += int((windowed & output.spikes & (t == first)).sum())
        seen["bias withheld"] += int((ready & (t > 0) & (program.bias != 0) & ~still).sum())
        before = after
    return seen


def test_cases_are_many_and_lively() -> None:
    assert len(BUILDS) >= 24
    assert len(set(BUILDS.values())) == len(BUILDS)
    drawn = [case for build in BUILDS for case in cases(build)]
    assert len(drawn) >= 200
    total: Counter[str] = Counter()
    for case in drawn:
        total += happenings(case)
    assert len(total) == HAPPENINGS, sorted(total)
    assert {name: n for name, n in total.items() if n < 50} == {}
    spiking = sum(case.golden.spikes.any() for case in drawn)
    assert spiking >= 0.75 * len(drawn)
