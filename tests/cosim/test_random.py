"""RTL equals golden model, tick by tick, over random hardware, programs and events."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikewatt.cosim.bench.cases import Case
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.simulate import Simulator
from spikewatt.model.golden.core import initial_state, leak
from spikewatt.model.run import difference
from tests.cosim.agree import (
    SIMULATORS,
    check_memories,
    check_trace,
    due_axons,
    expected_visits,
    run_job,
)
from tests.cosim.builds import BUILDS, ON_FPGA
from tests.cosim.random_cores import RandomCase, random_case

CASES = 9
"""Cases of each build."""
HAPPENINGS = 28
"""Kinds of things that `happenings` counts."""
STALLS = (0.0, 0.2, 0.5)
"""Probability of a pause on every stream: builds take turns."""


ALL_BUILDS = BUILDS | ON_FPGA
FIRST_ON_FPGA = ("one neuron,", "33 groups,", "shared rows,", "windows,")
"""Those of `ON_FPGA` that every run of the tests builds."""


def cases(build: str) -> list[RandomCase]:
    return [random_case(build, ALL_BUILDS[build], number) for number in range(CASES)]


@pytest.mark.parametrize(
    "build",
    [
        *BUILDS,
        *(
            pytest.param(build, marks=() if build.startswith(FIRST_ON_FPGA) else pytest.mark.long)
            for build in ON_FPGA
        ),
    ],
)
def test_native(build: str) -> None:
    with NativeCore(ALL_BUILDS[build]) as core:
        for case in cases(build):
            core.clear()
            core.configure(case.program)
            first = core.run(case.events)
            check_trace(case.name, first, case.program, case.events, case.golden)
            check_memories(case.name, core, case.golden.states[-1])
            core.clear()
            second = core.run(case.events)
            check_trace(f"{case.name}, again", second, case.program, case.events, case.golden)
            assert difference(first, second) is None, case.name


def in_simulators() -> list[Any]:
    """Builds with simulators: one in three each, by turns; `test_native` has all in Verilator.

    Which of three moves on from three to three: so each simulator meets each of `STALLS`.
    """
    return [
        pytest.param(
            build,
            simulator,
            marks=() if (number - number // 3) % 3 == turn else pytest.mark.long,
        )
        for number, build in enumerate([*BUILDS, "eight lanes, on an FPGA"])
        for turn, simulator in enumerate(SIMULATORS)
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
    program, golden = case.program, case.golden
    low, high = program.params.membrane_range
    due = due_axons(program, case.events, golden)
    before = initial_state(program.params)
    seen: Counter[str] = Counter()
    reset, own = program.neuron_types("reset"), 0
    for k, (output, after) in enumerate(zip(golden.outputs, golden.states, strict=True)):
        sums = program.matrix[due[k]].sum(axis=0)
        total = leak(before.membrane, program) + sums + program.bias
        awake = before.refractory == 0
        v = np.clip(total, low, high)
        seen["merges of arrivals"] += int(golden.merges[k]) - own
        own = output.merges
        seen["merges of the core's own"] += output.merges
        seen["saturated above"] += int((awake & (total > high)).sum())
        seen["saturated below"] += int((awake & (total < low)).sum())
        seen["input while refractory"] += int((~awake & (sums != 0)).sum())
        seen["at the threshold"] += int((awake & (v == program.threshold)).sum())
        seen["packets"] += len(output.packets)
        seen["spikes"] += int(output.spikes.sum())
        seen["ticks with all axons"] += int(due[k].all())
        seen["ticks with none"] += int(not due[k].any())
        for kind in range(3):
            seen[f"reset {kind}"] += int((output.spikes & (reset == kind)).sum())
        for kind in range(4):
            leaking = awake & (before.membrane != 0) & (program.neuron_types("leak") == kind)
            seen[f"leak {kind}, above 0"] += int((leaking & (before.membrane > 0)).sum())
            seen[f"leak {kind}, below 0"] += int((leaking & (before.membrane < 0)).sum())
        before = after
    seen.update(window_happenings(case))
    visits = expected_visits(program, case.events, golden)
    seen["sleeping groups"] = int((~visits).sum())
    seen["visits"] = int(visits.sum())
    return seen


def window_happenings(case: RandomCase) -> Counter[str]:
    """How often a window made a difference in a case; a neuron counts once a tick."""
    program, golden = case.program, case.golden
    windowed = program.neuron_types("windowed") != 0
    first, end = program.neuron_types("window_first"), program.neuron_types("window_end")
    half = (program.threshold + 1) >> 1
    before = initial_state(program.params)
    seen: Counter[str] = Counter()
    for output, after in zip(golden.outputs, golden.states, strict=True):
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
    spiking = sum(any(o.spikes.any() for o in case.golden.outputs) for case in drawn)
    assert spiking >= 0.75 * len(drawn)
