"""Our netlists as Verilog that any tool reads: cells, and a black box for each memory.

yosys writes a memory as processes, which are no structural Verilog. Here it is an instance of
`MEMORY` with a number, and what it is stands in an attribute of it; models of these modules, for
simulation, come in a file of their own.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikewatt.base.progress import Progress
from spikewatt.synth.netlist.memories import MEMORY, memory_parameters
from spikewatt.synth.yosys import run_yosys

__all__ = ["MODELS", "write_own_verilog"]

MODELS = "memories.v"
"""Ends the name of the file with models, which begins as that of the netlist."""

# Of a structural netlist nothing hangs on signs, and OpenSTA reads none.
_SIGNED = re.compile(r"^(\s*(?:input|output|inout|wire|reg)) signed ", re.MULTILINE)
_INSTANCE = re.compile(rf"^( *){MEMORY} #\(\n(.*?)\n *\) (\\\S+ |\w+) \(", re.MULTILINE | re.DOTALL)
_PARAMETER = re.compile(r"\.(\w+)\((.*)\),?$", re.MULTILINE)
_CONSTANT = re.compile(r"(\d+)'s?([bdh])([0-9a-fxzA-F]+)")
# Pins of a read port, and the parameter that is the width of each.
_PORTS = {"ADDR": "ABITS", "DATA": "WIDTH", "CLK": "", "EN": "", "ARST": "", "SRST": ""}
_IDLE = {"EN": "1", "ARST": "0", "SRST": "0"}


def write_own_verilog(folder: Path, progress: Progress) -> None:
    """Make ``netlist.v``, as yosys wrote it, structural, with models of its memories beside it."""
    path = folder / "netlist.v"
    kinds: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        described = " ".join(
            f"{name}={bits}" for name, bits in _parameters(match[2]).items() if bits.strip("x")
        )
        name = kinds.setdefault(described, f"{MEMORY}_{len(kinds)}")
        return f'{match[1]}(* {MEMORY} = "{described}" *)\n{match[1]}{name} {match[3]}('

    text = _SIGNED.sub(r"\1 ", path.read_text())
    path.write_text(_INSTANCE.sub(rename, text))
    if kinds:
        modules = {name: _module(memory_parameters(text)) for text, name in kinds.items()}
        (folder / "memories.json").write_text(json.dumps({"modules": modules}))
        script = f"read_json memories.json\nwrite_verilog -noattr netlist_{MODELS}\n"
        run_yosys(script, folder, progress=progress)


def _parameters(text: str) -> dict[str, str]:
    """Parameters of an instance, those that are numbers, as bits."""
    constants = ((name, _CONSTANT.fullmatch(value)) for name, value in _PARAMETER.findall(text))
    return {name: _bits(int(m[1]), m[2], m[3].lower()) for name, m in constants if m is not None}


def _bits(width: int, base: str, digits: str) -> str:
    if base == "d":
        return f"{int(digits):0{width}b}"[-width:]
    if base == "h":
        digits = "".join(4 * each if each in "xz" else f"{int(each, 16):04b}" for each in digits)
    fill = digits[0] if digits[0] in "xz" else "0"
    return digits.rjust(width, fill)[-width:]


def _module(parameters: Mapping[str, str]) -> dict[str, Any]:
    """A module that holds a memory and nothing else, in yosys's JSON."""
    ports: dict[str, Any] = {}
    connections: dict[str, list[int | str]] = {}
    bit = 2  # yosys keeps 0 and 1 for constants
    for kind, names in (("RD", _PORTS), ("WR", ("ADDR", "DATA", "CLK", "EN"))):
        count = int(parameters[f"{kind}_PORTS"], 2)
        for name in names:
            width = count * (int(parameters[_PORTS[name]], 2) if _PORTS[name] else 1)
            if (kind, name) == ("WR", "EN"):
                width = count * int(parameters["WIDTH"], 2)
            bits = list(range(bit, bit + width))
            bit += width
            direction = "output" if (kind, name) == ("RD", "DATA") else "input"
            ports[f"{kind}_{name}"] = {"direction": direction, "bits": bits}
            inside: list[int | str] = list(bits)
            if kind == "RD" and name in _IDLE:
                # Of a port without a clock yosys asks for constants.
                clocked = parameters["RD_CLK_ENABLE"][::-1]
                inside = [
                    b if c == "1" else _IDLE[name] for b, c in zip(bits, clocked, strict=True)
                ]
            connections[f"{kind}_{name}"] = inside
    _share_clocks(parameters, connections)
    return {
        "ports": ports,
        "cells": {
            "memory": {
                "type": "$mem_v2",
                "parameters": parameters,
                "attributes": {},
                "port_directions": {name: port["direction"] for name, port in ports.items()},
                "connections": connections,
            }
        },
        "netnames": {name: {"bits": port["bits"]} for name, port in ports.items()},
    }


def _share_clocks(
    parameters: Mapping[str, str], connections: Mapping[str, list[int | str]]
) -> None:
    """Give ports that look at each other one clock, as yosys asks: theirs are the same outside."""
    writes = int(parameters["WR_PORTS"], 2)
    read_clocks, write_clocks = connections["RD_CLK"], connections["WR_CLK"]
    for mask, own in (
        ("RD_TRANSPARENCY_MASK", read_clocks),
        ("RD_COLLISION_X_MASK", read_clocks),
        ("WR_PRIORITY_MASK", write_clocks),
    ):
        # A bit for each port and each write port that it looks at, the first ones lowest.
        for place, bit in enumerate(reversed(parameters[mask])):
            if bit == "1":
                old, new = own[place // writes], write_clocks[place % writes]
                for clocks in (read_clocks, write_clocks):
                    clocks[:] = [new if each == old else each for each in clocks]
