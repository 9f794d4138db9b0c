"""Interrupts that end the command even where Python loses their exception."""

import signal
from types import FrameType

__all__ = ["catch_interrupts", "check_interrupts"]

_pending = False


def catch_interrupts() -> None:
    """Let SIGINT, unless it is ignored, and SIGTERM raise `KeyboardInterrupt`.

    Python drops an exception that a signal raises within a finaliser or a callback; the progress
    that every long step reports, by `check_interrupts`, makes up for it.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def check_interrupts() -> None:
    """Raise `KeyboardInterrupt` if there was a signal whose exception did not get through."""
    if _pending:
        raise KeyboardInterrupt


def _interrupt(signum: int, frame: FrameType | None) -> None:
    global _pending  # a process has one set of signal handlers
    _pending = True
    raise KeyboardInterrupt
