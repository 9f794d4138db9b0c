"""The systolic core's memories have the bits that its parameters say, and no more."""

import re
from collections import Counter

import pytest

from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.model.params.systolic import SystolicParams
from spikewatt.synth.verilog import export
from tests.cosim.systolic_builds import cases


def memories(params: SystolicParams) -> Counter[tuple[int, int]]:
    """Rows and width of every memory in the Verilog."""
    text = export(SystolicCore(params), "systolic")
    found = re.findall(r"^ *reg (?:\[(\d+):0\] )?\S+ \[(\d+):0\];", text, re.M)
    return Counter((int(rows) + 1, int(width or 0) + 1) for width, rows in found)


@pytest.mark.parametrize("build", ["one element", "tall", "wide", "wide, one row"])
def test_memories(build: str) -> None:
    params = cases(build)[0].program.params
    rows, columns, bits = params.rows, params.columns, params.activation_bits
    whole, left = divmod(rows, columns)
    if columns >= rows:
        banks = [rows] * -(-columns // rows)
    else:
        banks = [columns] * whole + [left] * (left > 0)
    assert len(banks) == params.banks
    expected = Counter((params.activation_rows, lanes * bits) for lanes in banks)
    expected[params.weight_words, columns * params.weight_bits] += 1
    expected[params.accumulator_rows, columns * params.accumulator_bits] += 1
    if params.bias_bits:
        expected[params.bias_words, columns * params.bias_bits] += 1
    assert all(count for count, _ in expected)
    assert memories(params) == Counter({(max(2, n), w): k for (n, w), k in expected.items()})
