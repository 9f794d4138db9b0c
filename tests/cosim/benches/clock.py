"""Runs inside the simulator: the gated clock of the core. It needs to see inside the design."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge
from cocotb.utils import get_sim_time

from spikewatt.cosim.bench.aer import Scoreboard
from spikewatt.cosim.bench.core import CoreBench
from spikewatt.model.compile.codec import encode_reads
from spikewatt.model.params import TableId
from tests.cosim.small_core import CORE, make_program

LIMIT = {"timeout_time": 1, "timeout_unit": "ms"}
PERIOD = 10
SPIKE = np.array([(0, 1)], np.int64)
PROGRAM = make_program(weights={0: 30}, threshold=20, fanout={0: [(0, 1, 1, 0)]})


class _Pulses:
    """Times, in ns, at which a clock rose and fell."""

    def __init__(self, clock: Any) -> None:
        self.rises: list[float] = []
        self.falls: list[float] = []
        cocotb.start_soon(self._watch(RisingEdge(clock), self.rises))
        cocotb.start_soon(self._watch(FallingEdge(clock), self.falls))

    async def _watch(self, edge: Any, times: list[float]) -> None:
        while True:
            await edge
            times.append(get_sim_time("ns"))


async def _cycles(dut: Any, count: int) -> None:
    for _ in range(count):
        await RisingEdge(dut.clk)


async def _pulses_of(dut: Any, pulses: _Pulses, count: int) -> int:
    """Rises of the gated clock in the next ``count`` cycles."""
    before = len(pulses.rises)
    await _cycles(dut, count)
    return len(pulses.rises) - before


@cocotb.test(**LIMIT)
async def no_pulse_while_idle(dut: Any) -> None:
    """None in 300 idle cycles; each thing that is offered brings the clock back, for its time."""
    bench = CoreBench(dut, CORE, stall=0.0, seed=1)
    gated = _Pulses(dut.core_clk)
    await bench.reset()
    await bench.load(PROGRAM)
    await _cycles(dut, 3)
    assert await _pulses_of(dut, gated, 300) == 0

    bench.events.send_events(SPIKE)
    pulses = await _pulses_of(dut, gated, 100)
    assert 2 <= pulses <= 4, "an event is a read and a write"
    assert await _pulses_of(dut, gated, 100) == 0

    bench.config.send([int(encode_reads(CORE.tables[TableId.SYNAPSES].address(0)))])
    pulses = await _pulses_of(dut, gated, 100)
    assert 2 <= pulses <= 4, "an answer takes two cycles"
    assert await _pulses_of(dut, gated, 100) == 0

    await bench.tick(np.zeros((0, 2), np.int64), early=False)
    pulses = await _pulses_of(dut, gated, 300)
    assert 15 < pulses < 120
    assert bench.monitor.spikes.all()
    assert await _pulses_of(dut, gated, 100) == 0

    await bench.clear()
    await _cycles(dut, 3)
    assert await _pulses_of(dut, gated, 100) == 0
    await bench.run(PROGRAM, [SPIKE] * 3, Scoreboard("after the sleep"))


@cocotb.test(**LIMIT)
async def pulses_are_whole_and_in_step(dut: Any) -> None:
    """Every pulse rises and falls with the clock itself: no glitch, nothing late."""
    bench = CoreBench(dut, CORE, stall=0.5, seed=2)
    free, gated = _Pulses(dut.clk), _Pulses(dut.core_clk)
    await bench.reset()
    await bench.load(PROGRAM)
    await bench.run(PROGRAM, [SPIKE] * 4, Scoreboard("stalls"))
    assert 100 < len(gated.rises) < len(free.rises) - 20
    assert set(gated.rises) <= set(free.rises)
    assert set(gated.falls) <= set(free.falls)
    widths = np.subtract(gated.falls[-100:], gated.rises[-len(gated.falls) :][-100:])
    assert (widths == PERIOD / 2).all()


@cocotb.test(**LIMIT)
async def pulses_while_reset(dut: Any) -> None:
    """Reset reaches the flip-flops behind the gate."""
    bench = CoreBench(dut, CORE, stall=0.0, seed=3)
    gated = _Pulses(dut.core_clk)
    await bench.reset()
    await _cycles(dut, 20)
    before = len(gated.rises)
    dut.rst.value = 1
    await _cycles(dut, 5)
    assert len(gated.rises) >= before + 3
    dut.rst.value = 0
