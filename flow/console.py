"""The terminal: where progress goes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from spikewatt.flow.interrupts import check_interrupts

__all__ = ["errors", "progress_bar"]

errors = Console(stderr=True, highlight=False)
"""Standard error."""


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[[str, int], None]]:
    """Show a bar of ``total`` samples on standard error, if that is a terminal.

    Gives a function of what is being done, and of the samples done so far.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("starting", total=total)

        def update(what: str, done: int) -> None:
            check_interrupts()
            bar.update(task, description=what, completed=done)

        yield update
