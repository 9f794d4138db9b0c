"""Netlists in yosys's JSON, written by hand."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Instance, Netlist
from spikewatt.synth.netlist.reader import read_netlist
from tests.synth.sparse_library import SPARSE

__all__ = ["cell", "instance", "module", "named", "net", "port", "read", "sparse", "write"]

Bits = Iterable[int | str]


def sparse(folder: Path) -> Library:
    path = folder / "sparse.lib"
    path.write_text(SPARSE)
    return read_liberty(path)


def port(direction: str, *bits: int | str) -> dict[str, Any]:
    return {"direction": direction, "bits": list(bits)}


def net(*bits: int | str, **more: Any) -> dict[str, Any]:
    return {"hide_name": 0, "bits": list(bits), "attributes": {}, **more}


def cell(kind: str, /, attributes: Mapping[str, str] | None = None, **pins: Bits) -> dict[str, Any]:
    return {
        "hide_name": 0,
        "type": kind,
        "parameters": {},
        "attributes": dict(attributes or {}),
        "connections": {pin: list(bits) for pin, bits in pins.items()},
    }


def module(
    ports: Mapping[str, Any] | None = None,
    cells: Mapping[str, Any] | None = None,
    nets: Mapping[str, Any] | None = None,
    **attributes: str,
) -> dict[str, Any]:
    """A module; every port is a net of its name too."""
    ports = dict(ports or {})
    names = {name: net(*entry["bits"]) for name, entry in ports.items()}
    return {
        "attributes": attributes,
        "ports": ports,
        "cells": dict(cells or {}),
        "netnames": {**names, **(nets or {})},
    }


def write(folder: Path, /, **modules: Any) -> Path:
    path = folder / "netlist.json"
    path.write_text(json.dumps({"creator": "by hand", "modules": modules}))
    return path


def read(folder: Path, chosen: str | None = None, /, **modules: Any) -> Netlist:
    return read_netlist(write(folder, **modules), sparse(folder), top=chosen)


def named(netlist: Netlist, name: str) -> int:
    """The net of a name."""
    (found,) = [at for at, names in enumerate(netlist.names) if name in names]
    return found


def instance(netlist: Netlist, name: str) -> Instance:
    (found,) = [one for one in netlist.instances if one.name == name]
    return found
