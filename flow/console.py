"""The terminal: where progress goes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from spikewatt.base.interrupts import check_interrupts

__all__ = ["errors", "progress_bar", "status"]

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


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """Show what is being done on standard error, if that is a terminal; gives what to tell."""
    with ExitStack() as stack:
        line = stack.enter_context(errors.status("starting")) if errors.is_terminal else None

        def update(what: str) -> None:
            check_interrupts()
            if line is not None:
                line.update(what)

        yield update
