"""What a command prints at its end: JSON, or tables for people."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from rich.console import Console, RenderableType

from spikewatt.base.report import Report, Reported
from spikewatt.flow.cli.options import Output

__all__ = ["show"]

Result = TypeVar("Result", bound=Report | Reported)


def show(
    output: Output, result: Result, tables: Callable[[Result], Iterable[RenderableType | None]]
) -> None:
    """Print a result as JSON and nothing else, or the tables that are made of it."""
    if output.as_json:
        print(result.to_text())
        return
    console = Console(highlight=False)
    for table in tables(result):
        if table is not None:
            console.print(table)
