"""Paths through clockless parts: from an event to the data of registers, and to their clicks."""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import LibraryError
from spikewatt.energy.activity.elements import build_elements
from spikewatt.energy.activity.prepared import clock_inputs
from spikewatt.energy.delays.arcs import Arcs, delay_arcs, triggers
from spikewatt.energy.delays.slews import arc_depths
from spikewatt.energy.pricing.cell_kinds import CellKind, cell_kinds
from spikewatt.energy.pricing.options import Wires
from spikewatt.energy.pricing.prices import clock_network
from spikewatt.synth.liberty.library import FlipFlop, Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["CLOCK", "CellDelay", "ClickPaths", "Nodes"]

CLOCK = -1
"""In place of a fire buffer's net: the clock of the clocked part."""
IntArray = NDArray[np.int64]
Nodes = dict[int, float]
"""Time, s, at which each node (``energy.arcs``) moves."""


@dataclass(frozen=True, slots=True)
class CellDelay:
    """A recorded net's cell as mapped: gates of its chain, delay of its rising and falling edge.

    For a mutual-exclusion element these are the edges of its grant.
    """

    net: str
    kind: str
    gates: int
    rise_s: float
    fall_s: float


class ClickPaths:
    """Arcs of a netlist, and what they lead to; parameters as those of ``check_bundling``.

    ``cells`` holds what each recorded net's cell takes.
    """

    def __init__(self, netlist: Netlist, library: Library, wires: Wires, *, lumped: bool) -> None:
        kinds, nets = cell_kinds(netlist, library), len(netlist.names)
        roots = clock_inputs(netlist, build_elements(netlist, library))
        clock_net = clock_network(netlist, library, roots)
        # A click belongs to no phase of a clock: all edges of clock pins launch, in phase 0.
        always = np.ones((nets, 2), np.int64)
        arcs = delay_arcs(kinds, clock_net, wires, always, netlist.recorded)
        if kinds and not len(arcs.delay):
            raise LibraryError(
                f"library {library.name} has no delays (cell_rise, cell_fall) of these cells: take "
                "one that has, or the built-in one"
            )
        if lumped:
            arcs = arcs.lumped()
        self._names, self._recorded = netlist.names, netlist.recorded
        self._fires = {net for net, kind in netlist.recorded.items() if kind == "fire"}
        self._launched = arcs.launch_clock, arcs.launched, arcs.launch_delay
        # Handshakes are loops, each through a recorded net: cut there, the rest has an order.
        self._level = arc_depths(*_uncut(arcs, netlist.recorded), nets)
        self._out: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self._crossed: dict[int, list[tuple[int, float]]] = defaultdict(list)
        into: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for source, target, delay in zip(
            arcs.source.tolist(), arcs.target.tolist(), arcs.delay.tolist(), strict=True
        ):
            ends = {netlist.recorded.get(node >> 1) for node in (source, target)}
            if ends == {"mutex"}:  # its two NAND gates hold each other: no way for data
                self._crossed[source].append((target, delay))
            else:
                self._out[source].append((target, delay))
                into[target].append((delay, source))
        self._captures = _captures(netlist, kinds, self._fires)
        self._module = _modules(netlist, library)
        self.cells = _cells(netlist, self._module, into)
        for net, cell in self.cells.items():
            if cell.kind == "mutex":
                # The recorded net is a NAND's: it falls where the grant rises, through the filter.
                given, over = (self._within(2 * net + edge).items() for edge in (1, 0))
                rise = max((time for node, time in given if not node & 1), default=0.0)
                fall = max((time for node, time in over if node & 1), default=0.0)
                self.cells[net] = replace(
                    cell, rise_s=cell.fall_s + rise, fall_s=cell.rise_s + fall
                )

    def name(self, net: int) -> str:
        """The net's last name is that within its cell."""
        return "clock" if net == CLOCK else self._names[net][-1]

    def label(self, launch: int, passed: Sequence[int]) -> str:
        """What a control path goes through: ``delay x10 + mutex``."""
        nets = [node >> 1 for node in passed]
        if self._recorded.get(launch, "fire") != "fire":
            nets = [launch, *nets]
        cells = [self.cells[net] for net in nets]
        words = (
            cell.kind if cell.kind == "mutex" else f"{cell.kind} x{cell.gates}" for cell in cells
        )
        return " + ".join(words) or "direct"

    def matched(self, passed: Iterable[int]) -> float:
        """s, of the matched delays among the nodes."""
        cells = [(self.cells[node >> 1], node & 1) for node in passed]
        return sum(
            cell.fall_s if edge else cell.rise_s for cell, edge in cells if cell.kind == "delay"
        )

    def launches(self) -> Iterator[tuple[int, Nodes, Nodes]]:
        """Events, and when the nodes follow at which data and control begin."""
        begins: dict[int, Nodes] = defaultdict(dict)
        for clock, node, delay in zip(*(part.tolist() for part in self._launched), strict=True):
            launch = clock >> 1 if clock >> 1 in self._fires else CLOCK
            begins[launch][node] = max(delay, begins[launch].get(node, 0.0))
        yield from ((launch, begin, begin) for launch, begin in begins.items())
        for net, kind in self._recorded.items():
            if kind == "mutex":
                yield from self._grants(net)
            elif kind != "fire":  # a matched delay; what a fire buffer launches came above
                begin = {2 * net: 0.0, 2 * net + 1: 0.0}
                yield net, begin, begin

    def _grants(self, net: int) -> Iterator[tuple[int, Nodes, Nodes]]:
        """What a mutual-exclusion element launches.

        A net that falls raises its grant. One that rises ends its grant, and lets the other one
        fall if that side waits.
        """
        rises = {node: time for node, time in self._within(2 * net + 1).items() if not node & 1}
        yield net, rises, rises
        falls = {node: time for node, time in self._within(2 * net).items() if node & 1}
        for target, delay in self._crossed[2 * net]:
            if target & 1:
                others = self._within(target).items()
                yield net, falls, {node: delay + time for node, time in others if not node & 1}

    def _within(self, start: int) -> Nodes:
        """Nodes that a node moves and that are read outside its module, and when."""
        module, leaving = self._module[start >> 1], {}
        queue = [(start, 0.0)]
        while queue:
            node, time = queue.pop()
            for target, delay in self._out[node]:
                if self._module.get(target >> 1) == module:
                    queue.append((target, time + delay))
                elif node != start:
                    leaving[node] = max(time, leaving.get(node, 0.0))
        return leaving

    def latest(self, begin: Nodes) -> Nodes:
        """Longest way to every node, not through recorded nets."""
        late = dict(begin)
        # By depth, not by time: a node is taken when every way to it has been gone.
        queue = [(int(self._level[node >> 1]), node) for node in begin]
        heapq.heapify(queue)
        done: set[int] = set()
        while queue:
            _, node = heapq.heappop(queue)
            if node in done:
                continue
            done.add(node)
            if node >> 1 in self._recorded and node not in begin:
                continue
            for target, delay in self._out[node]:
                if late[node] + delay > late.get(target, -1.0):  # no time is below 0
                    late[target] = late[node] + delay
                    heapq.heappush(queue, (int(self._level[target >> 1]), target))
        return late

    def ends(self, late: Nodes) -> dict[int, tuple[float, str]]:
        """For each fire buffer's net the latest arrival at the data of its register, and where."""
        arrivals: dict[int, tuple[float, str]] = {}
        for node, time in late.items():
            for fire, pin in self._captures.get(node >> 1, ()):
                arrivals[fire] = max(arrivals.get(fire, (-1.0, "")), (time, pin))
        return arrivals

    def clicks(self, begin: Nodes) -> dict[int, tuple[float, tuple[int, ...]]]:
        """For each fire buffer the first that it can rise, and the recorded nodes on the way.

        Where some ways go through matched delays and some do not (an acknowledgement), those count
        that do: the fire condition waits for the request.
        """
        # Dijkstra's: the first time that a node is taken is the earliest at which it moves. A node
        # counts as two, reached through a matched delay and without one.
        queue: list[tuple[float, int, tuple[int, ...]]] = []
        queue += [(time, node, ()) for node, time in begin.items()]
        heapq.heapify(queue)
        done: set[tuple[int, bool]] = set()
        first: dict[int, tuple[float, tuple[int, ...]]] = {}
        while queue:
            time, node, passed = heapq.heappop(queue)
            if (node, bool(passed)) in done:
                continue
            done.add((node, bool(passed)))
            net = node >> 1
            if net in self._fires:
                if not node & 1 and (net not in first or (passed and not first[net][1])):
                    first[net] = time, passed
                continue  # what comes behind a click is the next event's
            if net in self._recorded and node not in begin:
                passed = (*passed, node)
            for target, delay in self._out[node]:
                heapq.heappush(queue, (time + delay, target, passed))
        return first


def _uncut(arcs: Arcs, recorded: Iterable[int]) -> tuple[IntArray, IntArray]:
    """Source and target nets of the arcs that do not begin at recorded nets."""
    rest = arcs.without(list(recorded))
    return rest.source >> 1, rest.target >> 1


def _captures(
    netlist: Netlist, kinds: Sequence[CellKind], fires: Collection[int]
) -> dict[int, list[tuple[int, str]]]:
    """For each net the fire buffers' nets and pins of the flip-flops whose data it is."""
    captures: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for kind in kinds:
        flops = [state for state in kind.cell.states if isinstance(state, FlipFlop)]
        inputs = dict.fromkeys(name for flop in flops for name in flop.next_state.inputs)
        pins = [name for name in inputs if name in kind.cell.pins]
        for clock, _ in triggers(flops[0]) if flops else ():
            for at in np.flatnonzero(np.isin(kind.nets[clock], list(fires))):
                name = netlist.instances[kind.index[at]].name
                for pin in pins:
                    label = f"{name}.{pin}"
                    captures[int(kind.nets[pin][at])].append((int(kind.nets[clock][at]), label))
    return captures


def _modules(netlist: Netlist, library: Library) -> dict[int, str]:
    """Module that each net's gate lies in."""
    return {
        net: instance.module
        for instance in netlist.instances
        for pin, net in instance.pins.items()
        if library.cells[instance.type].pins[pin].direction == "output"
    }


def _cells(
    netlist: Netlist,
    module: Mapping[int, str],
    into: Mapping[int, Sequence[tuple[float, int]]],
) -> dict[int, CellDelay]:
    """Delay of each recorded net from the inputs of the module that its gate lies in."""
    cells = {}
    for net, kind in netlist.recorded.items():
        # Backwards along the slowest arcs: a chain of buffers has no others.
        delays, gates = [0.0, 0.0], 0
        for edge in (0, 1):
            node, gates = 2 * net + edge, 0
            while node in into and module.get(node >> 1) == module.get(net):
                delay, source = max(into[node])
                delays[edge] += delay
                node, gates = source, gates + 1
        cells[net] = CellDelay(netlist.names[net][-1], kind, gates, *delays)
    return cells
