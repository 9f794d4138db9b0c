"""Children end with us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikewatt.base import process
from spikewatt.base.process import run_contained, tool_failure
from tests.processes import Start, processes


def test_status_and_output(tmp_path: Path) -> None:
    log = tmp_path / "log"
    status = run_contained(
        ["sh", "-c", "cat; echo out; echo err >&2; exit 3"], cwd=tmp_path, env=os.environ, log=log
    )
    assert (status, log.read_text()) == (3, "out\nerr\n")


def test_failure_keeps_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    error = str(tool_failure("g++", "status 1", "a.cpp:1: error", tmp_path))
    (log,) = tmp_path.iterdir()
    assert error == f"g++ failed: status 1 (its output is in {log})"
    assert log.read_text() == "a.cpp:1: error"


def test_failure_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the tool's words, or by the space that is left; nothing more is written."""
    for words, few in (("cc1plus: No space left on device", 0), ("", 1 << 60)):
        monkeypatch.setattr(process, "_FEW", few)
        error = str(tool_failure("g++", "status 1", words, tmp_path))
        assert error.startswith("g++ failed (status 1), and ")
        assert error.endswith(f" MB are left on the disk of {tmp_path.parent}: make room there")
    assert not list(tmp_path.iterdir())


SLEEP = "import time; time.sleep(60)"
SCRIPT = """
import os
from pathlib import Path
from spikewatt.base.files import scratch
from spikewatt.base.interrupts import catch_interrupts, interrupt_status
from spikewatt.base import process
from spikewatt.base.process import run_contained, tool_failure
catch_interrupts()
try:
    with scratch() as folder:
        command = ["sh", "-c", "sleep 100 & echo $! > grandchild; sleep 100"]
        run_contained(command, cwd=Path.cwd(), env=os.environ, log=folder / "log")
except KeyboardInterrupt:
    raise SystemExit(interrupt_status())
"""


def alive(process: int) -> bool:
    """Whether a process runs: one that only waits to be counted does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_that_was_started(
    start: Start, tmp_path: Path, stop: signal.Signals
) -> None:
    (tmp_path / "temporary").mkdir()
    process = start(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
    )
    mark = tmp_path / "grandchild"
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    grandchild = int(mark.read_text())
    assert alive(grandchild)
    process.send_signal(stop)
    assert process.wait(60) == 128 + stop
    while alive(grandchild) and time.monotonic() < deadline:  # killed, and not yet gone
        time.sleep(0.01)
    assert not alive(grandchild)
    assert not list((tmp_path / "temporary").iterdir())


def test_no_process_outlives_its_test() -> None:
    """It is gone and counted, and its pipes are closed."""
    with processes() as start:
        left = start([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE)
    assert left.returncode == -signal.SIGTERM
    assert left.stdout is not None
    assert left.stdout.closed
