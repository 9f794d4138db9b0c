"""The command as a process, and what its errors look like."""

import re
import subprocess
import sys
from collections.abc import Callable

__all__ = ["COMMAND", "Cli", "assert_one_line"]

Cli = Callable[..., subprocess.CompletedProcess[str]]
PROGRESS = re.compile(r"spikewatt: .* \(\d+ s\)")
"""A line that a slow machine brings: what is being done, and since when."""
COMMAND = [sys.executable, "-c", "from spikewatt.flow.cli.main import main; main()"]


def assert_one_line(run: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line that says ``words`` on standard error, nothing on standard output, status 2."""
    assert run.returncode == 2, run
    assert run.stdout == ""
    lines = [line for line in run.stderr.splitlines() if not PROGRESS.fullmatch(line)]
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("spikewatt: ")
    for word in words:
        assert word in lines[0], lines[0]
