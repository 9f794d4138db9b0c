"""Fast golden runs over batches of samples, proven equal to `spikewatt.model.golden.core`.

Compiled by numba, sample after sample, on all cores: see `spikewatt.model.golden.kernels`.
"""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.program import Program
from spikewatt.model.golden.arrays import Kept, Tables, new_state
from spikewatt.model.golden.core import MODEL
from spikewatt.model.golden.tables import build_tables, core_links
from spikewatt.model.run import Chosen, Keep, Run

__all__ = ["ALL_TICKS", "Watched", "core_arrays", "run_batch", "run_tables"]

ALL_TICKS = Keep()
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Watched:
    """Neurons int64[k] whose spikes and membranes are kept in every tick."""

    spikes: IntArray
    membranes: IntArray


def run_batch(program: Program, spikes: NDArray[np.bool_], *, keep: Keep = ALL_TICKS) -> Run:
    """Golden runs of encoded samples, each from the reset state.

    Parameters
    ----------
    spikes:
        bool[B, ticks, inputs]: what enters through the program's input ports before each tick.
    keep:
        What of every tick and neuron the run keeps; without membranes a long run takes half the
        time and a fifth of the memory.
    """
    inputs = spikes.shape[2]
    chosen = {
        "spikes": keep.neurons("spikes", program.layout, 0),
        "membranes": keep.neurons("membranes", program.layout, 0),
    }
    everyone = np.arange(program.params.neurons)
    watched = Watched(**{n: everyone if k is None else k for n, k in chosen.items()})
    tables = build_tables([program], core_links(program, inputs), inputs)
    arrays = core_arrays(run_tables(tables, spikes, watched), 0, program)
    for name, neurons in chosen.items():
        if neurons is not None and not len(neurons):
            del arrays[name]
    return Run(
        by=MODEL,
        arrays=arrays,
        chosen={n: Chosen(neurons=k) for n, k in chosen.items() if k is not None and len(k)},
        layout=program.layout,
    )


def core_arrays(kept: Kept, tile: int, program: Program) -> dict[str, NDArray[Any]]:
    """What one of the tiles did, by the names of `Run`; of every tick, what of all was watched."""
    neurons, axons = program.params.neurons, program.params.axons
    mine = slice(tile * neurons, (tile + 1) * neurons)
    work = kept.work.view(np.int64)
    return {
        "spikes": kept.spikes.view(np.bool_),
        "membranes": kept.membranes,
        "spike_counts": kept.spike_counts[:, mine],
        "final_membranes": kept.last[:, mine],
        "final_refractory": kept.refractory[:, mine],
        "final_scheduler": kept.scheduler[:, :, tile * axons : (tile + 1) * axons].view(np.bool_),
        "merges": kept.merges[:, tile].view(np.int64),
        "active": work[:, tile, :, 0],
        "synaptic_ops": work[:, tile, :, 1],
        "synapse_words": work[:, tile, :, 2],
    }


def run_tables(tables: Tables, spikes: NDArray[np.bool_], watched: Watched) -> Kept:
    """Run every sample of ``spikes`` bool[B, ticks, inputs], on all cores."""
    from spikewatt.model.golden.kernels import run_samples  # numba imports slowly

    batch, ticks, inputs = spikes.shape
    neurons, axons = len(tables.neurons.bias), len(tables.rows.start)
    column = np.full(neurons, -1, np.int32)
    column[watched.spikes] = np.arange(len(watched.spikes))
    kept = Kept(
        column=column,
        spikes=np.zeros((batch, ticks, len(watched.spikes)), np.uint8),
        watched=watched.membranes,
        membranes=np.zeros((batch, ticks, len(watched.membranes)), np.int32),
        spike_counts=np.zeros((batch, neurons), np.int64),
        last=np.zeros((batch, neurons), np.int32),
        refractory=np.zeros((batch, neurons), np.int32),
        scheduler=np.zeros((batch, tables.slots, axons), np.uint8),
        merges=np.zeros((batch, tables.tiles, ticks + 1), np.uint64),
        work=np.zeros((batch, tables.tiles, ticks, 3), np.uint64),
        left=np.zeros((batch, ticks, 2), np.int64),
    )
    # Flags as bytes, which the kernels add up.
    entering = np.ascontiguousarray(spikes, np.bool_).view(np.uint8)
    threads = _cores()
    # A few chunks for each core, so that none waits long for the last one.
    size = max(1, -(-batch // (4 * threads)))

    def run(begin: int) -> None:
        state = new_state(tables, inputs)
        run_samples(tables, entering, kept, state, begin, min(begin + size, batch))

    with ThreadPoolExecutor(threads) as pool:
        # Consumed for its exceptions: `map` alone would swallow them. The kernels hold no lock of
        # Python's.
        deque(pool.map(run, range(0, batch, size)), maxlen=0)
    return kept


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
