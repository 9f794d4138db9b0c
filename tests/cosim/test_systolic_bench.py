"""The systolic core at its borders, with pauses on every stream, in both simulators.

Icarus powers memories and registers up as X, and the bench reads every enable of the probe in every
cycle: nothing that was never written may come through.
"""

import ast
from pathlib import Path

import pytest

from spikewatt.cosim.simulate import CocotbOptions, Simulator, simulate
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.synth.verilog import export
from tests.cosim.agree import SIMULATORS
from tests.cosim.systolic_builds import BUILDS, cases

BENCH = Path(__file__).parent / "benches" / "systolic.py"
STALLS = (0.2, 0.5, 0.7)
"""Probability of a pause on every stream: builds take turns."""
BORDERS = (
    "output_blocked_for_long",
    "tables_read_back",
    "reset_in_the_middle",
    "another_program_between_batches",
    "configuration_goes_before_a_command",
)


RESETS = 24
"""Places in a run in which reset comes; half of them meet every kind of reset."""


def run_bench(
    build: str, tests: str, simulator: Simulator, folder: Path, resets: int = RESETS
) -> None:
    """Run the bench's tests that match on the core of a build."""
    params = cases(build)[0].program.params
    dialect = "assigns" if simulator == "icarus" else "blocks"
    verilog = export(Blueprint.of(SystolicCore, params), "systolic", dialect=dialect)
    env = {
        "SPIKEWATT_BUILD": build,
        "SPIKEWATT_STALL": str(STALLS[list(BUILDS).index(build) % len(STALLS)]),
        "SPIKEWATT_RESETS": str(resets),
        "COCOTB_TEST_FILTER": rf"\.({tests})$",
    }
    module = "tests.cosim.benches.systolic"
    simulate(verilog, "systolic", module, folder, CocotbOptions(simulator=simulator, env=env))


EVERYTHING = "square, everything"


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("build", "simulator", "resets"),
    [
        ("plain", "icarus", RESETS // 2),
        *(
            pytest.param(build, simulator, RESETS, marks=pytest.mark.long)
            for build, simulator in (
                *((EVERYTHING, simulator) for simulator in SIMULATORS),
                *((build, "icarus") for build in ("plain", "tall", "wide, one row")),
            )
        ),
    ],
)
def test_borders(build: str, simulator: Simulator, resets: int, tmp_path: Path) -> None:
    run_bench(build, "|".join(BORDERS), simulator, tmp_path, resets)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "build",
    [
        pytest.param(build, marks=[pytest.mark.long] * (number != 1))
        for number, build in enumerate(BUILDS)
    ],
)
def test_stalls(build: str, tmp_path: Path) -> None:
    run_bench(build, "batches_back_to_back", "icarus", tmp_path)


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("build", BUILDS)
def test_stalls_on_verilator(build: str, tmp_path: Path) -> None:
    run_bench(build, "batches_back_to_back|" + "|".join(BORDERS), "verilator", tmp_path)


@pytest.mark.timeout(240)
def test_clock_gate(tmp_path: Path) -> None:
    assert cases("tall")[0].program.params.clock_gating
    run_bench("tall", "no_clock_at_rest", "icarus", tmp_path)


def test_every_test_of_the_bench_is_listed() -> None:
    written = {
        function.name
        for function in ast.parse(BENCH.read_text()).body
        if isinstance(function, ast.AsyncFunctionDef) and function.decorator_list
    }
    assert written == {"batches_back_to_back", "no_clock_at_rest", *BORDERS}
