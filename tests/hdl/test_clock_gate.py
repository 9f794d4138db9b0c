"""A core that has nothing to do has no clock, in both simulators."""

from pathlib import Path

import pytest

from spikewatt.cosim.simulate import Simulator
from tests.cosim.agree import run_bench
from tests.cosim.small_core import CORE


@pytest.mark.timeout(120)
@pytest.mark.parametrize("simulator", [pytest.param("verilator", marks=pytest.mark.long), "icarus"])
def test_clock_gate(simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    run_bench("tests.cosim.benches.clock", CORE, simulator, tmp_path, public=True)
