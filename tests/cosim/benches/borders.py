"""Runs inside the simulator: the core at its borders, where whole runs do not lead it."""

from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge, with_timeout
from numpy.typing import NDArray

from spikewatt.cosim.bench.aer import Scoreboard
from spikewatt.cosim.bench.core import CoreBench
from spikewatt.hdl.neuro.signatures import Command
from spikewatt.model.configuration import (
    config_payload,
    program_words,
    table_addresses,
    unpack_packet,
)
from spikewatt.model.golden import CoreState, RunTrace, initial_state, run
from spikewatt.model.params import Leak, NeuronType, Reset, TableId
from spikewatt.model.program import Program
from tests.cosim.small_core import CORE, make_program

IntArray = NDArray[np.int64]
PERIOD = 10
"""Clock period, ns."""
LIMIT = {"timeout_time": 2, "timeout_unit": "ms"}
ALL_AXONS = np.array([(axon, 1) for axon in range(CORE.axons)], np.int64)
LATER = np.array([0, 2])
NOTHING = np.zeros((0, 2), np.int64)

LIVELY = make_program(
    weights={axon: np.arange(12) * 3 - axon for axon in range(CORE.axons)},
    threshold=40,
    bias=np.arange(12) % 4,
    types=[
        NeuronType(refractory=1),
        NeuronType(leak=Leak.SHIFT, leak_amount=3, reset=Reset.SUBTRACT),
    ],
    group_type=[0, 1, 0],
    fanout={n: [(n % 11, 1 + n % 7, 0, 0), (n % 5, 2, n % 4 - 1, 1)] for n in range(12)},
)
"""Fires in every group, at itself and at others."""
LIVELY_EVENTS = [ALL_AXONS, ALL_AXONS[::2], NOTHING, ALL_AXONS[:4], NOTHING, NOTHING]


async def _started(dut: Any, *, stall: float = 0.0) -> CoreBench:
    bench = CoreBench(dut, CORE, stall=stall, seed=11)
    await bench.reset()
    return bench


async def _cycles(dut: Any, count: int) -> None:
    for _ in range(count):
        await RisingEdge(dut.clk)


def _compare(bench: CoreBench, golden: RunTrace, tick: int, board: Scoreboard) -> None:
    """Neurons after a tick of the golden run."""
    state, monitor = golden.states[tick], bench.monitor
    board.check(f"tick {tick} spikes", monitor.spikes, golden.outputs[tick].spikes)
    board.check(f"tick {tick} membrane", monitor.membrane, state.membrane)
    board.check(f"tick {tick} refractory", monitor.refractory, state.refractory)


async def _go_on(
    bench: CoreBench,
    program: Program,
    events: Sequence[IntArray],
    state: CoreState,
    board: Scoreboard,
) -> CoreState:
    """Run ticks from ``state``, which is also the core's; returns the state after them."""
    golden = run(program, events, state)
    for k, arriving in enumerate(events):
        await bench.tick(arriving, early=False)
        await bench.idle()
        _compare(bench, golden, k, board)
    await bench.check_scheduler(golden.states[-1].scheduler, board)
    return golden.states[-1]


@cocotb.test(**LIMIT)
async def back_pressure_for_long(dut: Any) -> None:
    """While the packet output is blocked the core takes every arrival, and loses nothing."""
    bench, board = await _started(dut), Scoreboard("back-pressure")
    await bench.load(LIVELY)
    arrivals = np.concatenate([ALL_AXONS, ALL_AXONS[::-1], ALL_AXONS + LATER])
    events = [ALL_AXONS, arrivals, NOTHING, NOTHING]
    golden = run(LIVELY, events)
    sent = [packet for output in golden.outputs for packet in output.packets.tolist()]
    assert len(golden.outputs[0].packets) > 8

    bench.packets.blocked = True
    await bench.tick(events[0], early=False)
    while dut.o__valid.value != 1:
        await RisingEdge(dut.clk)
    first = int(dut.o__payload.value)
    await _cycles(dut, 1000)
    for batch in np.array_split(arrivals, 3):
        bench.events.send_events(batch)
        await with_timeout(bench.events.drain(), 4 * PERIOD * len(batch), "ns")
        await _cycles(dut, 200)
        assert dut.o__valid.value == 1
        assert int(dut.o__payload.value) == first
        assert dut.idle.value == 0
    assert bench.packets.words == []
    assert not bench.monitor.spikes[4:].all(), "the tick ended behind a blocked output"

    bench.packets.blocked = False
    await bench.idle()
    _compare(bench, golden, 0, board)
    board.check("merges of t = 0", bench.monitor.take_merges(), golden.merges[1])
    for k in range(1, len(events)):
        await bench.tick(NOTHING, early=False)
        await bench.idle()
        _compare(bench, golden, k, board)
    got = [list(unpack_packet(CORE, word)) for word in bench.packets.words]
    board.check("packets", got, sent)
    await bench.check_scheduler(golden.states[-1].scheduler, board)


@cocotb.test(**LIMIT)
async def reset_in_the_middle_of_a_tick(dut: Any) -> None:
    """Wherever reset comes, the run after it is right; the tables stay."""
    bench = await _started(dut)
    await bench.load(LIVELY)
    await bench.run(LIVELY, LIVELY_EVENTS, Scoreboard("before"))
    busy = 0
    for offset in range(0, 120, 7):
        await bench.reset()
        await bench.tick(ALL_AXONS, early=False)
        bench.events.send_events(ALL_AXONS)
        await _cycles(dut, offset)
        busy += dut.idle.value == 0
        await bench.reset()
        await bench.run(LIVELY, LIVELY_EVENTS[:3], Scoreboard(f"reset after {offset} cycles"))
    assert 8 <= busy < 18, "the resets are to fall into every part of a tick"


@cocotb.test(**LIMIT)
async def reset_while_a_packet_waits(dut: Any) -> None:
    """A packet that nobody took is gone after a reset, and so is the spike behind it."""
    bench = await _started(dut)
    await bench.load(LIVELY)
    bench.packets.blocked = True
    await bench.tick(ALL_AXONS, early=False)
    await _cycles(dut, 200)
    assert dut.o__valid.value == 1
    bench.packets.blocked = False
    await bench.reset()
    assert dut.o__valid.value == 0
    await bench.run(LIVELY, LIVELY_EVENTS, Scoreboard("after the reset"))


@cocotb.test(**LIMIT)
async def clear_in_the_middle_of_waiting_spikes(dut: Any) -> None:
    """CLEAR forgets spikes on their way in every slot, membranes and refractory counters."""
    bench = await _started(dut)
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
    bench, board = await _started(dut), Scoreboard("together")
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
        _compare(bench, golden, k, board)
    assert together >= sum(len(events) for events in LIVELY_EVENTS)
    await bench.check_scheduler(golden.states[-1].scheduler, board)


@cocotb.test(**LIMIT)
async def reconfiguration_between_runs(dut: Any) -> None:
    """Another program without CLEAR: it goes on from the membranes, and wakes who slept."""
    bench, board = await _started(dut, stall=0.2), Scoreboard("reconfiguration")
    quiet = make_program(weights={0: 20}, threshold=100)
    biased = make_program(weights={0: 20}, threshold=100, bias=[30] * 4 + [-9] * 8)
    leaking = make_program(
        weights={0: 20},
        threshold=100,
        types=[NeuronType(leak=Leak.SUBTRACT, leak_amount=3)],
    )
    spike = np.array([(0, 1)], np.int64)
    state = initial_state(CORE)
    for program in (quiet, biased, quiet, leaking, LIVELY, quiet):
        await bench.load(program)
        state = await _go_on(bench, program, [NOTHING] * 3 + [spike] + [NOTHING] * 2, state, board)
    assert state.t == 35
    assert board.checks > 100


@cocotb.test(**LIMIT)
async def one_table_is_enough_to_wake(dut: Any) -> None:
    """Writing only neurons, only types or only the state wakes the groups that slept."""
    bench, board = await _started(dut), Scoreboard("wake")
    still = make_program(threshold=100)
    await bench.load(still)
    state = await _go_on(bench, still, [NOTHING] * 3, initial_state(CORE), board)

    async def write(key: TableId, program: Program) -> None:
        table = CORE.tables[key]
        mine = set(table_addresses(table).ravel().tolist())
        pairs = zip(*program_words(program), strict=True)
        words = [(int(a), int(w)) for a, w in pairs if int(a) in mine]
        assert len(words) == table.rows * table.chunks
        bench.config.send(config_payload(a, w, write=True) for a, w in words)
        await bench.config.drain()

    biased = make_program(threshold=100, bias=7)
    await write(TableId.NEURONS, biased)
    state = await _go_on(bench, biased, [NOTHING] * 2, state, board)
    await write(TableId.NEURONS, still)
    state = await _go_on(bench, still, [NOTHING] * 3, state, board)
    assert (state.membrane == 14).all()

    leaking = make_program(threshold=100, types=[NeuronType(leak=Leak.SUBTRACT, leak_amount=4)])
    await write(TableId.TYPES, leaking)
    state = await _go_on(bench, leaking, [NOTHING] * 6, state, board)
    assert (state.membrane == 0).all()

    table = CORE.tables[TableId.STATE]
    bench.config.send(
        config_payload(table.address(1, chunk), 0x0D0D0D0D * (chunk == 0), write=True)
        for chunk in range(table.chunks)
    )
    await bench.config.drain()
    membrane = np.repeat([0, 13, 0], 4)
    bench.monitor.membrane[:] = membrane
    state = CoreState(
        t=state.t, membrane=membrane, refractory=state.refractory, scheduler=state.scheduler
    )
    state = await _go_on(bench, leaking, [NOTHING] * 2, state, board)
    assert state.membrane[4] == 5


@cocotb.test(**LIMIT)
async def configuration_during_a_tick_waits(dut: Any) -> None:
    """Words and the next command, offered while a tick runs: it ends with the old tables."""
    bench, board = await _started(dut), Scoreboard("waiting words")
    other = make_program(weights={0: 5}, threshold=3, bias=np.arange(12) - 6)
    await bench.load(LIVELY)
    before = run(LIVELY, [ALL_AXONS])
    after = run(other, [NOTHING], before.states[0])
    await bench.tick(ALL_AXONS, early=False)
    bench.config.send(
        config_payload(int(a), int(w), write=True)
        for a, w in zip(*program_words(other), strict=True)
    )
    bench.commands.send([Command.TICK.value])
    await RisingEdge(dut.clk)
    waited = 0
    while dut.config__ready.value != 1:
        waited += 1
        await RisingEdge(dut.clk)
    assert waited > 20
    _compare(bench, before, 0, board)
    bench.monitor.spikes[:] = False
    await bench.commands.drain()
    assert dut.config__valid.value == 0
    await bench.idle()
    _compare(bench, after, 0, board)


@cocotb.test(**LIMIT)
async def arrivals_do_not_wait_for_an_answer(dut: Any) -> None:
    """An answer that nobody takes stays as it is, and the core awake; arrivals pass it by."""
    bench, board = await _started(dut), Scoreboard("answer")
    await bench.load(LIVELY)
    table = CORE.tables[TableId.SCHEDULER]
    bench.events.send_events(ALL_AXONS[1:2])
    await bench.events.drain()
    await bench.idle()
    bench.response.blocked = True
    await RisingEdge(dut.clk)
    bench.config.send([config_payload(table.address(0))])
    while dut.response__valid.value != 1:
        await RisingEdge(dut.clk)
    bench.events.send_events(ALL_AXONS[:4])
    bench.commands.send([Command.CLEAR.value])
    await with_timeout(bench.events.drain(), 12 * PERIOD, "ns")
    for _ in range(50):
        await RisingEdge(dut.clk)
        assert dut.idle.value == 0
        assert dut.response__valid.value == 1
        assert int(dut.response__payload.value) == 0b0010
        assert dut.command__ready.value == 0
    board.check("merges", bench.monitor.take_merges(), 1)
    bench.config.send([config_payload(table.address(0))])
    bench.response.blocked = False
    await bench.config.drain()
    assert bench.response.words == [0b0010, 0b1111]
    await bench.commands.drain()
    await bench.idle()
    await bench.check_scheduler(initial_state(CORE).scheduler, board)


@cocotb.test(**LIMIT)
async def events_and_configuration_at_the_same_time(dut: Any) -> None:
    """Both want the scheduler's memory, in every alignment: neither disturbs the other."""
    bench, board = await _started(dut, stall=0.3), Scoreboard("together")
    table = CORE.tables[TableId.SCHEDULER]
    slots = CORE.delay_slots
    rows = [row for row in range(table.rows) if row % slots >= 2]  # the events land in slot 0
    contents = {row: 5 * row % 15 for row in rows}
    bench.config.send(
        config_payload(table.address(row), value, write=True) for row, value in contents.items()
    )
    await bench.config.drain()
    bench.response.words.clear()
    for k in range(3):
        bench.events.send_events(np.roll(ALL_AXONS, 3 * k, axis=0))
        bench.config.send(config_payload(table.address(row)) for row in rows)
        await bench.events.drain()
        await bench.config.drain()
    await bench.idle()
    board.check("answers", bench.response.words, 3 * list(contents.values()))
    board.check("merges", bench.monitor.take_merges(), 2 * CORE.axons)
    words = (await bench.read_table(TableId.SCHEDULER))["spikes"][:, 0]
    for row, word in enumerate(words):
        first = row // slots * CORE.scheduler_bits
        axons = range(first, min(first + CORE.scheduler_bits, CORE.axons))
        every = (1 << len(axons)) - 1 if row % slots == 0 else 0
        board.check(f"row {row}", word, contents.get(row, every))
