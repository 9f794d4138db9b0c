"""The requantiser alone equals its model, at the ends of every width."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from spikewatt.hdl.systolic.requantiser import Requantiser
from spikewatt.model.network.quantised import Requantisation, requantise
from spikewatt.model.params.systolic import Rounding, SystolicParams

FLOOR, HALF_UP, HALF_EVEN = Rounding
CASES: list[dict[str, Any]] = [
    {"accumulator_bits": 4, "multiplier_bits": 1, "activation_bits": 8, "shifts": (0, 1, 9)},
    {"accumulator_bits": 40, "multiplier_bits": 24, "activation_bits": 8, "shifts": (40, 0, 23)},
    {"accumulator_bits": 40, "multiplier_bits": 1, "activation_bits": 1, "shifts": (3,)},
    {"accumulator_bits": 5, "multiplier_bits": 3, "activation_bits": 3, "shifts": (40, 7, 8, 9)},
    {"accumulator_bits": 12, "multiplier_bits": 7, "activation_bits": 4, "shifts": (18, 19, 20)},
    {"accumulator_bits": 17, "multiplier_bits": 9, "activation_bits": 6, "shifts": (1, 2)},
]
ROUNDINGS = ((FLOOR, HALF_UP, HALF_EVEN), (HALF_EVEN,), (HALF_UP, FLOOR))


@pytest.mark.parametrize("roundings", ROUNDINGS, ids=str)
@pytest.mark.parametrize("sizes", CASES, ids=lambda sizes: "-".join(map(str, sizes.values())))
def test_requantiser(sizes: dict[str, Any], roundings: tuple[Rounding, ...]) -> None:
    params = SystolicParams(rows=1, columns=2, roundings=roundings, **sizes)
    dut = Requantiser(params)
    rng = np.random.default_rng(params.accumulator_bits)
    half = 1 << params.accumulator_bits - 1
    most = (1 << params.multiplier_bits) - 1
    top = (1 << params.activation_bits) - 1

    async def bench(sim: Any) -> None:
        for (k, shift), (r, rounding) in product(enumerate(params.shifts), enumerate(roundings)):
            for multiplier in {1, most, int(rng.integers(1, most + 1))}:
                how = Requantisation(multiplier, shift, int(rng.integers(0, top + 1)), rounding)
                near = (np.arange(-4, 12) << shift) // (2 * multiplier)  # halves and their floors
                far = np.array([-half, half - 1, 0, -1, (how.clip_max << shift) // multiplier])
                sums = np.concatenate([near, near + 1, far, rng.integers(-half, half, 8)])
                sums = sums.clip(-half, half - 1)
                expected = requantise(sums, how)
                sim.set(dut.multiplier, multiplier)
                sim.set(dut.clip_max, how.clip_max)
                sim.set(dut.shift, k)
                sim.set(dut.rounding, r)
                for one, two, *words in zip(
                    sums, sums[::-1], expected, expected[::-1], strict=True
                ):
                    sim.set(dut.sums[0], int(one))
                    sim.set(dut.sums[1], int(two))
                    await sim.delay(1e-9)
                    got = [sim.get(dut.word[column]) for column in range(2)]
                    assert got == words, (how, one, two)

    sim = Simulator(dut)
    sim.add_testbench(bench)
    sim.run()
