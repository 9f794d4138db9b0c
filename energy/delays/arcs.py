"""Delays of a netlist's arcs, from the tables of its library at propagated slews and loads.

A node is an edge of a net: ``2 n`` its rising, ``2 n + 1`` its falling one.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetlistError
from spikewatt.energy.delays.slews import arc_depths, net_slews
from spikewatt.energy.pricing.cell_kinds import CellKind
from spikewatt.energy.pricing.options import Wires
from spikewatt.energy.pricing.prices import net_loads
from spikewatt.synth.liberty.library import FlipFlop, Latch, Pin, TimingArc
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Arcs", "clock_phases", "delay_arcs", "propagate", "triggers"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_RISE, _FALL = 0, 1


@dataclass(frozen=True)
class Arcs:
    """Delays from node to node, and from the clock's edges to nodes.

    Parameters
    ----------
    source, target, delay:
        int64[k], int64[k], float64[k] in s: combinational arcs.
    launched, launch_delay, launch_phase, launch_clock:
        int64[m], float64[m] in s, int64[m], int64[m]: what flip-flops and latches drive, its delay
        from their clock pin, the phase (0 for a rising edge of the root, 1 for a falling one), and
        the node of the clock pin.
    """

    source: IntArray
    target: IntArray
    delay: FloatArray
    launched: IntArray
    launch_delay: FloatArray
    launch_phase: IntArray
    launch_clock: IntArray

    def lumped(self) -> "Arcs":
        """The same with one delay for each node, its slowest arc's, whatever input moves."""
        nodes = np.concatenate([self.target, self.launched])
        slowest = self.by_node(int(nodes.max(initial=-1)) + 1)
        return replace(self, delay=slowest[self.target], launch_delay=slowest[self.launched])

    def by_node(self, nodes: int) -> FloatArray:
        """float64[nodes], s: the slowest arc into each; 0 where none leads."""
        slowest = np.zeros(nodes)
        np.maximum.at(slowest, self.target, self.delay)
        np.maximum.at(slowest, self.launched, self.launch_delay)
        return slowest

    def without(self, nets: Collection[int]) -> "Arcs":
        """The same without the arcs that begin at these nets."""
        keep = ~np.isin(self.source >> 1, list(nets))
        return replace(
            self, source=self.source[keep], target=self.target[keep], delay=self.delay[keep]
        )

    def with_more(self, source: IntArray, target: IntArray, delay: FloatArray) -> "Arcs":
        """The same with more combinational arcs."""
        return replace(
            self,
            source=np.concatenate([self.source, source]),
            target=np.concatenate([self.target, target]),
            delay=np.concatenate([self.delay, delay]),
        )


def _cases(arc: TimingArc) -> list[tuple[int, int]]:
    """Edges of the related pin, and the edges of the output that they cause."""
    if arc.sense == "positive_unate":
        return [(_RISE, _RISE), (_FALL, _FALL)]
    if arc.sense == "negative_unate":
        return [(_FALL, _RISE), (_RISE, _FALL)]
    return [(a, b) for a in (_RISE, _FALL) for b in (_RISE, _FALL)]


def delay_arcs(
    kinds: Sequence[CellKind],
    clock_net: NDArray[np.bool_],
    wires: Wires,
    phases: IntArray,
    recorded: Collection[int] = (),
) -> Arcs:
    """All arcs outside the clock network, which is ideal: without delay and slew.

    Arcs of asynchronous clear and preset are left out, and so is the way through an open latch.
    Slews go through loops by way of the ``recorded`` nets.
    """
    load = net_loads(kinds, len(clock_net), wires, clock_net)
    slew = net_slews(kinds, load, clock_net, recorded)
    sources, targets, delays = [], [], []
    launched, launch_delays, launch_phases, launch_clocks = [], [], [], []
    for kind, pin, arc in _arcs(kinds):
        out, related = kind.nets[pin.name], kind.nets[arc.related]
        driven = (out > 1) & ~clock_net[out]
        if arc.kind in ("rising_edge", "falling_edge"):
            edge = _RISE if arc.kind == "rising_edge" else _FALL
            cases = [(edge, _RISE), (edge, _FALL)]
        elif kind.cell.sequential is not None:
            continue  # clear, preset, or the way through an open latch
        else:
            cases = _cases(arc)
            driven &= (related > 1) & ~clock_net[related]
        for before, edge in cases:
            table = arc.cell_fall if edge else arc.cell_rise
            if table is None:
                continue
            a, b = related[driven], out[driven]
            # Beyond their corners tables go on as planes, and may fall below 0 there.
            delay = np.maximum(table.at(slew[a, before], load[b, edge]), 0.0)
            if arc.kind.endswith("_edge"):
                # Behind an XOR or a multiplexer of clocks a pin may see both edges of the root.
                for phase in (0, 1):
                    there = (phases[a, before] >> phase & 1) == 1
                    launched.append((2 * b + edge)[there])
                    launch_delays.append(delay[there])
                    launch_phases.append(np.full(int(there.sum()), phase))
                    launch_clocks.append((2 * a + before)[there])
            else:
                sources.append(2 * a + before)
                targets.append(2 * b + edge)
                delays.append(delay)
    none, nil = np.zeros(0, np.int64), np.zeros(0)  # NumPy joins no empty list
    return Arcs(
        source=np.concatenate([none, *sources]),
        target=np.concatenate([none, *targets]),
        delay=np.concatenate([nil, *delays]),
        launched=np.concatenate([none, *launched]),
        launch_delay=np.concatenate([nil, *launch_delays]),
        launch_phase=np.concatenate([none, *launch_phases]),
        launch_clock=np.concatenate([none, *launch_clocks]),
    )


def _arcs(kinds: Sequence[CellKind]) -> Iterator[tuple[CellKind, Pin, TimingArc]]:
    for kind in kinds:
        for pin in kind.cell.pins.values():
            for arc in pin.timing if pin.direction == "output" else ():
                if arc.related in kind.nets:  # else a pin that the library does not describe
                    yield kind, pin, arc


def propagate(netlist: Netlist, arcs: Arcs, arrival: FloatArray) -> None:
    """Raise arrivals, float64[2, nodes] in s, to the latest at every node, in the arcs' order.

    Raises
    ------
    NetlistError
        A loop.
    """
    source, target = arcs.source >> 1, arcs.target >> 1
    level = arc_depths(source, target, len(netlist.names))
    # Depths grow along every arc, unless a loop has kept them from settling.
    if (loop := np.flatnonzero(level[source] >= level[target])).size:
        name = netlist.names[int(target[loop[0]])][0]
        raise NetlistError(f"net {name} lies on a loop of gates: paths through it have no end")
    # Arcs to nets of one depth at once: all that leads to their sources has been done by then.
    order = np.argsort(level[target], kind="stable")
    borders = np.flatnonzero(np.diff(level[target][order])) + 1
    for part in np.split(order, borders):
        late = arrival[:, arcs.source[part]] + arcs.delay[part]
        for phase in (0, 1):
            np.maximum.at(arrival[phase], arcs.target[part], late[phase])


def clock_phases(
    kinds: Sequence[CellKind], clock_net: NDArray[np.bool_], roots: Sequence[int]
) -> IntArray:
    """int64[nets, 2]: at which edges of the roots each clock net rises, and falls.

    Bit 0 stands for a rising edge of the root, bit 1 for a falling one. Roots rise together.
    """
    phases = np.zeros((len(clock_net), 2), np.int64)
    phases[list(roots)] = (1, 2)  # it rises at its own rising edge, and falls at its falling one
    links = []
    for kind, name, out, sense in _clock_links(kinds):
        at = np.flatnonzero(clock_net[out] & clock_net[kind.nets[name]])
        links.append((kind.nets[name][at], out[at], sense))
    while True:  # bits are only ever set, so that this ends, loops in the clock network or not
        before = phases.copy()
        for source, target, sense in links:
            # A gate of no sense, such as an XOR, hands on both edges as either.
            for same in (True, False):
                if sense == ("negative_unate" if same else "positive_unate"):
                    continue
                value = before[source] if same else before[source][:, ::-1]
                np.bitwise_or.at(phases, target, value)
        if (phases == before).all():
            return phases


def _clock_links(kinds: Sequence[CellKind]) -> Iterator[tuple[CellKind, str, IntArray, str]]:
    """Ways through gates and clock gates: an input pin, the nets of an output, the sense."""
    for kind in kinds:
        cell = kind.cell
        if cell.sequential is not None and not cell.clock_gate:
            continue
        for pin in cell.pins.values():
            if pin.direction != "output":
                continue
            senses = {arc.related: arc.sense for arc in pin.timing}
            for name, other in cell.pins.items():
                # The enable of a clock gate decides whether an edge comes, and never when.
                if other.direction == "output" or (cell.clock_gate and other.gating != "clock"):
                    continue
                usual = "positive_unate" if cell.clock_gate else "non_unate"
                yield kind, name, kind.nets[pin.name], senses.get(name, usual)


def triggers(sequential: FlipFlop | Latch) -> list[tuple[str, int]]:
    """Clock pins of a flip-flop, or enable pins of a latch, and their active edges."""
    function = sequential.clocked_on if isinstance(sequential, FlipFlop) else sequential.enable
    edges: list[tuple[str, int]] = []
    if function is None:
        return edges
    for name in function.inputs:
        others = tuple(pin for pin in function.inputs if pin != name)
        # The last input is the highest bit of the row: the table's lower half is for `name` at 0.
        table, half = function.truth((*others, name)), 1 << len(others)
        low, high = table & (1 << half) - 1, table >> half
        edges += [(name, _RISE)] if high & ~low else []
        edges += [(name, _FALL)] if low & ~high else []
    return edges
