"""Runs inside the simulator: a single-port memory, written and read at random."""

import os
import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

STEPS = 3000


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_accesses(dut: Any) -> None:
    """Every row comes back as it was written last, and holds until the next access."""
    rows, bits = int(os.environ["SPRAM_ROWS"]), int(os.environ["SPRAM_BITS"])
    rng = random.Random(rows * 64 + bits)  # no secret
    near = [0, rows - 1, *(rng.randrange(rows) for _ in range(14))]
    near += [row ^ 1 for row in near if row ^ 1 < rows]  # a neighbour in the same word
    for name in ("read__enable", "write__enable", "read__row", "write__row", "write__data"):
        getattr(dut, name).value = 0
    dut.rst.value = 0
    Clock(dut.clk, 10, unit="ns", impl="gpi").start()
    stored: dict[int, int] = {}
    expected = None
    seen = 0
    for _ in range(STEPS):
        await FallingEdge(dut.clk)
        if expected is not None:
            assert int(dut.read__data.value) == expected
            seen += 1
        row, what = rng.choice(near), rng.random()
        write = what < 0.4 or (what < 0.8 and row not in stored)
        dut.write__enable.value, dut.read__enable.value = write, what < 0.8 and not write
        dut.write__row.value, dut.write__data.value = row, rng.getrandbits(bits)
        dut.read__row.value = rng.choice(near) if write else row
        await RisingEdge(dut.clk)
        if write:
            stored[row], expected = int(dut.write__data.value), None
        elif what < 0.8:
            expected = stored[row]
    assert seen > STEPS // 4
