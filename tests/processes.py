"""Processes of a test, which end with it."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["Start", "processes"]

Start = Callable[..., subprocess.Popen[str]]
"""As `subprocess.Popen`, with text."""


@contextlib.contextmanager
def processes() -> Iterator[Start]:
    """Start processes that end with the block, however that is left.

    One that a failed test left running slows all others, and whichever of them happens to collect
    its ``Popen`` fails for it: a resource warning is an error.
    """
    with contextlib.ExitStack() as stack:

        def start(words: Sequence[str], **options: Any) -> subprocess.Popen[str]:
            process = subprocess.Popen(words, text=True, **options)
            stack.callback(_end, process)
            return process

        yield start


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()  # a command ends its own children then
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
