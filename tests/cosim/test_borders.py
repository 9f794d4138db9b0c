"""Corners at the core's borders: back-pressure, reset, reconfiguration, the configuration port."""

from pathlib import Path

import pytest

from spikewatt.cosim.simulate import Simulator
from spikewatt.model.params import CoreParams
from tests.cosim.agree import SIMULATORS, run_bench
from tests.cosim.builds import BUILDS
from tests.cosim.corners_of_windows import WINDOW_CORE
from tests.cosim.small_core import CORE

# One simulation for all the tests of a bench: each of them resets the core, and starting Python
# inside a simulator takes longer than any of them.
BENCHES = {
    "borders": CORE,
    "reconfiguration": CORE,
    "tables": BUILDS["eight lanes"],
    "windows": WINDOW_CORE,
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("bench", "params", "simulator"),
    [
        pytest.param(
            bench,
            params,
            simulator,
            # In Verilator each has its core compiled; `test_random` has one of them every time.
            marks=[pytest.mark.long] * (simulator == "verilator"),
            id=f"{bench}-{simulator}",
        )
        for bench, params in BENCHES.items()
        for simulator in SIMULATORS
    ],
)
def test_border(bench: str, params: CoreParams, simulator: Simulator, tmp_path: Path) -> None:
    run_bench(f"tests.cosim.benches.{bench}", params, simulator, tmp_path)
