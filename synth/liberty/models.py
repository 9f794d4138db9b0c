"""Cells of a library as Verilog: behaviour for gate-level simulation, or ports alone."""

import re
from collections.abc import Iterable, Iterator

from spikewatt.base.errors import LibraryError
from spikewatt.synth.liberty.function import Function
from spikewatt.synth.liberty.gating import expand_clock_gate
from spikewatt.synth.liberty.library import Cell, FlipFlop, Latch, Library

__all__ = ["verilog_models", "verilog_stubs"]

_BIT = re.compile(r"(.+)\[(\d+)\]")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_BOTH = {"L": "1'b0", "H": "1'b1", "X": "1'bx"}
_RESERVED = """
    always and assign begin buf bufif0 bufif1 case casex casez cell config cmos deassign default
    defparam design disable edge else end endcase endconfig endfunction endgenerate endmodule
    endprimitive endspecify endtable endtask event for force forever fork function generate genvar
    highz0 highz1 if ifnone incdir include initial inout input instance integer join large liblist
    library localparam macromodule medium module nand negedge nmos nor noshowcancelled not notif0
    notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup
    pulsestyle_onevent pulsestyle_ondetect rcmos real realtime reg release repeat rnmos rpmos rtran
    rtranif0 rtranif1 scalared showcancelled signed small specify specparam strong0 strong1 supply0
    supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use
    vectored wait wand weak0 weak1 while wire wor xnor xor
"""
_KEYWORDS = frozenset(_RESERVED.split())


def verilog_models(library: Library, names: Iterable[str] | None = None) -> str:
    """Verilog-2001 of cells, without delays, for simulation of a mapped netlist.

    A state powers up ``x``. It is assigned without blocking, so that a clock reaches every cell,
    through gates and buffers, before any state moves.

    Parameters
    ----------
    names:
        Cells to write; every cell whose behaviour the library tells, where ``None``.

    Raises
    ------
    LibraryError
        When a cell of ``names`` is not in the library, or the library does not tell what it does.
    """
    if names is None:
        cells = [cell for cell in library.cells.values() if _is_known(cell)]
    else:
        cells = [_named(library, name) for name in dict.fromkeys(names)]
    return "\n".join(map(_model, cells))


def verilog_stubs(library: Library) -> str:
    """Verilog of all cells as black boxes: ports and their directions."""
    return "\n".join(
        "\n".join(["(* blackbox *)", *_head(cell), "endmodule", ""])
        for cell in library.cells.values()
    )


def _named(library: Library, name: str) -> Cell:
    cell = library.cells.get(name)
    if cell is None:
        raise LibraryError(f"library {library.name} has no cell {name}: use the netlist's library")
    if not _is_known(cell):
        raise LibraryError(
            f"library {library.name} does not tell what cell {name} does: write its model by hand"
        )
    return cell


def _is_known(cell: Cell) -> bool:
    """Whether all outputs have a function."""
    try:
        pins = expand_clock_gate(cell).pins.values()
    except LibraryError:
        return False
    return not (cell.macro or cell.unusable) and all(
        pin.function is not None
        for pin in pins
        if pin.direction == "output" and pin.gating != "obs"
    )


def _model(cell: Cell) -> str:
    cell = expand_clock_gate(cell)
    lines = _head(cell)
    for place, state in enumerate(cell.states):
        lines += _flip_flop(state, place) if isinstance(state, FlipFlop) else _latch(state)
    for pin in cell.pins.values():
        if pin.function is None or pin.direction == "internal":
            continue
        value = _verilog(pin.function)
        if pin.three_state is not None:
            # Liberty says when the output floats, and not when it drives.
            value = f"({_verilog(pin.three_state)}) ? 1'bz : {value}"
        lines.append(f"  assign {_reference(pin.name)} = {value};")
    return "\n".join([*lines, "endmodule", ""])


def _head(cell: Cell) -> list[str]:
    """The module's opening and its ports; the bits ``A[0]``, ``A[1]`` make one port ``A``."""
    ports: dict[str, tuple[str, list[int]]] = {}
    for pin in cell.pins.values():
        if pin.direction == "internal":
            continue
        match = _BIT.fullmatch(pin.name)
        base = match[1] if match else pin.name
        bits = ports.setdefault(base, (pin.direction, []))[1]
        if match:
            bits.append(int(match[2]))
    lines = [f"module {_escaped(cell.name)} ({', '.join(map(_escaped, ports))});"]
    for name, (direction, bits) in ports.items():
        width = f"[{max(bits)}:{min(bits)}] " if bits else ""
        lines.append(f"  {direction} {width}{_escaped(name)};")
    return lines


def _flip_flop(ff: FlipFlop, place: int) -> Iterator[str]:
    state, clock = _escaped(ff.state), f"spikewatt_clock{place or ''}"
    yield f"  reg {state};"
    yield from _inverse(ff)
    # A net of its own: an edge of an expression is not the same in every simulator.
    yield f"  wire {clock} = {_verilog(ff.clocked_on)};"
    free = [f"!({_verilog(f)})" for f in (ff.clear, ff.preset) if f is not None]
    # Asynchronous inputs win over an edge that comes while they hold.
    condition = f"if ({' && '.join(free)}) " if free else ""
    yield f"  always @(posedge {clock})"
    yield f"    {condition}{state} <= {_verilog(ff.next_state)};"
    if free:
        yield from _levels(ff, list(_forced(ff)), [ff.clear, ff.preset])


def _latch(latch: Latch) -> Iterator[str]:
    yield f"  reg {_escaped(latch.state)};"
    yield from _inverse(latch)
    levels = list(_forced(latch))
    if latch.enable is not None and latch.data_in is not None:
        levels.append((_verilog(latch.enable), _verilog(latch.data_in)))
    yield from _levels(latch, levels, [latch.clear, latch.preset, latch.enable, latch.data_in])


def _inverse(state: FlipFlop | Latch) -> Iterator[str]:
    value = f"~{_escaped(state.state)}"
    forced = _BOTH.get(state.both_inverted)
    if state.clear is not None and state.preset is not None and forced:
        both = f"({_verilog(state.clear)}) && ({_verilog(state.preset)})"
        value = f"({both}) ? {forced} : {value}"
    yield f"  wire {_escaped(state.inverted)} = {value};"


def _forced(state: FlipFlop | Latch) -> Iterator[tuple[str, str]]:
    """What clear and preset make of the state, the first that holds before the others."""
    clear = _verilog(state.clear) if state.clear else ""
    preset = _verilog(state.preset) if state.preset else ""
    name = _escaped(state.state)
    if clear and preset:
        both = _BOTH.get(state.both, name if state.both == "N" else f"~{name}")
        # First, since the states below hold only where the other input does not.
        yield f"({clear}) && ({preset})", both
    if clear:
        yield clear, "1'b0"
    if preset:
        yield preset, "1'b1"


def _levels(
    state: FlipFlop | Latch, levels: list[tuple[str, str]], reads: list[Function | None]
) -> Iterator[str]:
    """A process that also looks at time zero, which ``always @*`` may sleep through."""
    sources = dict.fromkeys(name for f in reads if f is not None for name in f.inputs)
    names = [_reference(name) for name in sources if name not in (state.state, state.inverted)]
    yield "  always begin"
    for place, (condition, value) in enumerate(levels):
        start = "if" if place == 0 else "else if"
        yield f"    {start} ({condition}) {_escaped(state.state)} <= {value};"
    # Behind the first look: at time zero nothing has changed yet.
    yield f"    @({' or '.join(names)});" if names else "    wait (0);"
    yield "  end"


def _verilog(function: Function) -> str:
    return function.text(_reference, "~", "1'b{}")


def _reference(name: str) -> str:
    match = _BIT.fullmatch(name)
    return f"{_escaped(match[1])}[{match[2]}]" if match else _escaped(name)


def _escaped(name: str) -> str:
    if _PLAIN.fullmatch(name) and name not in _KEYWORDS:
        return name
    return f"\\{name} "
