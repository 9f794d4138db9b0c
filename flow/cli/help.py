"""Help that is never cut: typer shortens the sentences in a list of commands to fit a line."""

import shutil
from typing import Any

from typer.core import TyperGroup

__all__ = ["CONTEXT", "Commands"]

NARROWEST, WIDEST = 40, 100
"""Columns that help is laid out for; typer by itself stops at 80, and writes 50 into 40."""
CONTEXT = {"terminal_width": min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)}


class Commands(TyperGroup):
    """A group of commands, each listed with the whole first paragraph of its help."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands."""
        rows = []
        for name in self.list_commands(ctx):
            listed = self.get_command(ctx, name)
            if listed is not None and not listed.hidden:
                paragraph = (listed.help or "").partition("\n\n")[0]
                rows.append((name, " ".join(paragraph.split())))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
