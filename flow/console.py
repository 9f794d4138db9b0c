"""The terminal: where progress goes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from spikewatt.base.interrupts import check_interrupts
from spikewatt.base.progress import Progress

__all__ = ["errors", "progress_bar"]

errors = Console(stderr=True, highlight=False)
"""Standard error."""

_Show = Callable[[str, float, float], None]

LINE_SECONDS = 5.0
"""Between two lines of progress where standard error is no terminal."""


@contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator[Progress]:
    """Show progress on standard error: as a bar on a terminal, else as a line every few seconds.

    ``quiet``: show nothing. What is told still answers to interrupts.
    """
    if quiet:
        yield _answering(lambda what, done, total: None)
    elif errors.is_terminal:
        with _bar() as bar:
            yield _answering(bar)
    else:
        with _Lines() as lines:
            yield _answering(lines.tell)


def _answering(show: _Show) -> Progress:
    """Progress that ends the command after an interrupt whose exception was lost."""

    def tell(what: str, done: float = 0, total: float = 0, /) -> None:
        check_interrupts()
        show(what, done, total)

    return tell


@contextmanager
def _bar() -> Iterator[_Show]:
    columns = (
        TextColumn("{task.description}", markup=False),  # names of a user's, brackets and all
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def show(what: str, done: float, total: float) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield show


class _Lines:
    """A line every `LINE_SECONDS`, also while a single step takes longer than that.

    A thread of its own writes them: the main one may be waiting for a compiler. A command that is
    done sooner writes none.
    """

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._now: tuple[str, float, float] = ("starting", 0, 0)
        self._ended = threading.Event()
        # A daemon, so that it never holds up the end of a command.
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> "_Lines":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def tell(self, what: str, done: float, total: float) -> None:
        self._now = what, done, total

    def _write(self) -> None:
        while not self._ended.wait(LINE_SECONDS):
            what, done, total = self._now
            share = f", {100 * done / total:.0f} %" if total else ""
            seconds = time.monotonic() - self._begun
            # Not through the console, which would break a long line at its width.
            errors.file.write(f"spikewatt: {what}{share} ({seconds:.0f} s)\n")
            errors.file.flush()
