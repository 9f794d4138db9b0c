"""What gating and isolation are for: registers that have nothing to do keep still."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from vcdvcd import VCDVCD

from spikewatt.cosim.library import HALF_PERIOD
from spikewatt.cosim.systolic import NativeSystolic
from spikewatt.model.params.systolic import Loading, SystolicParams
from spikewatt.model.quantised import QuantisedLayer, QuantisedNetwork
from spikewatt.model.systolic.program import SystolicProgram

CORE: dict[str, Any] = {
    "rows": 3,
    "columns": 3,
    "activation_bits": 4,
    "weight_bits": 4,
    "weight_words": 12,
    "layers": 1,
    "loading": Loading.ROWS,
    "double_buffer": False,
}
GATED = ("gate_idle", "isolate_activations", "isolate_weights")


def dense(weights: list[list[int]]) -> QuantisedNetwork:
    matrix = np.array(weights, np.int64)
    layer = QuantisedLayer(weights=matrix, bias=np.zeros(matrix.shape[1], np.int64))
    return QuantisedNetwork(
        name="n", activation_bits=4, weight_bits=4, input_max=15, layers=(layer,)
    )


WHOLE = dense([[1, 2, 3], [4, 5, 6], [7, -8, -7]])
"""Fills the array."""
PART = dense([[-1, 0], [3, 2]])
"""Leaves the last row and the last column over, and one weight is 0."""
X = np.array([[5, 9], [0, 9], [9, 0], [0, 0], [6, 3]])


def changes(file: Path, since: int) -> tuple[Counter[str], dict[str, set[int]]]:
    """Changes of every register of the array from ``since`` ns on, and the values they went to."""
    wave: Any = VCDVCD(str(file), store_tvs=True)
    unit = round(1e-9 / float(wave.timescale["timescale"]))
    count: Counter[str] = Counter()
    values: dict[str, set[int]] = {}
    for name in wave.signals:
        found = re.fullmatch(r"systolic\.logic\.array\.(\w+|pe_\w+\.held\w*)(\[\d+:\d+\])?", name)
        if found:
            later = [value for time, value in wave[name].tv if time > since * unit]
            count[found[1]] += len(later)
            values[found[1]] = {int(value, 2) for value in later}
    return count, values


def run(folder: Path, **options: bool) -> tuple[Counter[str], dict[str, set[int]]]:
    """Changes while `PART` runs on a core that ran `WHOLE` before."""
    params, file = SystolicParams(**{**CORE, **options}), folder / "wave.vcd"
    with NativeSystolic(params, trace="vcd", waveform=file) as core:
        for network, x in ((WHOLE, np.full((3, 3), 15)), (PART, X)):
            program = SystolicProgram(params, network, len(x))
            core.configure(program)
            trace = core.run(program, x)
            got = program.outputs(trace.outputs, len(x))
            np.testing.assert_array_equal(got, network.run(x)[-1])
    return changes(file, trace.start * 2 * HALF_PERIOD)


def matching(count: Counter[str], pattern: str) -> dict[str, int]:
    found = {name: n for name, n in count.items() if re.fullmatch(pattern, name)}
    assert found, f"no register is called {pattern}"
    return found


UNUSED = r"activation_2_\d|sum_\d_2|line_2_\d"
FEEDS = r"activation_[01]_\d"


@pytest.mark.parametrize("gated", [False, True])
def test_registers_keep_still(gated: bool, tmp_path: Path) -> None:
    """With the options they do; without them they move, so the measure sees them."""
    count, values = run(tmp_path, **dict.fromkeys(GATED, gated))
    unused = matching(count, UNUSED)
    columns = {name: n for name, n in unused.items() if not name.startswith("activation")}
    if gated:
        assert not any(unused.values()), unused
    else:
        assert sum(map(bool, columns.values())) >= 3, unused
        assert count["activation_2_0"]
    for name in matching(count, FEEDS):
        assert count[name], name
        assert (0 in values[name]) != gated, name
    held = matching(count, r"pe_0_1\.held(__0)?(\[\d+\])?")
    assert (sum(held.values()) == 0) == gated, held
