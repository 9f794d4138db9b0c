"""Fast golden runs over batches of samples, proven equal to `spikewatt.model.golden.core`.

Two engines. ``gemm`` steps all samples together and sums synapses by a float32 matrix product,
exact while every sum stays below 2^24 (float64 and 2^53 beyond). ``numba`` runs sample by sample,
event-driven, compiled, on all cores.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import MODEL, update
from spikewatt.model.run import Chosen, Keep, Piece, Run

__all__ = ["BatchCore", "golden_run", "run_batch", "synapse_matrix"]

FLOAT32_EXACT = 1 << 24
"""Integers up to here are exact in float32 (24-bit significand, IEEE 754)."""
ALL_TICKS = Keep()
Layout = Mapping[str, tuple[Piece, ...]]


def synapse_matrix(program: Program) -> NDArray[np.floating]:
    """Weights [axons, neurons] in the narrowest float type in which every sum is exact."""
    largest = int(np.abs(program.matrix).sum(axis=0).max(initial=0))
    return program.matrix.astype(np.float32 if largest < FLOAT32_EXACT else np.float64)


def run_batch(
    program: Program,
    spikes: NDArray[np.bool_],
    *,
    engine: Literal["gemm", "numba"] = "gemm",
    keep: Keep = ALL_TICKS,
) -> Run:
    """Golden runs of encoded samples, each from the reset state.

    Parameters
    ----------
    spikes:
        bool[B, ticks, inputs]: what enters through the program's input ports before each tick.
    engine:
        ``gemm`` starts at once; ``numba`` takes seconds to compile for the first time on a machine,
        and is several times as fast from then on.
    keep:
        What of every tick and neuron the run keeps.
    """
    if engine == "numba":
        from spikewatt.model.golden.compiled import run_compiled  # numba takes a second to import

        return golden_run(run_compiled(program, spikes), keep, program.layout)
    return _run_gemm(program, spikes, keep)


def golden_run(
    arrays: dict[str, NDArray[Any]], keep: Keep, layout: Layout, tile: int | None = None
) -> Run:
    """Make a run of what an engine computed, with only what is to be kept.

    Parameters
    ----------
    arrays:
        By their names in `Run`; those of every tick are of all neurons.
    layout:
        Where each population's neurons are.
    tile:
        Number of the core, where it is one of several.
    """
    arrays, chosen = dict(arrays), {}
    for name in ("spikes", "membranes"):
        neurons = keep.neurons(name, layout, tile or 0)
        if neurons is not None:
            array = arrays.pop(name)
            if len(neurons):
                arrays[name], chosen[name] = array[..., neurons], Chosen(neurons=neurons)
    own = layout if tile is None else {}  # the mesh as a whole knows where its populations are
    return Run(by=MODEL, arrays=arrays, chosen=chosen, layout=own)


class BatchCore:
    """One core that runs a whole batch of samples side by side, tick by tick.

    ``tick`` steps it; ``deliver`` brings events, the core's own too; ``arrays`` is what it did.
    """

    def __init__(self, program: Program, batch: int, ticks: int) -> None:
        params = program.params
        self._program, self._slots = program, params.delay_slots
        self._weights = synapse_matrix(program)
        self._scheduler = np.zeros((batch, self._slots, params.axons), np.bool_)
        self._v = np.zeros((batch, params.neurons), np.int64)
        self._refractory = np.zeros_like(self._v)
        self._fired = np.zeros((batch, ticks, params.neurons), np.bool_)
        self._membranes = np.zeros((batch, ticks, params.neurons), np.int32)
        self._merges = np.zeros((batch, ticks + 1), np.int64)
        self._active = np.zeros((batch, ticks, params.axons), np.bool_)

    def deliver(
        self, t: int, delay: int, axons: NDArray[np.int64], sent: NDArray[np.bool_]
    ) -> None:
        """OR ``sent`` bool[B, k] into ``axons`` int[k] of slot ``t + delay``."""
        slot = self._scheduler[:, (t + delay) % self._slots]
        counts = np.zeros(slot.shape, np.int64)
        np.add.at(counts.T, axons, sent.T)
        before = slot.sum(axis=1)
        slot |= counts > 0
        self._merges[:, t + 1] += counts.sum(axis=1) - (slot.sum(axis=1) - before)

    def tick(self, t: int) -> NDArray[np.bool_]:
        """Tick ``t``: the spikes bool[B, N], which are yet to be delivered."""
        slot = self._scheduler[:, t % self._slots]
        self._active[:, t] = slot
        acc = (slot.astype(self._weights.dtype) @ self._weights).astype(np.int64)
        slot[:] = False
        fired, self._v, self._refractory = update(self._v, self._refractory, acc, self._program, t)
        self._fired[:, t] = fired
        self._membranes[:, t] = self._v
        return fired

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything up to now, by the names of `Run`."""
        return {
            "spikes": self._fired,
            "membranes": self._membranes,
            "spike_counts": self._fired.sum(axis=1),
            "final_membranes": self._v.astype(np.int32),
            "final_refractory": self._refractory.astype(np.int32),
            "final_scheduler": self._scheduler,
            "merges": self._merges,
            "active": self._active.sum(axis=2),
            "synaptic_ops": self._active @ self._program.fan_out,
            "synapse_words": self._active @ self._program.row_words,
        }


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


def _run_gemm(program: Program, spikes: NDArray[np.bool_], keep: Keep) -> Run:
    batch, ticks, inputs = spikes.shape
    core = BatchCore(program, batch, ticks)
    fanout = _fanout(program)
    for t in range(ticks):
        for port in program.inputs:
            axons = port.axon + np.arange(inputs)
            core.deliver(t - 1, port.delay, axons, spikes[:, t])
        fired = core.tick(t)
        for delay, (neurons, axons) in fanout.items():
            core.deliver(t, delay, axons, fired[:, neurons])
    return golden_run(core.arrays(), keep, program.layout)
