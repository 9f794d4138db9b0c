"""Cycles and accesses of the systolic core against closed forms, published counts and SCALE-Sim."""

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikewatt.model.compile.systolic.program import map_quantised
from spikewatt.model.golden.systolic import accesses, cycles, fold_times, plain_cycles
from spikewatt.model.network.quantised import QuantisedLayer, QuantisedNetwork, Requantisation
from spikewatt.model.params.systolic import Loading, SystolicParams

TABLE = Path(__file__).parents[2] / "data" / "scalesim" / "weight_stationary.csv"
SCALESIM = [
    {name: int(value) for name, value in row.items()}
    for row in csv.DictReader(TABLE.read_text().splitlines())
]
PLAIN: dict[str, Any] = {"loading": Loading.SHIFT, "double_buffer": False}


def dense(*sizes: int) -> QuantisedNetwork:
    """Layers of these sizes; what they compute does not matter here."""
    last = len(sizes) - 2
    layers = [
        QuantisedLayer(
            weights=np.ones(shape, np.int64),
            bias=np.zeros(shape[1], np.int64),
            requantisation=None if k == last else Requantisation(1, 2, 7),
        )
        for k, shape in enumerate(pairwise(sizes))
    ]
    return QuantisedNetwork(
        name="dense", activation_bits=3, weight_bits=3, input_max=7, layers=tuple(layers)
    )


def span(params: SystolicParams, folds: int, vectors: int) -> int:
    """Cycles from the first weight to the last product of a layer, all of whose inputs are there.

    The last sum of the last row and column is formed in the cycle after the last vector has passed
    all stages but one: a fold's own cycles end there.
    """
    times = fold_times(params, [params.rows] * folds, [0] * folds, vectors)
    through = params.row_stages + params.column_stages - 1
    return times[-1].start + vectors - 1 + through


def shapes(count: int, seed: int) -> list[tuple[int, int, int, int]]:
    """Rows, columns, vectors, folds."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(1, [17, 17, 40, 12], (count, 4)).tolist()
    return [(1, 1, 1, 1), (1, 1, 5, 7), (8, 1, 1, 9), (1, 8, 2, 3), *map(tuple, drawn)]


def test_plain_array_is_the_published_formula() -> None:
    """``folds * (2R + C + M - 2)``; a lone PE passes a vector in the cycle of its product."""
    for rows, columns, vectors, folds in shapes(200, 1):
        params = SystolicParams(rows=rows, columns=columns, **PLAIN)
        expected = folds * (2 * rows + columns + vectors - 2)
        assert span(params, folds, vectors) == expected
        assert plain_cycles(rows, columns, vectors, rows * folds, columns) == expected
        assert plain_cycles(rows, columns, vectors, rows * folds - rows + 1, columns) == expected


def test_published_count() -> None:
    """32 x 32, (M, N, K) = (256, 128, 256): 32 folds of 350 cycles (Samajdar et al. 2020)."""
    assert plain_cycles(32, 32, 256, 256, 128) == 11_200
    assert span(SystolicParams(rows=32, columns=32, **PLAIN), 32, 256) == 11_200


@pytest.mark.parametrize("row", SCALESIM, ids=lambda row: "-".join(map(str, row.values())))
def test_scalesim(row: dict[str, int]) -> None:
    """SCALE-Sim's weight-stationary cycles and SRAM accesses; tests/data/scalesim has the how."""
    rows, columns, vectors = row["rows"], row["columns"], row["M"]
    counted = row["compute_cycles"] + 1  # it prints the index of the last cycle
    assert plain_cycles(rows, columns, vectors, row["K"], row["N"]) == counted
    options = {"rows": rows, "columns": columns, **PLAIN}
    program = map_quantised(dense(row["K"], row["N"]), batch=vectors, **options)
    assert span(program.params, len(program.folds), vectors) == counted
    used = [(len(fold.inputs), fold.columns) for fold in program.folds]
    assert vectors * sum(rows for rows, _ in used) == row["ifmap_reads"]
    assert sum(rows * columns for rows, columns in used) == row["filter_reads"]
    assert vectors * sum(columns for _, columns in used) == row["ofmap_writes"]
    counts = accesses(program, vectors)
    assert counts["activation_read"] == vectors * len(program.folds)
    assert counts["weight_read"] == rows * len(program.folds)
    assert counts["accumulator_write"] == vectors * len(program.folds)


def swapped(rows: int, columns: int, vectors: int, folds: int) -> int:
    """Cycles with double-buffered weights that are swapped everywhere at once."""
    return rows + (folds - 1) * max(vectors, rows) + vectors + rows + columns - 2


def test_double_buffer_beside_an_instant_swap() -> None:
    """Never faster than the instant swap, and as fast where two buffers hide every load.

    ``R + (F - 1) max(M, R) + M + R + C - 2`` takes it that the next weights are shifted in while
    the vectors of this fold still pass, and that all elements swap in one cycle. In the array the
    weights of fold k + 2 go where those of fold k are, and SHIFT moves all rows of them at once: so
    they wait until the last vector of fold k has come through, ``R + C - 1`` cycles after it
    entered, and then take R cycles themselves. Two folds so take ``max(2 max(M, R), M + 2R + C -
    2)`` cycles: the formula holds where the first of the two is the larger one, that is for
    ``M >= 2R + C - 2`` (and for M = C = 1), and for up to two folds. A lone vector on a lone row
    waits a cycle for the sum before it.
    """
    equal = 0
    for rows, columns, vectors, folds in shapes(2000, 2):
        params = SystolicParams(rows=rows, columns=columns, loading=Loading.SHIFT)
        ours, ideal = span(params, folds, vectors), swapped(rows, columns, vectors, folds)
        one = max(vectors, rows, 2)
        two = max(2 * one, vectors + 2 * rows + columns - 2)
        whole, rest = divmod(folds - 1, 2)
        assert ours == rows + whole * two + rest * one + vectors + rows + columns - 2
        assert ours >= ideal
        hidden = vectors >= 2 * rows + columns - 2 or vectors == columns == 1
        alone = vectors == rows == 1
        as_fast = folds == 1 or (not alone and (folds == 2 or hidden))
        assert (ours == ideal) == as_fast, (rows, columns, vectors, folds)
        equal += as_fast
    assert 500 < equal < 1500


def test_rows_loading_and_double_buffers_only_help() -> None:
    """Of the four ways to load, none is slower than the plain one, nor ROWS than SHIFT."""
    rng = np.random.default_rng(6)
    for _ in range(150):
        sizes = rng.integers(1, 30, rng.integers(2, 5)).tolist()
        vectors = int(rng.integers(1, 20))
        rows, columns = rng.integers(1, 9, 2).tolist()
        taken = {}
        for loading in Loading:
            for double in (False, True):
                program = map_quantised(
                    dense(*sizes),
                    batch=vectors,
                    rows=rows,
                    columns=columns,
                    loading=loading,
                    double_buffer=double,
                )
                taken[loading, double] = cycles(program, vectors)
        assert taken[Loading.ROWS, True] <= taken[Loading.ROWS, False]
        assert taken[Loading.SHIFT, True] <= taken[Loading.SHIFT, False]
        assert taken[Loading.ROWS, True] <= taken[Loading.SHIFT, True]
        assert taken[Loading.ROWS, False] <= taken[Loading.SHIFT, False]


def test_accesses_in_the_small() -> None:
    """Counted by hand: 5 - 3 - 4 on 2 x 2, three vectors.

    Layer 0 has 3 words of inputs and 2 tiles, 6 folds; 3 outputs lie in 2 words, so layer 1 has 2
    words and 2 tiles, 4 folds.
    """
    program = map_quantised(dense(5, 3, 4), batch=3, rows=2, columns=2)
    assert [fold.loads for fold in program.folds] == [2, 2, 1, 2, 2, 1, 2, 1, 2, 1]
    assert accesses(program, 3) == {
        "weight_read": 16,
        "bias_read": 0,
        "activation_read": 3 * 10,
        "activation_write": 3 * (3 + 2),
        "accumulator_read": 3 * (2 * 2 + 1 * 2 + 2),
        "accumulator_write": 3 * (2 * 2 + 1 * 2 + 2),
    }
    options: dict[str, Any] = {"rows": 2, "columns": 2, "loading": Loading.SHIFT}
    shifted = map_quantised(dense(5, 3, 4), batch=3, **options)
    assert accesses(shifted, 3) == accesses(program, 3) | {"weight_read": 20}


def test_accesses_do_not_depend_on_how() -> None:
    """Gating, isolation, buffers and tiles of the array move no word more or less."""
    network = dense(11, 7, 9, 3)
    base = map_quantised(network, batch=4, rows=4, columns=4)
    for options in (
        {"double_buffer": False},
        {"isolate_activations": True, "isolate_weights": True, "gate_idle": True},
        {"clock_gating": False},
        {"tile_rows": 4, "tile_columns": 2},
    ):
        other = map_quantised(network, batch=4, rows=4, columns=4, **options)
        assert accesses(other, 4) == accesses(base, 4), options
