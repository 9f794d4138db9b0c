"""From the names that mapping leaves to those of the RTL."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from spikewatt.synth.fpga.harness import ENTERING, LEAVING

__all__ = ["Kind", "Names"]

Kind = str
"""What a name is of: ``logic``, ``register``, ``memory``, ``multiplier``, ``input``, ``output``."""

_MADE_UP = re.compile(
    r"_(?:LUT4|CCU2C|PFUMX|L6MUX21|TRELLIS_FF|TRELLIS_DPR16X4|DP16KD|PDPW16KD|MULT18X18D|ALU54B"
    r"|SB_LUT4|SB_CARRY|SB_DFF\w*?|SB_RAM\w*?|SB_MAC16|SB_SPRAM256KA|TRELLIS_IO|SB_IO)"
    r"(?:_|$).*"
)
_OF_PLACER = re.compile(r"\$(?:TRELLIS_IO|SB_IO|CCU2|CARRY|PACKER|glb|nextpnr|nxt).*")
_GLOBAL = re.compile(r"^\$glbnet\$|_\$glb_clk$")
_INDEX = re.compile(r"\[\d+\]$")
_CELL_OF_PLACER = re.compile(r"_(?:DFFLC|LC|RAM|CARRY_LC)$|\$(?:CCU2|CARRY).*$")
_MEMORY = re.compile(r"\.(?:array|mem)\.\d+\.\d+.*$|\.(?:array|mem)$")
_UNSAID = {"logic", "sram"}
_PORTS = {"entering__": "input", "leaving__": "output"}


class Names:
    """Names of a mapped module, by net and by cell.

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
            if not net["hide_name"] and not name.startswith("$") and not _MADE_UP.search(name):
                for bit in net["bits"]:
                    self._of_bit[bit].append(name)
        self._register = {
            cell["connections"]["D" if "D" in cell["connections"] else "DI"][0]: cell
            for cell in self._cells.values()
            if cell["type"].startswith(("TRELLIS_FF", "SB_DFF"))
        }

    def net(self, name: str) -> str | None:
        """The signal of the RTL that a net is, or that it leads to; ``None``: none is told."""
        name = _OF_PLACER.sub("", _GLOBAL.sub("", name))
        if not name:
            return None
        index = _INDEX.search(name)
        bits = self._nets.get(name[: index.start()] if index else name, {}).get("bits", [])
        if index and int(index[0][1:-1]) < len(bits):
            bits = [bits[int(index[0][1:-1])]]
        return self._best(self._of_bit[bit] for bit in bits) or self._written(name)

    def element(self, cell: str, port: str) -> tuple[str, Kind] | None:
        """Name and kind of the memory, register or multiplier at an end of a path."""
        del port
        plain = _CELL_OF_PLACER.sub("", cell)
        found = self._cells.get(plain) or self._cells.get(cell)
        if found is None:
            return (self._said(_MEMORY.sub("", plain)), "memory") if _MEMORY.search(plain) else None
        kind, ends = found["type"], found["connections"]
        if kind.startswith(("SB_LUT4", "LUT4")):
            found = self._register.get(ends["O" if "O" in ends else "Z"][0])
            if found is None:
                return None
            kind, ends = found["type"], found["connections"]
        if kind.startswith(("TRELLIS_FF", "SB_DFF")):
            name = self._best([self._of_bit[ends["Q"][0]]]) or self._written(plain)
            return self._port(name) if name else None
        if "RAM" in kind or kind in ("DP16KD", "PDPW16KD", "TRELLIS_DPR16X4"):
            return self._said(_MEMORY.sub("", plain)), "memory"
        if kind in ("MULT18X18D", "SB_MAC16"):
            return self._written(plain) or plain, "multiplier"
        return None

    def _best(self, names: Iterable[list[str]]) -> str | None:
        """The deepest name, as it is there that people look; a harness's own before all."""
        found = [name for some in names for name in some]
        if not found:
            return None
        best = max(
            found, key=lambda n: (n.startswith((ENTERING, LEAVING)), n.count("."), -len(n), n)
        )
        return self._said(best)

    def _written(self, name: str) -> str | None:
        """The signal that a made-up name begins with."""
        plain = _MEMORY.sub("", _INDEX.sub("", _MADE_UP.sub("", name)))
        return self._said(plain) if plain and not plain.startswith("$") else None

    @staticmethod
    def _said(name: str) -> str:
        """A name without what every name has."""
        parts = name.removeprefix("core.").split(".")
        return ".".join(part for part in parts if part not in _UNSAID) or name

    @staticmethod
    def _port(name: str) -> tuple[str, Kind]:
        for prefix, kind in _PORTS.items():
            if name.startswith(prefix):
                return name.removeprefix(prefix).replace("__", "."), kind
        return name, "register"
