"""Corners at the core's borders: back-pressure, reset, reconfiguration, the configuration port."""

from pathlib import Path

import pytest

from spikewatt.cosim.simulate import Simulator
from tests.cosim.agree import SIMULATORS, run_bench
from tests.cosim.builds import BUILDS
from tests.cosim.small_core import CORE

BORDERS = (
    "back_pressure_for_long",
    "reset_in_the_middle_of_a_tick",
    "reset_while_a_packet_waits",
    "clear_in_the_middle_of_waiting_spikes",
    "events_at_the_same_time_as_the_tick_command",
    "events_and_configuration_at_the_same_time",
    "reconfiguration_between_runs",
    "one_table_is_enough_to_wake",
    "configuration_during_a_tick_waits",
    "arrivals_do_not_wait_for_an_answer",
)
TABLES = (
    "every_table_reads_back_what_was_written",
    "a_row_changes_only_with_its_last_word",
    "unknown_tables_are_ignored_and_read_as_0",
    "reset_keeps_the_tables_and_clears_state_and_scheduler",
)
pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("name", BORDERS)
def test_border(name: str, simulator: Simulator, tmp_path: Path) -> None:
    only = {"COCOTB_TEST_FILTER": rf"\.{name}$"}
    run_bench("tests.cosim.benches.borders", CORE, simulator, tmp_path, env=only)


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("name", TABLES)
def test_table(name: str, simulator: Simulator, tmp_path: Path) -> None:
    only = {"COCOTB_TEST_FILTER": rf"\.{name}$"}
    params = BUILDS["eight lanes"]
    run_bench("tests.cosim.benches.tables", params, simulator, tmp_path, env=only)
