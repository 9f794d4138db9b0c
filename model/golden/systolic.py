"""When a systolic core does what: cycles and memory accesses, by formula.

One fold is one tile of weights: R x C weights against the M vectors of the batch. With the plain
array (a register at every element, weights shifted in, one buffer) a fold takes ``2R + C + M - 2``
cycles: R to load, M for the vectors, ``R + C - 2`` for the last one to come through; a layer
``K x N`` has ``ceil(K/R) ceil(N/C)`` folds. SCALE-Sim's weight-stationary mapping counts the same
(Samajdar et al., ISPASS 2020), and prints one less: its last index.

With other options loads and vectors overlap, and what waits for what is written down in
`fold_times`. An array with two buffers that swapped all its weights in one cycle would take
``R + (F - 1) max(M, R) + M + R + C - 2`` for F folds. SHIFT moves a buffer as a whole, which so has
to wait for the last vector to come through: it takes as long for ``M >= 2R + C - 2`` and for two
folds, else more, never less.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.golden.core import MODEL
from spikewatt.model.network.quantised import QuantisedNetwork
from spikewatt.model.params.systolic import Loading, SystolicParams
from spikewatt.model.run import Layout, Piece, Run

__all__ = [
    "ACCESSES",
    "FoldTimes",
    "accesses",
    "cycles",
    "first_vectors",
    "fold_times",
    "plain_cycles",
    "run_systolic",
    "systolic_layout",
]

ACCESSES = (
    "weight_read",
    "bias_read",
    "activation_read",
    "activation_write",
    "accumulator_read",
    "accumulator_write",
)
"""What is counted: words read from and written to the memories."""


@dataclass(frozen=True)
class FoldTimes:
    """Cycles at which a fold's first weights are written, and at which its first vector enters."""

    load: int
    start: int


def plain_cycles(rows: int, columns: int, vectors: int, inputs: int, outputs: int) -> int:
    """Cycles of a layer on the plain array: ``folds * (2R + C + M - 2)``."""
    folds = -(-inputs // rows) * -(-outputs // columns)
    return folds * (2 * rows + columns + vectors - 2)


def fold_times(
    params: SystolicParams,
    loads: Sequence[int],
    layer_of: Sequence[int],
    vectors: int,
    filled: int = 0,
) -> list[FoldTimes]:
    """When each fold is loaded and begun, in cycles after the first load could begin.

    Three things wait: a load for the load before it and for its buffer, which the fold ``buffers``
    earlier has to leave; a fold for its weights, for the vectors of the fold before, and, as the
    first of a layer, for that layer's inputs. A lone vector lets a cycle pass, in which its sum is
    written.

    Parameters
    ----------
    loads:
        Words of weights of each fold.
    layer_of:
        Its layer.
    vectors:
        Of the batch, M.
    filled:
        Cycle from which on the first layer's inputs are there.
    """
    shift = params.loading is Loading.SHIFT
    through = params.row_stages + params.column_stages - 1
    # Cycles from a fold's last vector to the first in which its buffer may be overwritten.
    free = through if shift else params.column_stages
    usable = params.rows if shift else params.rows - params.row_stages + 1
    times: list[FoldTimes] = []
    for k, (words, layer) in enumerate(zip(loads, layer_of, strict=True)):
        load = times[-1].load + loads[k - 1] if times else 0
        if k >= params.buffers:
            load = max(load, times[k - params.buffers].start + vectors - 1 + free)
        # A vector may follow the weights down the array: it reaches row k some stages later.
        start = load + min(usable, words)
        if not times:
            start = max(start, filled)
        elif layer_of[k - 1] != layer:
            start = max(start, times[-1].start + vectors - 1 + through + _TURN)
        else:
            start = max(start, times[-1].start + max(vectors, 2))
        times.append(FoldTimes(load, start))
    return times


# Registers between parts of the core: a command takes 2 cycles to the first read of a weight, and
# that read one more to the array; the sum of a layer's last vector is added, requantised and
# written (2), and the next layer's first vector 2 more; a run ends in 3, when the last sum is
# written and every part has come to rest.
_BEGIN, _TURN, _END = 3, 4, 3


def _times(program: SystolicProgram, vectors: int) -> list[FoldTimes]:
    """`fold_times` of a program; its inputs come a word a cycle."""
    return fold_times(
        program.params,
        [fold.loads for fold in program.folds],
        [fold.layer for fold in program.folds],
        vectors,
        filled=len(program.plans[0].words) * vectors,
    )


def first_vectors(program: SystolicProgram, vectors: int) -> list[int]:
    """Cycle, from a batch's command on, in which each layer's first vector enters the array."""
    times, starts = _times(program, vectors), dict[int, int]()
    for fold, time in zip(program.folds, times, strict=True):
        starts.setdefault(fold.layer, _BEGIN + time.start)
    return [starts[layer] for layer in range(len(program.plans))]


def cycles(program: SystolicProgram, vectors: int) -> int:
    """Clock cycles of a batch, from its command until the core is idle again.

    The host sends a word in every cycle, and takes what comes at once.
    """
    params, plans = program.params, program.plans
    through = params.row_stages + params.column_stages - 1
    done = _times(program, vectors)[-1].start + vectors - 1 + through
    # All sums have come through; then they leave one word a cycle.
    return _BEGIN + done + plans[-1].tiles * vectors + _END


def accesses(program: SystolicProgram, vectors: int) -> dict[str, int]:
    """Words of each memory that a batch reads and writes; keys are ``ACCESSES``.

    Weights are read once a batch. A vector is read once for every tile of outputs and word of
    inputs. A partial sum is written after every word of inputs but the last one (the last layer
    keeps that one too) and read before every word but the first; the last layer's sums are read
    once more on their way out.
    """
    plans = program.plans
    folds = [len(plan.words) * plan.tiles for plan in plans]
    tiles = [plan.tiles for plan in plans]
    sums = sum(count - n for count, n in zip(folds, tiles, strict=True))
    counts = {
        "weight_read": sum(fold.loads for fold in program.folds),
        "bias_read": sum(tiles) if program.params.bias_bits else 0,
        "activation_read": vectors * sum(folds),
        "activation_write": vectors * (len(plans[0].words) + sum(tiles[:-1])),
        "accumulator_read": vectors * (sums + tiles[-1]),
        "accumulator_write": vectors * (sums + tiles[-1]),
    }
    return {name: counts[name] for name in ACCESSES}


def systolic_layout(network: QuantisedNetwork) -> Layout:
    """Where each layer's outputs are in `Run.values`, by its name."""
    ends = np.cumsum([0, *(layer.outputs for layer in network.layers)]).tolist()
    return {
        name: (Piece(0, range(first, end), range(end - first)),)
        for name, (first, end) in zip(network.layer_names, pairwise(ends), strict=True)
    }


def run_systolic(program: SystolicProgram, x: NDArray[np.int64]) -> Run:
    """Golden run of inputs int64[n, inputs], in batches of the program's size; the last is smaller.

    Values are the network's; cycles and accesses of each batch are by formula.
    """
    sizes = [min(program.batch, len(x) - first) for first in range(0, len(x), program.batch)]
    counts = {size: list(accesses(program, size).values()) for size in set(sizes)}
    return Run(
        by=MODEL,
        arrays={
            "values": np.concatenate(program.network.run(x), axis=1),
            "accesses": np.array([counts[size] for size in sizes], np.int64),
            "cycles": np.array([cycles(program, size) for size in sizes], np.int64),
            "images": np.array(sizes, np.int64),
        },
        layout=systolic_layout(program.network),
    )
