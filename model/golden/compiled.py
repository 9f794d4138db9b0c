"""The compiled golden run: event-driven, one sample after another, samples shared among cores."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.jit import numba
from spikewatt.model.compile.program import Program
from spikewatt.model.params import LEAK_FRACTION_BITS, Compare, Leak, Reset

__all__ = ["run_compiled"]

LEAK_SUBTRACT, LEAK_SHIFT, LEAK_MULTIPLY = int(Leak.SUBTRACT), int(Leak.SHIFT), int(Leak.MULTIPLY)
RESET_ZERO, RESET_SUBTRACT = int(Reset.ZERO), int(Reset.SUBTRACT)


@numba.njit(cache=True)
def _leak(v, kind, amount):
    if kind == LEAK_SUBTRACT:
        return max(v - amount, 0) if v > 0 else min(v + amount, 0)
    if kind == LEAK_SHIFT:
        return v - (v >> amount)
    if kind == LEAK_MULTIPLY:
        return v * amount >> LEAK_FRACTION_BITS
    return v


@numba.njit(cache=True)
def _update(n, t, acc, v, refractory, neuron, low, high):
    """Update neuron ``n`` in place, in tick ``t``; returns whether it fires."""
    if refractory[n] > 0:
        refractory[n] -= 1
        return False
    kind, amount, threshold, bound, bias, once, reset, strict, period, first, end = neuron[n]
    if once and t > 0:
        bias = 0
    total = min(max(_leak(v[n], kind, amount) + acc + bias, low), high)
    fires = first <= t < end and (total > bound if strict else total >= bound)
    if fires:
        refractory[n] = period
        if reset == RESET_ZERO:
            total = 0
        elif reset == RESET_SUBTRACT:
            total -= threshold
    v[n] = total
    return fires


@numba.njit(cache=True)
def _send(scheduler, slot, axon):
    """Set a bit; returns 1 when it was set already."""
    merged = scheduler[slot, axon]
    scheduler[slot, axon] = True
    return int(merged)


@numba.njit(cache=True)
def _sample(ports, neuron, weights, fanout, sends, low, high, spikes, out):
    """One sample; ``out`` are its rows of the trace."""
    fired, membranes, refractory, scheduler, merges, served = out
    ticks, inputs = spikes.shape
    slots, axons = scheduler.shape
    neurons = len(neuron)
    v = np.zeros(neurons, np.int64)
    acc = np.zeros(neurons, np.int64)
    for t in range(ticks):
        for p in range(len(ports)):
            for i in range(inputs):
                if spikes[t, i]:
                    merges[t] += _send(scheduler, (t - 1 + ports[p, 1]) % slots, ports[p, 0] + i)
        slot = t % slots
        acc[:] = 0
        for a in range(axons):
            if scheduler[slot, a]:
                served[t, a] = True
                for n in range(neurons):
                    acc[n] += weights[a, n]
        scheduler[slot] = False
        for n in range(neurons):
            if _update(n, t, acc[n], v, refractory, neuron, low, high):
                fired[t, n] = True
                for k in range(fanout[n, 0], fanout[n, 0] + fanout[n, 1]):
                    if sends[k, 2]:
                        merges[t + 1] += _send(scheduler, (t + sends[k, 1]) % slots, sends[k, 0])
            membranes[t, n] = v[n]


@numba.njit(cache=True, parallel=True)
def _batch(ports, neuron, weights, fanout, sends, low, high, spikes, out):
    fired, membranes, refractory, scheduler, merges, served = out
    for b in numba.prange(len(spikes)):
        rows = fired[b], membranes[b], refractory[b], scheduler[b], merges[b], served[b]
        _sample(ports, neuron, weights, fanout, sends, low, high, spikes[b], rows)


def _neuron_columns(program: Program) -> NDArray[np.int64]:
    """What `_update` unpacks, int64[neurons, 11]; a neuron may fire from ``first`` to ``end``."""
    per_type = ("leak", "leak_amount", "reset", "compare", "silent", "refractory", "windowed")
    kind, amount, reset, compare, silent, period, windowed = map(program.neuron_types, per_type)
    threshold = program.threshold
    bound = np.where(windowed, (threshold + 1) >> 1, threshold)
    end = np.where(windowed, program.neuron_types("window_end"), np.iinfo(np.int64).max)
    columns = (
        *(kind, amount, threshold, bound, program.bias, windowed, reset),
        *(compare == Compare.GREATER, period, program.neuron_types("window_first")),
        np.where(silent, 0, end),
    )
    return np.stack(columns, axis=1).astype(np.int64)


def run_compiled(program: Program, spikes: NDArray[np.bool_]) -> dict[str, Any]:
    """Arrays of a `spikewatt.model.run.Run` for ``spikes`` bool[B, ticks, inputs]."""
    params = program.params
    batch, ticks, _ = spikes.shape
    neurons, axons = params.neurons, params.axons
    local = ((program.dx == 0) & (program.dy == 0)).astype(np.int64)
    ports = np.array([(port.axon, port.delay) for port in program.inputs], np.int64)
    fired = np.zeros((batch, ticks, neurons), np.bool_)
    membranes = np.zeros((batch, ticks, neurons), np.int32)
    refractory = np.zeros((batch, neurons), np.int32)
    scheduler = np.zeros((batch, params.delay_slots, axons), np.bool_)
    merges = np.zeros((batch, ticks + 1), np.int64)
    served = np.zeros((batch, ticks, axons), np.bool_)
    _batch(
        ports.reshape(-1, 2),
        _neuron_columns(program),
        program.matrix.astype(np.int16),
        np.stack([program.fanout_start, program.fanout_count], axis=1),
        np.stack([program.axon, program.delay, local], axis=1),
        *params.membrane_range,
        np.ascontiguousarray(spikes),
        (fired, membranes, refractory, scheduler, merges, served),
    )
    return {
        "spikes": fired,
        "membranes": membranes,
        "spike_counts": fired.sum(axis=1),
        "final_membranes": membranes[:, -1] if ticks else np.zeros((batch, neurons), np.int32),
        "final_refractory": refractory,
        "final_scheduler": scheduler,
        "merges": merges,
        "active": served.sum(axis=2),
        "synaptic_ops": served @ program.fan_out,
        "synapse_words": served @ program.row_words,
    }
