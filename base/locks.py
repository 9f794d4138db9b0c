"""Locks between processes: who comes second waits, and finds the work done."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["one_at_a_time"]


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``, which is there as long as somebody works under it.

    Where it cannot be made, all go ahead at once: that costs time, and nothing else.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        # Removed while it is held. Whoever waits for it wakes up, sees that the work is done, and
        # leaves; only if it is not may two work at a time, which does no harm.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(file)
