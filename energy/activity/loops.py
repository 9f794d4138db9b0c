"""Loops: where a state depends on itself, and what is done about it.

A gate's value needs no past, and most flip-flops that the waveform hides hang on shown ones. Where
hidden states feed back into themselves the loop is cut: by what the waveform shows of it, or by
states whose values are computed sample by sample (`hidden`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from spikewatt.base.values import cached_value
from spikewatt.energy.activity.elements import SOURCES, Element, Elements
from spikewatt.energy.activity.kernels import Hold, Kind
from spikewatt.energy.activity.lowering import RowLiteral, Step
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Cut", "find_cut", "find_levels", "hold_step", "read_rows", "shown_key"]


@dataclass(frozen=True)
class Cut:
    """Rows at which loops are cut.

    Parameters
    ----------
    forced:
        Taken from the waveform, which shows them.
    computed:
        Computed sample by sample.
    """

    forced: tuple[int, ...] = ()
    computed: tuple[int, ...] = ()


def hold_step(element: Element, extra: list[Step], rows: list[int]) -> Step:
    """Step of a replayed state; steps before it go to ``extra``, their rows count from ``rows``."""

    def join(kind: Kind, *operands: RowLiteral, inverted: bool = False) -> RowLiteral:
        out, rows[0] = rows[0], rows[0] + 1
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


def find_levels(
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


def find_cut(netlist: Netlist, elements: Elements, shown: Mapping[int, bool]) -> Cut:
    """Find where to cut; of a netlist that was read, once.

    Parameters
    ----------
    shown:
        Rows that the waveform shows; ``True`` for those that are taken from there in any case.
    """
    if not elements.digest:
        return _find_cut(netlist, elements, shown)
    content = [elements.digest, shown_key(shown)]
    return cached_value("cut", content, SOURCES, lambda: _find_cut(netlist, elements, shown))


def shown_key(shown: Mapping[int, bool]) -> str:
    """Text that tells which rows are shown."""
    return ",".join(f"{row} {wanted:d}" for row, wanted in sorted(shown.items()))


def _find_cut(netlist: Netlist, elements: Elements, shown: Mapping[int, bool]) -> Cut:
    taken = {0, 1} | {row for row, wanted in shown.items() if wanted}
    computed = set(read_rows(netlist)) - taken
    written = {step.out for step in elements.steps} | {e.state.row for e in elements.states}
    undriven = set(range(len(netlist.names))) - written
    edges = {element.state.row for element in elements.states if element.edge}
    latches = {element.state.row for element in elements.states if not element.edge}
    rows = [elements.rows]
    steps = list(elements.steps)
    for element in elements.states:
        if element.state.row not in taken or not element.edge:
            steps.append(hold_step(element, steps, rows))
    forced: set[int] = set()
    # Flip-flops first: a loop through one is no loop of gates. Then latches, then what is left.
    for kinds in (edges, latches, set(range(rows[0]))):
        _, left = find_levels(
            [step for step in steps if step.out not in forced | computed],
            taken | undriven | forced | computed,
        )
        if not left:
            break
        looping = {row for component in _components(left) for row in component} & kinds
        forced |= {row for row in looping if row in shown}
        computed |= looping - set(shown)
    return Cut(tuple(sorted(forced)), tuple(sorted(computed)))


def read_rows(netlist: Netlist) -> Iterator[int]:
    """Nets that memories drive."""
    for memory in netlist.memories:
        for port in memory.ports:
            if port.kind == "read":
                yield from (net for net in port.data if net > 1)


def _components(left: Mapping[int, Step]) -> Iterator[Collection[int]]:
    """Groups of rows that depend on one another, or on themselves.

    Tarjan, "Depth-first search and linear graph algorithms", SIAM J. Comput. 1 (1972), with a stack
    of its own in place of recursion.
    """
    number: dict[int, int] = {}
    lowest: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()

    def operands(row: int) -> Iterator[int]:
        return iter({operand.row for operand in left[row].operands if operand.row in left})

    for start in left:
        if start in number:
            continue
        work = [(start, operands(start))]
        number[start] = lowest[start] = len(number)
        stack.append(start)
        on_stack.add(start)
        while work:
            row, ahead = work[-1]
            for other in ahead:
                if other not in number:
                    number[other] = lowest[other] = len(number)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, operands(other)))
                    break
                if other in on_stack:
                    lowest[row] = min(lowest[row], number[other])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    lowest[above] = min(lowest[above], lowest[row])
                if lowest[row] == number[row]:
                    component = []
                    while not component or component[-1] != row:
                        component.append(stack.pop())
                        on_stack.discard(component[-1])
                    if len(component) > 1 or row in set(operands(row)):
                        yield component
