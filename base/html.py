"""Tables in HTML, for notebooks."""

from collections.abc import Iterable
from html import escape

__all__ = ["html_table"]


def html_table(title: str, rows: Iterable[tuple[str, ...]]) -> str:
    """A table with a title; names come from files of anybody's, so that all text is escaped."""
    lines = ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return f"<table><caption>{escape(title)}</caption>{''.join(lines)}</table>"
