"""Child processes that do not outlive us."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from spikewatt.base.errors import ToolError
from spikewatt.base.interrupts import deferred

__all__ = ["run_contained", "tool_failure"]

POLL_SECONDS = 0.02
_NO_SPACE = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_FEW = 64 << 20
"""Bytes that a compiler may well have needed: what it wrote is gone when it has failed."""


def run_contained(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    poll: Callable[[], None] = lambda: None,
) -> int:
    """Run a command to its end and return its exit status; its output goes to the end of ``log``.

    The command gets a session of its own and no input. Whatever ends the wait, an interrupt above
    all, kills it with all that it started.

    Parameters
    ----------
    poll:
        Called again and again while the command runs.
    """
    process = None
    try:
        # An interrupt between the start of the child and the assignment would leave it alone.
        with log.open("ab") as output, deferred():
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, to be killed as one
            )
        while process.poll() is None:
            time.sleep(POLL_SECONDS)
            poll()
        return process.returncode
    finally:
        with deferred():  # a second interrupt would leave it alone, too
            if process is not None and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def tool_failure(name: str, reason: str, output: str, folder: Path) -> ToolError:
    """What to say of a failed tool: that a disk is full, or its reason and where its output is.

    Parameters
    ----------
    reason:
        In the tool's words, or its status.
    folder:
        Where it ran, and wrote.
    """
    left = shutil.disk_usage(folder).free
    if _NO_SPACE.search(output) or left < _FEW:
        return ToolError(
            f"{name} failed ({reason}), and {left / 1e6:.1f} MB are left on the disk of "
            f"{folder.parent}: make room there"
        )
    try:
        handle, kept = tempfile.mkstemp(prefix="spikewatt-", suffix=".log")
        with os.fdopen(handle, "w") as file:
            file.write(output)
    except OSError as error:
        return ToolError(f"{name} failed: {reason} (its output cannot be kept: {error.strerror})")
    return ToolError(f"{name} failed: {reason} (its output is in {kept})")
