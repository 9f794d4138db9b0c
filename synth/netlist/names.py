"""Names that survive mapping: bits of buses, and paths in a flattened netlist."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["INVERSE", "bit_names", "inverse_of", "is_hidden", "join", "module_path", "plain"]

INVERSE = "~"
"""Before the name of a register's bit: the net is its inverse (``core.~acc[3]``)."""
_MADE_UP = re.compile(r"(?:^|\.)_g?\d+_$")
_SCOPE = re.compile(r"(?:\$flatten)?\\(.+?)\.(?=[\\$])")


def plain(name: str) -> str:
    """Name without the backslash that yosys leaves before a public name like ``$like``."""
    return name.removeprefix("\\")


def inverse_of(name: str) -> str | None:
    """The full name whose inverse a net is; ``None`` if it is a name like any other."""
    path, mark, leaf = name.rpartition(INVERSE)
    return path + leaf if mark and (not path or path.endswith(".")) else None


def join(path: str, name: str) -> str:
    """Name below a path; the path of the top is empty."""
    return f"{path}.{name}" if path else name


def is_hidden(name: str, entry: Mapping[str, Any]) -> bool:
    """Whether a tool made a name up: yosys says so, its Verilog has ``_12_``, ours ``_g12_``."""
    return bool(entry.get("hide_name")) or _MADE_UP.search(name) is not None


def bit_names(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """Names of the bits of a net or a bus, least significant first, counted as the RTL does."""
    width, offset = len(entry["bits"]), entry.get("offset", 0)
    if width == 1 and not offset:
        yield name
        return
    # yosys stores a bus from its least significant bit; `upto` says that the RTL counts the other
    # way.
    places = range(offset, offset + width)
    for place in reversed(places) if entry.get("upto") else places:
        yield f"{name}[{place}]"


def module_path(name: str, attributes: Mapping[str, Any]) -> str:
    r"""Path, below the module that holds it, of the instance that a flattened cell came from.

    From the attribute ``hdlname`` (``acc lif u1``), from yosys's ``$flatten\acc.\lif.$abc$…``, or
    from the dots of a public name.
    """
    if words := attributes.get("hdlname", "").split():
        return ".".join(words[:-1])
    if not name.startswith("$"):
        return name.rpartition(".")[0]
    path: list[str] = []
    at = 0
    if name.startswith("$flatten"):
        while match := _SCOPE.match(name, at):
            path.append(match.group(1))
            at = match.end()
    return ".".join(path)
