"""Amaranth's yosys from its compiled form, and Amaranth's own way in its place."""

from pathlib import Path

import pytest
from amaranth._toolchain.yosys import YosysError, find_yosys

from spikewatt.base.errors import ToolError
from spikewatt.hdl.sram import Sram
from spikewatt.synth import verilog
from spikewatt.synth.builtin_yosys import run_builtin_yosys
from spikewatt.synth.verilog import export


def memory() -> Sram:
    return Sram(rows=4, bits=3)


@pytest.fixture(autouse=True)
def _builtin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMARANTH_USE_YOSYS", "builtin")


def test_it_is_the_same() -> None:
    words = ["-q", "-V"]
    assert run_builtin_yosys(words, "") == find_yosys(lambda version: True).run(words)


def test_export_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = export(memory(), "memory")
    monkeypatch.setattr(verilog, "run_builtin_yosys", lambda words, script: None)
    assert export(memory(), "memory") == text


def test_failure_is_told_by_amaranth(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_builtin_yosys(["-q", "-"], "no_such_command\n") is None
    monkeypatch.setattr(verilog, "_SCRIPT", "no_such_command\n")
    with pytest.raises(YosysError, match="no_such_command"):
        export(memory(), "memory")


def test_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path / "file"))
    with pytest.raises(ToolError):
        run_builtin_yosys(["-V"], "")
    assert "module memory" in export(memory(), "memory")
