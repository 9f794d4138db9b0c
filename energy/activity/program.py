"""A netlist compiled for replay: arrays of steps, in two time bases.

Most gates change only when a flip-flop or an input does, which is once a clock period; the clock
tree changes twice. So there are two stages. The *data* stage holds every gate that no clock root
reaches and that depends on no replayed state; it runs over the samples where data change. The
*clock* stage holds the rest, runs over all samples, and carries the replayed states: latches,
clock gates, and flip-flops that the waveform does not show.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetlistError
from spikewatt.base.values import cached_value
from spikewatt.energy.activity.activity import Origin
from spikewatt.energy.activity.elements import SOURCES, Element, Elements, Recorded
from spikewatt.energy.activity.kernels import RESULT, Steps
from spikewatt.energy.activity.loops import Cut, find_levels, hold_step, shown_key
from spikewatt.energy.activity.lowering import Step
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Check", "Program", "compile_program"]

NO_CUT = Cut()


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

    def with_assumed(self, rows: Sequence[int]) -> "Program":
        """The same with rows that nothing determines; they are taken as 0."""
        origins = self.origins.copy()
        origins[[row for row in rows if row < self.nets]] = Origin.ASSUMED
        return replace(self, unmatched=(*self.unmatched, *rows), origins=origins)


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


def compile_program(
    netlist: Netlist,
    elements: Elements,
    shown: Mapping[int, bool],
    roots: Iterable[int],
    cut: Cut = NO_CUT,
) -> Program:
    """Order the steps, and divide them between the stages.

    Parameters
    ----------
    shown:
        Rows that the waveform shows; ``True`` for the outputs of flip-flops, memories and black
        boxes and for top inputs, ``False`` for what is only taken if nothing else is known.
    roots:
        Rows that toggle as clocks do.
    cut:
        Rows whose values are there too, because they were computed, or had to be taken.

    Raises
    ------
    NetlistError
        A combinational loop, which is named.
    """
    roots = sorted(roots)
    if not elements.digest:
        return _compile(netlist, elements, shown, roots, cut)
    content = [elements.digest, shown_key(shown), ",".join(map(str, roots)), repr(cut)]
    return cached_value(
        "program", content, SOURCES, lambda: _compile(netlist, elements, shown, roots, cut)
    )


def _compile(
    netlist: Netlist,
    elements: Elements,
    shown: Mapping[int, bool],
    roots: Sequence[int],
    cut: Cut,
) -> Program:
    cut_rows = {*cut.forced, *cut.computed}
    taken = {0, 1} | {row for row, wanted in shown.items() if wanted} | cut_rows
    undriven = set(range(len(netlist.names))) - {step.out for step in elements.steps}
    undriven -= {element.state.row for element in elements.states}
    read = _read(netlist)  # of a net that nobody reads nothing needs to be assumed
    unmatched = (undriven & read) - taken
    taken |= undriven
    replayed = [
        element
        for element in elements.states
        if element.state.row not in (taken if element.edge else cut_rows)
    ]
    rows = [elements.rows]
    extra: list[Step] = []
    holds = {e.state.row: (hold_step(e, extra, rows), e) for e in replayed}
    gates = [step for step in elements.steps if step.out not in cut_rows]
    steps = [*gates, *extra, *(step for step, _ in holds.values())]
    level, left = find_levels(steps, taken)
    if left:  # which the cut should have opened
        _refuse(netlist, list(left))
    # What hangs on a clock root changes at its every edge: those rows alone need all samples.
    late = _reached(steps, level, {*roots, *holds})
    order = sorted(steps, key=lambda step: (level[step.out], step.kind))
    clock = [step for step in order if step.out in late]
    data = [step for step in order if step.out not in late]
    written = {step.out for step in clock}
    reads = {operand.row for step in clock for operand in step.operands}
    checks = tuple(
        Check(e.instance, e) for e in elements.states if e.edge and shown.get(e.state.row)
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
        inferred=(
            *(_state_name(e, netlist) for _, e in holds.values() if e.edge),
            *(
                netlist.names[row][0]
                for row in cut.computed
                if row < len(netlist.names) and not shown.get(row)
            ),
        ),
        forced=cut.forced,
        origins=_origins(
            len(netlist.names),
            recorded=set(shown) & taken,
            inferred={row for row, (_, element) in holds.items() if element.edge}
            | set(cut.computed),
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
        (recorded, Origin.RECORDED),
        (inferred, Origin.INFERRED),
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
