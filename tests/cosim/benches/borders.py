"""Runs inside the simulator: the core at its borders, where whole runs do not lead it."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge, with_timeout

from spikewatt.cosim.bench.aer import Scoreboard
from spikewatt.hdl.neuro.signatures import Command
from spikewatt.model.compile.codec import decode_packets
from spikewatt.model.golden.core import initial_state, run
from spikewatt.model.params import TableId
from tests.cosim.benches.lively import (
    ALL_AXONS,
    LIMIT,
    LIVELY,
    LIVELY_EVENTS,
    NOTHING,
    PERIOD,
    cycles,
    started,
)
from tests.cosim.small_core import CORE

LATER = np.array([0, 2])
"""Delays two ticks longer."""


@cocotb.test(**LIMIT)
async def back_pressure_for_long(dut: Any) -> None:
    """While the packet output is blocked the core takes every arrival, and loses nothing."""
    bench, board = await started(dut), Scoreboard("back-pressure")
    await bench.load(LIVELY)
    arrivals = np.concatenate([ALL_AXONS, ALL_AXONS[::-1], ALL_AXONS + LATER])
    events = [ALL_AXONS, arrivals, NOTHING, NOTHING]
    golden = run(LIVELY, events)
    sent = golden.sent[:, 2:].tolist()
    assert (golden.sent[:, 1] == 0).sum() > 8

    bench.packets.blocked = True
    await bench.tick(events[0], early=False)
    while dut.o__valid.value != 1:
        await RisingEdge(dut.clk)
    first = int(dut.o__payload.value)
    await cycles(dut, 1000)
    for batch in np.array_split(arrivals, 3):
        bench.events.send_events(batch)
        await with_timeout(bench.events.drain(), 4 * PERIOD * len(batch), "ns")
        await cycles(dut, 200)
        assert dut.o__valid.value == 1
        assert int(dut.o__payload.value) == first
        assert dut.idle.value == 0
    assert bench.packets.words == []
    assert not bench.monitor.spikes[4:].all(), "the tick ended behind a blocked output"

    bench.packets.blocked = False
    await bench.idle()
    bench.check_tick(golden, 0, board)
    board.check("merges of t = 0", bench.monitor.take_merges(), golden.merges[0, 1])
    for k in range(1, len(events)):
        await bench.tick(NOTHING, early=False)
        await bench.idle()
        bench.check_tick(golden, k, board)
    got = decode_packets(CORE, np.array(bench.packets.words, np.uint64)).tolist()
    board.check("packets", got, sent)
    await bench.check_scheduler(golden.final_scheduler[0], board)


@cocotb.test(**LIMIT)
async def reset_in_the_middle_of_a_tick(dut: Any) -> None:
    """Wherever reset comes, the run after it is right; the tables stay."""
    bench = await started(dut)
    await bench.load(LIVELY)
    await bench.run(LIVELY, LIVELY_EVENTS, Scoreboard("before"))
    busy = 0
    for offset in range(0, 120, 7):
        await bench.reset()
        await bench.tick(ALL_AXONS, early=False)
        bench.events.send_events(ALL_AXONS)
        await cycles(dut, offset)
        busy += dut.idle.value == 0
        await bench.reset()
        await bench.run(LIVELY, LIVELY_EVENTS[:3], Scoreboard(f"reset after {offset} cycles"))
    assert 8 <= busy < 18, "the resets are to fall into every part of a tick"


@cocotb.test(**LIMIT)
async def reset_while_a_packet_waits(dut: Any) -> None:
    """A packet that nobody took is gone after a reset, and so is the spike behind it."""
    bench = await started(dut)
    await bench.load(LIVELY)
    bench.packets.blocked = True
    await bench.tick(ALL_AXONS, early=False)
    await cycles(dut, 200)
    assert dut.o__valid.value == 1
    bench.packets.blocked = False
    await bench.reset()
    assert dut.o__valid.value == 0
    await bench.run(LIVELY, LIVELY_EVENTS, Scoreboard("after the reset"))


@cocotb.test(**LIMIT)
async def clear_in_the_middle_of_waiting_spikes(dut: Any) -> None:
    """CLEAR forgets spikes on their way in every slot, membranes and refractory counters."""
    bench = await started(dut)
    await bench.load(LIVELY)
    for delay in range(1, CORE.delay_slots):
        bench.events.send_events(np.array([(delay, delay), (0, delay)], np.int64))
    await bench.tick(ALL_AXONS, early=False)
    await bench.idle()
    assert bench.monitor.membrane.any()
    await bench.clear()
    bench.monitor.take_merges()
    board = Scoreboard("after CLEAR")
    await bench.check_scheduler(initial_state(CORE).scheduler, board)
    assert not (await bench.read_table(TableId.STATE))["membrane"].any()
    await bench.run(LIVELY, LIVELY_EVENTS, board)


@cocotb.test(**LIMIT)
async def events_at_the_same_time_as_the_tick_command(dut: Any) -> None:
    """They go first, and belong to the tick that ends."""
    bench, board = await started(dut), Scoreboard("together")
    await bench.load(LIVELY)
    golden = run(LIVELY, LIVELY_EVENTS)
    together = 0
    for k, events in enumerate(LIVELY_EVENTS):
        bench.monitor.spikes[:] = False
        bench.events.send_events(events)
        bench.commands.send([Command.TICK.value])
        while dut.command__valid.value != 1:
            await RisingEdge(dut.clk)
        while dut.command__ready.value != 1:
            together += dut.i__valid.value == 1
            await RisingEdge(dut.clk)
        assert dut.i__valid.value == 0
        await bench.commands.drain()
        await bench.idle()
        bench.check_tick(golden, k, board)
    assert together >= sum(len(events) for events in LIVELY_EVENTS)
    await bench.check_scheduler(golden.final_scheduler[0], board)
