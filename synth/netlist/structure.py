"""Whether JSON has the shape of a netlist that yosys writes."""

from collections.abc import Iterator, Mapping
from typing import Any

from spikewatt.base.errors import NetlistError

__all__ = ["check_structure"]

_DIRECTIONS = ("input", "output", "inout")
_BITS = {"0", "1", "x", "z"}


def check_structure(content: Any) -> Mapping[str, Any]:
    """Modules of a file, every part in its place; parts that may be left out are filled in.

    Raises
    ------
    NetlistError
        Names the first part that is missing or not what it should be.
    """
    modules = _part(content, "modules", "the file")
    for name, module in modules.items():
        where = f"module {name}"
        for key in ("ports", "cells", "netnames", "attributes"):
            if isinstance(module, dict):
                module.setdefault(key, {})
            _part(module, key, where)
        for port, entry in module["ports"].items():
            _check_bits(entry, f"port {port} of {where}")
            if entry.get("direction") not in _DIRECTIONS:
                raise _wrong(f"direction of port {port} of {where}")
        for net, entry in module["netnames"].items():
            _check_bits(entry, f"net {net} of {where}")
            if not isinstance(entry.get("offset", 0), int):
                raise _wrong(f"offset of net {net} of {where}")
        for cell, entry in module["cells"].items():
            _check_cell(entry, f"cell {cell} of {where}")
    return modules


def _wrong(part: str) -> NetlistError:
    return NetlistError(f"not a netlist of yosys: {part} is missing or of a wrong kind")


def _part(holder: Any, key: str, where: str) -> dict[str, Any]:
    part = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(part, dict):
        raise _wrong(f"{key} of {where}")
    return part


def _check_bits(entry: Any, where: str) -> None:
    if not isinstance(entry, dict) or not _are_bits(entry.get("bits")):
        raise _wrong(f"bits of {where}")


def _are_bits(bits: Any) -> bool:
    return isinstance(bits, list) and all(
        # `bool` is an `int` too, and JSON has both.
        type(bit) is int or (isinstance(bit, str) and bit in _BITS)
        for bit in bits
    )


def _check_cell(entry: Any, where: str) -> None:
    connections = _part(entry, "connections", where)
    if not isinstance(entry.get("type"), str):
        raise _wrong(f"type of {where}")
    attributes = entry.setdefault("attributes", {})
    if not isinstance(attributes, dict) or not all(_texts(attributes)):
        raise _wrong(f"attributes of {where}")
    for pin, bits in connections.items():
        if not _are_bits(bits):
            raise _wrong(f"pin {pin} of {where}")


def _texts(attributes: Mapping[str, Any]) -> Iterator[bool]:
    return (isinstance(value, str) for value in attributes.values())
