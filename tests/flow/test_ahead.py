"""Builds ahead: for the cores that are asked for, and gone with the command."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spikewatt.flow import ahead
from spikewatt.flow.ahead import Wanted, build_ahead
from spikewatt.flow.compare.run import sides
from spikewatt.flow.compare.variants import usual
from spikewatt.flow.demo import PLAN, wanted_cores
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.hdl.sram import Sram
from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.network.dataset import load_digits, load_shipped
from spikewatt.synth import mapping
from spikewatt.synth.asic import synthesise
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.verilog import export

SMALL = Wanted(Blueprint.of(Sram, rows=4, bits=2), "sram", traces=())


@pytest.fixture(name="processes")
def _processes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Workers that were started."""
    started: list[Any] = []
    real = subprocess.Popen

    def start(*arguments: Any, **options: Any) -> Any:
        started.append(real(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(ahead.subprocess, "Popen", start)
    monkeypatch.setattr(ahead.os, "sched_getaffinity", lambda process: {0, 1})
    return started


def test_what_is_built_ahead_is_found(
    processes: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path))
    with build_ahead([SMALL]):
        assert len(processes) == 2
        for worker in processes:
            assert worker.wait(120) == 0
    (found,) = tmp_path.glob("ahead-*.json")
    paths = json.loads(found.read_text())
    assert [Path(path).name for path in paths] == ["netlist.json"] * 2

    def fail(*arguments: Any, **options: Any) -> None:
        raise AssertionError("it was to be there")

    monkeypatch.setattr(mapping, "run_yosys", fail)
    mapped = synthesise(export(SMALL.blueprint, "sram"), "sram", default_library_path())
    assert str(mapped.netlist) in paths
    with build_ahead([SMALL]):
        pass
    assert len(processes) == 2  # nothing was left to be built
    Path(paths[0]).unlink()
    with pytest.raises(KeyboardInterrupt), build_ahead([SMALL]):
        raise KeyboardInterrupt
    assert len(processes) == 4
    assert all(worker.poll() is not None for worker in processes)
    assert all(worker.returncode for worker in processes[2:])  # they did not end by themselves


def test_there_is_nothing_to_do_without_cores_or_a_second_processor(
    processes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with build_ahead([]):
        pass
    monkeypatch.setattr(ahead.os, "sched_getaffinity", lambda process: {0})
    with build_ahead([SMALL]):
        pass
    assert processes == []


def test_the_demo_wants_the_cores_that_it_asks_for() -> None:
    network, x, _ = load_digits()
    images = 5
    first = Blueprint.of(NeuroCore, map_network(network, lanes=8).params)
    asked: list[tuple[Blueprint, tuple[str, ...]]] = [(first, ("states",))]
    for other, rival in ((load_shipped("digits_t7"), None), (network, load_shipped("digits_qnn"))):
        neuro, systolic = sides(other, x[:images], rival=rival)
        params = map_network(neuro.network, lanes=PLAN.lanes[0]).params
        asked.append((Blueprint.of(NeuroCore, params), ("states",)))
        for batch in (1, images):
            program = systolic.program(usual(8, 8, batch))
            asked.append((Blueprint.of(SystolicCore, program.params), ("states",)))
    wanted = wanted_cores(network, lanes=8, images=images, compare=True)
    assert [(one.blueprint.key(), one.traces) for one in wanted] == [
        (blueprint.key(), traces) for blueprint, traces in asked
    ]
    assert wanted_cores(network, lanes=8, images=images, compare=False) == wanted[:1]
