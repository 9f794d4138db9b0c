"""The counter of ticks alone: every window, in every tick, means what the golden model says."""

from itertools import product
from typing import Any

import pytest

from spikewatt.hdl.neuro.windows import TickWindows
from spikewatt.model.params import CoreParams
from tests.hdl.blocks import simulate


@pytest.mark.parametrize("bits", [1, 3])
def test_every_window_in_every_tick(bits: int) -> None:
    """Also beyond the counter's end, where it stays, and after a clear, from where it begins."""
    dut = TickWindows(CoreParams(window_bits=bits, types=2))
    last = (1 << bits) - 1

    async def test(sim: Any) -> None:
        kind = dut.kind
        for tick in [*range(last + 3), *range(3)]:
            counted = min(tick, last)
            for windowed, first, end in product((0, 1), range(last + 1), range(last + 1)):
                sim.set(kind.windowed[0], windowed)
                sim.set(kind.window_first[0], first)
                sim.set(kind.window_end[0], end)
                sim.set(dut.types[0].window_first[0], first)
                sim.set(dut.types[1].window_first[0], end)
                inside = first <= counted < end
                assert sim.get(dut.closed) == (windowed and not inside)
                assert sim.get(dut.takes_bias) == (not windowed or counted == 0)
                assert sim.get(dut.keeps_awake) == (windowed and counted == 0)
                assert sim.get(dut.opens) == (counted in (first, end))
            await sim.tick()  # nothing counts by itself
            sim.set(dut.advance, 1)
            sim.set(dut.clear, tick == last + 2)
            await sim.tick()
            sim.set(dut.advance, 0)
            sim.set(dut.clear, 0)

    simulate(dut, test)
