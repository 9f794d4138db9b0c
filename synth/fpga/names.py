"""From the names that mapping leaves to those of the RTL."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any, Literal

from spikewatt.synth.fpga.harness import ENTERING, LEAVING

__all__ = ["HOME", "Kind", "Names", "made_up"]

Kind = Literal["logic", "register", "memory", "multiplier", "input", "output"]
"""What a name is of; inputs and outputs are the registers of a `Harness`."""

HOME = "spikewatt_home"
"""Attribute of a signal in the module that makes it."""

# `autoname` calls what has no name after a neighbour: its name, the cell's type, the port.
_MADE_UP = re.compile(
    r"_(?:LUT4|CCU2C|PFUMX|L6MUX21|TRELLIS_\w+?|DP16KD|PDPW16KD|MULT18X18D|ALU54B|EHXPLLL"
    r"|SB_[A-Z]\w*?)(?:_.*)?$"
)
_MEMORY = re.compile(  # a memory's name, then that of its cells
    r"\.(?:array|mem)(?:\.\d+\.\d+.*)?$|\.block_\d+_\d+.*$"
)
_PLACED_NET = re.compile(
    r"^\$glbnet\$|\$glb_\w+$|_\$glb_\w+$|\$(?:TRELLIS_IO|SB_IO|CCU2|nextpnr).*$"
)
_PLACED_CELL = re.compile(r"(?:_DFFLC|_LC|_RAM|_DSP|_SPRAM)$|\$(?:CCU2|CARRY|nextpnr).*$")
_INDEX = re.compile(r"\[(\d+)\]$")
_AROUND = ("board.", "core.")  # what a core lies in
_UNSAID = {"logic", "sram"}  # wrappers that every name would have
_MEMORIES = ("DP16KD", "PDPW16KD", "TRELLIS_DPR16X4", "SB_RAM40", "SB_SPRAM256KA")
_MULTIPLIERS = ("MULT18X18D", "SB_MAC16")
_FLIP_FLOPS = ("TRELLIS_FF", "SB_DFF")
_PORTS: dict[str, Kind] = {ENTERING: "input", LEAVING: "output"}


def made_up(name: str) -> bool:
    """Whether yosys made a name of that of a signal or memory, and a cell's."""
    return bool(_MADE_UP.search(name) or _MEMORY.search(name))


class Names:
    """Names of a mapped module, by net and by cell, as nextpnr tells them.

    A signal has a name in each module that it passes. Told is the one in the module that makes it,
    which carries the attribute `HOME`; if that is gone the deepest.

    Parameters
    ----------
    module:
        The top module, as yosys's ``write_json`` writes it.
    """

    def __init__(self, module: Mapping[str, Any]) -> None:
        self._cells = module["cells"]
        self._nets = module["netnames"]
        self._of_bit: dict[int, list[str]] = defaultdict(list)
        for name, net in self._nets.items():
            if not ("$" in name or made_up(name)):
                for bit in net["bits"]:
                    self._of_bit[bit].append(name)
        self._taken_by = {  # an iCE40's cell holds a look-up table and its flip-flop, and one name
            cell["connections"]["D"][0]: cell
            for cell in self._cells.values()
            if cell["type"].startswith("SB_DFF")
        }

    def net(self, name: str) -> str | None:
        """The signal of the RTL that a net is, or that it is made for; ``None``: none is told."""
        name = _PLACED_NET.sub("", name)
        plain = _INDEX.sub("", name)
        bits = self._nets.get(plain, {"bits": []})["bits"]
        if (index := _INDEX.search(name)) and int(index[1]) < len(bits):
            bits = [bits[int(index[1])]]
        return self._best(bits) or _said(plain)

    def element(self, cell: str) -> tuple[str, Kind] | None:
        """Name and kind of the register, memory or multiplier that a placed cell is."""
        plain = _PLACED_CELL.sub("", cell)
        content = self._cells.get(plain)
        if content is not None and content["type"] == "SB_LUT4":
            content = self._taken_by.get(content["connections"]["O"][0])
        if content is None:
            return None
        kind, name = content["type"], _said(plain) or plain
        if kind.startswith(_MEMORIES):
            return name, "memory"
        if kind in _MULTIPLIERS:
            return name, "multiplier"
        if not kind.startswith(_FLIP_FLOPS):
            return None
        bit = content["connections"]["Q"][0]
        names = self._of_bit[bit]
        for prefix, way in _PORTS.items():
            if port := next((label for label in names if label.startswith(prefix)), None):
                return _said(port) or port, way
        return self._best([bit]) or name, "register"

    def _best(self, bits: Iterable[int]) -> str | None:
        labels = [name for bit in bits for name in self._of_bit[bit]]
        if not labels:
            return None
        return _said(max(labels, key=self._rank))

    def _rank(self, name: str) -> tuple[bool, int, int, str]:
        # Where the signal is made, then the deepest and the shortest name.
        return HOME in self._nets[name]["attributes"], name.count("."), -len(name), name


def _said(name: str) -> str | None:
    """A name as people write it: of a made-up one the signal, memory or module it begins with."""
    plain = _MEMORY.sub("", _MADE_UP.sub("", name))
    for prefix in (*_PORTS, *_AROUND):
        plain = plain.removeprefix(prefix)
    named = takewhile(lambda part: "$" not in part, plain.replace("__", ".").split("."))
    return ".".join(part for part in named if part not in _UNSAID) or None
