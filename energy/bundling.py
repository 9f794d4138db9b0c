"""Bundled data: whether data are there before the click that captures them.

A register of a clockless circuit is clocked by its own fire buffer. Whatever launches its data (the
click of a register before it, the clock, a grant) also launches the request that makes it fire: the
*control path*, through matched delay, mutual exclusion, fire condition and fire buffer, has to be
longer than every *data path*. Both are timed from the same event, by the same delay calculation as
the clock period (`energy.arcs`), with the slews and loads of the gates as mapped; control paths at
their shortest, data paths at their longest.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.arcs import Arcs, delay_arcs, triggers
from spikewatt.energy.cell_kinds import CellKind, cell_kinds
from spikewatt.energy.elements import build_elements
from spikewatt.energy.prepared import clock_inputs
from spikewatt.energy.pricing import Wires, clock_network
from spikewatt.energy.slews import arc_depths
from spikewatt.model.errors import LibraryError, ParameterError
from spikewatt.synth.liberty.library import FlipFlop, Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Bundle", "Bundling", "CellDelay", "check_bundling"]

CLOCK = -1
"""In place of a fire buffer's net: the clock of the clocked part."""
IntArray = NDArray[np.int64]
_Nodes = dict[int, float]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one event launches towards one register.

    Parameters
    ----------
    register, launch:
        Fire buffer's net of the register; the net of the event, or ``clock``.
    pin:
        Where the longest data path ends.
    through:
        Delays and mutual-exclusion elements on the control path, with their number of gates.
    data_s, control_s:
        Longest data path to the pin, shortest control path to the register's clock.
    matched_s:
        Part of the control path that matched delays make up.
    slack_s:
        What the control path is longer by, setup taken off.
    """

    register: str
    launch: str
    pin: str
    through: str
    data_s: float
    control_s: float
    matched_s: float
    slack_s: float

    @property
    def needed_s(self) -> float:
        """Matched delay at which the slack would be 0."""
        return self.matched_s - self.slack_s


@dataclass(frozen=True, slots=True)
class CellDelay:
    """A recorded net's cell as mapped: number of gates, delay of its rising and falling edge."""

    net: str
    kind: str
    gates: int
    rise_s: float
    fall_s: float


@dataclass(frozen=True)
class Bundling:
    """Bundles, the tightest first; events that reach a register's data but not its clock."""

    bundles: tuple[Bundle, ...]
    unbundled: tuple[tuple[str, str], ...]
    cells: tuple[CellDelay, ...]
    setup_s: float

    @property
    def slack_s(self) -> float:
        """The least; infinite where nothing is bundled."""
        return self.bundles[0].slack_s if self.bundles else float("inf")

    @property
    def holds(self) -> bool:
        """Whether every register captures what it should."""
        return self.slack_s >= 0 and not self.unbundled

    def worst(self) -> Mapping[str, Bundle]:
        """The tightest bundle of each kind of control path."""
        found: dict[str, Bundle] = {}
        for bundle in self.bundles:
            found.setdefault(bundle.through, bundle)
        return found

    def to_json(self, bundles: int = 10) -> dict[str, Any]:
        """Plain data, with the first ``bundles``."""
        return {
            "slack_s": self.slack_s if self.bundles else None,
            "setup_s": self.setup_s,
            "bundles_timed": len(self.bundles),
            "bundles": [asdict(one) for one in self.bundles[:bundles]],
            "worst": {through: asdict(one) for through, one in self.worst().items()},
            "unbundled": [list(pair) for pair in self.unbundled],
            "cells": [asdict(one) for one in self.cells],
        }


def check_bundling(
    netlist: Netlist, library: Library, *, wires: Wires | None = None, setup_s: float = 0.0
) -> Bundling:
    """Time the data of every register that a fire buffer clocks against its click.

    A register's own state is not timed against its own next click: a whole handshake lies between.

    Parameters
    ----------
    wires:
        Capacitance of wires; none by default.
    setup_s:
        Margin before a click, s.

    Raises
    ------
    LibraryError
        The library has no delays.
    ParameterError
        A margin below 0.
    """
    if not 0 <= setup_s < float("inf"):
        raise ParameterError(f"setup_s must be 0 s or more, not {setup_s!r}")
    graph = _Graph(netlist, library, wires or Wires())
    bundles: list[Bundle] = []
    unbundled: list[tuple[str, str]] = []
    for launch, data_from, control_from in graph.launches():
        ends = graph.ends(graph.latest(data_from))
        ends.pop(launch, None)
        if not ends:
            continue
        clicks = graph.clicks(control_from)
        for fire, (data, pin) in ends.items():
            if fire not in clicks:
                unbundled.append((graph.name(launch), graph.name(fire)))
                continue
            control, passed = clicks[fire]
            bundles.append(
                Bundle(
                    register=graph.name(fire),
                    launch=graph.name(launch),
                    pin=pin,
                    through=graph.label(launch, passed),
                    data_s=data,
                    control_s=control,
                    matched_s=graph.matched(passed),
                    slack_s=control - data - setup_s,
                )
            )
    return Bundling(
        bundles=tuple(sorted(bundles, key=lambda one: one.slack_s)),
        unbundled=tuple(sorted(set(unbundled))),
        cells=tuple(graph.cells.values()),
        setup_s=setup_s,
    )


class _Graph:
    """Arcs of a netlist, from node to node (``energy.arcs``), and what they lead to."""

    def __init__(self, netlist: Netlist, library: Library, wires: Wires) -> None:
        kinds, nets = cell_kinds(netlist, library), len(netlist.names)
        roots = clock_inputs(netlist, build_elements(netlist, library))
        clock_net = clock_network(netlist, library, roots)
        always = np.ones((nets, 2), np.int64)
        arcs = delay_arcs(kinds, clock_net, wires, always, netlist.recorded)
        if kinds and not len(arcs.delay):
            raise LibraryError(
                f"library {library.name} has no delays (cell_rise, cell_fall) of these cells: take "
                "one that has, or the built-in one"
            )
        self._names, self._recorded = netlist.names, netlist.recorded
        self._fires = {net for net, kind in netlist.recorded.items() if kind == "fire"}
        self._launched = arcs.launch_clock, arcs.launched, arcs.launch_delay
        self._level = arc_depths(*_uncut(arcs, netlist.recorded), nets)
        self._out: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self._crossed: dict[int, list[tuple[int, float]]] = defaultdict(list)
        into: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for source, target, delay in zip(
            arcs.source.tolist(), arcs.target.tolist(), arcs.delay.tolist(), strict=True
        ):
            ends = {netlist.recorded.get(node >> 1) for node in (source, target)}
            if ends == {"mutex"}:  # its gates hold each other
                self._crossed[source].append((target, delay))
            else:
                self._out[source].append((target, delay))
                into[target].append((delay, source))
        self._captures = _captures(netlist, kinds, self._fires)
        self._module = _modules(netlist, library)
        self.cells = _cells(netlist, self._module, into)

    def name(self, net: int) -> str:
        """The net's last name is that within its cell."""
        return "clock" if net == CLOCK else self._names[net][-1]

    def label(self, launch: int, passed: Sequence[int]) -> str:
        """What a control path goes through: ``delay x10 + mutex x1``."""
        nets = [node >> 1 for node in passed]
        if self._recorded.get(launch, "fire") != "fire":
            nets = [launch, *nets]
        cells = [self.cells[net] for net in nets]
        return " + ".join(f"{cell.kind} x{cell.gates}" for cell in cells) or "direct"

    def matched(self, passed: Iterable[int]) -> float:
        """s, of the matched delays among the nodes."""
        found = [(self.cells[node >> 1], node & 1) for node in passed]
        return sum(
            cell.fall_s if edge else cell.rise_s for cell, edge in found if cell.kind == "delay"
        )

    def launches(self) -> Iterator[tuple[int, _Nodes, _Nodes]]:
        """Events, and when the nodes follow at which data and control begin."""
        found: dict[int, _Nodes] = defaultdict(dict)
        for clock, node, delay in zip(*(part.tolist() for part in self._launched), strict=True):
            launch = clock >> 1 if clock >> 1 in self._fires else CLOCK
            found[launch][node] = max(delay, found[launch].get(node, 0.0))
        yield from ((launch, begin, begin) for launch, begin in found.items())
        for net, kind in self._recorded.items():
            if kind == "mutex":
                yield from self._grants(net)
            elif kind != "fire":
                begin = {2 * net: 0.0, 2 * net + 1: 0.0}
                yield net, begin, begin

    def _grants(self, net: int) -> Iterator[tuple[int, _Nodes, _Nodes]]:
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

    def _within(self, start: int) -> _Nodes:
        """Nodes that a node moves and that are read outside its module, and when."""
        module, found = self._module[start >> 1], {}
        queue = [(start, 0.0)]
        while queue:
            node, time = queue.pop()
            for target, delay in self._out[node]:
                if self._module.get(target >> 1) == module:
                    queue.append((target, time + delay))
                elif node != start:
                    found[node] = max(time, found.get(node, 0.0))
        return found

    def latest(self, begin: _Nodes) -> _Nodes:
        """Longest way to every node, not through recorded nets."""
        late = dict(begin)
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
                if late[node] + delay > late.get(target, -1.0):
                    late[target] = late[node] + delay
                    heapq.heappush(queue, (int(self._level[target >> 1]), target))
        return late

    def ends(self, late: _Nodes) -> dict[int, tuple[float, str]]:
        """For each fire buffer's net the latest arrival at the data of its register, and where."""
        found: dict[int, tuple[float, str]] = {}
        for node, time in late.items():
            for fire, pin in self._captures.get(node >> 1, ()):
                found[fire] = max(found.get(fire, (-1.0, "")), (time, pin))
        return found

    def clicks(self, begin: _Nodes) -> dict[int, tuple[float, tuple[int, ...]]]:
        """For each fire buffer the first that it can rise, and the recorded nodes on the way.

        Where some ways go through matched delays and some do not (an acknowledgement), those count
        that do: the fire condition waits for the request.
        """
        queue: list[tuple[float, int, tuple[int, ...]]] = []
        queue += [(time, node, ()) for node, time in begin.items()]
        heapq.heapify(queue)
        done: set[tuple[int, bool]] = set()
        found: dict[int, tuple[float, tuple[int, ...]]] = {}
        while queue:
            time, node, passed = heapq.heappop(queue)
            if (node, bool(passed)) in done:
                continue
            done.add((node, bool(passed)))
            net = node >> 1
            if net in self._fires:
                if not node & 1 and (net not in found or (passed and not found[net][1])):
                    found[net] = time, passed
                continue
            if net in self._recorded and node not in begin:
                passed = (*passed, node)
            for target, delay in self._out[node]:
                heapq.heappush(queue, (time + delay, target, passed))
        return found


def _uncut(arcs: Arcs, recorded: Iterable[int]) -> tuple[IntArray, IntArray]:
    """Source and target nets of the arcs that do not begin at recorded nets."""
    rest = arcs.without(list(recorded))
    return rest.source >> 1, rest.target >> 1


def _captures(
    netlist: Netlist, kinds: Sequence[CellKind], fires: Collection[int]
) -> dict[int, list[tuple[int, str]]]:
    """For each net the fire buffers' nets and pins of the flip-flops whose data it is."""
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for kind in kinds:
        sequential = kind.cell.sequential
        if not isinstance(sequential, FlipFlop):
            continue
        pins = [name for name in sequential.next_state.inputs if name in kind.cell.pins]
        for clock, _ in triggers(sequential):
            for at in np.flatnonzero(np.isin(kind.nets[clock], list(fires))):
                name = netlist.instances[kind.index[at]].name
                for pin in pins:
                    label = f"{name}.{pin}"
                    found[int(kind.nets[pin][at])].append((int(kind.nets[clock][at]), label))
    return found


def _modules(netlist: Netlist, library: Library) -> dict[int, str]:
    """Module that each net's gate lies in."""
    return {
        net: one.module
        for one in netlist.instances
        for pin, net in one.pins.items()
        if library.cells[one.type].pins[pin].direction == "output"
    }


def _cells(
    netlist: Netlist,
    module: Mapping[int, str],
    into: Mapping[int, Sequence[tuple[float, int]]],
) -> dict[int, CellDelay]:
    """Delay of each recorded net from the inputs of the module that its gate lies in."""
    found = {}
    for net, kind in netlist.recorded.items():
        delays, gates = [0.0, 0.0], 0
        for edge in (0, 1):
            node, gates = 2 * net + edge, 0
            while node in into and module.get(node >> 1) == module.get(net):
                delay, source = max(into[node])
                delays[edge] += delay
                node, gates = source, gates + 1
        found[net] = CellDelay(netlist.names[net][-1], kind, gates, *delays)
    return found
