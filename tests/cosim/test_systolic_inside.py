"""Inside the array: what is gated keeps still, and every fold comes when the schedule says."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vcdvcd import VCDVCD

from spikewatt.cosim.library import HALF_PERIOD
from spikewatt.cosim.systolic import NativeSystolic
from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.golden.systolic import FoldTimes, first_vectors, fold_times
from spikewatt.model.network.quantised import QuantisedLayer, QuantisedNetwork, Requantisation
from spikewatt.model.params.systolic import Loading, SystolicParams

CORE: dict[str, Any] = {
    "rows": 3,
    "columns": 3,
    "activation_bits": 4,
    "weight_bits": 4,
    "weight_words": 48,
    "layers": 3,
    "loading": Loading.ROWS,
    "double_buffer": False,
}
GATED: dict[str, Any] = {
    "gate_idle": True,
    "isolate_activations": True,
    "isolate_weights": True,
    "double_buffer": True,
}


def dense(weights: list[list[int]]) -> QuantisedNetwork:
    matrix = np.array(weights, np.int64)
    layer = QuantisedLayer(weights=matrix, bias=np.zeros(matrix.shape[1], np.int64))
    return QuantisedNetwork(
        name="n", activation_bits=4, weight_bits=4, input_max=15, layers=(layer,)
    )


BEGIN = 3
"""Cycles from the command to the first weight in the array."""
WHOLE = dense([[1, 2, 3], [4, 5, 6], [7, -8, -7]])
"""Fills the array."""
PART = dense([[-1, 0], [3, 2]])
"""Leaves the last row and the last column over, and one weight is 0."""
X = np.array([[5, 9], [0, 9], [9, 0], [0, 0], [6, 3]])


WATCHED = r"systolic\.logic\.(?:array|accumulator)\.(\w+|pe_\w+\.held\w*)(\[\d+:\d+\])?"


def changes(file: Path, since: int) -> tuple[Counter[str], dict[str, set[int]]]:
    """Changes of every register of the array from ``since`` ns on, and the values they went to."""
    wave: Any = VCDVCD(str(file), store_tvs=True)
    unit = round(1e-9 / float(wave.timescale["timescale"]))
    count: Counter[str] = Counter()
    values: dict[str, set[int]] = {}
    for name in wave.signals:
        found = re.fullmatch(WATCHED, name)
        if found:
            later = [value for time, value in wave[name].tv if time > since * unit]
            count[found[1]] += len(later)
            values[found[1]] = {int(value, 2) for value in later}
    return count, values


def core_of(gated: bool) -> SystolicParams:
    return SystolicParams(**(CORE | (GATED if gated else {})))


def run(folder: Path, gated: bool) -> tuple[Counter[str], dict[str, set[int]]]:
    """Changes while `PART` runs on a core that ran `WHOLE` before."""
    params, file = core_of(gated), folder / "wave.vcd"
    with NativeSystolic(params, trace="vcd", waveform=file) as core:
        for network, x in ((WHOLE, np.full((3, 3), 15)), (PART, X)):
            program = SystolicProgram(params, network, len(x))
            core.configure(program)
            rtl = core.run(program, x)
            np.testing.assert_array_equal(rtl.values, np.concatenate(network.run(x), axis=1))
    return changes(file, int(rtl.starts[0]) * 2 * HALF_PERIOD)


def matching(count: Counter[str], pattern: str) -> dict[str, int]:
    found = {name: n for name, n in count.items() if re.fullmatch(pattern, name)}
    assert found, f"no register is called {pattern}"
    return found


UNUSED = r"activation_2_\d|sum_\d_2|line_2_\d"
FEEDS = r"activation_[01]_\d"


@pytest.mark.parametrize("gated", [pytest.param(False, marks=pytest.mark.long), True])
def test_registers_keep_still(gated: bool, tmp_path: Path) -> None:
    """With the options they do; without them they move, so the measure sees them."""
    count, values = run(tmp_path, gated)
    unused = matching(count, UNUSED)
    columns = {name: n for name, n in unused.items() if not name.startswith("activation")}
    if gated:
        assert not any(unused.values()), unused
    else:
        assert sum(map(bool, columns.values())) >= 3, unused
        assert count["activation_2_0"]
    assert matching(count, "whole_sums") == {"whole_sums": 0}, "nothing is requantised"
    for name in matching(count, FEEDS):
        assert count[name], name
        assert (0 in values[name]) != gated, name
    held = matching(count, r"pe_0_1\.held(__0)?(\[\d+\])?")
    assert (sum(held.values()) == 0) == gated, held


def high(file: Path, signal: str, since: int) -> list[int]:
    """Cycles from ``since`` on in which a signal is 1."""
    wave: Any = VCDVCD(str(file), store_tvs=True)
    cycle = round(1e-9 / float(wave.timescale["timescale"])) * 2 * HALF_PERIOD
    changes = [(time // cycle, value == "1") for time, value in wave[f"systolic.logic.{signal}"].tv]
    return [
        k - since
        for (begin, value), (end, _) in pairwise(changes)
        for k in range(max(begin, since), end)
        if value
    ]


def schedule(program: SystolicProgram, count: int) -> list[FoldTimes]:
    """When each fold is loaded and begun, from the command on."""
    loads = [fold.loads for fold in program.folds]
    layers = [fold.layer for fold in program.folds]
    filled = len(program.plans[0].words) * count
    return fold_times(program.params, loads, layers, count, filled)


@pytest.mark.parametrize("gated", [False, True])
def test_folds_come_when_the_schedule_says(gated: bool, tmp_path: Path) -> None:
    """Each cycle with a vector or a weight, over three layers of several tiles and words."""
    params, file = core_of(gated), tmp_path / "wave.vcd"
    rng, sizes, how = np.random.default_rng(3), (7, 5, 4, 4), Requantisation(1 << 14, 16, 15)
    layers = [
        QuantisedLayer(
            weights=rng.integers(-8, 8, (sizes[k], sizes[k + 1])),
            bias=np.zeros(sizes[k + 1], np.int64),
            requantisation=how if k < 2 else None,
        )
        for k in range(3)
    ]
    network = QuantisedNetwork(
        name="n", activation_bits=4, weight_bits=4, input_max=15, layers=tuple(layers)
    )
    program, starts = SystolicProgram(params, network, 4), {}
    with NativeSystolic(params, trace="vcd", waveform=file) as core:
        core.configure(program)
        for count in (4, 1):
            starts[count] = core.run(program, rng.integers(0, 16, (count, 7))).starts[0]
    for count, start in starts.items():
        times = schedule(program, count)
        vectors = [BEGIN + time.start + k for time in times for k in range(count)]
        loads = [
            BEGIN + time.load + k
            for time, fold in zip(times, program.folds, strict=True)
            for k in range(fold.loads)
        ]
        assert high(file, "streamer.vector__valid", start)[: len(vectors)] == vectors
        assert high(file, "loader.load__enable", start)[: len(loads)] == loads
        firsts = [[fold.layer for fold in program.folds].index(layer) for layer in range(3)]
        assert first_vectors(program, count) == [vectors[k * count] for k in firsts]
