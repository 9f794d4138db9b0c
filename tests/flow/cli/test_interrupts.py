"""An interrupted run: one line, 128 + signal, no child and no file left."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.flow.command import COMMAND
from tests.processes import Start


def children_of(session: Path) -> list[str]:
    """Command lines of running processes that mention ``session``."""
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                lines += [line] if str(session) in line else []
    return lines


def interrupted(process: subprocess.Popen[str], stop: signal.Signals) -> None:
    """Stop a command: it says so in one line; where it does not end, the trace says why."""
    process.send_signal(stop)
    try:
        stdout, stderr = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # with PYTHONFAULTHANDLER: where it is
        stdout, stderr = process.communicate()
    assert (process.returncode, stdout) == (128 + stop, ""), stderr
    assert stderr.splitlines()[-1] == "spikewatt: interrupted: nothing was written"


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PHASES = ("building", "verilator", "icarus")


@pytest.mark.parametrize(
    ("stop", "phase"),
    [
        # Each signal and each phase every time; behind `long`, each with each.
        pytest.param(stop, phase, marks=[pytest.mark.long] * (row != column))
        for row, stop in enumerate(SIGNALS)
        for column, phase in enumerate(PHASES)
    ],
)
def test_interrupted_run_leaves_nothing(
    start: Start, tmp_path: Path, stop: signal.Signals, phase: str
) -> None:
    """Stopped while it builds, or while it simulates on either simulator."""
    out, cache, temporary = (tmp_path / name for name in ("out", "cache", "temporary"))
    temporary.mkdir()
    simulator = "icarus" if phase == "icarus" else "verilator"
    words = ["demo", "--no-compare", "--sim", simulator, "--trace", "vcd", "--out", str(out)]
    env = {**os.environ, "TMPDIR": str(temporary), "PYTHONFAULTHANDLER": "1"}
    if phase == "building":
        env["SPIKEWATT_CACHE"] = str(cache)
    else:  # the build comes from the cache
        words.append("--no-energy")
        subprocess.run([*COMMAND, *words, "--images", "1"], env=env, check=True)
        shutil.rmtree(out)
    process = start(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=env,
    )
    mark = cache.glob if phase == "building" else tmp_path.glob
    pattern = ".*/*" if phase == "building" else ".spikewatt-*/neuro.vcd"
    deadline = time.monotonic() + 60
    while not any(mark(pattern)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert any(mark(pattern)), "it never began"
    interrupted(process, stop)
    assert not out.exists()
    assert not list(tmp_path.glob(".spikewatt-*"))
    assert not list(temporary.iterdir())
    assert not list(cache.glob(".*")), "half a build was left in the cache"
    assert not children_of(tmp_path), "a child lives on"


LOST = """
import os, signal
from spikewatt.flow.cli import main as cli
from spikewatt.flow.console import progress_bar

class Finaliser:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass

@cli.app.command()
def lose():
    with progress_bar() as progress:
        progress("first", 1)
        Finaliser()
        print("it goes on", flush=True)
        progress("second", 2)
        print("too far")

cli.main()
"""


def test_lost_interrupt() -> None:
    """Python drops an exception within a finaliser; the next step of progress ends the command."""
    run = subprocess.run([*COMMAND[:-1], LOST, "lose"], capture_output=True, text=True, check=False)
    assert "Exception ignored in" in run.stderr, "it was not lost"
    assert (run.returncode, run.stdout) == (128 + signal.SIGTERM, "it goes on\n")
    assert run.stderr.splitlines()[-1] == "spikewatt: interrupted: nothing was written"
