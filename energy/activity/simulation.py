"""Three-valued, event-driven simulation of the gates behind states that the waveform does not show.

Gates need no past, so that the replay takes all times at once (`replay`). A state that feeds back
into itself does: its value follows from the sample before. Here samples come one after another, and
only what a change reaches is evaluated. A value is a code of two bits, "may be 1" and "may be 0",
so that unknown is both: an AND of 0 and X is 0, and what a register was before its reset is X.

Rules of time are the replay's: within a sample all gates settle, a flip-flop takes its data as they
were a sample ago. Steps are in levels, and a level waits for those below, so that each is evaluated
once a sample; those in a loop of gates go around until they settle.
"""

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.jit import numba
from spikewatt.energy.activity.kernels import RESULT, Hold, Kind

__all__ = ["ONE", "UNKNOWN", "ZERO", "Changes", "Events", "Machine", "Memories", "Node", "simulate"]

ONE, ZERO, UNKNOWN = 1, 2, 3
"""Codes: bit 0, the value may be 1; bit 1, it may be 0."""
PATIENCE = 64
"""Times that a step may be evaluated within a sample, on average, before it is an oscillator."""


class Node(IntEnum):
    """Steps beyond those of ``Kind`` and ``Hold``."""

    SHOWN = 32
    """Operand 1, which the waveform shows; where that is unknown, operand 0, which is computed."""
    READ = 33
    """Port ``operands[0]`` of the memories reads, into several rows; ``out`` is none."""
    WRITE = 34


_NO_COUNTS: Any = {"cache": True, "_nrt": False}
"""Without counts of references, which take ten times as long as the work: each access to an array
of a tuple counts. Nothing here makes an array. Named in `numba.core.extending.register_jitable`."""
_BUF, _AND2, _AND3, _AND4, _XOR2, _XOR3, _MUX, _MAJ, _AO21, _AO22, _AO211, _AO31 = map(int, Kind)
_LATCH, _EDGE = map(int, Hold)
_SHOWN, _READ, _WRITE = map(int, Node)
_ONE, _ZERO, _X = ONE, ZERO, UNKNOWN


class Memories(NamedTuple):
    """Memories and their ports; lists of rows are spans ``first[p]`` to ``first[p + 1]``.

    Parameters
    ----------
    cells:
        uint8[bits], codes of all words of all memories.
    base, words, offset, width:
        int64[ports]: where the port's memory begins, its words, its lowest address, bits of a word.
    clock, falling:
        int64[ports], row, -1 for an asynchronous port; uint8[ports].
    address_at, address; enable_at, enable; data_at, data:
        Rows, least significant first; a write port has an enable for each bit of data.
    keep:
        For each of ``data``, the row that a clocked read holds.
    shadow:
        For each of ``data``, the row that holds what the waveform shows of it; or -1.
    transparent:
        uint8[ports, ports]: a clocked read sees what that port writes at the same edge.
    """

    cells: NDArray[np.uint8]
    base: NDArray[np.int64]
    words: NDArray[np.int64]
    offset: NDArray[np.int64]
    width: NDArray[np.int64]
    clock: NDArray[np.int64]
    falling: NDArray[np.uint8]
    address_at: NDArray[np.int64]
    address: NDArray[np.int64]
    enable_at: NDArray[np.int64]
    enable: NDArray[np.int64]
    data_at: NDArray[np.int64]
    data: NDArray[np.int64]
    keep: NDArray[np.int64]
    shadow: NDArray[np.int64]
    transparent: NDArray[np.uint8]


class Machine(NamedTuple):
    """What is simulated, and its state between calls.

    Parameters
    ----------
    kind, operands, inverted, out:
        As `kernels.Steps`, with `Node` too.
    keep:
        int32[steps], row that holds the state of a ``Hold``; -1 of others.
    check:
        uint8[steps], an ``EDGE`` whose result is held against ``keep``, which the waveform shows.
    level:
        int32[steps].
    fan_at, fan:
        int32[rows + 1]; int32: the steps to be evaluated when a row changes.
    watched:
        uint8[rows], whether changes are reported.
    value, old, stamp:
        uint8[rows] codes, now and before the sample ``stamp`` int64[rows] of the latest change.
    head, next, queued:
        int32[levels], int32[steps], uint8[steps]: steps that wait, by level.
    log:
        int32[rows], rows that changed in the sample.
    totals:
        int64[9]: edges at which flip-flops were checked; the first mismatch (sample, its step), or
        -1; a row that oscillates, or -1; reads that were checked, and the first mismatch (sample,
        row); mismatches of flip-flops, and of reads.
    """

    kind: NDArray[np.uint8]
    operands: NDArray[np.int32]
    inverted: NDArray[np.uint8]
    out: NDArray[np.int32]
    keep: NDArray[np.int32]
    check: NDArray[np.uint8]
    level: NDArray[np.int32]
    fan_at: NDArray[np.int32]
    fan: NDArray[np.int32]
    watched: NDArray[np.uint8]
    value: NDArray[np.uint8]
    old: NDArray[np.uint8]
    stamp: NDArray[np.int64]
    head: NDArray[np.int32]
    next: NDArray[np.int32]
    queued: NDArray[np.uint8]
    log: NDArray[np.int32]
    totals: NDArray[np.int64]


class Events(NamedTuple):
    """Changes of sources, in the order of their samples: int64[n], int32[n], uint8[n]."""

    sample: NDArray[np.int64]
    row: NDArray[np.int32]
    code: NDArray[np.uint8]


Changes = Events
"""Changes of watched rows, of the same form."""


@numba.njit(**_NO_COUNTS)
def _flip(code, inverted):
    return ((code >> 1) | ((code & 1) << 1)) if inverted else code


@numba.njit(**_NO_COUNTS)
def _and(a, b):
    return (a & b & 1) | ((a | b) & 2)


@numba.njit(**_NO_COUNTS)
def _or(a, b):
    return ((a | b) & 1) | (a & b & 2)


@numba.njit(**_NO_COUNTS)
def _xor(a, b):
    one = (a & (b >> 1) & 1) | ((a >> 1) & b & 1)
    zero = (a & b & 1) | ((a >> 1) & (b >> 1) & 1)
    return one | (zero << 1)


@numba.njit(**_NO_COUNTS)
def _before(machine, row, sample):
    """A row as it was a sample ago."""
    return machine.old[row] if machine.stamp[row] == sample else machine.value[row]


@numba.njit(**_NO_COUNTS)
def _rise(now, before):
    """Whether a clock rises: 0 no, 1 yes, 2 perhaps."""
    if now == before or not (now & 1) or not (before & 2):
        return 0
    return 1 if now == 1 and before == 2 else 2


@numba.njit(**_NO_COUNTS)
def _queue(machine, step):
    """Let a step wait for its turn; returns its level."""
    level = machine.level[step]
    if not machine.queued[step]:
        machine.queued[step] = 1
        machine.next[step] = machine.head[level]
        machine.head[level] = step
    return level


@numba.njit(**_NO_COUNTS)
def _set(machine, row, code, sample, logged):
    """Give a row a value; returns the lowest level that now waits, and the length of the log."""
    lowest = np.int32(1 << 30)
    if machine.value[row] == code:
        return lowest, logged
    if machine.stamp[row] != sample:
        machine.stamp[row] = sample
        machine.old[row] = machine.value[row]
        machine.log[logged] = row
        logged += 1
    machine.value[row] = code
    for k in range(machine.fan_at[row], machine.fan_at[row + 1]):
        lowest = min(lowest, _queue(machine, machine.fan[k]))
    return lowest, logged


@numba.njit(**_NO_COUNTS)
def _gate(machine, step, sample):
    """Evaluate a gate, latch or flip-flop."""
    kind, flags, value = machine.kind[step], machine.inverted[step], machine.value
    rows = machine.operands[step]
    a = _flip(value[rows[0]], flags & 1)
    b = _flip(value[rows[1]], flags & 2)
    c = _flip(value[rows[2]], flags & 4)
    d = _flip(value[rows[3]], flags & 8)
    y = a
    if kind == _AND2:
        y = _and(a, b)
    elif kind == _AND3:
        y = _and(_and(a, b), c)
    elif kind == _AND4:
        y = _and(_and(a, b), _and(c, d))
    elif kind == _XOR2:
        y = _xor(a, b)
    elif kind == _XOR3:
        y = _xor(_xor(a, b), c)
    elif kind == _MUX:  # a union: equal data are known whatever the choice
        y = (b if a & 1 else 0) | (c if a & 2 else 0)
    elif kind == _MAJ:
        y = _or(_and(a, b), _and(c, _or(a, b)))
    elif kind == _AO21:
        y = _or(_and(a, b), c)
    elif kind == _AO22:
        y = _or(_and(a, b), _and(c, d))
    elif kind == _AO211:
        y = _or(_and(a, b), _or(c, d))
    elif kind == _AO31:
        y = _or(_and(_and(a, b), c), d)
    elif kind == _SHOWN:
        y = b if b != _X else a
    elif kind == _LATCH:
        kept = _flip(_before(machine, machine.keep[step], sample), flags & (1 << RESULT))
        y = (b if a & 1 else 0) | (kept if a & 2 else 0)
    elif kind == _EDGE:
        kept = _flip(_before(machine, machine.keep[step], sample), flags & (1 << RESULT))
        rise = _rise(a, _flip(_before(machine, rows[0], sample), flags & 1))
        taken = _flip(_before(machine, rows[1], sample), flags & 2)
        # What was computed stays until the next edge: else the waveform is held against itself.
        own = _flip(_before(machine, machine.out[step], sample), flags & (1 << RESULT))
        held = kept if own == _X else own
        y = taken if rise == 1 else (taken | held if rise == 2 else held)
        y = (d if c & 1 else 0) | (y if c & 2 else 0)
        # By the next edge the waveform shows what the netlist made of the last one, however late.
        if machine.check[step] and rise == 1 and kept != _X and own != _X:
            machine.totals[0] += 1
            if kept != own:
                machine.totals[7] += 1
                if machine.totals[1] < 0:
                    machine.totals[1], machine.totals[2] = sample, step
    return _flip(y, flags & (1 << RESULT))


@numba.njit(**_NO_COUNTS)
def _place(machine, memories, port, sample, ago):
    """Word that a port addresses; -1 if unknown, -2 beyond the memory."""
    word = np.int64(0)
    for k in range(memories.address_at[port], memories.address_at[port + 1]):
        row = memories.address[k]
        code = _before(machine, row, sample) if ago else machine.value[row]
        if code == _X:
            return np.int64(-1)
        word |= np.int64(code & 1) << (k - memories.address_at[port])
    word -= memories.offset[port]
    return word if 0 <= word < memories.words[port] else np.int64(-2)


@numba.njit(**_NO_COUNTS)
def _port_rise(machine, memories, port, sample):
    row = memories.clock[port]
    now, before = machine.value[row], _before(machine, row, sample)
    return _rise(_flip(now, memories.falling[port]), _flip(before, memories.falling[port]))


@numba.njit(**_NO_COUNTS)
def _store(machine, memories, port, sample):
    """Write what a port has to; returns whether a cell changed."""
    clocked = memories.clock[port] >= 0
    rise = _port_rise(machine, memories, port, sample) if clocked else 1
    if not rise:
        return False
    word = _place(machine, memories, port, sample, clocked)
    if word == -2:
        return False
    first, last = (word, word + 1) if word >= 0 else (np.int64(0), memories.words[port])
    changed, width = False, memories.width[port]
    for k in range(memories.data_at[port], memories.data_at[port + 1]):
        bit = k - memories.data_at[port]
        enable, data = memories.enable[memories.enable_at[port] + bit], memories.data[k]
        on = _before(machine, enable, sample) if clocked else machine.value[enable]
        new = _before(machine, data, sample) if clocked else machine.value[data]
        if not on & 1:
            continue
        sure = on == _ONE and rise == 1 and word >= 0
        for at in range(first, last):
            cell = memories.base[port] + at * width + bit
            code = new if sure else memories.cells[cell] | new
            changed |= code != memories.cells[cell]
            memories.cells[cell] = code
    return changed


@numba.njit(**_NO_COUNTS)
def _load(machine, memories, port, sample, bit):
    """Code of a bit that a read port shows from now on."""
    row, clocked = memories.keep[memories.data_at[port] + bit], memories.clock[port] >= 0
    kept, rise, enabled = _before(machine, row, sample), 1, _ONE
    own = _before(machine, memories.data[memories.data_at[port] + bit], sample)
    kept = kept if own == _X else own
    if clocked:
        rise = _port_rise(machine, memories, port, sample)
        enabled = _before(machine, memories.enable[memories.enable_at[port]], sample)
        if not rise or not enabled & 1:
            return kept
    word = _place(machine, memories, port, sample, clocked)
    place = memories.data_at[port] + bit
    if memories.shadow[place] >= 0 and rise == 1:
        # As for flip-flops: by now the waveform shows what was read the last time.
        expected = _before(machine, memories.data[place], sample)
        shown = _before(machine, memories.shadow[place], sample)
        if expected != _X and shown != _X:
            machine.totals[4] += 1
            if expected != shown:
                machine.totals[8] += 1
                if machine.totals[5] < 0:
                    machine.totals[5], machine.totals[6] = sample, row
    code = np.uint8(_X)
    if word >= 0:
        code = memories.cells[memories.base[port] + word * memories.width[port] + bit]
        # Cells are written after all clocked reads: those that see through look at the writer.
        for writer in range(memories.transparent.shape[1] if clocked else 0):
            if not memories.transparent[port, writer]:
                continue
            there = _place(machine, memories, writer, sample, True)
            on = _before(machine, memories.enable[memories.enable_at[writer] + bit], sample)
            new = _before(machine, memories.data[memories.data_at[writer] + bit], sample)
            if there == word and on == _ONE:
                code = new
            elif (there == word or there == -1) and on & 1:
                code |= new
    return code if rise == 1 and enabled == _ONE else code | kept


@numba.njit(**_NO_COUNTS, nogil=True)
def _simulate(machine, memories, events, begin, changes):
    """Simulate from event ``begin`` on, until ``changes`` might not take another sample's.

    Returns the event to go on from, and the number of changes; an event is whole samples.
    """
    at, count, steps = begin, 0, machine.kind.shape[0]
    total = events.sample.shape[0]
    watched = 0
    for row in range(machine.watched.shape[0]):
        watched += machine.watched[row]
    while at < total and count + watched <= changes.sample.shape[0]:
        sample, logged, lowest = events.sample[at], 0, np.int32(1 << 30)
        while at < total and events.sample[at] == sample:
            reached, logged = _set(machine, events.row[at], events.code[at], sample, logged)
            lowest = min(lowest, reached)
            at += 1
        if begin == 0 and count == 0 and sample == events.sample[0]:
            for step in range(steps):  # at first everything is evaluated
                lowest = min(lowest, _queue(machine, step))
        left = PATIENCE * steps + PATIENCE
        level = lowest
        while level < machine.head.shape[0]:
            step = machine.head[level]
            if step < 0:
                level += 1
                continue
            machine.head[level] = machine.next[step]
            machine.queued[step] = 0
            left -= 1
            if left < 0:
                machine.totals[3] = machine.out[step]
                return at, count
            kind = machine.kind[step]
            if kind == _WRITE:
                if _store(machine, memories, machine.operands[step, 0], sample):
                    for k in range(machine.operands[step, 1], machine.operands[step, 2]):
                        level = min(level, _queue(machine, machine.fan[k]))
            elif kind == _READ:
                port = machine.operands[step, 0]
                for bit in range(memories.data_at[port + 1] - memories.data_at[port]):
                    code = _load(machine, memories, port, sample, bit)
                    row = memories.data[memories.data_at[port] + bit]
                    reached, logged = _set(machine, row, code, sample, logged)
                    level = min(level, reached)
            else:
                code = _gate(machine, step, sample)
                reached, logged = _set(machine, machine.out[step], code, sample, logged)
                level = min(level, reached)
        for k in range(logged):
            row = machine.log[k]
            if machine.watched[row] and machine.value[row] != machine.old[row]:
                changes.sample[count], changes.row[count] = sample, row
                changes.code[count] = machine.value[row]
                count += 1
    return at, count


simulate: Any = _simulate
