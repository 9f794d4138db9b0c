"""The command ``spikewatt cache``: what is kept of earlier builds."""

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikewatt.base.cache import Entry, cache_folder, entries, prune
from spikewatt.base.errors import ParameterError
from spikewatt.base.report import Report
from spikewatt.flow.cli.help import Commands

__all__ = ["CacheReport", "RemovalReport", "cache", "parse_size"]

_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([kMGT]?)B?$", re.IGNORECASE)
_SCALES = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}

cache = typer.Typer(cls=Commands, rich_markup_mode=None, invoke_without_command=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@dataclass(frozen=True, kw_only=True)
class KindFigures:
    """Entries of one kind."""

    entries: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class CacheReport(Report):
    """What is kept of earlier builds, and where."""

    schema: Literal["spikewatt.cache/1"] = "spikewatt.cache/1"
    folder: Path
    entries: int
    bytes: int
    kinds: dict[str, KindFigures]

    @classmethod
    def of(cls, kept: Collection[Entry]) -> "CacheReport":
        """The sums of these entries."""
        sizes: dict[str, list[int]] = defaultdict(list)
        for entry in kept:
            sizes[entry.kind].append(entry.size)
        return cls(
            folder=cache_folder(),
            entries=len(kept),
            bytes=sum(entry.size for entry in kept),
            kinds={
                kind: KindFigures(entries=len(sizes[kind]), bytes=sum(sizes[kind]))
                for kind in sorted(sizes)
            },
        )


@dataclass(frozen=True, kw_only=True)
class RemovalReport(Report):
    """What was removed from the cache."""

    schema: Literal["spikewatt.cache-removal/1"] = "spikewatt.cache-removal/1"
    removed: int
    bytes: int


@cache.callback()
def show(context: typer.Context, as_json: Json = False) -> None:
    """Say where earlier builds are kept and how large they are, or remove them."""
    if context.invoked_subcommand is None:
        report = CacheReport.of(entries())
        if as_json:
            print(report.to_text())
        else:
            _show(report)


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
    _tell(prune(None if max_size is None else parse_size(max_size)), as_json=as_json)


@cache.command("clear")
def clear_command(as_json: Json = False) -> None:
    """Remove all but what another command is building."""
    _tell(prune(0), as_json=as_json)


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


def _show(report: CacheReport) -> None:
    # By itself, whole at any width: a path that is folded cannot be copied.
    print(report.folder)
    table = Table(box=SIMPLE_HEAD, show_footer=True)
    table.add_column("kind", footer="all")
    table.add_column("entries", justify="right", no_wrap=True, footer=f"{report.entries:,}")
    table.add_column("size", justify="right", no_wrap=True, footer=_size(report.bytes))
    for kind, part in sorted(report.kinds.items(), key=lambda item: -item[1].bytes):
        table.add_row(Text(kind), f"{part.entries:,}", _size(part.bytes))
    Console(highlight=False).print(table)


def _tell(removed: Collection[Entry], *, as_json: bool) -> None:
    size = sum(entry.size for entry in removed)
    if as_json:
        print(RemovalReport(removed=len(removed), bytes=size).to_text())
    else:
        print(f"removed {len(removed):,} entries, {_size(size)}")


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
