"""Runs inside the simulator: configuration between ticks, during them, and beside events."""

from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge, with_timeout

from spikewatt.cosim.bench.aer import Scoreboard
from spikewatt.cosim.bench.core import CoreBench
from spikewatt.hdl.neuro.signatures import Command
from spikewatt.model.compile.codec import encode_reads, encode_writes
from spikewatt.model.compile.configuration import (
    program_words,
    table_addresses,
)
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import CoreState, initial_state, run
from spikewatt.model.params import Leak, NeuronType, TableId
from tests.cosim.benches.lively import (
    ALL_AXONS,
    LIMIT,
    LIVELY,
    NOTHING,
    PERIOD,
    IntArray,
    started,
)
from tests.cosim.small_core import CORE, make_program
from tests.model.builders import state_after


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
        bench.check_tick(golden, k, board)
    await bench.check_scheduler(golden.final_scheduler[0], board)
    return state_after(golden, state.t + len(events))


@cocotb.test(**LIMIT)
async def reconfiguration_between_runs(dut: Any) -> None:
    """Another program without CLEAR: it goes on from the membranes, and wakes who slept."""
    bench, board = await started(dut, stall=0.2), Scoreboard("reconfiguration")
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
    bench, board = await started(dut), Scoreboard("wake")
    still = make_program(threshold=100)
    await bench.load(still)
    state = await _go_on(bench, still, [NOTHING] * 3, initial_state(CORE), board)

    async def write(key: TableId, program: Program) -> None:
        table = CORE.tables[key]
        mine = set(table_addresses(table).ravel().tolist())
        pairs = zip(*program_words(program), strict=True)
        words = [(int(a), int(w)) for a, w in pairs if int(a) in mine]
        assert len(words) == table.rows * table.chunks
        bench.config.send(int(encode_writes(a, w)) for a, w in words)
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
        int(encode_writes(table.address(1, chunk), 0x0D0D0D0D * (chunk == 0)))
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
    bench, board = await started(dut), Scoreboard("waiting words")
    other = make_program(weights={0: 5}, threshold=3, bias=np.arange(12) - 6)
    await bench.load(LIVELY)
    before = run(LIVELY, [ALL_AXONS])
    after = run(other, [NOTHING], state_after(before, 0))
    await bench.tick(ALL_AXONS, early=False)
    bench.config.send(
        int(encode_writes(int(a), int(w))) for a, w in zip(*program_words(other), strict=True)
    )
    bench.commands.send([Command.TICK.value])
    await RisingEdge(dut.clk)
    waited = 0
    while dut.config__ready.value != 1:
        waited += 1
        await RisingEdge(dut.clk)
    assert waited > 20
    bench.check_tick(before, 0, board)
    bench.monitor.spikes[:] = False
    await bench.commands.drain()
    assert dut.config__valid.value == 0
    await bench.idle()
    bench.check_tick(after, 0, board)


@cocotb.test(**LIMIT)
async def arrivals_do_not_wait_for_an_answer(dut: Any) -> None:
    """An answer that nobody takes stays as it is, and the core awake; arrivals pass it by."""
    bench, board = await started(dut), Scoreboard("answer")
    await bench.load(LIVELY)
    table = CORE.tables[TableId.SCHEDULER]
    bench.events.send_events(ALL_AXONS[1:2])
    await bench.events.drain()
    await bench.idle()
    bench.response.blocked = True
    await RisingEdge(dut.clk)
    bench.config.send([int(encode_reads(table.address(0)))])
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
    bench.config.send([int(encode_reads(table.address(0)))])
    bench.response.blocked = False
    await bench.config.drain()
    assert bench.response.words == [0b0010, 0b1111]
    await bench.commands.drain()
    await bench.idle()
    await bench.check_scheduler(initial_state(CORE).scheduler, board)


@cocotb.test(**LIMIT)
async def events_and_configuration_at_the_same_time(dut: Any) -> None:
    """Both want the scheduler's memory, in every alignment: neither disturbs the other."""
    bench, board = await started(dut, stall=0.3), Scoreboard("together")
    table = CORE.tables[TableId.SCHEDULER]
    slots = CORE.delay_slots
    rows = [row for row in range(table.rows) if row % slots >= 2]  # the events land in slot 0
    contents = {row: 5 * row % 15 for row in rows}
    bench.config.send(
        int(encode_writes(table.address(row), value)) for row, value in contents.items()
    )
    await bench.config.drain()
    bench.response.words.clear()
    for k in range(3):
        bench.events.send_events(np.roll(ALL_AXONS, 3 * k, axis=0))
        bench.config.send(int(encode_reads(table.address(row))) for row in rows)
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
