"""The bench of the demo times functions by their names, which nobody else would miss."""

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FILE = Path(__file__).resolve().parents[2] / "bench" / "demo.py"


def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_demo", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCH = bench()


@pytest.mark.parametrize("stage", BENCH.STAGES)
def test_every_stage_is_a_function(stage: str) -> None:
    module, name = BENCH.STAGES[stage]
    holder: Any = importlib.import_module(module)
    for part in name.split("."):
        holder = getattr(holder, part)
    assert callable(holder)


def test_a_stage_is_without_those_within_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(BENCH.time, "perf_counter", lambda: now)
    clock = BENCH.Clock()

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    inner = clock.around("inner", lambda: wait(2.0))

    def outside() -> None:
        wait(1.0)
        inner()
        inner()

    clock.around("outer", outside)()
    assert clock.seconds == {"inner": 4.0, "outer": 1.0}
