"""Runs inside the simulator: words over a link between two clocks with nothing in common."""

import os
import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

from spikewatt.cosim.bench.streams import StreamMonitor, StreamSink, StreamSource

BITS = 16


async def _check(dut: Any) -> None:
    """What the two say of themselves, while words are on their way: at any time, not by a clock."""
    while True:
        await Timer(977, "ps")
        assert dut.asked.value == (dut.req.value != dut.ack_there.value)
        if dut.empty.value == 1:
            assert dut.req.value == dut.ack_here.value


@cocotb.test()
async def words_arrive(dut: Any) -> None:
    """None is lost, doubled, changed or out of order; both ends are at rest afterwards."""
    seed, words = int(os.environ["SEED"]), int(os.environ["WORDS"])
    rng = random.Random(seed)
    periods = [2 * rng.randint(1000, 12_000) for _ in range(2)]
    if seed % 2:  # data late by more than a cycle: only what two flip-flops allow
        periods[1] = 2 * rng.randint(1000, 1500)
    dut.rst.value = 1
    for clock, period in zip((dut.clk_a, dut.clk_b), periods, strict=True):
        clock.value = 0
        await Timer(rng.randint(1, period), "ps")
        cocotb.start_soon(Clock(clock, period, "ps").start())
    stalls = [rng.choice([0.0, 0.3, 0.8]) for _ in range(2)]
    source = StreamSource(dut, "i", dut.clk_a, stall=stalls[0], rng=rng)
    sink = StreamSink(dut, "o", dut.clk_b, stall=stalls[1], rng=rng)
    leaving = StreamMonitor(dut, "o", dut.clk_b, dut.rst)
    await Timer(6 * max(periods), "ps")
    dut.rst.value = 0
    sink.words.clear()
    cocotb.start_soon(_check(dut))

    sent = [rng.randrange(1 << BITS) for _ in range(words)]
    for first in range(0, words, 200):
        source.send(sent[first : first + 200])
        await source.drain()
        await Timer(rng.choice([1, 30 * max(periods)]), "ps")  # both clocks may fall asleep
    await Timer(30 * max(periods), "ps")
    while len(sink.words) < words:
        await RisingEdge(dut.clk_b)
    await Timer(10 * max(periods), "ps")
    assert sink.words == sent
    assert leaving.words == sent
    assert dut.empty.value == 1
    assert dut.asked.value == 0
    assert (dut.ticks_a.value == 0) == (dut.GATED.value == 0)
    if dut.GATED.value == 1:
        idle = int(dut.ticks_a.value), int(dut.ticks_b.value)
        await Timer(50 * max(periods), "ps")
        assert (int(dut.ticks_a.value), int(dut.ticks_b.value)) == idle, "a clock runs at rest"
