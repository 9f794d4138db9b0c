"""Integrated clock gates as ordinary latch cells."""

from dataclasses import replace

from spikewatt.base.errors import LibraryError
from spikewatt.synth.liberty.function import parse_function
from spikewatt.synth.liberty.library import Cell, Latch

__all__ = ["expand_clock_gate"]

# Output by edge. A gate for rising edges rests low, one for falling edges rests high.
_OUTPUT = {"posedge": "{clock} & {go}", "negedge": "{clock} | !{go}"}
_OPEN = {"posedge": "!{clock}", "negedge": "{clock}"}


def expand_clock_gate(cell: Cell) -> Cell:
    """``cell`` with the latch and the output function that its ``clock_gate`` kind stands for.

    Kinds are Liberty's: ``latch_posedge`` passes rising edges and holds its enable while the clock
    is high, ``none_…`` has no latch; a test pin overrides the enable before (``…_precontrol``) or
    behind the latch (``…_postcontrol``), or where there is none (``…_control``). What the library
    itself says of the latch or of an output stays; any other cell comes back as it is.

    Raises
    ------
    LibraryError
        When the kind is not one of Liberty's or a pin that it needs is not marked.
    """
    if cell.clock_gate is None:
        return cell
    outputs = [pin for pin in cell.pins.values() if pin.gating == "out"]
    # What the library says of its cell goes before what its kind usually is.
    if outputs and all(pin.function for pin in outputs):
        return cell
    storage, edge, *control = [*cell.clock_gate.split("_"), ""]
    if storage not in ("latch", "none") or edge not in _OUTPUT or not outputs:
        raise LibraryError(
            f"cell {cell.name}: clock gate of kind {cell.clock_gate!r} has an unknown kind or no"
            " clock_gate_out_pin: give the output a function"
        )
    clock, enable = _quoted(cell, "clock"), _quoted(cell, "enable")
    state = _unused("enabled", cell)
    data, go = enable, state
    if "precontrol" in control or "control" in control:
        data = f"({enable} | {_quoted(cell, 'test')})"
    # Without a latch the enable must be stable while the clock is high: that is the design's care.
    if storage == "none":
        go = data
    if "postcontrol" in control:
        go = f"({go} | {_quoted(cell, 'test')})"
    function = parse_function(_OUTPUT[edge].format(clock=clock, go=go))
    latch = Latch(
        state=state,
        inverted=_unused(f"{state}_n", cell),
        data_in=parse_function(data),
        enable=parse_function(_OPEN[edge].format(clock=clock)),
    )
    return replace(
        cell,
        pins={**cell.pins, **{pin.name: replace(pin, function=function) for pin in outputs}},
        states=(latch,) if storage == "latch" else (),
    )


def _quoted(cell: Cell, part: str) -> str:
    for pin in cell.pins.values():
        if pin.gating == part:
            return f'"{pin.name}"'
    raise LibraryError(
        f"cell {cell.name}: clock gate of kind {cell.clock_gate!r} marks no pin as"
        f" clock_gate_{part}_pin: mark it, or give the output a function"
    )


def _unused(stem: str, cell: Cell) -> str:
    """``stem``, with as many underscores as make it no pin of ``cell``."""
    while stem in cell.pins:
        stem += "_"
    return stem
