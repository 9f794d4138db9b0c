"""The command ``spikewatt doctor``: which tools there are."""

import json
from importlib.metadata import version
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["doctor"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def doctor(as_json: Json = False) -> None:
    """Say which tools were found, their versions, and how to get what is missing."""
    from spikewatt.cosim.tools import inventory

    tools = inventory()
    if as_json:
        print(json.dumps({tool.name: vars(tool) for tool in tools}, indent=1))
        return
    table = Table(title=f"spikewatt {version('spikewatt')}", title_justify="left", box=SIMPLE_HEAD)
    for column in ("tool", "version", "for", "where, or how to get it"):
        table.add_column(column, overflow="fold")
    for tool in tools:
        where = Text(tool.path or f"missing: {tool.remedy}")
        table.add_row(tool.name, tool.version or "–", tool.purpose, where)
    Console(highlight=False).print(table)
