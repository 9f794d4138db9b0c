"""A netlist as flat Verilog with a delay on every gate, and the bench that drives it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetlistError
from spikewatt.synth.liberty.gating import expand_clock_gate
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import ONE, ZERO, Netlist

__all__ = ["DUMP", "TICK_S", "Playback", "bench_verilog", "gates_verilog", "outputs_of"]

TICK_S = 1e-12
"""Resolution of the simulation, s: delays are rounded to it."""
DUMP = "gates.vcd"
"""What the simulation writes."""
_SCALE = "`timescale 1ps/1ps"


@dataclass(frozen=True)
class Playback:
    """What drives a simulation: values of nets over time.

    Parameters
    ----------
    times:
        int64[records], ticks of ``TICK_S`` from the beginning, ascending, the first 0.
    clocks, others:
        Nets that change first at a time, and those that change with the flip-flops.
    bits:
        bool[records, clocks + others].
    states:
        Value of each flip-flop or latch at the beginning, by the instance's index and the name that
        its cell gives the state.
    settled:
        Tick before the second record at which everything has settled.
    begin, end:
        Ticks between which toggles count.
    """

    times: NDArray[np.int64]
    clocks: Sequence[int]
    others: Sequence[int]
    bits: NDArray[np.bool_]
    states: Mapping[tuple[int, str], bool]
    settled: int
    begin: int
    end: int


def _name(net: int) -> str:
    return {ZERO: "1'b0", ONE: "1'b1"}.get(net, f"n{net}")


def gates_verilog(
    netlist: Netlist,
    library: Library,
    delays: NDArray[np.int64],
    driven: Mapping[int, int],
    states: Mapping[tuple[int, str], bool],
    release: int,
) -> str:
    """Module ``gates``: nets ``n2``, ``n3``, …, behind the cells' outputs by their delays.

    Delays are inertial, as those of continuous assignments are: a pulse shorter than the delay
    does not come through.

    Parameters
    ----------
    delays:
        int64[nets, 2], ticks of a net's rising and falling edge.
    driven:
        Nets that the bench drives, and the bit of its vector ``drive`` that does.
    states:
        Value of each flip-flop or latch at the beginning, by the instance's index and the name that
        its cell gives the state.
    release:
        Tick until which the states are held.
    """
    lines = [f"module gates (input [{max(len(driven) - 1, 0)}:0] drive);"]
    lines += [f"  wire n{net};" for net in range(2, len(netlist.names))]
    # What nothing drives is 0 in the replay, and would be Z here.
    without = set(range(2, len(netlist.names))) - set(driven) - outputs_of(netlist, library)
    lines += [f"  assign n{net} = 1'b0;" for net in sorted(without)]
    lines += [f"  assign {_behind(net, delays)} = drive[{bit}];" for net, bit in driven.items()]
    for number, instance in enumerate(netlist.instances):
        cell = library.cells[instance.type]
        inputs, outputs = [], []
        for pin, net in instance.pins.items():
            if "[" in pin:  # `.\name[3] (…)` would name a port, not a bit of one
                raise NetlistError(
                    f"cell {instance.type} has the bus pin {pin}: glitches are not simulated with "
                    "such cells"
                )
            if cell.pins[pin].direction != "output":
                inputs.append(f".\\{pin} ({_name(net)})")
            elif net not in driven:  # else the waveform has it, as a fire buffer's net
                outputs.append(f"  assign {_behind(net, delays)} = i{number}.\\{pin} ;")
        lines.append(f"  \\{instance.type} i{number} ({', '.join(inputs)});")
        lines += outputs
    return "\n".join([*lines, *_states(states, release), "endmodule", ""])


def outputs_of(netlist: Netlist, library: Library) -> set[int]:
    """Nets that cells drive whose function is known."""
    outputs: dict[str, list[str]] = {}
    for kind in {instance.type for instance in netlist.instances}:
        pins = expand_clock_gate(library.cells[kind]).pins.values()
        known = [pin for pin in pins if pin.direction == "output" and pin.function is not None]
        outputs[kind] = [pin.name for pin in known]
    return {
        instance.pins[pin]
        for instance in netlist.instances
        for pin in outputs[instance.type]
        if pin in instance.pins
    }


def _behind(net: int, delays: NDArray[np.int64]) -> str:
    rise, fall = (int(delay) for delay in delays[net])
    # Not `#(0, 0)`, which comes after all that has no delay: after the clock's edges.
    return f"#({rise}, {fall}) n{net}" if rise or fall else f"n{net}"


def _states(states: Mapping[tuple[int, str], bool], release: int) -> Iterator[str]:
    """Hold all states until everything has settled: setting them makes edges of gated clocks."""
    regs: dict[str, bool] = {}
    for (number, state), value in states.items():
        regs[f"i{number}.\\{state} "] = value  # an escaped name ends with a space
    yield "  initial begin"
    yield from (f"    force {reg}= 1'b{int(value)};" for reg, value in regs.items())
    yield f"    #{release};"
    yield from (f"    release {reg};" for reg in regs)
    yield "  end"


def bench_verilog(playback: Playback, nets: Sequence[int]) -> str:
    """Clocks change at once, the rest with the flip-flops: those take what was before."""
    first, rest, records = len(playback.clocks), len(playback.others), len(playback.times)
    width = first + rest
    # The lowest bits of a row are the clocks': the last of a concatenation, hence `reversed` below.
    vector = ["clocks"] if first else []
    vector += ["others"] if rest else []
    # By fifties: one statement of a hundred thousand names is not what a parser is made for.
    some = [f"gates.n{net}" for net in nets]
    dumps = [f"      $dumpvars(0, {', '.join(some[k : k + 50])});" for k in range(0, len(some), 50)]
    return "\n".join(
        [
            _SCALE,
            "module bench;",
            f"  reg [{max(width - 1, 0)}:0] rows [0:{records - 1}];",
            f"  reg [63:0] times [0:{records - 1}];",
            f"  reg [{max(first - 1, 0)}:0] clocks;",
            f"  reg [{max(rest - 1, 0)}:0] others;",
            "  integer k;",
            f"  gates gates ({{{', '.join(reversed(vector))}}});",
            "  initial begin",
            '    $readmemb("rows", rows);',
            '    $readmemh("times", times);',
            f"    for (k = 0; k < {records}; k = k + 1) begin",
            "      #(times[k] - $time);",
            # Blocking, then non-blocking: data change after the flip-flops have taken the old ones.
            f"      clocks = rows[k][{first - 1}:0];" if first else "",
            f"      others <= rows[k][{width - 1}:{first}];" if rest else "",
            "    end",
            "  end",
            "  initial begin",
            f"      #{playback.begin}",
            f'      $dumpfile("{DUMP}");',
            *dumps,
            f"      #{playback.end - playback.begin} $finish;",
            "  end",
            "endmodule",
            "",
        ]
    )
