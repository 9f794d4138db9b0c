"""Where timing paths end: what has to be there before an edge of the clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.delays.arcs import triggers
from spikewatt.energy.pricing.cell_kinds import CellKind
from spikewatt.synth.liberty.function import Function
from spikewatt.synth.liberty.library import Cell, FlipFlop
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["EndKind", "Endpoint", "endpoints", "unclocked"]

IntArray = NDArray[np.int64]
EndKind = Literal["flip-flop", "latch", "clock gate", "memory", "output"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A pin that captures, and when: ``phases`` as in ``clock_phases``.

    ``instance`` is the name of a cell or memory, or empty for a port of the top.
    """

    instance: str
    pin: str
    net: int
    kind: EndKind
    phases: int


def endpoints(
    netlist: Netlist, kinds: Sequence[CellKind], clock_net: NDArray[np.bool_], phases: IntArray
) -> Iterator[Endpoint]:
    """All ends: latches capture when they open, outputs when the root rises."""
    for kind in kinds:
        for pin, end, clocks in _captures(kind.cell):
            mask = np.zeros(len(kind.index), np.int64)
            for clock, edge in clocks:
                mask |= phases[kind.nets[clock], edge]
            yield from _of(netlist, kind, pin, mask, end, clock_net)
        if kind.cell.sequential is None and not kind.cell.clock_gate:
            yield from _gating(netlist, kind, clock_net, phases)
    for memory in netlist.memories:
        for number, port in enumerate(memory.ports):
            if port.clock is None:
                continue  # its addresses lead on to its data; `timing` makes arcs of them
            mask = int(phases[port.clock, 0 if port.rising else 1])
            pins = [("enable", port.enable), ("address", port.address)]
            pins += [("data", port.data)] if port.kind == "write" else []
            for name, nets in pins:
                for net in dict.fromkeys(nets):  # an enable may stand once for every bit
                    yield Endpoint(memory.name, f"{port.kind}{number}.{name}", net, "memory", mask)
    for name, port in netlist.ports.items():
        if port.direction != "input":
            for bit, net in enumerate(port.nets):
                label = name if len(port.nets) == 1 else f"{name}[{bit}]"
                yield Endpoint("", label, net, "output", 1)  # phase bit 0: the rising edge


def _of(
    netlist: Netlist, kind: CellKind, pin: str, mask: IntArray, end: EndKind,
    clock_net: NDArray[np.bool_],
) -> Iterator[Endpoint]:  # fmt: skip
    """Ends at one pin of all instances that a clock reaches; no constant is ever late."""
    nets = kind.nets[pin]
    for at in np.flatnonzero((mask > 0) & ~clock_net[nets] & (nets > 1)):
        name = netlist.instances[kind.index[at]].name
        yield Endpoint(name, pin, int(nets[at]), end, int(mask[at]))


def _captures(cell: Cell) -> Iterator[tuple[str, EndKind, list[tuple[str, int]]]]:
    """Data pins of a cell, and the clock edges that capture them."""
    if cell.clock_gate:
        edge = int("negedge" in cell.clock_gate)
        clocks = [(name, edge) for name, pin in cell.pins.items() if pin.gating == "clock"]
        for name, pin in cell.pins.items():
            if pin.gating in ("enable", "test"):
                yield name, "clock gate", clocks
        return
    for state in cell.states:
        end: EndKind = "latch"
        if isinstance(state, FlipFlop):
            end, function = "flip-flop", state.next_state
        else:
            function = state.data_in
        for name in function.inputs if function is not None else ():
            if name in cell.pins:  # the cell's own state may be an input of its next one
                yield name, end, triggers(state)


def _gating(
    netlist: Netlist, kind: CellKind, clock_net: NDArray[np.bool_], phases: IntArray
) -> Iterator[Endpoint]:
    """Plain gates in the clock network: what they gate with has to settle while the clock rests."""
    for out in kind.cell.pins.values():
        function = out.function
        if out.direction != "output" or function is None:
            continue
        for clock in function.inputs:
            gating = (kind.nets[clock] > 1) & clock_net[kind.nets[clock]]
            gating &= clock_net[kind.nets[out.name]]
            if not gating.any():
                continue
            mask = np.zeros(len(kind.index), np.int64)
            for edge in _ends_rest(function, clock):
                mask |= phases[kind.nets[clock], edge]
            for pin in function.inputs:
                if pin != clock:
                    part = np.where(gating, mask, 0)
                    yield from _of(netlist, kind, pin, part, "clock gate", clock_net)


def _ends_rest(function: Function, clock: str) -> list[int]:
    """Clock edges that end the level at which the gate lets nothing else through; else both.

    An AND rests while its clock is 0, so that what gates it must be there when the clock rises.
    """
    others = tuple(name for name in function.inputs if name != clock)
    # The last input is the highest bit of the row: the table's lower half is for the clock at 0.
    table, half = function.truth((*others, clock)), 1 << len(others)
    every = (1 << half) - 1
    rests = [edge for edge, part in ((0, table & every), (1, table >> half)) if part in (0, every)]
    return rests or [0, 1]


def unclocked(
    netlist: Netlist, kinds: Sequence[CellKind], clock_net: NDArray[np.bool_]
) -> list[str]:
    """Flip-flops, latches and memories whose clock is neither the roots' nor constant."""

    def foreign(nets: Mapping[str, IntArray], names: Sequence[str]) -> NDArray[np.bool_]:
        foreign_nets = [(nets[name] > 1) & ~clock_net[nets[name]] for name in names if name in nets]
        return np.any(foreign_nets, axis=0) if foreign_nets else np.zeros(0, np.bool_)

    names: list[str] = []
    for kind in kinds:
        if kind.cell.clock_gate or kind.cell.sequential is None:
            continue
        pins = [name for name, _ in triggers(kind.cell.sequential)]
        at = kind.index[np.flatnonzero(foreign(kind.nets, pins))]
        names += [netlist.instances[k].name for k in at]
    for memory in netlist.memories:
        clocks = {port.clock for port in memory.ports} - {None, 0, 1}
        names += [memory.name] if any(not clock_net[n] for n in clocks if n is not None) else []
    return names
