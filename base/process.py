"""Child processes that do not outlive us."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from spikewatt.base.interrupts import deferred

__all__ = ["run_contained"]

POLL_SECONDS = 0.02


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
                start_new_session=True,
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
