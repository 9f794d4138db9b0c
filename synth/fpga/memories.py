"""Where the memories of a design went: into block RAM, or into what logic is made of."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from spikewatt.base.cache import cached
from spikewatt.base.progress import Progress, silent
from spikewatt.synth.fpga.devices import Device
from spikewatt.synth.fpga.flow import Design, map_fpga
from spikewatt.synth.sources import read_sources
from spikewatt.synth.yosys import run_yosys, yosys_version

__all__ = ["Place", "PlacedMemory", "place_memories"]

# Before yosys takes small ones for registers (mem2reg), so that none is missing.
_SCRIPT = """\
{sources}
hierarchy -top {top}
proc
flatten
memory_collect
opt_clean
write_json memories.json
"""


class Place(StrEnum):
    """What holds a memory."""

    BLOCK = "block RAM"
    SINGLE_PORT = "single-port RAM"
    TABLES = "look-up tables"
    REGISTERS = "flip-flops"


_CELLS = {
    "DP16KD": Place.BLOCK,
    "SB_RAM40_4K": Place.BLOCK,
    "SB_SPRAM256KA": Place.SINGLE_PORT,
    "TRELLIS_DPR16X4": Place.TABLES,
}


@dataclass(frozen=True)
class PlacedMemory:
    """A memory of the RTL: its size, what holds it, and how many cells of that there are.

    ``cells`` is 0 in flip-flops.
    """

    name: str
    rows: int
    bits: int
    place: Place
    cells: int


def place_memories(
    design: Design, top: str, device: Device, *, progress: Progress = silent
) -> list[PlacedMemory]:
    """Memories of a design by their names in the RTL, and where mapping to a device puts each.

    Instances of a RAM cell that the RTL names itself are no memories of the RTL: they are listed
    behind these by the names of their instances, 0 rows of 0 bits.

    Raises
    ------
    ToolError
        yosys is missing, or fails.
    """
    netlist = map_fpga(design, top, device, progress=progress) / "netlist.json"
    cells = json.loads(netlist.read_text())["modules"][top]["cells"]
    ram = {name: _CELLS[cell["type"]] for name, cell in cells.items() if cell["type"] in _CELLS}
    placed = []
    for name, (rows, bits) in sorted(_memories(design, top, progress).items()):
        # yosys names the cells of a memory after it, with their row and column.
        own = [cell for cell in ram if re.fullmatch(rf"{re.escape(name)}\.\d+\.\d+", cell)]
        places = {ram.pop(cell) for cell in own} or {Place.REGISTERS}
        # Where a memory is split, the worse half counts: block RAM comes first in `Place`.
        placed.append(PlacedMemory(name, rows, bits, max(places, key=list(Place).index), len(own)))
    return placed + [PlacedMemory(name, 0, 0, place, 1) for name, place in sorted(ram.items())]


def _memories(design: Design, top: str, progress: Progress) -> dict[str, tuple[int, int]]:
    """Rows and bits of every memory of the RTL."""
    sources = read_sources(design)
    commands = sources.reading(top).replace("read_verilog", "read_verilog -nomem2reg")
    script = _SCRIPT.format(sources=commands, top=top)

    def build(folder: Path) -> None:
        progress("looking for memories")
        sources.write(folder)
        run_yosys(script, folder, progress=progress)

    content = [script, *sources.content]
    kept = cached("memories", content, build, tools={"yosys": yosys_version()}) / "memories.json"
    cells = json.loads(kept.read_text())["modules"][top]["cells"].values()
    return {
        cell["parameters"]["MEMID"].removeprefix("\\"): (
            int(cell["parameters"]["SIZE"], 2),
            int(cell["parameters"]["WIDTH"], 2),
        )
        for cell in cells
        if cell["type"] == "$mem_v2"
    }
