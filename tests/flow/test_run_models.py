"""Which simulation a run is given: the one that will be priced, unless there is too much to do."""

from pathlib import Path
from typing import NoReturn

import pytest

from spikewatt.cosim.recording import Simulation
from spikewatt.flow import run as run_module
from spikewatt.flow.run import run
from spikewatt.targets.neuro import NeuroTarget
from tests.flow.small_comparison import NETWORK, X, Y


class _AskedError(Exception):
    pass


@pytest.mark.parametrize(
    ("brief", "energy", "trace", "expected"),
    [
        (run_module.BRIEF, 1, "none", "states"),
        (0, 1, "none", "none"),
        (run_module.BRIEF, 0, "none", "none"),
        (run_module.BRIEF, 1, "vcd", "vcd"),
    ],
)
def test_the_model_of_a_run(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    brief: int,
    energy: int,
    trace: str,
    expected: str,
) -> None:
    def simulate(self: NeuroTarget, x: object, how: Simulation, progress: object) -> NoReturn:
        raise _AskedError(how.trace)

    monkeypatch.setattr(run_module, "BRIEF", brief)
    monkeypatch.setattr(NeuroTarget, "simulate", simulate)
    with pytest.raises(_AskedError, match=f"^{expected}$"):
        run(NETWORK, X, Y, energy=energy, trace=trace, out=tmp_path / "out")
