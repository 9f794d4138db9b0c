"""Static timing: the shortest clock period that a netlist meets, by our own delay calculation.

Arrival times of rising and falling edges, apart for what the clock's rising edge launches and what
its falling edge does, go through the netlist in the order of its arcs, the latest of each net on
(graph-based, as OpenSTA's). Paths between opposite edges have half a period. Left out are wires
beyond ``Wires``, clock skew, and the library's constraints: its reader keeps no setup tables, so
the setup time is a declared margin, ``setup_s``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import LibraryError, ParameterError
from spikewatt.base.report import Report
from spikewatt.energy.activity.elements import build_elements
from spikewatt.energy.activity.prepared import clock_inputs
from spikewatt.energy.delays.arcs import Arcs, clock_phases, delay_arcs, propagate
from spikewatt.energy.delays.endpoints import EndKind, Endpoint, endpoints, unclocked
from spikewatt.energy.delays.paths import EDGES, Step, worst_path
from spikewatt.energy.pricing.cell_kinds import cell_kinds
from spikewatt.energy.pricing.options import NO_WIRES, Wires, sram_for
from spikewatt.energy.pricing.prices import clock_network
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["End", "StaticTiming", "Step", "TimingOptions", "TimingReport", "analyse_timing"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class End:
    """The worst path to a pin that captures.

    ``arrival_s`` counts from the clock edge that launches; ``half``: it has half a period.
    ``period_s`` is what the path asks for, setup included. ``instance`` is empty for a port.
    """

    instance: str
    pin: str
    net: str
    kind: EndKind
    edge: str
    arrival_s: float
    half: bool
    period_s: float


@dataclass(frozen=True, kw_only=True)
class TimingReport(Report):
    """The timing of a netlist: the worst path, and the most demanding of ``ends_timed`` ends."""

    design: str
    library: str
    period_s: float
    setup_s: float
    path: tuple[Step, ...]
    ends: tuple[End, ...]
    ends_timed: int
    untimed: tuple[str, ...]


@dataclass(frozen=True)
class StaticTiming:
    """When the latest transitions of a netlist come, and the shortest clock period for them.

    Parameters
    ----------
    ends:
        The most demanding first.
    path:
        From the clock edge, or a port, to the first of ``ends``.
    arrival:
        float64[2, nets, 2], s: of what the root's rising edge (inputs among it) and its falling
        edge launches, at each net, its rising and falling edge; -inf where nothing arrives.
    delays:
        float64[nets, 2], s: the slowest arc to each net's edges.
    untimed:
        Flip-flops, latches and memories whose clock does not come from the roots.
    """

    design: str
    library: str
    setup_s: float
    ends: tuple[End, ...]
    path: tuple[Step, ...]
    untimed: tuple[str, ...]
    arrival: FloatArray = field(repr=False)
    delays: FloatArray = field(repr=False)

    @property
    def period_s(self) -> float:
        """Shortest clock period, s; 0 where no path ends."""
        return self.ends[0].period_s if self.ends else 0.0

    def meets(self, period_s: float) -> bool:
        """Whether every path fits the period."""
        return self.period_s <= period_s

    def report(self, ends: int = 10) -> TimingReport:
        """The figures, with the first ``ends``."""
        return TimingReport(
            design=self.design,
            library=self.library,
            period_s=self.period_s,
            setup_s=self.setup_s,
            path=self.path,
            ends=self.ends[:ends],
            ends_timed=len(self.ends),
            untimed=self.untimed,
        )


@dataclass(frozen=True, kw_only=True)
class TimingOptions:
    """Under which conditions a netlist is timed.

    Parameters
    ----------
    wires:
        Capacitance of wires; none by default.
    sram:
        Model of the memories, for their access time; by default that of the library's supply.
    setup_s:
        Margin before an edge that captures, s, wherever it is not an output.
    lumped:
        Take each output's slowest arc for all of its arcs, as one gate of one rise and one fall
        delay would do: never a shorter period.

    Raises
    ------
    ParameterError
        A margin below 0.
    """

    wires: Wires = NO_WIRES
    sram: SramModel | None = None
    setup_s: float = 0.0
    lumped: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.setup_s < float("inf"):
            raise ParameterError(f"setup_s must be 0 s or more, not {self.setup_s!r}")


DEFAULT = TimingOptions()


def analyse_timing(
    netlist: Netlist,
    library: Library,
    clock_roots: Iterable[int] | None = None,
    options: TimingOptions = DEFAULT,
) -> StaticTiming:
    """Time a netlist whose clock is ideal: every edge is everywhere at once, clock gates included.

    Paths begin at flip-flops and latches (when they open), at the read data of memories after
    ``SramModel.access_s``, with a slew of 0, and at inputs, which are there at the rising edge.
    They end at the data of flip-flops and latches (when they open: no time is borrowed), at what
    gates a clock, at memories' pins, and at outputs, all of a period later. Asynchronous sets and
    resets are not timed, nor is what lies behind delays and fire buffers (`Netlist.recorded`):
    clockless parts keep a time of their own.

    Parameters
    ----------
    clock_roots:
        Nets that the clock drives; by default the inputs from which a clock pin can be reached.

    Raises
    ------
    LibraryError
        The library has no delays.
    NetlistError
        An unknown cell, or a loop.
    """
    elements = build_elements(netlist, library)
    roots = list(clock_inputs(netlist, elements) if clock_roots is None else clock_roots)
    nets, kinds = len(netlist.names), cell_kinds(netlist, library)
    clock_net = clock_network(netlist, library, roots)
    phases = clock_phases(kinds, clock_net, roots)
    arcs = delay_arcs(kinds, clock_net, options.wires, phases, netlist.recorded)
    if kinds and not len(arcs.delay) and not len(arcs.launched):
        raise LibraryError(
            f"library {library.name} has no delays (cell_rise, cell_fall) of these cells: take one "
            "that has, or the built-in one"
        )
    if options.lumped:
        arcs = arcs.lumped()
    delays = arcs.by_node(2 * nets).reshape(nets, 2)
    if netlist.recorded:
        arcs = arcs.without(netlist.recorded)
    # Of what the root's rising edge launches, and its falling one: at each node, 2 n + edge.
    arrival = np.full((2, 2 * nets), -np.inf)
    for port in netlist.ports.values():
        for net in port.nets if port.direction != "output" else ():
            if net > 1 and not clock_net[net]:
                arrival[0, 2 * net : 2 * net + 2] = 0.0
    if netlist.memories:
        arcs = _read(netlist, options.sram or sram_for(library), phases, arcs, arrival)
    np.maximum.at(arrival, (arcs.launch_phase, arcs.launched), arcs.launch_delay)
    propagate(netlist, arcs, arrival)
    judged = (
        _judge(netlist, endpoint, arrival, options.setup_s)
        for endpoint in endpoints(netlist, kinds, clock_net, phases)
    )
    # The most demanding end first: its path is the one that is walked back.
    ends = sorted((end for end in judged if end is not None), key=lambda end: -end[0].period_s)
    return StaticTiming(
        design=netlist.name,
        library=library.name,
        setup_s=options.setup_s,
        ends=tuple(end for end, _, _ in ends),
        path=worst_path(netlist, library, arcs, arrival, *ends[0][1:]) if ends else (),
        untimed=tuple(unclocked(netlist, kinds, clock_net)),
        arrival=arrival.reshape(2, nets, 2),
        delays=delays,
    )


def _read(
    netlist: Netlist, sram: SramModel, phases: IntArray, arcs: Arcs, arrival: FloatArray
) -> Arcs:
    """Let read data begin at their clock's edge; without a clock, let addresses lead to them."""
    sources, targets_of, delays = [], [], []
    for memory in netlist.memories:
        access = sram.access_s(memory.words, memory.width)
        for port in (port for port in memory.ports if port.kind == "read"):
            nodes = np.array([2 * n + edge for n in port.data if n > 1 for edge in (0, 1)])
            if not len(nodes):
                continue
            if port.clock is not None:
                for phase in (0, 1):
                    if phases[port.clock, 0 if port.rising else 1] >> phase & 1:
                        arrival[phase, nodes] = access
                continue
            # Either edge of an address may move either edge of any bit of the data.
            begins = [2 * n + edge for n in port.address if n > 1 for edge in (0, 1)]
            a, b = np.meshgrid(np.array(begins, np.int64), nodes.astype(np.int64))
            sources.append(a.ravel())
            targets_of.append(b.ravel())
            delays.append(np.full(a.size, access))
    if not sources:
        return arcs
    more = (np.concatenate(part) for part in (sources, targets_of, delays))
    return arcs.with_more(*more)


def _judge(
    netlist: Netlist, endpoint: Endpoint, arrival: FloatArray, setup_s: float
) -> tuple[End, int, int] | None:
    """What an endpoint asks for, with the phase and node that its worst path ends in."""
    margin = 0.0 if endpoint.kind == "output" else setup_s
    worst: tuple[float, int, int, bool] | None = None
    for launch in (0, 1):
        for node in (2 * endpoint.net, 2 * endpoint.net + 1):
            late = arrival[launch, node]
            for capture in (0, 1):
                if late > -np.inf and endpoint.phases >> capture & 1:
                    # From one edge of the root to the other: what fits half a period asks for two.
                    half = launch != capture
                    case = ((late + margin) * (2 if half else 1), launch, node, half)
                    worst = max(worst, case) if worst else case
    if worst is None:
        return None
    period, launch, node, half = worst
    end = End(
        instance=endpoint.instance,
        pin=endpoint.pin,
        net=netlist.names[endpoint.net][0],
        kind=endpoint.kind,
        edge=EDGES[node & 1],
        arrival_s=float(arrival[launch, node]),
        half=half,
        period_s=float(period),
    )
    return end, launch, node
