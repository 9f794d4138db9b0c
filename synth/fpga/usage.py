"""What a placed design takes, from the logs and reports of place and route."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikewatt.synth.fpga.devices import Device, Family
from spikewatt.synth.fpga.harness import ENTERING, LEAVING
from spikewatt.synth.fpga.names import made_up

__all__ = ["Usage", "count_usage", "too_large"]

_LUT_CELL = {"ecp5": "LUT4", "ice40": "SB_LUT4"}
_FLIP_FLOP = {"ecp5": "TRELLIS_FF", "ice40": "SB_DFF"}
_BLOCKS = {
    "ecp5": {"bram": ("DP16KD",), "spram": (), "dsp": ("MULT18X18D",)},
    "ice40": {"bram": ("ICESTORM_RAM",), "spram": ("ICESTORM_SPRAM",), "dsp": ("ICESTORM_DSP",)},
}
_NAMES = {
    "ICESTORM_LC": "logic cells",
    "TRELLIS_COMB": "look-up tables",
    "TRELLIS_FF": "flip-flops",
    "TRELLIS_RAMW": "RAM write ports",
    "DP16KD": "block RAMs",
    "ICESTORM_RAM": "block RAMs",
    "ICESTORM_SPRAM": "single-port RAMs",
    "MULT18X18D": "multipliers",
    "ICESTORM_DSP": "multipliers",
    "TRELLIS_IO": "pins",
    "SB_IO": "pins",
}
_UTILISATION = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a design takes of its device, without the registers of a harness.

    Parameters
    ----------
    lut4, lut4_logic, lut4_carry, lut4_ram:
        Look-up tables that place and route uses: in all, for logic, as carry chains, as memories.
        On ECP5 a carry cell takes two; on iCE40 one that shares its cell with logic takes none.
    lut_cells:
        Look-up tables of the mapped netlist, without carry cells and memories.
    ff, bram, spram, dsp:
        Flip-flops, block RAMs, single-port RAMs, multipliers.
    """

    lut4: int
    lut4_logic: int
    lut4_carry: int
    lut4_ram: int
    lut_cells: int
    ff: int
    bram: int
    spram: int
    dsp: int


def count_usage(family: Family, netlist: Mapping[str, Any], report: Path, log: str) -> Usage:
    """Count what a module of a mapped netlist and nextpnr's report and log tell.

    Parameters
    ----------
    netlist:
        The top module, as yosys's ``write_json`` writes it.
    """
    used = {
        name: entry["used"] for name, entry in json.loads(report.read_text())["utilization"].items()
    }
    kinds = Counter(cell["type"] for cell in netlist["cells"].values())
    blocks = {
        name: sum(used.get(kind, 0) for kind in kinds_of)
        for name, kinds_of in _BLOCKS[family].items()
    }
    logic, carry, ram = (_ecp5_tables if family == "ecp5" else _ice40_tables)(log, used)
    flip_flops = sum(n for kind, n in kinds.items() if kind.startswith(_FLIP_FLOP[family]))
    return Usage(
        lut4=logic + carry + ram,
        lut4_logic=logic,
        lut4_carry=carry,
        lut4_ram=ram,
        lut_cells=kinds[_LUT_CELL[family]],
        ff=flip_flops - _of_harness(family, netlist),
        **blocks,
    )


def _ecp5_tables(log: str, used: Mapping[str, int]) -> tuple[int, int, int]:
    """Look-up tables for logic, carries and memories."""
    del used
    # A memory of look-up tables takes some for its words and some for its write port.
    ram = _number(r"RAM LUTs:\s+(\d+)/", log) + _number(r"RAMW LUTs:\s+(\d+)/", log)
    return _number(r"logic LUTs:\s+(\d+)/", log), _number(r"carry LUTs:\s+(\d+)/", log), ram


def _ice40_tables(log: str, used: Mapping[str, int]) -> tuple[int, int, int]:
    """The same; logic cells that are neither for logic nor for a flip-flop alone hold carries."""
    # nextpnr says how a logic cell is used, not for what: carries are what is left over.
    logic = _number(r"(\d+) LCs used as LUT4 only", log)
    logic += _number(r"(\d+) LCs used as LUT4 and DFF", log)
    flip_flops = _number(r"(\d+) LCs used as DFF only", log)
    return logic, used["ICESTORM_LC"] - flip_flops - logic, 0


def _number(pattern: str, log: str) -> int:
    match = re.search(rf"^Info:\s+{pattern}", log, re.MULTILINE)
    return int(match[1]) if match else 0


def _of_harness(family: Family, netlist: Mapping[str, Any]) -> int:
    """Flip-flops that hold the registers of a harness."""
    # Harness registers are told by the names of their bits, which survive mapping.
    registers = {
        bit
        for name, net in netlist["netnames"].items()
        if name.startswith((ENTERING, LEAVING)) and not made_up(name)
        for bit in net["bits"]
    }
    return sum(
        cell["type"].startswith(_FLIP_FLOP[family])
        and not registers.isdisjoint(cell["connections"]["Q"])
        for cell in netlist["cells"].values()
    )


def too_large(log: str, design: str, device: Device) -> str | None:
    """What of a device a design has too much of, in one line; ``None`` if its log tells nothing."""
    exceeded = [
        (name, int(used), int(available))
        for name, used, available in _UTILISATION.findall(log)
        if int(used) > int(available)
    ]
    if not exceeded:
        return None
    over = ", ".join(f"{used:,} of {n:,} {_NAMES.get(name, name)}" for name, used, n in exceeded)
    return (
        f"{design} does not fit {device.family} {device.name}: it takes {over}; "
        "choose a smaller core or a larger --device"
    )
