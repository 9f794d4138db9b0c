"""The command ``spikewatt cache``: what is kept of earlier builds."""

import json
import re
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikewatt.base.cache import Entry, cache_folder, entries, prune
from spikewatt.base.errors import ParameterError
from spikewatt.flow.cli.help import Commands

__all__ = ["cache", "parse_size"]

_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([kMGT]?)B?$", re.IGNORECASE)
_SCALES = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}

cache = typer.Typer(cls=Commands, rich_markup_mode=None, invoke_without_command=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@cache.callback()
def show(context: typer.Context, as_json: Json = False) -> None:
    """Say where earlier builds are kept and how large they are, or remove them."""
    if context.invoked_subcommand is None:
        _show(entries(), as_json=as_json)


@cache.command("prune")
def prune_command(
    max_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Remove also what was not used for the longest, down to SIZE (500M, 2G).",
            show_default="keep all that is whole",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Remove what is damaged, or left over from a killed command."""
    _gone(prune(None if max_size is None else parse_size(max_size)), as_json=as_json)


@cache.command("clear")
def clear_command(as_json: Json = False) -> None:
    """Remove all but what another command is building."""
    _gone(prune(0), as_json=as_json)


def parse_size(text: str) -> int:
    """Bytes from ``500M``; powers of 1000.

    Raises
    ------
    ParameterError
        It is no size.
    """
    if not (match := _SIZE.match(text.strip())):
        raise ParameterError(f"{text!r} is not a size: write it as 500M, 2G or 1000000 (bytes)")
    return round(float(match[1]) * _SCALES[match[2].lower()])


@dataclass
class _Sum:
    """Entries of one kind."""

    entries: int = 0
    bytes: int = 0

    def add(self, entry: Entry) -> None:
        self.entries += 1
        self.bytes += entry.size


def _show(found: list[Entry], *, as_json: bool) -> None:
    kinds, whole = dict[str, _Sum](), _Sum()
    for entry in found:
        kinds.setdefault(entry.kind, _Sum()).add(entry)
        whole.add(entry)
    if as_json:
        plain = {kind: vars(part) for kind, part in sorted(kinds.items())}
        result = {"folder": str(cache_folder()), **vars(whole), "kinds": plain}
        print(json.dumps(result, indent=1))
        return
    # By itself, whole at any width: a path that is folded cannot be copied.
    print(cache_folder())
    table = Table(box=SIMPLE_HEAD, show_footer=True)
    table.add_column("kind", footer="all")
    table.add_column("entries", justify="right", no_wrap=True, footer=f"{whole.entries:,}")
    table.add_column("size", justify="right", no_wrap=True, footer=_size(whole.bytes))
    for kind, part in sorted(kinds.items(), key=lambda item: -item[1].bytes):
        table.add_row(Text(kind), f"{part.entries:,}", _size(part.bytes))
    Console(highlight=False).print(table)


def _gone(gone: list[Entry], *, as_json: bool) -> None:
    size = sum(entry.size for entry in gone)
    if as_json:
        print(json.dumps({"removed": len(gone), "bytes": size}, indent=1))
    else:
        print(f"removed {len(gone):,} entries, {_size(size)}")


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
