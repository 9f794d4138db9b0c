"""Corners at the core's borders: back-pressure, reset, reconfiguration, the configuration port."""

import ast
from pathlib import Path

import pytest

from spikewatt.cosim.simulate import Simulator
from spikewatt.model.params import CoreParams
from tests.cosim.agree import SIMULATORS, run_bench
from tests.cosim.builds import BUILDS
from tests.cosim.corners_of_windows import WINDOW_CORE
from tests.cosim.small_core import CORE

BENCHES = Path(__file__).parent / "benches"
BORDERS = (
    "back_pressure_for_long",
    "reset_in_the_middle_of_a_tick",
    "reset_while_a_packet_waits",
    "clear_in_the_middle_of_waiting_spikes",
    "events_at_the_same_time_as_the_tick_command",
)
RECONFIGURATION = (
    "reconfiguration_between_runs",
    "one_table_is_enough_to_wake",
    "configuration_during_a_tick_waits",
    "arrivals_do_not_wait_for_an_answer",
    "events_and_configuration_at_the_same_time",
)
TABLES = (
    "every_table_reads_back_what_was_written",
    "a_row_changes_only_with_its_last_word",
    "unknown_tables_are_ignored_and_read_as_0",
    "reset_keeps_the_tables_and_clears_state_and_scheduler",
)
WINDOWS = ("a_bias_that_holds_a_leak_up_does_so_once",)
CASES = [
    *(("borders", CORE, name) for name in BORDERS),
    *(("reconfiguration", CORE, name) for name in RECONFIGURATION),
    *(("tables", BUILDS["eight lanes"], name) for name in TABLES),
    *(("windows", WINDOW_CORE, name) for name in WINDOWS),
]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(("bench", "params", "name"), CASES, ids=[name for *_, name in CASES])
def test_border(
    bench: str, params: CoreParams, name: str, simulator: Simulator, tmp_path: Path
) -> None:
    only = {"COCOTB_TEST_FILTER": rf"\.{name}$"}
    run_bench(f"tests.cosim.benches.{bench}", params, simulator, tmp_path, env=only)


def test_every_test_of_the_benches_is_listed() -> None:
    written = {
        (bench, function.name)
        for bench in ("borders", "reconfiguration", "tables", "windows")
        for function in ast.parse((BENCHES / f"{bench}.py").read_text()).body
        if isinstance(function, ast.AsyncFunctionDef) and function.decorator_list
    }
    assert written == {(bench, name) for bench, _, name in CASES}
