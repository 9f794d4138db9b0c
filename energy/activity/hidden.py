"""States that the waveform does not give, computed from what it does give.

Three kinds need the past, sample by sample, and go through `simulation`: flip-flops and latches in
a loop that no shown state cuts, contents of memories whose reads have no name in the waveform, and
what the waveform shows as X though the netlist determines it. The replay then takes their values as
if the waveform had shown them. Other hidden flip-flops it computes itself.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetlistError
from spikewatt.base.jit import numba
from spikewatt.base.progress import Progress
from spikewatt.energy.activity.elements import Elements
from spikewatt.energy.activity.kernels import RESULT, Hold
from spikewatt.energy.activity.loops import hold_step, read_rows
from spikewatt.energy.activity.lowering import Step
from spikewatt.energy.activity.samples import BitStore, Samples
from spikewatt.energy.activity.simulation import (
    ONE,
    UNKNOWN,
    ZERO,
    Events,
    Machine,
    Memories,
    Node,
    simulate,
)
from spikewatt.energy.activity.words import ALL, expand, pack
from spikewatt.synth.netlist.netlist import MemoryPort, Netlist

__all__ = ["Checked", "Computed", "check_reads", "check_unknown", "compute"]

IntArray = NDArray[np.int64]
BLOCK = 1 << 16
"""Samples whose events are in memory at a time."""
ROOM = 1 << 16
"""Changes that the simulation may report at a time, at least."""


@dataclass(frozen=True)
class Computed:
    """Rows that were computed.

    Parameters
    ----------
    samples:
        The samples with their values: held where they are unknown, the first known one before.
    never:
        Rows that nothing ever determines; they are computed as if they, and memories that nobody
        has written, had been 0 at first.
    """

    samples: Samples
    never: tuple[int, ...]


@dataclass(frozen=True)
class Checked:
    """Flip-flops held against the waveform while part of it is unknown, or reads of memories.

    Parameters
    ----------
    judged:
        Edges, or bits that were read.
    mismatch:
        The first one that the netlist does not explain: its sample, and the row of its state.
    count:
        How many there are.
    """

    judged: int
    mismatch: tuple[int, int] | None
    count: int = 0


@dataclass
class _Builder:
    """Collects the steps behind some rows."""

    netlist: Netlist
    elements: Elements
    sources: Collection[int]
    rows: list[int]
    begun: bool
    """Whether the waveform begins after time 0: then memories were written before it."""
    kinds: list[int] = field(default_factory=list)
    operands: list[tuple[int, ...]] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    outs: list[int] = field(default_factory=list)
    keeps: list[int] = field(default_factory=list)
    checks: list[int] = field(default_factory=list)
    triggers: list[tuple[int, ...]] = field(default_factory=list)
    """Rows whose change makes a step due."""
    writes: dict[int, list[int]] = field(default_factory=dict)
    """Rows that a step of a read port writes."""
    after: dict[int, set[int]] = field(default_factory=dict)
    """Steps that a port of a memory waits for."""
    readers: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Steps of the asynchronous read ports, by memory."""
    shadows: dict[int, int] = field(default_factory=dict)
    """Rows that take what the waveform shows, by the row that it shows."""

    def row(self) -> int:
        self.rows[0] += 1
        return self.rows[0] - 1

    def add(
        self,
        kind: int,
        operands: Sequence[int],
        out: int,
        triggers: Iterable[int],
        *,
        flags: int = 0,
        keep: int = -1,
        check: bool = False,
    ) -> int:
        self.kinds.append(kind)
        self.operands.append((*operands, *(0,) * (4 - len(operands))))
        self.flags.append(flags)
        self.outs.append(out)
        self.keeps.append(keep)
        self.checks.append(check)
        self.triggers.append(tuple(triggers))
        return len(self.kinds) - 1

    def step(self, step: Step, out: int, *, keep: int = -1, check: bool = False) -> None:
        rows = [operand.row for operand in step.operands]
        flags = sum(operand.inverted << k for k, operand in enumerate(step.operands))
        due = [rows[0], *rows[2:]] if step.kind == Hold.EDGE else rows
        flags |= step.inverted << RESULT
        self.add(int(step.kind), rows, out, due, flags=flags, keep=keep, check=check)

    def shown(self, row: int) -> int:
        """Row for a computed value, beside the one that the waveform shows; both make ``row``."""
        computed, shadow = self.row(), self.row()
        self.shadows[row] = shadow
        self.add(int(Node.SHOWN), (computed, shadow), row, (computed, shadow))
        return computed


def _build(
    builder: _Builder, wanted: Iterable[int], checked: Collection[int]
) -> tuple[Machine, Memories]:
    """Everything behind ``wanted``, back to sources; ``checked`` states are held against them."""
    netlist, elements = builder.netlist, builder.elements
    steps = {step.out: step for step in elements.steps}
    states = {element.state.row: element for element in elements.states}
    ports = [(m, port) for m, memory in enumerate(netlist.memories) for port in memory.ports]
    reading = {
        net: p for p, (_, port) in enumerate(ports) if port.kind == "read" for net in port.data
    }
    inside: set[int] = set()
    computed: dict[int, int] = {}  # a read port's bit, or the row beside what the waveform shows
    wanted = list(wanted)
    must = set(wanted)
    queue, seen = list(wanted), {0, 1}
    while queue:
        row = queue.pop()
        if row in seen:
            continue
        seen.add(row)
        if row in builder.sources and row not in must:
            continue
        if row in steps:
            builder.step(steps[row], row)
            queue += [operand.row for operand in steps[row].operands]
        elif row in states:
            extra: list[Step] = []
            hold = hold_step(states[row], extra, builder.rows)
            for more in extra:
                builder.step(more, more.out)
            out = builder.shown(row) if row in builder.sources else row
            builder.step(hold, out, keep=row, check=row in checked)
            # The steps that were made beside it have operands of the netlist's too.
            queue += [o.row for each in (hold, *extra) for o in each.operands]
        elif row in reading:
            computed[row] = builder.shown(row) if row in builder.sources else row
            memory = ports[reading[row]][0]
            if memory not in inside:
                inside.add(memory)
                queue += [
                    net
                    for m, port in ports
                    if m == memory and port.kind == "write"
                    for net in _inputs(port)
                ]
            queue += _inputs(ports[reading[row]][1])
    memories = _memories(builder, ports, inside, computed)
    return _machine(builder, wanted), memories


def _inputs(port: MemoryPort) -> Iterator[int]:
    """Rows that a port reads."""
    yield from port.address
    yield from port.enable
    if port.clock is not None:
        yield port.clock
    if port.kind == "write":
        yield from port.data


def _memories(
    builder: _Builder,
    ports: Sequence[tuple[int, MemoryPort]],
    inside: Collection[int],
    computed: Mapping[int, int],
) -> Memories:
    """Contents and ports of the memories ``inside``, and a step for each port."""
    netlist = builder.netlist
    bases = np.cumsum([0, *(m.words * m.width for m in netlist.memories)])
    used = [(m, port) for m, port in ports if m in inside]
    lists: dict[str, list[int]] = {
        name: [] for name in ("address", "enable", "data", "keep", "shadow")
    }
    starts: dict[str, list[int]] = {"address": [0], "enable": [0], "data": [0]}
    for _, port in used:
        lists["address"] += port.address
        lists["enable"] += port.enable
        lists["keep"] += port.data
        lists["shadow"] += [builder.shadows.get(net, -1) for net in port.data]
        # A bit that the waveform shows, or nobody needs, goes to a row that nobody reads.
        # So does one whose port has a reset of its own, which is not simulated: it stays unknown.
        lists["data"] += (
            port.data
            if port.kind == "write"
            else [
                computed[net] if net in computed and not port.resets else builder.row()
                for net in port.data
            ]
        )
        for name, at in starts.items():
            at.append(len(lists[name]))
    transparent = np.zeros((len(used), len(used)), np.uint8)
    for p, (m, port) in enumerate(used):
        writers = [w for w, (n, other) in enumerate(used) if n == m and other.kind == "write"]
        for w, sees in zip(writers, port.transparent, strict=False):
            transparent[p, w] = sees
    clocked: dict[int, set[int]] = defaultdict(set)
    writing: dict[int, set[int]] = defaultdict(set)
    for kind in ("read", "write"):
        for p, (m, port) in enumerate(used):
            if port.kind != kind:
                continue
            first, last = starts["data"][p : p + 2]
            if kind == "write":
                due = tuple(_inputs(port)) if port.clock is None else (port.clock,)
                step = builder.add(int(Node.WRITE), (p, m), -1, due)
                # Clocked reads take what was there before the edge, and of ports that write the
                # same word at one edge the last one wins.
                builder.after[step] = clocked[m] | writing[m]
                writing[m].add(step)
                continue
            due = port.address if port.clock is None else (port.clock,)
            step = builder.add(int(Node.READ), (p,), -1, due)
            builder.writes[step] = lists["data"][first:last]
            if port.clock is None:
                builder.readers[m].append(step)
                builder.after[step] = writing[m]
            else:
                clocked[m].add(step)
    cells = np.full(int(bases[-1]), UNKNOWN, np.uint8)
    written = {m for m, port in used if port.kind == "write"} if builder.begun else set()
    for m in set(inside) - written:
        for at, bit in enumerate(netlist.memories[m].init):
            cells[bases[m] + at] = {"0": ZERO, "1": ONE}.get(bit, UNKNOWN)
    spans = {f"{name}_at": np.array(at, np.int64) for name, at in starts.items()}
    return Memories(
        cells=cells,
        base=np.array([bases[m] for m, _ in used], np.int64),
        words=np.array([netlist.memories[m].words for m, _ in used], np.int64),
        offset=np.array([netlist.memories[m].offset for m, _ in used], np.int64),
        width=np.array([netlist.memories[m].width for m, _ in used], np.int64),
        clock=np.array([-1 if port.clock is None else port.clock for _, port in used], np.int64),
        falling=np.array([not port.rising for _, port in used], np.uint8),
        transparent=transparent,
        **spans,
        **{name: np.array(rows, np.int64) for name, rows in lists.items()},
    )


def _machine(builder: _Builder, watched: Iterable[int]) -> Machine:
    """Arrays of what was collected, in levels."""
    count, rows = len(builder.kinds), builder.rows[0]
    due: dict[int, list[int]] = defaultdict(list)
    for step, triggers in enumerate(builder.triggers):
        for row in {row for row in triggers if row > 1}:
            due[row].append(step)
    fan_at, fan = np.zeros(rows + 1, np.int32), []
    for row in range(rows):
        fan += due.get(row, ())
        fan_at[row + 1] = len(fan)
    operands = [list(each) for each in builder.operands]
    for step, kind in enumerate(builder.kinds):
        if kind == Node.WRITE:  # it lets asynchronous reads of its memory look again
            begin = len(fan)
            fan += builder.readers[operands[step][1]]
            operands[step][1:3] = [begin, len(fan)]
    level = _levels(builder)
    machine = Machine(
        kind=np.array(builder.kinds, np.uint8),
        operands=np.array(operands, np.int32).reshape(-1, 4),
        inverted=np.array(builder.flags, np.uint8),
        out=np.array(builder.outs, np.int32),
        keep=np.array(builder.keeps, np.int32),
        check=np.array(builder.checks, np.uint8),
        level=level,
        fan_at=fan_at,
        fan=np.array([*fan, 0], np.int32),
        watched=np.zeros(rows, np.uint8),
        value=np.full(rows, UNKNOWN, np.uint8),
        old=np.full(rows, UNKNOWN, np.uint8),
        stamp=np.full(rows, -1, np.int64),
        head=np.full(int(level.max(initial=0)) + 1, -1, np.int32),
        next=np.zeros(count, np.int32),
        queued=np.zeros(count, np.uint8),
        log=np.zeros(rows, np.int32),
        totals=np.array([0, -1, -1, -1, 0, -1, -1, 0, 0], np.int64),
    )
    machine.watched[list(watched)] = 1
    machine.value[:2] = ZERO, ONE
    return machine


def _levels(builder: _Builder) -> NDArray[np.int32]:
    """Level of each step, above those that it waits for; steps of a loop are above all of these."""
    writer = {out: step for step, out in enumerate(builder.outs) if out >= 0}
    writer |= {row: step for step, rows in builder.writes.items() for row in rows}
    needs = [
        {writer[row] for row in triggers if row in writer} | builder.after.get(step, set())
        for step, triggers in enumerate(builder.triggers)
    ]
    readers: dict[int, list[int]] = defaultdict(list)
    for step, before in enumerate(needs):
        for other in before:
            readers[other].append(step)
    level = np.zeros(len(needs), np.int32)
    waiting = [len(before) for before in needs]
    ready = [step for step, count in enumerate(waiting) if not count]
    left = set(range(len(needs)))
    while left:
        if not ready:  # a loop: somewhere it has to begin
            ready.append(min(left, key=lambda step: (waiting[step], step)))
        step = ready.pop()
        if step not in left:
            continue
        left.discard(step)
        for reader in readers[step]:
            level[reader] = max(level[reader], level[step] + 1) if reader in left else level[reader]
            waiting[reader] -= 1
            if waiting[reader] <= 0 and reader in left:
                ready.append(reader)
    return level


@numba.njit(cache=True)
def _changes(words, vague, begin, end, last, at, codes):
    """List samples ``begin`` to ``end`` of a row at which its code is not the one before."""
    count = 0
    for k in range(begin, end):
        place = np.uint64(k & 63)
        code = np.uint8(1) if (words[k >> 6] >> place) & np.uint64(1) else np.uint8(2)
        if len(vague) and (vague[k >> 6] >> place) & np.uint64(1):
            code = np.uint8(3)
        if code != last:
            at[count], codes[count] = k, code
            count += 1
            last = code
    return count, last


def _events(
    samples: Samples, rows: Mapping[int, int], until: int, progress: Progress
) -> Iterator[Events]:
    """Changes of sources, `BLOCK` samples at a time, up to sample ``until``.

    Parameters
    ----------
    rows:
        Rows of the machine, by the source that they take.
    """
    none = np.zeros(0, np.uint64)
    sources = [
        (rows[row], store, place, index)
        for store, numbers, index in (
            (samples.data, samples.data_rows, samples.data_at),
            (samples.roots, samples.root_rows, None),
        )
        for place, row in enumerate(numbers.tolist())
        if row in rows
    ]
    of = {target: row for row, target in rows.items()}
    last: dict[int, Any] = dict.fromkeys(of, 0)
    at, codes = np.zeros(BLOCK, np.int64), np.zeros(BLOCK, np.uint8)
    for begin in range(0, until, BLOCK):
        progress("computing hidden states", begin, until)
        end = min(begin + BLOCK, until)
        parts = []
        for target, store, place, index in sources:
            first, stop = (begin, end) if index is None else np.searchsorted(index, (begin, end))
            vague = samples.vague.get(of[target], none)
            count, last[target] = _changes(
                store.row(place), vague, first, stop, last[target], at, codes
            )
            where = at[:count].copy() if index is None else index[at[:count]]
            parts.append((where, np.full(count, target, np.int32), codes[:count].copy()))
        sample, row, code = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = np.argsort(sample, kind="stable")
        yield Events(sample[order], row[order], code[order])


def _run(
    builder: _Builder,
    machine: Machine,
    memories: Memories,
    samples: Samples,
    until: int,
    progress: Progress,
) -> Events:
    """Simulate up to sample ``until``; returns the changes of the watched rows."""
    rows = {row: builder.shadows.get(row, row) for row in builder.sources}
    room = max(ROOM, 2 * int(machine.watched.sum()) + 1)
    buffer = Events(np.zeros(room, np.int64), np.zeros(room, np.int32), np.zeros(room, np.uint8))
    parts = [tuple(each[:0].copy() for each in buffer)]
    for events in _events(samples, rows, until, progress):
        at = 0
        while at < len(events.sample):
            at, count = simulate(machine, memories, events, at, buffer)
            parts.append(tuple(each[:count].copy() for each in buffer))
            if (row := int(machine.totals[3])) >= 0:
                tick = int(samples.times[events.sample[min(at, len(events.sample)) - 1]])
                raise NetlistError(
                    f"combinational loop through {_path(builder, row)} does not settle at "
                    f"{tick * samples.tick_s:g} s: break it with a register, or let the waveform "
                    "show it, if it is meant to oscillate"
                )
    return Events(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _path(builder: _Builder, row: int) -> str:
    """Names along a loop of gates, from a row to itself."""
    steps = {step.out: step for step in builder.elements.steps}
    before: dict[int, int] = {}
    queue = [row]
    while queue and row not in before:
        reader = queue.pop(0)
        for operand in steps[reader].operands if reader in steps else ():
            if operand.row not in before:
                before[operand.row] = reader
                queue.append(operand.row)
    names, at = builder.netlist.names, before.get(row, row)
    path = [row]
    while at != row:
        path.append(at)
        at = before[at]
    path.append(row)
    shown = [names[each][0] for each in path if each < len(names)]
    return " -> ".join([*shown[:6], "…", shown[-1]] if len(shown) > 7 else shown)


def _sources(samples: Samples) -> set[int]:
    return {*samples.data_rows.tolist(), *samples.root_rows.tolist()}


def _new_builder(netlist: Netlist, elements: Elements, samples: Samples) -> _Builder:
    begun = bool(samples.times[0] > 0)
    return _Builder(netlist, elements, _sources(samples), [elements.rows], begun)


def compute(
    netlist: Netlist,
    elements: Elements,
    samples: Samples,
    rows: Sequence[int],
    progress: Progress,
) -> Computed:
    """Compute rows at all samples.

    Raises
    ------
    NetlistError
        A loop of gates that does not settle.
    """
    builder = _new_builder(netlist, elements, samples)
    machine, memories = _build(builder, rows, ())
    changes = _run(builder, machine, memories, samples, len(samples.times), progress)
    known = np.isin(rows, changes.row[changes.code != UNKNOWN])
    never = [row for row, ever in zip(rows, known.tolist(), strict=True) if not ever]
    if never:
        # Where a counter begins does not change how often its bits toggle, and 0 is where most
        # simulators of two values begin.
        builder = _new_builder(netlist, elements, samples)
        machine, memories = _build(builder, rows, ())
        machine.value[never] = ZERO
        memories.cells[memories.cells == UNKNOWN] = ZERO
        guessed = _run(builder, machine, memories, samples, len(samples.times), progress)
        own = np.isin(guessed.row, never)
        sample = np.concatenate([changes.sample, guessed.sample[own]])
        order = np.argsort(sample, kind="stable")
        changes = Events(
            sample=sample[order],
            row=np.concatenate([changes.row, guessed.row[own]])[order],
            code=np.concatenate([changes.code, guessed.code[own]])[order],
        )
    data_at = np.union1d(samples.data_at, changes.sample)
    old = np.searchsorted(samples.data_at, data_at, side="right") - 1
    words = -(-len(data_at) // 64)
    kept = [(k, r) for k, r in enumerate(samples.data_rows.tolist()) if r not in set(rows)]
    data = BitStore(len(kept) + len(rows), words)
    for place, (k, _) in enumerate(kept):
        data.write(place, _expanded_row(samples.data.row(k), old))
    apart = set(samples.root_rows.tolist())
    vague = {
        row: bits if row in apart else _expanded_row(bits, old)
        for row, bits in samples.vague.items()
    }
    until = -1.0
    order = np.argsort(changes.row, kind="stable")
    borders = np.searchsorted(changes.row[order], [[row, row + 1] for row in rows])
    for place, (row, (begin, end)) in enumerate(zip(rows, borders, strict=True), len(kept)):
        own = order[begin:end]
        at = np.searchsorted(data_at, changes.sample[own])
        first = ZERO if row in never else UNKNOWN
        codes = np.repeat(
            np.array([first, *changes.code[own]], np.uint8), np.diff([0, *at, len(data_at)])
        )
        unknown = codes == UNKNOWN
        if row in never:  # as far as is known, which is what flip-flops are judged by
            vague[row] = np.full(words, ALL)
            until = float(samples.times[-1])
            data.write(place, pack(codes == ONE, words))
            continue
        if unknown.any():
            last = int(np.flatnonzero(unknown)[-1])
            after = data_at[last + 1] if last + 1 < len(data_at) else len(samples.times) - 1
            until = max(until, float(samples.times[after]))
        vague[row] = pack(unknown, words)
        # Held while it is unknown; before it is known it has its first value.
        known = np.flatnonzero(~unknown)
        if len(known):
            codes = codes[
                known[np.maximum(np.searchsorted(known, np.arange(len(codes)), "right") - 1, 0)]
            ]
        data.write(place, pack(codes == ONE, words))
    return Computed(
        samples=replace(
            samples,
            data_at=data_at,
            to_data=np.searchsorted(data_at, np.arange(len(samples.times)), side="right") - 1,
            data_rows=np.array([*(row for _, row in kept), *rows], np.int32),
            data=data,
            vague=vague,
            unknown=(left := tuple(u for u in samples.unknown if not set(u.rows) <= set(rows))),
            settled=max([until, *(span.end for span in left)]),
        ),
        never=tuple(never),
    )


def _expanded_row(bits: NDArray[np.uint64], index: IntArray) -> NDArray[np.uint64]:
    """Bits of a row at other samples: number ``index`` of those that it has."""
    out = np.zeros((1, -(-len(index) // 64)), np.uint64)
    expand(bits[None], index, out)
    return out[0]


def check_unknown(
    netlist: Netlist,
    elements: Elements,
    samples: Samples,
    until: float,
    progress: Progress,
) -> Checked:
    """Hold flip-flops against the waveform up to a tick, at edges where all is known to them."""
    sources = _sources(samples)
    rows = [e.state.row for e in elements.states if e.edge and e.state.row in sources]
    builder = _new_builder(netlist, elements, samples)
    machine, memories = _build(builder, rows, set(rows))
    machine.watched[:] = 0
    stop = int(np.searchsorted(samples.times, until, side="right"))
    _run(builder, machine, memories, samples, stop, progress)
    judged, sample, step = machine.totals[:3].tolist()
    mismatch = None if sample < 0 else (sample, int(machine.keep[step]))
    return Checked(judged, mismatch, int(machine.totals[7]))


def check_reads(
    netlist: Netlist, elements: Elements, samples: Samples, progress: Progress
) -> Checked:
    """Hold what memories read against what was written to them before."""
    sources = _sources(samples)
    rows = [row for row in dict.fromkeys(read_rows(netlist)) if row in sources]
    if not rows:
        return Checked(0, None)
    builder = _new_builder(netlist, elements, samples)
    machine, memories = _build(builder, rows, ())
    machine.watched[:] = 0
    _run(builder, machine, memories, samples, len(samples.times), progress)
    judged, sample, row = machine.totals[4:7].tolist()
    return Checked(judged, None if sample < 0 else (sample, row), int(machine.totals[8]))
