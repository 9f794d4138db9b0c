"""Names for registers of which a library stores the inverse alone.

ASAP7's flip-flops with a reset have no output but ``QN``. Mapping puts an inverter behind it, whose
output has the register's name, and then takes the inverter into the logic: nothing would be left
that a waveform of the RTL shows. So the flip-flop's own net gets the name with `INVERSE` before it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spikewatt.synth.liberty.library import Cell, FlipFlop, Latch, Library
from spikewatt.synth.netlist.names import INVERSE, bit_names, is_hidden

__all__ = ["inverted_cells", "name_inverses"]

_INVERTED = 0b01
"""Truth table of an inverter."""


def inverted_cells(library: Library, left_out: frozenset[str]) -> dict[str, list[str]]:
    """Cells that show the inverse of what they took in, and not that itself; and their pins."""
    cells = (cell for cell in library.cells.values() if cell.name not in left_out)
    return {cell.name: pins for cell in cells if (pins := _inverted_pins(cell))}


def _inverted_pins(cell: Cell) -> list[str]:
    """Outputs that show the inverse of what was taken in, if no other shows that itself."""
    state = cell.sequential
    taken = None
    if isinstance(state, FlipFlop):
        taken = state.next_state
    elif isinstance(state, Latch):
        taken = state.data_in
    if state is None or taken is None or len(cell.states) > 1 or len(taken.inputs) != 1:
        return []
    stored_inverted = taken.truth(taken.inputs) == _INVERTED
    inverted: list[str] = []
    for name, pin in cell.pins.items():
        if pin.direction != "output" or pin.function is None:
            continue
        tree = pin.function.tree
        shows = tree == ("pin", state.state)
        if not shows and tree not in (("pin", state.inverted), ("not", ("pin", state.state))):
            continue
        if shows != stored_inverted:
            return []
        inverted.append(name)
    return inverted


def name_inverses(path: Path, cells: Mapping[str, list[str]]) -> Iterator[str]:
    """Commands of yosys that rename nets of a netlist in JSON, whose inverters are still there."""
    for name, module in json.loads(path.read_text())["modules"].items():
        renamed = list(_renamed(module, cells))
        if renamed:
            yield f"cd {name}"
            yield from (f"rename {old} \\{new}" for old, new in renamed)
            yield "cd .."


def _renamed(
    module: Mapping[str, Any], cells: Mapping[str, list[str]]
) -> Iterator[tuple[str, str]]:
    """Names of nets behind inverting outputs of flip-flops, and the names that they get."""
    public: dict[int, str] = {}
    hidden: dict[int, str] = {}
    for name, net in module["netnames"].items():
        if not is_hidden(name, net):
            labels = zip(net["bits"], bit_names(name, net), strict=True)
            public |= {bit: label for bit, label in labels if bit not in public}
        elif len(net["bits"]) == 1:
            hidden[net["bits"][0]] = name
    inverters = {
        cell["connections"]["A"][0]: cell["connections"]["Y"][0]
        for cell in module["cells"].values()
        if cell["type"] == "$_NOT_"
    }
    taken = set(module["netnames"])
    for cell in module["cells"].values():
        for pin in cells.get(cell["type"], ()):
            for bit in cell["connections"].get(pin, ()):
                label = public.get(inverters.get(bit, -1))
                if label is None or bit in public or bit not in hidden:
                    continue
                new = f"{INVERSE}{label}"
                # A name with a space, as Verilog may have it, is two words to yosys.
                if new not in taken and " " not in new:
                    taken.add(new)
                    yield hidden[bit], new
