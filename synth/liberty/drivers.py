"""Three-state drivers of a library, for yosys to map to."""

from collections.abc import Collection

from spikewatt.synth.liberty.library import Cell, Library

__all__ = ["three_state_cells"]

_INVERTED, _PLAIN = 0b01, 0b10
"""Truth tables of a function of one input."""


def three_state_cells(library: Library, left_out: Collection[str] = ()) -> str:
    """Verilog that makes the library's smallest driver of yosys's; empty if there is none."""
    usable = [cell for cell in library.cells.values() if cell.name not in left_out]
    found = [(cell.area, cell.name, text) for cell in usable if (text := _mapping(cell))]
    return min(found)[2] if found else ""


def _mapping(cell: Cell) -> str:
    """Yosys's driver as this cell; empty if it is another kind of cell."""
    outputs = [pin for pin in cell.pins.values() if pin.direction != "input"]
    if cell.states or cell.macro or cell.unusable or len(outputs) != 1 or len(cell.pins) != 3:
        return ""
    (output,) = outputs
    value, floats = output.function, output.three_state
    if value is None or floats is None or len(value.inputs) != 1 or len(floats.inputs) != 1:
        return ""
    data, enable = value.inputs[0], floats.inputs[0]
    if output.direction != "output" or data == enable:
        return ""
    # What is inverted here becomes an inverter, which mapping merges with the logic in front of it.
    a = "~A" if value.truth(value.inputs) == _INVERTED else "A"
    e = "~E" if floats.truth(floats.inputs) == _PLAIN else "E"
    return (
        "module \\$_TBUF_ (input A, input E, output Y);\n"
        f"  \\{cell.name} driver (.\\{data} ({a}), .\\{enable} ({e}), .\\{output.name} (Y));\n"
        "endmodule\n"
    )
