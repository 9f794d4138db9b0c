"""A netlist compiled for replay: arrays of steps, in two time bases.

Most gates change only when a flip-flop or an input does, which is once a clock period; the clock
tree changes twice. So there are two stages. The *data* stage holds every gate that no clock root
reaches and that depends on no replayed state; it runs over the samples where data change. The
*clock* stage holds the rest, runs over all samples, and carries the replayed states: latches,
clock gates, and flip-flops that the waveform does not show.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetlistError
from spikewatt.base.values import cached_value
from spikewatt.energy.activity.activity import Origin
from spikewatt.energy.activity.elements import SOURCES, Element, Elements, Recorded
from spikewatt.energy.activity.kernels import RESULT, Hold, Kind, Steps
from spikewatt.energy.activity.lowering import RowLiteral, Step
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Check", "Program", "compile_program", "forced_states"]


@dataclass(frozen=True, slots=True)
class Check:
    """A state that the waveform shows, and what the netlist says of it."""

    instance: str
    element: Element


@dataclass(frozen=True)
class Program:
    """What the replay runs.

    Parameters
    ----------
    rows:
        Number of rows; row ``n`` of the first ``nets`` is net ``n``.
    data, clock:
        The two stages.
    clock_rows:
        int32, rows that the clock stage writes or that are its own sources.
    bridge:
        int32, rows of the data stage that the clock stage reads.
    checks:
        States to hold against the waveform.
    recorded:
        Nets that the waveform alone can tell, to hold against their gates.
    unmatched:
        Nets that nothing in the waveform or the netlist determines; they are taken as 0.
    inferred:
        Names of flip-flops that the waveform does not show, and that are computed instead.
    forced:
        States taken from the waveform because they depend on themselves.
    origins:
        uint8[nets], of ``Origin``.
    """

    rows: int
    nets: int
    data: Steps
    clock: Steps
    clock_rows: NDArray[np.int32]
    bridge: NDArray[np.int32]
    checks: tuple[Check, ...]
    recorded: tuple[Recorded, ...]
    unmatched: tuple[int, ...]
    inferred: tuple[str, ...]
    forced: tuple[int, ...]
    origins: NDArray[np.uint8]


def _arrays(steps: Sequence[Step], level: Mapping[int, int]) -> Steps:
    """Arrays of steps that are in order of level and kind."""
    operands = np.zeros((len(steps), 4), np.int32)
    inverted = np.zeros(len(steps), np.uint8)
    for at, step in enumerate(steps):
        operands[at, : len(step.operands)] = [operand.row for operand in step.operands]
        flags = sum(operand.inverted << k for k, operand in enumerate(step.operands))
        inverted[at] = flags | step.inverted << RESULT
    # Steps of one level do not need each other: those of one kind are one operation in NumPy.
    keys = [(level[step.out], step.kind) for step in steps]
    borders = [at for at in range(len(keys)) if not at or keys[at] != keys[at - 1]]
    return Steps(
        groups=np.array([*borders, len(steps)], np.int32),
        kind=np.array([step.kind for step in steps], np.uint8),
        operands=operands,
        inverted=inverted,
        out=np.array([step.out for step in steps], np.int32),
    )


def _hold(element: Element, extra: list[Step], rows: list[int]) -> Step:
    """Step of a replayed state; steps before it go to ``extra``."""

    def row() -> int:
        rows[0] += 1
        return rows[0] - 1

    def join(kind: Kind, *operands: RowLiteral, inverted: bool = False) -> RowLiteral:
        out = row()
        extra.append(Step(kind, operands, out, inverted))
        return RowLiteral(out)

    forced, value = element.clear, RowLiteral(0)
    if element.preset.row:  # row 0 is the constant: there is no preset
        forced = join(Kind.AND2, ~element.clear, ~element.preset, inverted=True)
        value = element.preset if element.both else join(Kind.AND2, element.preset, ~element.clear)
    state = element.state
    if element.edge:
        operands = (element.control, element.data, forced, value)
        return Step(Hold.EDGE, operands, state.row, state.inverted)
    enable, data = element.control, element.data
    if forced.row:
        enable = join(Kind.AND2, ~enable, ~forced, inverted=True)
        data = join(Kind.MUX, forced, value, data)
    return Step(Hold.LATCH, (enable, data), state.row, state.inverted)


def _levels(
    steps: Sequence[Step], sources: Iterable[int]
) -> tuple[dict[int, int], dict[int, Step]]:
    """Level of each row that can be computed; and the steps that cannot, by the row they write."""
    readers: dict[int, list[int]] = defaultdict(list)
    waiting = []
    level = dict.fromkeys(sources, 0)
    ready = []
    for at, step in enumerate(steps):
        rows = {operand.row for operand in step.operands}
        missing = [row for row in rows if row not in level]
        waiting.append(len(missing))
        for row in missing:
            readers[row].append(at)
        if not missing:
            ready.append(at)
    left = {step.out: step for step in steps}
    while ready:
        step = steps[ready.pop()]
        level[step.out] = 1 + max((level[operand.row] for operand in step.operands), default=0)
        left.pop(step.out, None)
        for reader in readers.pop(step.out, ()):
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    return level, left


def _cycle(left: Mapping[int, Step]) -> list[int]:
    """Rows of one cycle among steps that wait for each other; empty if they wait for others."""
    seen: set[int] = set()
    for start in left:
        path: dict[int, None] = {}
        row: int | None = start
        while row is not None and row not in seen:
            if row in path:
                rows = list(path)
                return rows[rows.index(row) :]
            path[row] = None
            row = next((o.row for o in left[row].operands if o.row in left), None)
        seen.update(path)
    return []


def compile_program(
    netlist: Netlist, elements: Elements, shown: Mapping[int, bool], roots: Iterable[int]
) -> Program:
    """Order the steps, and divide them between the stages.

    Parameters
    ----------
    shown:
        Rows that the waveform shows; ``True`` for the outputs of flip-flops, memories and black
        boxes and for top inputs, ``False`` for what is only taken if nothing else is known.
    roots:
        Rows that toggle as clocks do.

    Raises
    ------
    NetlistError
        A combinational loop, which is named.
    """
    roots = sorted(roots)
    if not elements.digest:
        return _compile(netlist, elements, shown, roots)
    content = [*_key(elements, shown), ",".join(map(str, roots))]
    return cached_value(
        "program", content, SOURCES, lambda: _compile(netlist, elements, shown, roots)
    )


def forced_states(
    netlist: Netlist, elements: Elements, shown: Mapping[int, bool]
) -> tuple[int, ...]:
    """States that are taken from the waveform, because they depend on themselves.

    Which they are does not depend on what the clock roots are; see `compile_program`.
    """
    if not elements.digest:
        return _compile(netlist, elements, shown, ()).forced
    return cached_value(
        "forced",
        _key(elements, shown),
        SOURCES,
        lambda: _compile(netlist, elements, shown, ()).forced,
    )


def _key(elements: Elements, shown: Mapping[int, bool]) -> list[str]:
    return [elements.digest, ",".join(f"{row} {wanted:d}" for row, wanted in sorted(shown.items()))]


def _compile(
    netlist: Netlist, elements: Elements, shown: Mapping[int, bool], roots: Sequence[int]
) -> Program:
    taken = {0, 1} | {row for row, wanted in shown.items() if wanted}
    undriven = set(range(len(netlist.names))) - {step.out for step in elements.steps}
    undriven -= {element.state.row for element in elements.states}
    read = _read(netlist)  # of a net that nobody reads nothing needs to be assumed
    unmatched = (undriven & read) - taken
    taken |= undriven
    replayed = [
        element for element in elements.states if not (element.edge and element.state.row in taken)
    ]
    rows, forced = [elements.rows], []
    extra: list[Step] = []
    holds = {e.state.row: (_hold(e, extra, rows), e) for e in replayed}
    # A state that depends on itself is cut out of its cycle, one at a time, for a cut may open
    # other cycles too. One that the waveform shows is taken from there; else its value is assumed.
    while True:
        steps = [*elements.steps, *extra, *(step for step, _ in holds.values())]
        level, left = _levels(steps, taken)
        if not left:
            break
        stuck = [row for row in _cycle(left) if row in holds]
        if not stuck:
            _refuse(netlist, _cycle(left))
        chosen = next((row for row in stuck if row in shown), stuck[0])
        if chosen in shown:
            forced.append(chosen)
        else:
            unmatched.add(chosen)
        taken.add(chosen)
        del holds[chosen]
    # What hangs on a clock root changes at its every edge: those rows alone need all samples.
    late = _reached(steps, level, {*roots, *holds})
    order = sorted(steps, key=lambda step: (level[step.out], step.kind))
    clock = [step for step in order if step.out in late]
    data = [step for step in order if step.out not in late]
    written = {step.out for step in clock}
    reads = {operand.row for step in clock for operand in step.operands}
    checks = tuple(
        Check(e.instance, e)
        for e in elements.states
        if e.edge and e.state.row in taken and e.state.row not in unmatched
    )
    return Program(
        rows=rows[0],
        nets=len(netlist.names),
        data=_arrays(data, level),
        clock=_arrays(clock, level),
        clock_rows=np.array(sorted(written | set(roots)), np.int32),
        bridge=np.array(sorted(reads - written - set(roots)), np.int32),
        checks=checks,
        recorded=tuple(record for record in elements.recorded if record.net in taken),
        unmatched=tuple(sorted(unmatched)),
        inferred=tuple(_state_name(e, netlist) for _, e in holds.values() if e.edge),
        forced=tuple(forced),
        origins=_origins(
            len(netlist.names),
            recorded=(set(shown) & taken) - unmatched,
            inferred={row for row, (_, element) in holds.items() if element.edge},
            assumed=((undriven & read) - set(shown)) | unmatched,
            unused=undriven - read - set(shown),
        ),
    )


def _origins(
    nets: int, *, recorded: set[int], inferred: set[int], assumed: set[int], unused: set[int]
) -> NDArray[np.uint8]:
    """uint8[nets] of ``Origin``; what is none of these is replayed."""
    origins = np.full(nets, Origin.REPLAYED, np.uint8)
    # In this order: a net that is two of them is the later one.
    for rows, origin in (
        (unused, Origin.UNUSED),
        (assumed, Origin.ASSUMED),
        (inferred, Origin.INFERRED),
        (recorded, Origin.RECORDED),
    ):
        origins[[row for row in rows if row < nets]] = origin
    return origins


def _state_name(element: Element, netlist: Netlist) -> str:
    row = element.state.row
    return netlist.names[row][0] if row < len(netlist.names) else element.instance


def _read(netlist: Netlist) -> set[int]:
    """Nets that something reads."""
    read = {net for instance in netlist.instances for net in instance.pins.values()}
    for memory in netlist.memories:
        for port in memory.ports:
            read |= {*port.enable, *port.address, *(port.data if port.kind == "write" else ())}
    return read


def _reached(steps: Sequence[Step], level: Mapping[int, int], late: set[int]) -> set[int]:
    """Rows that depend on ``late`` ones, these included."""
    for step in sorted(steps, key=lambda step: level[step.out]):
        if any(operand.row in late for operand in step.operands):
            late.add(step.out)
    return late


def _refuse(netlist: Netlist, cycle: Sequence[int]) -> None:
    names = [netlist.names[row][0] for row in cycle if row < len(netlist.names)]
    shown = " -> ".join([*reversed(names[-6:]), names[-1]]) if names else "unnamed nets"
    raise NetlistError(
        f"combinational loop through {shown}: break it with a register, or use a delay cell that "
        "the waveform shows"
    )
