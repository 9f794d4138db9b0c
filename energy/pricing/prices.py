"""Joules per toggle of every net and arc, and watts of leakage, from a Liberty library.

The arithmetic is that of OpenSTA's ``report_power`` (``power/Power.cc``):

- switching: ``C V² / 2`` for each toggle of a net, with ``C`` the larger of the sums of its sinks'
  rise and fall capacitances;
- internal, outputs: the mean of rise and fall energy at slew and load, shared among the related
  pins in proportion to their toggles times the probability that they decide the output (the
  Boolean difference, inputs taken as independent);
- internal, inputs: the mean of rise and fall energy at the pin's slew, times the probability of
  ``when``;
- slews: the largest over a net's driving arcs, by edge and unateness, a rising edge into the rise
  capacitances and a falling one into the fall capacitances; primary inputs and the clock network
  are ideal (slew 0, where tables extrapolate);
- leakage: each state's watts times its probability, and the cell's own for the rest of the time.

All of it is linear in the toggles, so a price is computed once and every view adds up.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.values import remembered
from spikewatt.energy.delays.slews import net_slews
from spikewatt.energy.pricing.cell_kinds import CellKind, cell_kinds, deciding, holding, probability
from spikewatt.energy.pricing.options import DEFAULT, PricingOptions, Wires
from spikewatt.synth.liberty.library import InternalPower, Library, Pin, Table
from spikewatt.synth.netlist.netlist import Netlist

__all__ = [
    "DRIVEN_BY_MEMORY",
    "DRIVEN_BY_PORT",
    "GROUPS",
    "UNDRIVEN",
    "Prices",
    "clock_network",
    "compute_prices",
    "net_loads",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
GROUPS = ("sequential", "combinational", "clock", "macro")
DRIVEN_BY_PORT, DRIVEN_BY_MEMORY, UNDRIVEN = -1, -2, -3
"""In place of the instance that drives a net."""


@dataclass(frozen=True)
class Prices:
    """What a toggle costs, and what standing still does.

    Parameters
    ----------
    switching:
        float64[nets], J for each toggle.
    driver:
        int64[nets], instance that drives the net, or ``DRIVEN_BY_PORT`` (a top-level port's net),
        ``DRIVEN_BY_MEMORY``, ``UNDRIVEN``.
    internal_instance, internal_net, internal:
        int64[k], int64[k], float64[k]: J of an instance for each toggle of a net.
    leakage:
        float64[instances], W.
    group:
        int64[instances], index into ``GROUPS``.
    load, slew:
        float64[nets], F, the larger of rise and fall; float64[nets, 2], s of rise and fall.
    clock_net:
        bool[nets], the clock network.
    """

    switching: FloatArray
    driver: IntArray
    internal_instance: IntArray
    internal_net: IntArray
    internal: FloatArray
    leakage: FloatArray
    group: IntArray
    load: FloatArray
    slew: FloatArray
    clock_net: NDArray[np.bool_]


def net_loads(
    kinds: Sequence[CellKind], nets: int, wires: Wires, clock_net: NDArray[np.bool_]
) -> FloatArray:
    """float64[nets, 2], F of rise and fall."""
    edges, sinks = np.zeros((nets, 2)), np.zeros(nets)
    for kind in kinds:
        for name, at in kind.nets.items():
            pin = kind.cell.pins[name]
            if pin.direction in ("input", "inout"):
                np.add.at(edges, at, (pin.rise_capacitance, pin.fall_capacitance))
                np.add.at(sinks, at, 1)
    per_sink = np.where(clock_net, wires.clock_per_sink, wires.per_sink)
    return edges + (sinks * per_sink)[:, None]


def clock_network(netlist: Netlist, library: Library, roots: Iterable[int]) -> NDArray[np.bool_]:
    """bool[nets]: ``roots`` and what they reach through gates and clock gates.

    Behind a flip-flop it ends: what a divided clock drives is priced as data, as by OpenSTA.
    """
    roots = sorted(roots)
    if not (netlist.digest and library.digest):
        return _clock_network(netlist, library, roots)
    content = [netlist.digest, library.digest, *map(str, roots)]
    return remembered("clock network", content, lambda: _clock_network(netlist, library, roots))


def _clock_network(netlist: Netlist, library: Library, roots: Iterable[int]) -> NDArray[np.bool_]:
    within = np.zeros(len(netlist.names), np.bool_)
    reached: dict[int, list[int]] = defaultdict(list)
    for instance in netlist.instances:
        cell = library.cells[instance.type]
        if cell.sequential is None or cell.clock_gate:
            for out, target in instance.pins.items():
                pin = cell.pins[out]
                if pin.direction == "output":
                    # A clock gate's output has no function in Liberty: every pin may lead to it.
                    inputs = pin.function.inputs if pin.function else instance.pins
                    for name in inputs:
                        reached[instance.pins.get(name, 0)].append(target)
    queue = list(roots)
    while queue:
        net = queue.pop()
        if within[net]:
            continue
        within[net] = True
        queue.extend(reached[net])
    return within


def _mean(tables: Iterable[tuple[Table | None, FloatArray]], load: FloatArray) -> FloatArray:
    """Mean energy of the rise and fall tables, each at its slew; a missing one is of no energy."""
    energies = [table.at(slew, load) for table, slew in tables if table is not None]
    return np.sum(energies, axis=0) / 2 if energies else np.zeros(len(load))


def _output_internal(
    kind: CellKind, pin: Pin, toggles: FloatArray, duty: FloatArray, slew: FloatArray,
    load: FloatArray,
) -> FloatArray:  # fmt: skip
    """J for each toggle of an output; float64[instances]."""
    out = kind.nets[pin.name]
    weights, energies = [], []
    for power in pin.power:
        if power.related is None or power.related not in kind.nets:
            continue
        related = kind.nets[power.related]
        senses = (arc.sense for arc in pin.timing if arc.related == power.related)
        positive = next(senses, "positive_unate") != "negative_unate"  # the first arc's, as OpenSTA
        rise, fall = slew[related].T
        pair = (rise, fall) if positive else (fall, rise)
        energies.append(_mean(zip((power.rise, power.fall), pair, strict=True), load[out]))
        weights.append(toggles[related] * _duty(kind, pin, power, duty))
    if not energies:  # energies without a related pin count at every toggle, at a slew of 0
        zero = np.zeros(len(out))
        lone = [_mean(((p.rise, zero), (p.fall, zero)), load[out]) for p in pin.power]
        return np.mean(lone, axis=0) if lone else zero
    weight = np.stack(weights)
    total = weight.sum(0)
    # Where no pin that decides the output has toggled, nothing is due to any.
    share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return (share * np.stack(energies)).sum(0)


def _duty(kind: CellKind, pin: Pin, power: InternalPower, duty: FloatArray) -> FloatArray:
    """Probability that the related pin decides the output."""
    related = power.related or ""
    if pin.function is not None and related in pin.function.inputs:
        return probability(deciding(pin.function, related), kind, duty)
    if power.when is not None:
        return probability(holding(power.when), kind, duty)
    return np.full(len(kind.index), 0.5)


def _input_internal(kind: CellKind, pin: Pin, duty: FloatArray, slew: FloatArray) -> FloatArray:
    """J for each toggle of an input; float64[instances]."""
    total = np.zeros(len(kind.index))
    rise, fall = slew[kind.nets[pin.name]].T
    none = np.zeros(len(kind.index))
    for power in pin.power:
        energy = _mean(((power.rise, rise), (power.fall, fall)), none)
        if power.when is not None:
            # As OpenSTA: a condition on the cell's own output asks whether the pin moves it.
            output = next(
                (
                    kind.cell.pins[name]
                    for name in power.when.inputs
                    if name in kind.cell.pins and kind.cell.pins[name].direction == "output"
                ),
                None,
            )
            function = output.function if output is not None else None
            if function is not None and pin.name in function.inputs:
                energy = energy * probability(deciding(function, pin.name), kind, duty)
            else:
                energy = energy * probability(holding(power.when), kind, duty)
        total += energy
    return total


def _leakage(kind: CellKind, duty: FloatArray) -> FloatArray:
    """W; float64[instances]."""
    cell, count = kind.cell, len(kind.index)
    conditional, known, plain = np.zeros(count), np.zeros(count), 0.0
    states = [state for state in cell.leakage_states if state.when is not None]
    for state in states:
        assert state.when is not None
        part = probability(holding(state.when), kind, duty)
        conditional += state.watts * part
        # A state of 0 W is one that nobody has characterised, for OpenSTA as well.
        known += part if state.watts > 0 else 0.0
    if not states:
        plain = sum(state.watts for state in cell.leakage_states)
        return np.full(count, plain or cell.leakage)
    return conditional + cell.leakage * np.maximum(0.0, 1 - known)


def compute_prices(
    netlist: Netlist,
    library: Library,
    toggles: NDArray[np.integer] | FloatArray,
    duty: FloatArray,
    clocks: Iterable[int],
    options: PricingOptions = DEFAULT,
) -> Prices:
    """Compute the prices of one run.

    Parameters
    ----------
    toggles:
        [nets], of the whole window: they say which pin an output's internal energy is due to.
    duty:
        float64[nets], share of the window that each net is 1.
    clocks:
        Root nets of the clock network.
    options:
        Voltage and wires count here.
    """
    volts = np.full(len(netlist.names), library.voltage)
    kinds = cell_kinds(netlist, library)
    count, nets = len(netlist.instances), len(netlist.names)
    duty = duty.copy()
    duty[0], duty[1] = 0.0, 1.0  # the constants, whose time at 1 nobody counts
    clock_net = clock_network(netlist, library, clocks)
    edges = net_loads(kinds, nets, options.wires, clock_net)
    load, slew = edges.max(1), net_slews(kinds, edges, clock_net, netlist.recorded)
    changes = toggles.astype(np.float64)
    # In this order: a port counts before a memory, a cell before either.
    driver = np.full(nets, UNDRIVEN, np.int64)
    for port in (port for memory in netlist.memories for port in memory.ports):
        if port.kind == "read":
            driver[[net for net in port.data if net > 1]] = DRIVEN_BY_MEMORY
    for port in netlist.ports.values():
        if port.direction != "output":
            driver[list(port.nets)] = DRIVEN_BY_PORT
    instances, on, joules = [], [], []
    leakage, group = np.zeros(count), np.zeros(count, np.int64)
    shares = _shares(kinds, nets, duty)
    for kind in kinds:
        leakage[kind.index] = _leakage(kind, duty)
        outputs = []
        for name, at in kind.nets.items():
            pin = kind.cell.pins[name]
            if pin.direction == "output":
                driver[at[at > 1]] = kind.index[at > 1]
                volts[at] = library.voltage if kind.cell.voltage is None else kind.cell.voltage
                outputs.append(at)
                energy = _output_internal(kind, pin, changes, duty, slew, load)
                if (share := shares.get((kind.cell.name, name))) is not None:
                    energy = energy * share
            else:
                energy = _input_internal(kind, pin, duty, slew)
            if pin.power:
                instances.append(kind.index)
                on.append(at)
                joules.append(energy)
        group[kind.index] = _group(kind, outputs, clock_net)
    if options.voltage is not None:
        volts[:] = options.voltage
    empty = np.zeros(0)
    return Prices(
        switching=0.5 * load * volts**2,
        driver=driver,
        internal_instance=np.concatenate(instances) if instances else empty.astype(np.int64),
        internal_net=np.concatenate(on) if on else empty.astype(np.int64),
        internal=np.concatenate(joules) if joules else empty,
        leakage=leakage,
        group=group,
        load=load,
        slew=slew,
        clock_net=clock_net,
    )


def _shares(
    kinds: Sequence[CellKind], nets: int, duty: FloatArray
) -> dict[tuple[str, str], FloatArray]:
    """For each three-state output of a cell: whose the toggles of its net are, float64[instances].

    Drivers of one net share its toggles by the time that each of them drives it.
    """
    driving: dict[tuple[str, str], tuple[IntArray, FloatArray]] = {}
    total, count = np.zeros(nets), np.zeros(nets)
    for kind in kinds:
        for name, at in kind.nets.items():
            pin = kind.cell.pins[name]
            if pin.direction == "output" and pin.three_state is not None:
                share = 1 - probability(holding(pin.three_state), kind, duty)
                driving[kind.cell.name, name] = at, share
                np.add.at(total, at, share)
                np.add.at(count, at, 1)
    return {
        key: np.where(
            total[at] > 0,
            share / np.where(total[at] > 0, total[at], 1),
            1 / np.maximum(count[at], 1),
        )
        for key, (at, share) in driving.items()
    }


def _group(kind: CellKind, outputs: Sequence[IntArray], clock_net: NDArray[np.bool_]) -> IntArray:
    """Index into ``GROUPS`` of each instance."""
    if kind.cell.macro:
        return np.full(len(kind.index), GROUPS.index("macro"))
    own = "sequential" if kind.cell.sequential or kind.cell.clock_gate else "combinational"
    some, others = np.zeros((2, len(kind.index)), np.bool_)
    for nets in outputs:  # all that are connected, as OpenSTA
        some |= clock_net[nets]
        others |= ~clock_net[nets] & (nets > 1)
    return np.where(some & ~others, GROUPS.index("clock"), GROUPS.index(own))
