"""The cells of clockless circuits as gates of a library: buffers, chains of buffers, NAND gates.

Every delay is a chain of the library's smallest buffer, as many as the delay asks for. The last
net of a chain, and the two nets of a mutual-exclusion element, carry the attribute
``spikewatt_recorded``: whoever replays the netlist takes them from the waveform, for what the
chain's delay and the crossed gates make of their inputs depends on time.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from statistics import median

from spikewatt.base.errors import LibraryError, NetlistError
from spikewatt.synth.liberty.library import Cell, FlipFlop, Library, Pin, Table
from spikewatt.synth.netlist.netlist import Netlist

__all__ = [
    "NOT_GATED",
    "ChainCells",
    "asic_cells",
    "chain_cells",
    "check_not_gated",
    "is_clockless",
]

_CELLS = "click_fire|click_delay|click_mutex"
NOT_GATED = """\
select -set clicked */t:*click_fire* %x1:+[y] */w:* %i %x1:+[C] */t:$_*DFF* %i
dffunmap -ce-only @clicked
"""
"""Commands for yosys: what a click clocks holds its state by multiplexers, not by a gated clock."""
REGISTER = 32
"""Flip-flops that a click clocks, as a rule: a packet."""
SETTLED = 30
"""Buffers into a chain after which slews no longer change."""

# Nothing that is kept is optimised away, and no mapper looks through a module that stays one. By
# their `hdlname` all gates count as parts of the cell, not of a step.
_VERILOG = """\
(* keep, keep_hierarchy *)
module click_fire #(parameter D = 1) (input a, (* spikewatt_recorded = "fire" *) output y);
  localparam N = 1000 * D > {driver_fs} ? (1000 * D - {driver_fs} + {step_fs} - 1) / {step_fs} : 0;
  (* keep *) wire [N:0] n;
  assign n[0] = a;
  genvar k;
  generate
    for (k = 0; k < N; k = k + 1) begin : step
      (* keep, hdlname = "gate" *)
      \\{buffer} gate (.\\{buffer_in} (n[k]), .\\{buffer_out} (n[k + 1]));
    end
  endgenerate
  (* keep *) \\{driver} driver (.\\{driver_in} (n[N]), .\\{driver_out} (y));
endmodule

(* keep, keep_hierarchy *)
module click_delay #(parameter D = 1) (input a, (* spikewatt_recorded = "delay" *) output y);
  localparam N = 1000 * D > {step_fs} ? (1000 * D + {step_fs} - 1) / {step_fs} : 1;
  (* keep *) wire [N:0] n;
  assign n[0] = a, y = n[N];
  genvar k;
  generate
    for (k = 0; k < N; k = k + 1) begin : step
      (* keep, hdlname = "gate" *)
      \\{buffer} gate (.\\{buffer_in} (n[k]), .\\{buffer_out} (n[k + 1]));
    end
  endgenerate
endmodule

(* keep, keep_hierarchy *)
module click_mutex #(parameter D = 1) (input r0, input r1, output g0, output g1);
  (* keep, spikewatt_recorded = "mutex" *) wire x;
  (* keep, spikewatt_recorded = "mutex" *) wire y;
  (* keep *) \\{nand} first (.\\{nand_a} (r0), .\\{nand_b} (y), .\\{nand_out} (x));
  (* keep *) \\{nand} second (.\\{nand_a} (r1), .\\{nand_b} (x), .\\{nand_out} (y));
  wire first_is_low = ~x & y, second_is_low = ~y & x;
  (* keep *) \\{driver} first_driver (.\\{driver_in} (first_is_low), .\\{driver_out} (g0));
  (* keep *) \\{driver} second_driver (.\\{driver_in} (second_is_low), .\\{driver_out} (g1));
endmodule
"""


@dataclass(frozen=True)
class ChainCells:
    """What delays are made of.

    Parameters
    ----------
    buffer, driver:
        The gate of which chains are made, and the one that drives a packet's flip-flops.
    step_s:
        Delay of a buffer within a chain, mean of rise and fall.
    driver_s:
        What the driver adds to a chain, with `REGISTER` flip-flops behind it.
    """

    buffer: Cell
    driver: Cell
    nand: Cell
    step_s: float
    driver_s: float


def chain_cells(library: Library, left_out: Collection[str] = ()) -> ChainCells:
    """Choose the smallest buffer and NAND gate, and the driver that is soonest behind the buffer.

    Raises
    ------
    LibraryError
        The library has no buffer, NAND gate or flip-flop, or no delays of its buffers.
    """
    usable = [cell for cell in library.cells.values() if cell.name not in left_out]
    buffers = sorted((cell for cell in usable if _is_gate(cell, 1, 0b10)), key=_size)
    nands = sorted((cell for cell in usable if _is_gate(cell, 2, 0b0111)), key=_size)
    # What a click has to drive: the median flip-flop's clock pin stands for all.
    clocks = [
        pin.capacitance
        for cell in usable
        if isinstance(cell.sequential, FlipFlop) and not cell.clock_gate
        for pin in cell.pins.values()
        if pin.name in cell.sequential.clocked_on.inputs
    ]
    for cells, kind in ((buffers, "buffer"), (nands, "NAND gate"), (clocks, "flip-flop")):
        if not cells:
            raise _lacks(library, kind)
    timed = [cell for cell in buffers if _tables(cell) is not None]
    if not timed:
        raise _lacks(library, "buffer with delays")
    small, load = timed[0], REGISTER * median(clocks)
    step, slews = _steady(small)

    # A chain ends in another load than it has inside: the last buffer's delay is counted with the
    # driver's.
    def behind(driver: Cell) -> float:
        first, edges = _stage(small, slews, _inputs(driver)[0].capacitance)
        second, _ = _stage(driver, edges, load)
        return first - step + second

    driver = min(timed, key=behind)
    return ChainCells(small, driver, nands[0], step, behind(driver))


def asic_cells(library: Library, left_out: Collection[str] = ()) -> str:
    """Verilog of the cells of clockless circuits, made of gates of ``library``.

    A chain has as many buffers as its delay asks for, one at least, by their typical delay within
    a chain. ``click_mutex`` has the delay of its gates: its filter is left to the mapper, and its
    grants are driven as a click is, for they select a packet.

    Parameters
    ----------
    left_out:
        Names of cells not to use.

    Raises
    ------
    LibraryError
        The library has no buffer, NAND gate or flip-flop, or no delays of its buffers.
    """
    cells = chain_cells(library, left_out)
    first, second = (pin.name for pin in _inputs(cells.nand))
    return _VERILOG.format(
        buffer=cells.buffer.name,
        buffer_in=_inputs(cells.buffer)[0].name,
        buffer_out=_output(cells.buffer).name,
        driver=cells.driver.name,
        driver_in=_inputs(cells.driver)[0].name,
        driver_out=_output(cells.driver).name,
        nand=cells.nand.name,
        nand_a=first,
        nand_b=second,
        nand_out=_output(cells.nand).name,
        step_fs=max(1, round(cells.step_s * 1e15)),
        driver_fs=max(0, round(cells.driver_s * 1e15)),
    )


def is_clockless(texts: Iterable[str]) -> bool:
    """Whether Verilog has instances of the cells, and does not define them itself."""
    texts = list(texts)
    # Models that come with the design go before ours.
    asked = any(re.search(rf"\b(?:{_CELLS})\b", text) for text in texts)
    return asked and not any(re.search(rf"\bmodule\s+(?:{_CELLS})\b", text) for text in texts)


def check_not_gated(netlist: Netlist, library: Library) -> None:
    """Raise if a clock gate stands behind a click, which is no clock."""
    clicks = {net for net, kind in netlist.recorded.items() if kind == "fire"}
    for cell in netlist.instances if clicks else ():
        if library.cells[cell.type].clock_gate and not clicks.isdisjoint(cell.pins.values()):
            raise NetlistError(
                f"clock gate {cell.name} stops a click, which is no clock: keep the flip-flops "
                "that have an enable in the module of their click_fire"
            )


def _lacks(library: Library, kind: str) -> LibraryError:
    return LibraryError(
        f"library {library.name} has no {kind}, which the cells of clockless circuits are made of: "
        "take a library that has, or the built-in one"
    )


def _inputs(cell: Cell) -> list[Pin]:
    return [pin for pin in cell.pins.values() if pin.direction == "input"]


def _output(cell: Cell) -> Pin:
    return next(pin for pin in cell.pins.values() if pin.direction == "output")


def _is_gate(cell: Cell, inputs: int, truth: int) -> bool:
    """Whether a cell is a plain gate of this truth table, with no other pins."""
    outputs = [pin for pin in cell.pins.values() if pin.direction == "output"]
    if cell.sequential or cell.clock_gate or cell.macro or len(cell.pins) != inputs + 1:
        return False
    if len(outputs) != 1 or outputs[0].three_state or outputs[0].function is None:
        return False
    function = outputs[0].function
    return len(function.inputs) == inputs and function.truth(function.inputs) == truth


def _size(cell: Cell) -> tuple[float, float, str]:
    return cell.area, sum(pin.capacitance for pin in _inputs(cell)), cell.name


def _tables(cell: Cell) -> list[tuple[Table, Table]] | None:
    """Delay and transition of a buffer's rising and falling edge."""
    for arc in _output(cell).timing:
        edges = (
            (arc.cell_rise, arc.rise_transition),
            (arc.cell_fall, arc.fall_transition),
        )
        pairs = [(a, b) for a, b in edges if a is not None and b is not None]
        if len(pairs) == 2:
            return pairs
    return None


def _stage(cell: Cell, slews: Iterable[float], load: float) -> tuple[float, list[float]]:
    """Mean delay of a buffer's edges, s, and their slews behind it."""
    tables = _tables(cell)
    assert tables is not None
    pairs = list(zip(tables, slews, strict=True))
    delay = sum(float(table.at(slew, load)) for (table, _), slew in pairs) / 2
    return delay, [float(table.at(slew, load)) for (_, table), slew in pairs]


def _steady(buffer: Cell) -> tuple[float, list[float]]:
    """Delay and slews of a buffer in the midst of a long chain of its like."""
    load = _inputs(buffer)[0].capacitance
    delay, slews = 0.0, [0.0, 0.0]
    # From step edges on: what a chain makes of any slew is the same after a while.
    for _ in range(SETTLED):
        delay, slews = _stage(buffer, slews, load)
    return delay, slews
