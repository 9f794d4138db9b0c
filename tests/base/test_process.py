"""Children end with us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikewatt.base.process import run_contained


def test_status_and_output(tmp_path: Path) -> None:
    log = tmp_path / "log"
    status = run_contained(
        ["sh", "-c", "cat; echo out; echo err >&2; exit 3"], cwd=tmp_path, env=os.environ, log=log
    )
    assert (status, log.read_text()) == (3, "out\nerr\n")


SCRIPT = """
import os
from pathlib import Path
from spikewatt.base.files import scratch
from spikewatt.base.interrupts import catch_interrupts, interrupt_status
from spikewatt.base.process import run_contained
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
def test_a_signal_ends_all_that_was_started(tmp_path: Path, stop: signal.Signals) -> None:
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
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
