"""The command ``spikewatt doctor``: which tools there are."""

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikewatt.base.report import json_text

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.base.tools import Tool

__all__ = ["doctor"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def doctor(as_json: Json = False) -> None:
    """Say which tools were found, their versions, and how to get what is missing.

    Leaves with status 1 if no network can run without what is missing.
    """
    from spikewatt.base.tools import inventory

    tools = inventory()
    if as_json:
        print(json_text({tool.name: tool for tool in tools}))
    else:
        _show(tools)
    if lacking := [tool for tool in tools if tool.needed and tool.path is None]:
        remedies = "; ".join(f"{tool.name} ({tool.remedy})" for tool in lacking)
        print(f"spikewatt: no network can run without {remedies}", file=sys.stderr)
        raise SystemExit(1)


def _show(tools: "list[Tool]") -> None:
    table = Table(title=f"spikewatt {version('spikewatt')}", title_justify="left", box=SIMPLE_HEAD)
    for column in ("tool", "version", "for", "where, or how to get it"):
        table.add_column(column, overflow="fold")
    for tool in tools:
        missing = "needed, and missing" if tool.needed else "missing"
        where = Text(tool.path or f"{missing}: {tool.remedy}")
        table.add_row(tool.name, tool.version or "–", tool.purpose, where)
    Console(highlight=False).print(table)
