"""Progress of long work: one protocol, from the tools up to the terminal."""

from typing import Protocol

__all__ = ["Progress", "silent", "worded"]


class Progress(Protocol):
    """Called with what is being done, and how much of it is done of how much in all.

    The unit of ``done`` and ``total`` is the caller's: samples, parts of a waveform. A ``total`` of
    0 means that nobody knows. The call may raise `KeyboardInterrupt`: it is where long work learns
    that it shall end.
    """

    def __call__(self, step: str, done: float = 0, total: float = 0, /) -> None:
        """Take note of it."""
        ...


def silent(step: str, done: float = 0, total: float = 0, /) -> None:
    """Tell nobody."""
    del step, done, total


def worded(progress: Progress, before: str = "", after: str = "") -> Progress:
    """Progress that is told with more words: of which variant, under which conditions."""

    def told(step: str, done: float = 0, total: float = 0, /) -> None:
        progress(f"{before}{step}{after}", done, total)

    return told
