"""Which signal of the waveform shows which net of the netlist."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.elements import Elements
from spikewatt.energy.activity.kernels import Kind
from spikewatt.energy.activity.lowering import RowLiteral
from spikewatt.energy.activity.waveform import Signal, Waveform
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Matches", "SourceBit", "match"]

_INDEXED = re.compile(r"^(.*)\[(\d+)\]$")


@dataclass(frozen=True, slots=True)
class SourceBit:
    """A bit of a signal, perhaps inverted."""

    signal: Signal
    bit: int
    inverted: bool


@dataclass(frozen=True)
class Matches:
    """Rows and what shows them.

    ``roots`` are nets that only the waveform can tell: top inputs, states, memory outputs.
    ``others`` are nets that the replay computes and that the waveform also shows.
    """

    scope: str
    roots: Mapping[int, SourceBit]
    others: Mapping[int, SourceBit]


class _Names:
    """Signals under a scope, by their name in it."""

    def __init__(self, wave: Waveform, scope: str) -> None:
        self.wave, self.prefix = wave, f"{scope}." if scope else ""

    def find(self, name: str) -> Signal | None:
        full = self.prefix + name
        signal = self.wave.signals.get(full)
        if signal is not None and full in self.wave.ambiguous:
            raise WaveformError(
                f"{self.wave.path} shows {full} twice, as two different signals: "
                "name a scope that holds the design once"
            )
        return signal


def _clean(name: str) -> str:
    return name.replace("\\", "").replace(" ", "")


def _buses(netlist: Netlist) -> dict[str, tuple[int, int]]:
    """Lowest and highest index of each bus name."""
    ends: dict[str, tuple[int, int]] = {}
    for names in netlist.names:
        for name in names:
            if indexed := _INDEXED.match(_clean(name)):
                stem, index = indexed[1], int(indexed[2])
                low, high = ends.get(stem, (index, index))
                ends[stem] = (min(low, index), max(high, index))
    return ends


def _bit(
    names: _Names, name: str, buses: Mapping[str, tuple[int, int]], rising: set[str]
) -> SourceBit | None:
    """Bit of the waveform that has this name."""
    name = _clean(name)
    whole = names.find(name)
    if whole is not None and whole.width == 1:
        return SourceBit(whole, 0, inverted=False)
    if not (indexed := _INDEXED.match(name)):  # a register of which one bit is left
        return None if whole is None else SourceBit(whole, 0, inverted=False)
    stem, index = indexed[1], int(indexed[2])
    signal = names.find(stem)
    if signal is None:
        return None
    _, high = buses[stem]
    # A bus that the netlist counts from an offset (`[11:4]`) has its bits from 0 on in a waveform.
    offset = 0 if high < signal.width else high - signal.width + 1
    bit = index - offset
    if not 0 <= bit < signal.width:
        return None
    return SourceBit(signal, signal.width - 1 - bit if stem in rising else bit, inverted=False)


def _scope(wave: Waveform, netlist: Netlist, scope: str | None) -> str:
    """The scope to look in: the one given, or the only one whose signals are the top's ports."""
    if scope is not None:
        scope = _clean(scope).strip(".")
        if any(name.startswith(f"{scope}.") for name in wave.signals):
            return scope
        there = sorted({name.rpartition(".")[0] for name in wave.signals}, key=len)
        raise WaveformError(
            f"{wave.path} has no scope {scope}: it has {', '.join(there[:5])}"
            + (", …" if len(there) > 5 else "")
        )
    ports = list(netlist.ports)
    scopes = {name.rpartition(".")[0] for name in wave.signals}
    having = [s for s in scopes if all(f"{s}.{port}" in wave.signals for port in ports)]
    named = [s for s in having if s.rpartition(".")[2] == netlist.name] or having
    if not named:
        raise WaveformError(
            f"no scope of {wave.path} has the ports of {netlist.name}: name the one with --scope"
        )
    # A testbench may show the same names at several levels: the design is the outermost.
    best = min(named, key=len)
    if len([s for s in named if len(s) == len(best)]) > 1:
        raise WaveformError(
            f"{wave.path} has several scopes with the ports of {netlist.name} "
            f"({', '.join(sorted(named))}): name one with --scope"
        )
    return best


def match(wave: Waveform, netlist: Netlist, elements: Elements, scope: str | None) -> Matches:
    """Find every source net, and what else the waveform shows, by any of its names.

    A flip-flop whose output has no name that the waveform knows is looked for behind inverters
    and buffers: synthesis inverts registers that are reset to one.

    Raises
    ------
    WaveformError
        The scope is missing or ambiguous, or it holds no input of the design.
    """
    scope = _scope(wave, netlist, scope)
    names, buses = _Names(wave, scope), _buses(netlist)
    rising = {_clean(name) for name in netlist.ascending}
    shown: dict[int, SourceBit] = {}
    for net, aliases in enumerate(netlist.names):
        if net < 2:  # the constants
            continue
        bits = (_bit(names, name, buses, rising) for name in aliases)
        if (bit := next((bit for bit in bits if bit is not None), None)) is not None:
            shown[net] = bit
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
