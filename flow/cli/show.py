"""What a command prints at its end: JSON, or tables for people."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from rich.console import Console, RenderableType

from spikewatt.base.report import json_text
from spikewatt.flow.cli.options import Output

__all__ = ["show"]


class Reportable(Protocol):
    """What can be said as JSON."""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        ...


Result = TypeVar("Result", bound=Reportable)


def show(
    output: Output, result: Result, tables: Callable[[Result], Iterable[RenderableType | None]]
) -> None:
    """Print a result as JSON and nothing else, or the tables that are made of it."""
    if output.as_json:
        print(json_text(result.to_json()))
        return
    console = Console(highlight=False)
    for table in tables(result):
        if table is not None:
            console.print(table)
