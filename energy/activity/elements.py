"""Cells of a netlist as rows, steps and holds: what each output is, given the states.

A net that the netlist marks as recorded (the output of a delay, of a fire buffer, or within a
mutual-exclusion element: `Netlist.recorded`) is a state as well, for its value depends on when its
gate's inputs changed. A loop through such a net is none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from spikewatt.base.errors import NetlistError
from spikewatt.base.sources import Sources
from spikewatt.base.values import cached_value
from spikewatt.energy.activity.kernels import Kind
from spikewatt.energy.activity.lowering import Lowering, RowLiteral, Step
from spikewatt.synth.liberty.function import Function
from spikewatt.synth.liberty.gating import expand_clock_gate
from spikewatt.synth.liberty.library import Cell, FlipFlop, Latch, Library
from spikewatt.synth.netlist.netlist import Instance, Netlist

__all__ = ["SOURCES", "Element", "Elements", "Recorded", "build_elements", "state_net"]

SOURCES = Sources(("spikewatt.base", "spikewatt.energy.activity", "spikewatt.synth"))
"""All that decides what a netlist becomes for the replay."""
FALSE, TRUE = RowLiteral(0), RowLiteral(1)


@dataclass(frozen=True, slots=True)
class Element:
    """A flip-flop or latch: its state, and what moves it.

    ``edge``: the state takes ``data``, as it was a sample ago, when ``control`` rises; otherwise
    it follows ``data`` while ``control`` holds. ``clear`` and ``preset`` act at once; ``both`` is
    the state under both.
    """

    instance: str
    state: RowLiteral
    edge: bool
    control: RowLiteral
    data: RowLiteral
    clear: RowLiteral
    preset: RowLiteral
    both: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """A net that only the waveform can tell, and what its gate makes of its inputs without delay.

    ``kind`` is the mark that the netlist has on it.
    """

    net: int
    kind: str
    gate: RowLiteral


@dataclass(frozen=True)
class Elements:
    """All states and steps of a netlist; rows below ``len(netlist.names)`` are its nets."""

    states: tuple[Element, ...]
    steps: tuple[Step, ...]
    rows: int
    clocks: tuple[int, ...]
    """Rows that clock something, the memories included."""
    enables: tuple[RowLiteral, ...]
    """For each port of each memory: whether it is enabled, one of its bits at least."""
    given: tuple[int, ...]
    """Outputs of macros, black boxes and pads: only the waveform can tell them."""
    recorded: tuple[Recorded, ...] = ()
    """Nets that the netlist marks so; they are among ``given``."""
    digest: str = field(default="", init=False, repr=False, compare=False)
    """Of the netlist and the library; empty where either was not read from a file."""


def state_net(instance: Instance, cell: Cell, sequential: FlipFlop | Latch) -> RowLiteral | None:
    """Net that shows a state of a cell, inverted if only that is connected."""
    inverse = None
    for name, net in instance.pins.items():
        pin = cell.pins[name]
        function = pin.function
        # A driver that may float does not always show what it is given.
        if function is None or pin.direction != "output" or pin.three_state is not None:
            continue
        if function.tree == ("pin", sequential.state):
            return RowLiteral(net)
        if function.tree in (("pin", sequential.inverted), ("not", ("pin", sequential.state))):
            inverse = RowLiteral(net, inverted=True)
    return inverse


def build_elements(netlist: Netlist, library: Library) -> Elements:
    """Lower every instance; of a netlist and a library that were read, once.

    Raises
    ------
    NetlistError
        A cell that is not in the library.
    """
    if not (netlist.digest and library.digest):
        return _build_elements(netlist, library)
    content = [netlist.digest, library.digest]

    def build() -> Elements:
        elements = _build_elements(netlist, library)
        object.__setattr__(elements, "digest", " ".join(content))
        return elements

    return cached_value("elements", content, SOURCES, build)


def _build_elements(netlist: Netlist, library: Library) -> Elements:
    lowering, clocks = Lowering(len(netlist.names)), set()
    states: list[Element] = []
    given = list(netlist.boxed)
    drivers: dict[int, list[_Driver]] = defaultdict(list)
    for instance in netlist.instances:
        cell = library.cells.get(instance.type)
        if cell is None:
            raise NetlistError(
                f"cell {instance.name} is a {instance.type}, which library {library.name} has not: "
                "give the library that the netlist was mapped to"
            )
        pins = {
            name: RowLiteral(instance.pins[name]) if name in instance.pins else FALSE
            for name in cell.pins
        }
        cell = expand_clock_gate(cell)  # into its latch and its gate, which libraries leave out
        known = dict(pins)
        shown: set[int] = set()
        for sequential in cell.states:
            element = _sequential(instance, cell, sequential, pins, lowering)
            states.append(element)
            known |= {sequential.state: element.state, sequential.inverted: ~element.state}
            shown.add(element.state.row)
        given += _outputs(instance, cell, known, lowering, shown, drivers)
    # A pad is driven from outside too: the waveform alone can tell its value.
    pads = {
        net for port in netlist.ports.values() if port.direction == "inout" for net in port.nets
    }
    for net, on_net in drivers.items():
        if net in pads:
            given.append(net)
        else:
            states.append(_bus(net, on_net, lowering))
    # After all instances, whose steps these change; and they are roots from then on.
    recorded = tuple(_recorded(netlist, lowering))
    given += [record.net for record in recorded]
    clocks.update(element.control.row for element in states)
    clocks.update(
        port.clock for memory in netlist.memories for port in memory.ports if port.clock is not None
    )
    enables = tuple(
        _any(port.enable, lowering) for memory in netlist.memories for port in memory.ports
    )
    return Elements(
        states=tuple(states),
        steps=tuple(lowering.steps),
        rows=lowering.rows,
        clocks=tuple(sorted(clocks)),
        enables=enables,
        given=tuple(given),
        recorded=recorded,
    )


def _recorded(netlist: Netlist, lowering: Lowering) -> Iterator[Recorded]:
    """Recorded nets; their gates write rows of their own from now on."""
    for at, step in enumerate(lowering.steps):
        if (kind := netlist.recorded.get(step.out)) is not None:
            gate = lowering.new_row()
            lowering.steps[at] = replace(step, out=gate)
            yield Recorded(step.out, kind, RowLiteral(gate))


def _any(nets: Iterable[int], lowering: Lowering) -> RowLiteral:
    """Whether one of the nets is 1."""
    return _any_of([RowLiteral(net) for net in sorted(set(nets) - {0})], lowering)


def _any_of(literals: list[RowLiteral], lowering: Lowering) -> RowLiteral:
    """Whether one of the literals is 1."""
    # An OR as a NAND of complements, four at a time; results queue up at the end, so that the tree
    # is as flat as it can be.
    while len(literals) > 1:
        part = tuple(~literal for literal in literals[:4])
        kind = {2: Kind.AND2, 3: Kind.AND3, 4: Kind.AND4}[len(part)]
        out = lowering.new_row()
        lowering.steps.append(Step(kind, part, out, inverted=True))
        literals = [*literals[4:], RowLiteral(out)]
    return literals[0] if literals else FALSE


@dataclass(frozen=True, slots=True)
class _Driver:
    """One of the three-state drivers of a net: when it drives, and what."""

    instance: str
    enabled: RowLiteral
    value: RowLiteral


def _outputs(
    instance: Instance,
    cell: Cell,
    known: Mapping[str, RowLiteral],
    lowering: Lowering,
    shown: Collection[int],
    drivers: dict[int, list[_Driver]],
) -> list[int]:
    """Steps for every connected output but those that are a state; nets that no function tells."""
    given: list[int] = []
    for name, net in instance.pins.items():
        pin = cell.pins[name]
        if pin.direction != "output" and not (pin.direction == "inout" and pin.function):
            continue
        if pin.function is None:
            given.append(net)
        elif pin.three_state is not None:
            enabled = ~lowering.literal(pin.three_state, known)
            value = lowering.literal(pin.function, known)
            drivers[net].append(_Driver(instance.name, enabled, value))
        elif net not in shown:
            lowering.into(net, pin.function, known)
    return given


def _bus(net: int, drivers: Sequence[_Driver], lowering: Lowering) -> Element:
    """What three-state drivers make of a net: a latch, for it holds while nobody drives it.

    Drivers that are on at once should agree; where they do not, a 1 wins.
    """
    ones = [lowering.both(driver.enabled, driver.value) for driver in drivers]
    data = drivers[0].value if len(drivers) == 1 else _any_of(ones, lowering)
    return Element(
        instance=drivers[0].instance,
        state=RowLiteral(net),
        edge=False,
        control=_any_of([driver.enabled for driver in drivers], lowering),
        data=data,
        clear=FALSE,
        preset=FALSE,
        both=False,
    )


def _sequential(
    instance: Instance,
    cell: Cell,
    sequential: FlipFlop | Latch,
    pins: Mapping[str, RowLiteral],
    lowering: Lowering,
) -> Element:
    state = state_net(instance, cell, sequential)
    if state is None:  # no output is connected that shows it
        state = RowLiteral(lowering.new_row())
    known = {**pins, sequential.state: state, sequential.inverted: ~state}

    def value(function: Function | None) -> RowLiteral:
        return FALSE if function is None else lowering.literal(function, known)

    if isinstance(sequential, FlipFlop):
        edge, control, data = True, sequential.clocked_on, sequential.next_state
    else:
        edge, control, data = False, sequential.enable, sequential.data_in
    return Element(
        instance=instance.name,
        state=state,
        edge=edge,
        control=value(control),
        data=value(data),
        clear=value(sequential.clear),
        preset=value(sequential.preset),
        both=sequential.both == "H",
    )
