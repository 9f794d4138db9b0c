"""The processing element alone: what its buffers hold times what comes, exactly."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from spikewatt.hdl.systolic.pe import ProcessingElement
from spikewatt.model.params.systolic import SystolicParams
from tests.hdl.blocks import simulate

OPTIONS = ("double_buffer", "isolate_activations", "isolate_weights", "gate_idle")


@pytest.mark.parametrize("flags", [*product((False, True), repeat=4)], ids=str)
def test_every_product(flags: tuple[bool, ...]) -> None:
    """All weights and activations of three bits, with sums that wrap; buffers keep their own."""
    options = dict(zip(OPTIONS, flags, strict=True))
    params = SystolicParams(activation_bits=3, weight_bits=3, **options)
    bits = 8
    dut = ProcessingElement(params, sum_bits=bits)
    rng = np.random.default_rng(1)
    held, stored = [0] * params.buffers, [0] * params.buffers

    async def load(sim: Any, buffer: int, weight: int) -> None:
        sim.set(dut.load, 1 << buffer)
        sim.set(dut.weight, weight)
        sim.set(dut.weight_live, weight != 0)
        await sim.tick()
        sim.set(dut.load, 0)
        sim.set(dut.weight, ~weight)  # nobody looks
        held[buffer] = weight
        if weight or not params.isolate_weights:
            stored[buffer] = weight

    async def test(sim: Any) -> None:
        for buffer in range(params.buffers):
            await load(sim, buffer, 1)
        for weight in [*range(-4, 4), 0, 3, -4]:
            buffer = int(rng.integers(params.buffers))
            await load(sim, buffer, weight)
            for used, (activation, live) in product(
                range(params.buffers), product(range(8), (0, 1))
            ):
                before = int(rng.integers(-128, 128))
                sim.set(dut.buffer, used)
                sim.set(dut.activation, activation)
                sim.set(dut.live, live)
                sim.set(dut.sum_i, before)
                counts = live or not params.has_live
                total = before + held[used] * activation * counts
                assert sim.get(dut.sum_o) == (total + 128) % 256 - 128
            for number, value in enumerate(held):
                assert sim.get(dut.held[number]) == stored[number]
                if params.isolate_weights:
                    assert sim.get(dut.held_live) >> number & 1 == (value != 0)

    simulate(dut, test)
