"""The command as a process, and what its errors look like."""

import subprocess
import sys
from collections.abc import Callable

__all__ = ["COMMAND", "Cli", "assert_one_line"]

Cli = Callable[..., subprocess.CompletedProcess[str]]
# A slow machine takes long enough for lines of progress, which are tested by themselves.
_MAIN = """
from spikewatt.flow import console
from spikewatt.flow.cli.main import main
console.LINE_SECONDS = 1e6
main()
"""
COMMAND = [sys.executable, "-c", _MAIN]


def assert_one_line(run: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line that says ``words`` on standard error, nothing on standard output, status 2."""
    assert run.returncode == 2, run
    assert run.stdout == ""
    lines = run.stderr.splitlines()
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("spikewatt: ")
    for word in words:
        assert word in lines[0], lines[0]
