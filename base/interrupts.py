"""Interrupts that end the command even where Python loses their exception."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["catch_interrupts", "check_interrupts", "deferred", "interrupt_status"]

_CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# A process has one set of signal handlers: their state is the module's.
_pending: signal.Signals | None = None
_depth = 0


def catch_interrupts() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise `KeyboardInterrupt`, unless they are ignored.

    Python drops an exception that a signal raises within a finaliser or a callback; the progress
    that every long step reports, by `check_interrupts`, makes up for it. A shell lets background
    jobs ignore SIGINT, and ``nohup`` SIGHUP: that stays.
    """
    for number in _CAUGHT:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def check_interrupts() -> None:
    """Raise `KeyboardInterrupt` if there was a signal whose exception did not get through."""
    if _pending is not None and not _depth:
        raise KeyboardInterrupt


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Let no interrupt of ours come between the lines within: it is raised when they are done.

    For a few steps that belong together and take no time: making something and taking note of it,
    renaming several files. Where `catch_interrupts` was not called, in a program of a user's, this
    holds for SIGINT, whose exception Python raises wherever it comes.
    """
    global _depth, _pending
    before = _pending
    # Only the main thread may change handlers, and only Python's own is ours to borrow.
    lent = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    _depth += 1
    if lent:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        if lent:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _depth -= 1
    if _pending is not before and not _depth:
        if lent:  # the program may go on after it
            _pending = before
        raise KeyboardInterrupt


def interrupt_status() -> int:
    """Exit status of a command that a signal ended: 128 and the number of the signal."""
    return 128 + (_pending or signal.SIGINT)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    global _pending
    _pending = signal.Signals(signum)
    if not _depth:
        raise KeyboardInterrupt
