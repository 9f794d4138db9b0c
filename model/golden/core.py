"""Golden model of one core: the semantics of a tick, as pure steps over NumPy arrays.

This is the plain form, written to be read; `spikewatt.model.golden.batch` holds the fast
ones, proven equal to it. A tick ``t``:

1. ``acc[n] = sum of w[axon, n]`` over the axons set in scheduler slot ``t mod D``;
2. ``v = saturate(leak(v) + acc + bias)``, then compare, then reset; a refractory neuron holds
   ``v`` and discards ``acc``; one with a window takes its bias in tick 0 only, fires only within
   the window, and compares with ``ceil(threshold / 2)``;
3. every spike walks its destination list;
4. the slot is cleared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.program import Program
from spikewatt.model.params import LEAK_FRACTION_BITS, Compare, CoreParams, Leak, Reset
from spikewatt.model.run import Run

__all__ = [
    "CoreState",
    "TickOutput",
    "deliver",
    "initial_state",
    "leak",
    "run",
    "steps",
    "tick",
    "update",
]

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
MODEL = "the model"
"""Who a golden run is by."""
NO_EVENTS = np.zeros((0, 2), np.int64)


@dataclass(frozen=True, kw_only=True)
class CoreState:
    """Everything a core remembers.

    ``t``: the tick, -1 after reset. ``membrane``, ``refractory``: int64[neurons].
    ``scheduler``: bool[D, axons].
    """

    t: int
    membrane: IntArray
    refractory: IntArray
    scheduler: BoolArray


@dataclass(frozen=True, kw_only=True)
class TickOutput:
    """What a tick does.

    ``spikes``: bool[neurons]. ``served``: bool[axons], those of its slot. ``packets``: int64[n, 4],
    (axon, delay, dx, dy) sent to other cores. ``merges``: events of the core's own that met a set
    bit. ``synaptic_ops``: synapses the network stores for the axons served, zeros included.
    ``synapse_words``: rows read from the synapse SRAM.
    """

    spikes: BoolArray
    served: BoolArray
    packets: IntArray
    merges: int
    synaptic_ops: int
    synapse_words: int


def initial_state(params: CoreParams) -> CoreState:
    """State after reset or clear."""
    zeros = np.zeros(params.neurons, np.int64)
    scheduler = np.zeros((params.delay_slots, params.axons), np.bool_)
    return CoreState(t=-1, membrane=zeros, refractory=zeros.copy(), scheduler=scheduler)


def deliver(state: CoreState, events: IntArray, params: CoreParams) -> tuple[CoreState, int]:
    """Set the scheduler bits of ``events`` int64[n, 2] (axon, delay) that belong to ``state.t``.

    Returns the new state and the number of events that found their bit set (merges).
    """
    scheduler = state.scheduler.copy()
    merges = 0
    for axon, delay in events:
        # Before the first tick t is -1, so that a delay of 1 reaches tick 0.
        slot = (state.t + delay) % params.delay_slots
        merges += int(scheduler[slot, axon])
        scheduler[slot, axon] = True
    return replace(state, scheduler=scheduler), merges


def leak(v: IntArray, program: Program) -> IntArray:
    """Membranes int64[..., neurons] after the leak of each neuron's type.

    subtract: towards 0, stopping there; shift: ``v - (v >> k)``, arithmetic; multiply:
    ``floor(v m / 4096)``.
    """
    kind = program.neuron_types("leak")
    amount = program.neuron_types("leak_amount")
    shift = np.where(kind == Leak.SHIFT, amount, 0)
    return np.select(
        [kind == Leak.SUBTRACT, kind == Leak.SHIFT, kind == Leak.MULTIPLY],
        [
            np.sign(v) * np.maximum(np.abs(v) - amount, 0),
            # `>>` rounds down: negative membranes leak to 0, positive ones stop below 2^k.
            v - (v >> shift),
            # The multiplier has 12 fraction bits; rounded down too, so that v < 0 stops at -1.
            v * amount >> LEAK_FRACTION_BITS,
        ],
        v,
    )


def update(
    v: IntArray, refractory: IntArray, acc: IntArray, program: Program, t: int
) -> tuple[BoolArray, IntArray, IntArray]:
    """One neuron update in tick ``t``: spikes, membranes and refractory counters after it.

    ``v = saturate(leak(v) + acc + bias)``; fire where ``v >= threshold`` (or ``>``); reset. Arrays
    are int64[..., neurons].
    """
    low, high = program.params.membrane_range
    threshold = program.threshold
    windowed = program.neuron_types("windowed") != 0
    first, end = program.neuron_types("window_first"), program.neuron_types("window_end")
    # A window's bias is what the neuron adds in a whole run, not in every tick.
    bias = np.where(windowed & (t > 0), 0, program.bias)
    # ceil(threshold / 2): where rounding half up turns to the next activation (`network.pair`).
    bound = np.where(windowed, (threshold + 1) >> 1, threshold)
    may_fire = (program.neuron_types("silent") == 0) & (~windowed | ((first <= t) & (t < end)))
    awake = refractory == 0
    # Saturated once, behind exact sums: the order of the axons can make no difference.
    v_new = np.clip(leak(v, program) + acc + bias, low, high)
    strict = program.neuron_types("compare") == Compare.GREATER
    fires = np.where(strict, v_new > bound, v_new >= bound)
    spikes = fires & awake & may_fire
    reset = program.neuron_types("reset")
    # The whole threshold, in a window too: half of it is only where the first spike begins.
    after = np.select([reset == Reset.ZERO, reset == Reset.SUBTRACT], [0, v_new - threshold], v_new)
    v_new = np.where(spikes, after, v_new)
    # It runs down while the neuron is held: with a count of n it holds through n ticks.
    counter = np.where(spikes, program.neuron_types("refractory"), np.maximum(refractory - 1, 0))
    return spikes, np.where(awake, v_new, v), counter


def tick(state: CoreState, program: Program) -> tuple[TickOutput, CoreState]:
    """Advance by one tick."""
    params = program.params
    t = state.t + 1
    slot = t % params.delay_slots
    (active,) = np.nonzero(state.scheduler[slot])
    acc = np.zeros(params.neurons, np.int64)
    for axon in active.tolist():
        neurons, weights = program.row(axon)
        acc[neurons] += weights
    spikes, v, refractory = update(state.membrane, state.refractory, acc, program, t)

    scheduler = state.scheduler.copy()
    # No spike of this tick can come back into the slot that it clears: delays end at D - 1.
    scheduler[slot] = False
    after = CoreState(t=t, membrane=v, refractory=refractory, scheduler=scheduler)

    sent = [
        np.arange(program.fanout_start[n], program.fanout_start[n] + program.fanout_count[n])
        for n in np.flatnonzero(spikes)
    ]
    entries = np.concatenate(sent) if sent else np.zeros(0, np.int64)
    packets = np.stack(
        [a[entries] for a in (program.axon, program.delay, program.dx, program.dy)], axis=1
    )
    local = (packets[:, 2:] == 0).all(axis=1)
    after, merges = deliver(after, packets[local, :2], params)
    output = TickOutput(
        spikes=spikes,
        served=state.scheduler[slot],
        packets=packets[~local],
        merges=merges,
        synaptic_ops=int(program.fan_out[active].sum()),
        synapse_words=int(program.row_words[active].sum()),
    )
    return output, after


def steps(
    program: Program, events: Sequence[IntArray], state: CoreState | None = None
) -> Iterator[tuple[int, TickOutput, CoreState]]:
    """Go through ``len(events)`` ticks; ``events[k]`` arrive before the k-th tick command.

    Parameters
    ----------
    events:
        int64[n, 2] (axon, delay) for each tick.
    state:
        Where to start; after reset by default.

    Yields
    ------
    Arrivals that met a set bit, what the tick does, and the state after it.
    """
    state = state or initial_state(program.params)
    for arriving in events:
        state, merged = deliver(state, arriving, program.params)
        output, state = tick(state, program)
        yield merged, output, state


def run(program: Program, events: Sequence[IntArray], state: CoreState | None = None) -> Run:
    """Run of one sample, with all that the `steps` of it do and leave behind.

    ``merges`` of a tick are those of events that belong to it: the core's own, and the arrivals
    before the next tick command.
    """
    ticks = [*steps(program, events, state)]
    outputs, states = [output for _, output, _ in ticks], [after for _, _, after in ticks]
    last = states[-1] if states else state or initial_state(program.params)
    merges = np.zeros((1, len(ticks) + 1), np.int64)
    for k, (arrived, output, _) in enumerate(ticks):
        # Events before tick k belong to t = k - 1, what tick k sends to t = k: an index more.
        merges[0, k] += arrived
        merges[0, k + 1] += output.merges
    spikes = _sample([output.spikes for output in outputs], program.params.neurons, np.bool_)
    served = _sample([output.served for output in outputs], program.params.axons, np.bool_)
    sent = [np.insert(output.packets, 0, k, axis=1) for k, output in enumerate(outputs)]
    return Run(
        by=MODEL,
        arrays={
            "spikes": spikes,
            "membranes": _sample([after.membrane for after in states], program.params.neurons),
            "refractory": _sample([after.refractory for after in states], program.params.neurons),
            "served": served,
            "spike_counts": spikes.sum(axis=1),
            "final_membranes": last.membrane.astype(np.int32)[None],
            "final_refractory": last.refractory.astype(np.int32)[None],
            "final_scheduler": last.scheduler[None],
            "merges": merges,
            "active": served.sum(axis=2),
            "synaptic_ops": np.array([[output.synaptic_ops for output in outputs]], np.int64),
            "synapse_words": np.array([[output.synapse_words for output in outputs]], np.int64),
            "sent": np.insert(np.concatenate([np.zeros((0, 5), np.int64), *sent]), 0, 0, axis=1),
        },
        layout=program.layout,
    )


def _sample(rows: Sequence[NDArray[Any]], size: int, kind: type = np.int32) -> NDArray[Any]:
    """Rows of one sample's ticks as an array [1, ticks, size]."""
    return np.array(rows, kind).reshape(1, len(rows), size)
