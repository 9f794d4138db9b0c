"""The compiled golden run: one sample after another, work only where something happens.

All kernels are in this one file: numba's cache looks at the file of the outermost function, and
would not see a change in another.

Three things make it fast. Weights keep their 8 or 16 bits, in rows with neighbouring targets, and
rows of several axons go into 16-bit sums in one pass, which the compiler turns into SIMD adds. 16
bits are enough for ``Rows.chunk`` rows, whatever their weights; after so many the sums move on into
32 bits, in which the rows of all axons fit (``CoreParams``: 2^16 axons of 9 bits). Neurons of one
type are updated in blocks by loops without branches. And a block sleeps when its update without
input changed nothing: the update is a function of membranes, refractory counters, input and the
type's window, so that it would change nothing again until a row reaches it or its window turns.

What takes the bundles of arrays is inlined: a call would push some three hundred words, twice a
tick. What indexes is unsigned: numba lets a negative index count from the end, and asks each time.
"""

from typing import Any

import numpy as np

from spikewatt.base.jit import numba
from spikewatt.base.popcount import popcount
from spikewatt.model.golden.arrays import WORD
from spikewatt.model.params import LEAK_FRACTION_BITS, Leak, Reset

__all__ = ["run_samples"]

LEAK_SUBTRACT, LEAK_SHIFT, LEAK_MULTIPLY = int(Leak.SUBTRACT), int(Leak.SHIFT), int(Leak.MULTIPLY)
RESET_ZERO, RESET_SUBTRACT = int(Reset.ZERO), int(Reset.SUBTRACT)
WORDS = 8
TO_BITS = np.uint64(0x0102040810204080)
"""Times eight flags in bytes: the flags as bits, in the highest byte."""
COMPILED: Any = {"cache": True, "nogil": True, "_nrt": False}
"""Without reference counts (the caller holds every array, and nothing here makes one): they are
atomic, and cost half the time. Without the interpreter's lock, so that samples share the cores."""


@numba.njit(**COMPILED)
def _add_row(sums, weights, base):
    row = weights[base : base + len(sums)]
    for i in range(len(sums)):
        sums[i] += row[i]


@numba.njit(**COMPILED)
def _add_rows(sums, weights, a, b, c, d):
    """Add four rows, so that the sums are read and written once for all of them."""
    row, second = weights[a : a + len(sums)], weights[b : b + len(sums)]
    third, fourth = weights[c : c + len(sums)], weights[d : d + len(sums)]
    for i in range(len(sums)):
        sums[i] += row[i] + second[i] + third[i] + fourth[i]


@numba.njit(**COMPILED)
def _move(into, sums):
    """Add sums to wider ones, and clear them."""
    for i in range(len(sums)):
        into[i] += sums[i]
        sums[i] = 0


@numba.njit(**COMPILED)
def _leak(v, total, leak, amount):
    if leak == LEAK_SUBTRACT:
        for i in range(len(v)):
            total[i] = max(v[i] - amount, 0) if v[i] > 0 else min(v[i] + amount, 0)
    elif leak == LEAK_SHIFT:
        for i in range(len(v)):
            total[i] = v[i] - (v[i] >> amount)
    elif leak == LEAK_MULTIPLY:
        for i in range(len(v)):
            total[i] = v[i] * amount >> LEAK_FRACTION_BITS
    else:
        for i in range(len(v)):
            total[i] = v[i]


@numba.njit(**COMPILED)
def _add(total, more):
    for i in range(len(more)):
        total[i] += more[i]


@numba.njit(**COMPILED)
def _compare(total, bound, limits, fired):
    """Saturate, and hold against the threshold."""
    low, high = limits[0], limits[1]
    for i in range(len(bound)):
        total[i] = low if total[i] < low else total[i]
        total[i] = high if total[i] > high else total[i]
        fired[i] = total[i] >= bound[i]


@numba.njit(**COMPILED)
def _hold(v, total, refractory, fired):
    """Refractory neurons keep their membranes, and do not fire."""
    for i in range(len(v)):
        fired[i] &= refractory[i] == 0
        total[i] = v[i] if refractory[i] else total[i]


@numba.njit(**COMPILED)
def _reset(total, threshold, fired, reset):
    if reset == RESET_SUBTRACT:
        for i in range(len(threshold)):
            total[i] -= threshold[i] * fired[i]
    elif reset == RESET_ZERO:
        for i in range(len(threshold)):
            total[i] = 0 if fired[i] else total[i]


@numba.njit(**COMPILED)
def _count_down(refractory, fired, period):
    """Begin or go on with the refractory ticks; returns whether a neuron was or is refractory.

    One whose last tick this was has held its membrane once more: the next update may change it.
    """
    some = 0
    for i in range(len(refractory)):
        some |= refractory[i]
        refractory[i] = period if fired[i] else max(refractory[i] - 1, 0)
        some |= refractory[i]
    return some != 0


@numba.njit(**COMPILED)
def _store(v, total):
    """Write membranes back; returns whether one changed."""
    changed = 0
    for i in range(len(v)):
        changed |= v[i] ^ total[i]
        v[i] = total[i]
    return changed != 0


@numba.njit(**COMPILED)
def _list_flags(words, first, listed):
    """List the flags that are set, by number from ``first`` on; ``words``: flags by eights."""
    firing = np.uint64(0)
    for begin in range(0, len(words), WORDS):
        # A bit for each of 64 flags: one branch that nobody could predict for all of them.
        mask = np.uint64(0)
        for k in range(WORDS):
            mask |= ((words[begin + k] * TO_BITS) >> np.uint64(56)) << np.uint64(WORD * k)
        while mask:
            low = mask & (np.uint64(0) - mask)
            listed[firing] = first + begin * WORD + np.int64(popcount(low - np.uint64(1)))
            firing += np.uint64(1)
            mask ^= low
    return np.int64(firing)


@numba.njit(**COMPILED)
def _silence(words):
    for word in range(len(words)):
        words[word] = 0


@numba.njit(**COMPILED)
def _record(fired, neurons, kept, sample, t):
    """Keep what is to be known of spikes."""
    packets = hops = np.int64(0)
    for neuron in fired:
        kept.spike_counts[sample, neuron] += 1
        packets += neurons.packets[neuron]
        hops += neurons.hops[neuron]
        column = kept.column[neuron]
        if column >= 0:
            kept.spikes[sample, t, column] = 1
    kept.left[sample, t, 0] += packets
    kept.left[sample, t, 1] += hops


@numba.njit(**COMPILED)
def _copy(into, values):
    for i in range(len(values)):
        into[i] = values[i]


@numba.njit(inline="always")
def _update(tables, state, block, t):
    """Update a block in tick ``t``: list what fires; returns how many, and whether it may sleep."""
    blocks, types, neurons, sums = tables.blocks, tables.types, tables.neurons, state.sums
    a, b, kind = blocks.first[block], blocks.end[block], blocks.type[block]
    size = b - a
    v, total, fired = state.v[a:b], state.total[:size], state.fired[:size]
    flags = state.fired_words[: -(-size // (WORD * WORDS)) * WORDS]
    flags[size // WORD :] = 0  # what a larger block left behind the end of this one

    _leak(v, total, types.leak[kind], types.leak_amount[kind])
    reached = sums.added[block] > 0
    if reached:
        _move(total, sums.narrow[a:b])
        sums.added[block] = 0
    if sums.widened[block]:
        _move(total, sums.wide[a:b])
        sums.widened[block] = 0
    if blocks.biased[block] and (t == 0 or not types.windowed[kind]):
        _add(total, neurons.bias[a:b])
    _compare(total, neurons.bound[a:b], tables.limits, fired)
    if types.silent[kind] or t < types.first[kind] or t >= types.end[kind]:
        _silence(flags)

    changed = False
    period = types.refractory[kind]
    if period:
        _hold(v, total, state.refractory[a:b], fired)
    firing = _list_flags(flags, a, state.listed)
    if firing:
        _reset(total, neurons.threshold[a:b], fired, types.reset[kind])
    if period:
        changed = _count_down(state.refractory[a:b], fired, period)
    changed |= _store(v, total)
    # With input the update says nothing of one without.
    return firing, not (reached or firing or changed)


@numba.njit(inline="always")
def _integrate(rows, blocks, sums, axons):
    """Add the rows of these axons."""
    k = 0
    while k < len(axons):
        axon = axons[k]
        # How many of the next axons reach the same neurons, as those of one connection do.
        reach, end, most = rows.reach[axon], k + 1, min(k + rows.chunk, len(axons))
        while end < most and rows.reach[axons[end]] == reach:
            end += 1
        for block in range(rows.first_block[axon], rows.end_block[axon]):
            if sums.added[block] + (end - k) > rows.chunk:
                first, last = blocks.first[block], blocks.end[block]
                _move(sums.wide[first:last], sums.narrow[first:last])
                sums.widened[block] = 1
                sums.added[block] = 0
            sums.added[block] += end - k
        start = rows.start[axon]
        reached = sums.narrow[start : start + rows.length[axon]]
        while k + 4 <= end:
            a, b, c, d = axons[k], axons[k + 1], axons[k + 2], axons[k + 3]
            base = rows.base
            _add_rows(reached, rows.weights, base[a], base[b], base[c], base[d])
            k += 4
        while k < end:
            _add_row(reached, rows.weights, rows.base[axons[k]])
            k += 1


@numba.njit(**COMPILED)
def _deliver(sends, first, scheduler, sources, t, merges):
    """Deliver spikes that belong to tick ``t``; ``merges``: [tiles], what met a set bit.

    ``first``: ``sends.first`` from the first one that ``sources`` count.
    """
    slots = np.uint64(len(scheduler.waiting))
    tick = np.uint64(t) + slots  # an input of the very first tick belongs to -1
    for source in sources:
        for k in range(first[source], first[source + np.uint32(1)]):
            axon = sends.axon[k]
            slot = (tick + sends.delay[k]) & (slots - np.uint64(1))  # a power of two: `CoreParams`
            before = np.uint64(scheduler.bits[slot, axon])
            # Written in any case: a branch on chance would cost more.
            waiting = scheduler.waiting[slot]
            scheduler.pending[slot, waiting] = axon
            scheduler.waiting[slot] = waiting + (np.uint64(1) - before)
            scheduler.bits[slot, axon] = 1
            merges[sends.tile[k]] += before


@numba.njit(**COMPILED)
def _count(rows, axons, bits, work):
    """Count what axons cost, and clear their ``bits``; ``work``: uint64[tiles, 3]."""
    k = 0
    while k < len(axons):
        tile, first = rows.tile[axons[k]], k
        stored = words = np.uint64(0)
        while k < len(axons) and rows.tile[axons[k]] == tile:
            axon = axons[k]
            stored += rows.stored[axon]
            words += rows.words[axon]
            bits[axon] = 0
            k += 1
        work[tile, 0] += np.uint64(k - first)
        work[tile, 1] += stored
        work[tile, 2] += words


@numba.njit(inline="always")
def _turns(types, kind, t):
    """Whether tick ``t`` differs from the tick before for a neuron that nothing reaches."""
    # From tick 1 on its bias is gone; at the window's ends it begins and ceases to fire.
    return types.windowed[kind] and (t == 1 or t == types.first[kind] or t == types.end[kind])


@numba.njit(inline="always")
def _tick(tables, state, spikes, kept, sample, t):
    """Do everything in tick ``t`` of a sample."""
    inputs, blocks, scheduler = spikes.shape[2], tables.blocks, state.scheduler
    _copy(state.entering, spikes[sample, t])
    firing = _list_flags(state.entering_words, 0, state.listed)
    # What enters before tick t belongs to t - 1, as on the core's event port.
    sends, entered = tables.sends, state.listed[:firing]
    _deliver(sends, sends.first, scheduler, entered, t - 1, kept.merges[sample, :, t])

    slot = t & (tables.slots - 1)
    # In the order in which bits were set: sums are exact, so that any order does.
    active = scheduler.pending[slot, : scheduler.waiting[slot]]
    _integrate(tables.rows, blocks, state.sums, active)
    _count(tables.rows, active, scheduler.bits[slot], kept.work[sample, :, t])
    scheduler.waiting[slot] = 0

    for block in range(len(state.awake)):
        if not (
            state.awake[block]
            or state.sums.added[block]
            or _turns(tables.types, blocks.type[block], t)
        ):
            continue
        firing, sleeps = _update(tables, state, block, t)
        state.awake[block] = not sleeps
        if firing:
            fired = state.listed[:firing]
            _record(fired, tables.neurons, kept, sample, t)
            # Among the sources, inputs come first.
            first = sends.first[inputs:]
            _deliver(sends, first, scheduler, fired, t, kept.merges[sample, :, t + 1])
    for k in range(kept.membranes.shape[2]):
        kept.membranes[sample, t, k] = state.v[kept.watched[k]]


@numba.njit(inline="always")
def _clear(state):
    """Return to the state before the first tick; what a tick works with is zero after each."""
    scheduler = state.scheduler
    for n in range(len(state.v)):
        state.v[n] = 0
        state.refractory[n] = 0
    for slot in range(len(scheduler.waiting)):
        for k in range(scheduler.waiting[slot]):
            scheduler.bits[slot, scheduler.pending[slot, k]] = 0
        scheduler.waiting[slot] = 0
    for block in range(len(state.awake)):
        state.awake[block] = 1


@numba.njit(**COMPILED)
def run_samples(tables, spikes, kept, state, begin, end):
    """Run samples ``begin`` to ``end`` of ``spikes`` uint8[B, T, inputs] from the reset state."""
    for sample in range(begin, end):
        _clear(state)
        for t in range(spikes.shape[1]):
            _tick(tables, state, spikes, kept, sample, t)
        for n in range(kept.last.shape[1]):
            kept.last[sample, n] = state.v[n]
            kept.refractory[sample, n] = state.refractory[n]
        for slot in range(tables.slots):
            for axon in state.scheduler.pending[slot, : state.scheduler.waiting[slot]]:
                kept.scheduler[sample, slot, axon] = 1
