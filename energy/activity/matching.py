"""Which signal of the waveform shows which net of the netlist."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.elements import Elements
from spikewatt.energy.activity.kernels import Kind
from spikewatt.energy.activity.lowering import RowLiteral
from spikewatt.energy.activity.naming import Buses, Names, SourceBit
from spikewatt.energy.activity.scopes import find_scope, given_scope
from spikewatt.energy.activity.waveform import Waveform
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Matches", "SourceBit", "match"]


@dataclass(frozen=True)
class Matches:
    """Rows and what shows them.

    ``roots`` are nets that only the waveform can tell: top inputs, states, memory outputs.
    ``others`` are nets that the replay computes and that the waveform also shows.
    """

    scope: str
    roots: Mapping[int, SourceBit]
    others: Mapping[int, SourceBit]


def match(wave: Waveform, netlist: Netlist, elements: Elements, scope: str | None) -> Matches:
    """Find every source net, and what else the waveform shows, by any of its names.

    A flip-flop whose output has no name that the waveform knows is looked for behind inverters
    and buffers: synthesis inverts registers that are reset to one.

    Raises
    ------
    WaveformError
        The scope is missing or ambiguous, or it holds no input of the design.
    """
    buses = Buses.of(netlist)
    if scope is None:
        states = [element.state.row for element in elements.states]
        scope = find_scope(wave, netlist, states, buses)
    else:
        scope = given_scope(wave, scope)
    names = Names(wave, scope, buses)
    shown = {
        net: bit
        for net, aliases in enumerate(netlist.names)
        if net > 1 and (bit := names.first(aliases)) is not None  # not of the constants
    }
    copies = _copies(elements)
    roots: dict[int, SourceBit] = {}
    for net in _wanted(netlist, elements):
        bit = shown.get(net) or next(_behind(net, copies, shown), None)
        if bit is not None:
            roots[net] = bit
    inputs = [n for port in netlist.ports.values() if port.direction != "output" for n in port.nets]
    if inputs and not any(net in roots for net in inputs):
        raise WaveformError(
            f"scope {scope} of {wave.path} shows no input of {netlist.name}: is it this design's?"
        )
    _refuse_unrecorded(wave, scope, netlist, elements, roots)
    # Of what is neither root nor computed nothing needs to be known.
    written = {step.out for step in elements.steps}
    others = {net: bit for net, bit in shown.items() if net not in roots and net in written}
    latches = {e.state.row for e in elements.states if not e.edge}
    others |= {net: bit for net, bit in shown.items() if net in latches}
    return Matches(scope, {net: b for net, b in roots.items() if net not in latches}, others)


def _refuse_unrecorded(
    wave: Waveform, scope: str, netlist: Netlist, elements: Elements, roots: Collection[int]
) -> None:
    """Raise if a recorded net is not shown."""
    lost = [record for record in elements.recorded if record.net not in roots]
    if lost:
        name = netlist.names[lost[0].net][-1]
        raise WaveformError(
            f"scope {scope} of {wave.path} does not show {name}, whose value depends on delays "
            f"(nor {len(lost) - 1} more such nets): write the waveform with all levels below the "
            "top, those of the click_* cells among them"
        )


def _wanted(netlist: Netlist, elements: Elements) -> Iterator[int]:
    """Rows that are not computed: inputs, states, memory outputs."""
    for port in netlist.ports.values():
        if port.direction != "output":
            yield from (net for net in port.nets if net > 1)
    yield from (element.state.row for element in elements.states)
    yield from elements.given
    for memory in netlist.memories:
        for port in memory.ports:
            if port.kind == "read":
                yield from (net for net in port.data if net > 1)


def _copies(elements: Elements) -> dict[int, list[RowLiteral]]:
    """For each row, the rows that are its copy or its complement."""
    copies: dict[int, list[RowLiteral]] = defaultdict(list)
    for step in elements.steps:
        if step.kind == Kind.BUF:
            (operand,) = step.operands
            copies[operand.row].append(RowLiteral(step.out, operand.inverted ^ step.inverted))
    return copies


def _behind(
    net: int, copies: Mapping[int, Iterable[RowLiteral]], shown: Mapping[int, SourceBit]
) -> Iterator[SourceBit]:
    """Bits that show a net through its copies."""
    queue, seen = [RowLiteral(net)], {net}
    while queue:
        here = queue.pop(0)
        for copy in copies.get(here.row, ()):
            if copy.row in seen:
                continue
            seen.add(copy.row)
            inverted = here.inverted ^ copy.inverted
            if (bit := shown.get(copy.row)) is not None:
                yield SourceBit(bit.signal, bit.bit, inverted)
            queue.append(RowLiteral(copy.row, inverted))
