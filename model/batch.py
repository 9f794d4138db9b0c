"""Fast golden runs over batches of samples, proven equal to `spikewatt.model.golden`.

Two engines. ``gemm`` steps all samples together and sums synapses by a float32 matrix product,
exact while every sum stays below 2^24 (float64 and 2^53 beyond). ``numba`` runs sample by sample,
event-driven, compiled, on all cores.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.golden import update
from spikewatt.model.program import Program

__all__ = ["BatchTrace", "run_batch", "synapse_matrix"]

FLOAT32_EXACT = 1 << 24
"""Integers up to here are exact in float32 (24-bit significand, IEEE 754)."""


@dataclass(frozen=True, kw_only=True)
class BatchTrace:
    """Runs of B samples over T ticks on a core of N neurons.

    ``spikes``: bool[B, T, N]. ``membranes``: int32[B, T, N], after each tick. ``refractory``:
    int32[B, N] and ``scheduler``: bool[B, D, A], after the last. ``merges``: int64[B, T + 1], of
    t = -1, 0, 1, …. ``active``: int64[B, T], axons served. ``synaptic_ops``, ``synapse_words``:
    int64[B, T].
    """

    spikes: NDArray[np.bool_]
    membranes: NDArray[np.int32]
    refractory: NDArray[np.int32]
    scheduler: NDArray[np.bool_]
    merges: NDArray[np.int64]
    active: NDArray[np.int64]
    synaptic_ops: NDArray[np.int64]
    synapse_words: NDArray[np.int64]


def synapse_matrix(program: Program) -> NDArray[np.floating]:
    """Weights [axons, neurons] in the narrowest float type in which every sum is exact."""
    largest = int(np.abs(program.matrix).sum(axis=0).max(initial=0))
    return program.matrix.astype(np.float32 if largest < FLOAT32_EXACT else np.float64)


def run_batch(
    program: Program,
    spikes: NDArray[np.bool_],
    *,
    engine: Literal["gemm", "numba"] = "gemm",
) -> BatchTrace:
    """Golden runs of encoded samples, each from the reset state.

    Parameters
    ----------
    spikes:
        bool[B, ticks, inputs]: what enters through the program's input ports before each tick.
    engine:
        ``gemm`` starts at once; ``numba`` takes seconds to compile for the first time on a machine,
        and is several times as fast from then on.
    """
    if engine == "numba":
        from spikewatt.model.compiled import run_compiled  # numba takes a second to import

        return BatchTrace(**run_compiled(program, spikes))
    return _run_gemm(program, spikes)


class _Arrivals:
    """Scheduler of a whole batch, and the merges of the current tick."""

    def __init__(self, batch: int, program: Program) -> None:
        params = program.params
        self._slots = params.delay_slots
        self.bits = np.zeros((batch, self._slots, params.axons), np.bool_)

    def deliver(
        self, t: int, delay: int, axons: NDArray[np.int64], sent: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """OR ``sent`` bool[B, k] into ``axons`` int[k] of slot ``t + delay``; merges int[B]."""
        slot = self.bits[:, (t + delay) % self._slots]
        counts = np.zeros(slot.shape, np.int64)
        np.add.at(counts.T, axons, sent.T)
        before = slot.sum(axis=1)
        slot |= counts > 0
        return counts.sum(axis=1) - (slot.sum(axis=1) - before)


def _fanout(program: Program) -> dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Local destinations by delay: the neurons that send, and the axons they send to."""
    neuron = np.repeat(np.arange(program.params.neurons), program.fanout_count)
    runs = [
        np.arange(start, start + count)
        for start, count in zip(program.fanout_start, program.fanout_count, strict=True)
    ]
    entry = np.concatenate(runs).astype(np.int64)
    local = (program.dx[entry] == 0) & (program.dy[entry] == 0)
    neuron, entry = neuron[local], entry[local]
    delays = program.delay[entry]
    return {
        int(d): (neuron[delays == d], program.axon[entry[delays == d]]) for d in np.unique(delays)
    }


def _run_gemm(program: Program, spikes: NDArray[np.bool_]) -> BatchTrace:
    batch, ticks, inputs = spikes.shape
    params = program.params
    weights, fanout = synapse_matrix(program), _fanout(program)
    arrivals = _Arrivals(batch, program)
    v = np.zeros((batch, params.neurons), np.int64)
    refractory = np.zeros_like(v)
    fired = np.zeros((batch, ticks, params.neurons), np.bool_)
    membranes = np.zeros((batch, ticks, params.neurons), np.int32)
    merges = np.zeros((batch, ticks + 1), np.int64)
    active = np.zeros((batch, ticks, params.axons), np.bool_)
    for t in range(ticks):
        for port in program.inputs:
            axons = port.axon + np.arange(inputs)
            merges[:, t] += arrivals.deliver(t - 1, port.delay, axons, spikes[:, t])
        slot = arrivals.bits[:, t % params.delay_slots]
        active[:, t] = slot
        acc = (slot.astype(weights.dtype) @ weights).astype(np.int64)
        slot[:] = False
        fired[:, t], v, refractory = update(v, refractory, acc, program, t)
        membranes[:, t] = v
        for delay, (neurons, axons) in fanout.items():
            merges[:, t + 1] += arrivals.deliver(t, delay, axons, fired[:, t][:, neurons])
    return BatchTrace(
        spikes=fired,
        membranes=membranes,
        refractory=refractory.astype(np.int32),
        scheduler=arrivals.bits,
        merges=merges,
        active=active.sum(axis=2),
        synaptic_ops=active @ program.fan_out,
        synapse_words=active @ program.row_words,
    )
