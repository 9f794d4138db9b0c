"""Runs inside the simulator: the systolic core, its streams, its tables, and reset."""

import os
import random
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from spikewatt.cosim.bench.aer import Scoreboard
from spikewatt.cosim.bench.systolic import SystolicBench
from spikewatt.model.compile.codec import encode_reads, encode_writes
from spikewatt.model.compile.configuration import table_addresses
from spikewatt.model.golden.systolic import cycles
from spikewatt.model.params.systolic import SystolicTable
from tests.cosim.systolic_builds import SystolicCase, cases

LIMIT = {"timeout_time": 2, "timeout_unit": "ms"}
CASES = cases(os.environ["SPIKEWATT_BUILD"])
STALL = float(os.environ["SPIKEWATT_STALL"])
RESETS = int(os.environ["SPIKEWATT_RESETS"])


async def _started(dut: Any, *, stall: float, seed: int = 1) -> SystolicBench:
    bench = SystolicBench(dut, CASES[0].program.params, stall=stall, seed=seed)
    await bench.reset()
    return bench


def _deepest() -> SystolicCase:
    """The case with the most to do."""
    return max(CASES, key=lambda case: len(case.program.folds) * (len(case.program.plans) > 1))


async def _wait(dut: Any, count: int) -> None:
    for _ in range(count):
        await RisingEdge(dut.clk)


@cocotb.test(**LIMIT)
async def batches_back_to_back(dut: Any) -> None:
    """Batches of different size, one queued behind the other, with pauses on every stream."""
    bench = await _started(dut, stall=STALL)
    for case in CASES[:6]:
        await bench.load(case.program)
        board = Scoreboard(f"{case.name}, stall {STALL}")
        await bench.run(case.program, case.batches + case.batches[::-1], board)
        assert board.checks >= 6 + len(bench.monitor.accesses)


@cocotb.test(**LIMIT)
async def output_blocked_for_long(dut: Any) -> None:
    """The core waits with its first word, takes neither configuration nor command, loses none."""
    bench, case = await _started(dut, stall=0.0), _deepest()
    await bench.load(case.program)
    bench.monitor.reset()
    bench.outputs.blocked = True
    bench.send(case.program, case.batches[0])
    bench.send(case.program, case.batches[1])
    while int(dut.o__valid.value) != 1:
        await RisingEdge(dut.clk)
    first = int(dut.o__payload.value)
    layers = bench.params.tables[SystolicTable.LAYERS]
    bench.config.send([int(encode_reads(layers.address(0)))])
    for _ in range(300):
        await RisingEdge(dut.clk)
        assert int(dut.o__valid.value) == 1
        assert int(dut.o__payload.value) == first
        assert int(dut.idle.value) == int(dut.config__ready.value) == 0
        assert int(dut.command__ready.value) == int(dut.i__ready.value) == 0
    bench.outputs.blocked = False
    await bench.config.drain()
    await bench.commands.drain()
    await bench.idle()
    assert bench.response.words == [int(case.program.tables()[SystolicTable.LAYERS][0, 0])]
    bench.check(case.program, case.batches[:2], Scoreboard("after the block"))


@cocotb.test(**LIMIT)
async def tables_read_back(dut: Any) -> None:
    """Random rows of every table, written in any order; reset leaves them."""
    rng, bench = random.Random(4), await _started(dut, stall=0.2)
    written: dict[SystolicTable, np.ndarray] = {}
    addresses, words = [], []
    for key, table in bench.params.tables.items():
        values = [rng.getrandbits(table.bits) for _ in range(table.rows)]
        chunks = [[v >> 32 * k & 0xFFFFFFFF for k in range(table.chunks)] for v in values]
        written[key] = np.array(chunks, np.uint32)
        addresses += table_addresses(table).tolist()
        words += chunks
    order = rng.sample(range(len(words)), len(words))
    await bench.write(
        [address for k in order for address in addresses[k]],
        [word for k in order for word in words[k]],
    )
    assert len(written) >= 2
    for again in range(2):
        for key, expected in written.items():
            Scoreboard(f"{key.name} {again}").check("word", await bench.read_words(key), expected)
        await bench.reset()


@cocotb.test(**LIMIT)
async def reset_in_the_middle(dut: Any) -> None:
    """Wherever reset comes, the next run is right, in its usual time, without configuration."""
    bench, case = await _started(dut, stall=0.0), _deepest()
    await bench.load(case.program)
    x = case.batches[0]
    usual = cycles(case.program, len(x))
    busy = 0
    for number, offset in enumerate(np.linspace(2, usual + 4, RESETS).astype(int)):
        bench.outputs.blocked = number % 4 == 3
        bench.send(case.program, x)
        await _wait(dut, int(offset))
        busy += int(dut.idle.value) == 0
        bench.outputs.blocked = False
        await bench.reset(cycles=1 + number % 3)
        assert int(dut.o__valid.value) == 0
        bench.monitor.reset()
        bench.send(case.program, x)
        while int(dut.idle.value):
            await RisingEdge(dut.clk)
        before = bench.monitor.cycles
        await bench.idle()
        board = Scoreboard(f"reset after {offset} cycles")
        board.check("cycles", bench.monitor.cycles - before + 1, usual)
        bench.check(case.program, [x], board)
        await bench.reset()
    assert RESETS // 2 <= busy < RESETS, "the resets are to fall into every part of a run"


@cocotb.test(**LIMIT)
async def another_program_between_batches(dut: Any) -> None:
    """Configuration that is offered during a run waits for its end; the next run goes by it."""
    bench = await _started(dut, stall=0.1)
    one, two = CASES[1], CASES[2]
    await bench.load(one.program)
    bench.monitor.reset()
    bench.send(one.program, one.batches[0])
    await bench.commands.drain()
    addresses, words = two.program.config_words()
    bench.config.send(
        int(encode_writes(int(a), int(w))) for a, w in zip(addresses, words, strict=True)
    )
    await bench.config.drain()
    await bench.idle()
    bench.check(one.program, one.batches[:1], Scoreboard("before"))
    await bench.run(two.program, two.batches, Scoreboard("after"))


@cocotb.test(**LIMIT)
async def configuration_goes_before_a_command(dut: Any) -> None:
    """A command that is offered beside configuration waits for its last word."""
    bench = await _started(dut, stall=0.0)
    one, two = CASES[1], CASES[2]
    await bench.load(one.program)
    bench.monitor.reset()
    addresses, words = (part.tolist() for part in two.program.config_words())
    bench.config.send(
        int(encode_writes(address, word)) for address, word in zip(addresses, words, strict=True)
    )
    bench.send(two.program, two.batches[0])
    await bench.commands.drain()
    assert int(dut.config__valid.value) == 0
    await bench.idle()
    bench.check(two.program, two.batches[:1], Scoreboard("both at once"))


@cocotb.test(**LIMIT)
async def no_clock_at_rest(dut: Any) -> None:
    """The clock behind the gate has as many edges as a run has cycles; at rest reset alone has."""
    bench, case = await _started(dut, stall=0.0), _deepest()
    await bench.load(case.program)
    rises = 0

    async def count() -> None:
        nonlocal rises
        while True:
            await RisingEdge(dut.core_clk)
            rises += 1

    cocotb.start_soon(count())
    await _wait(dut, 50)
    assert rises <= 1, "the last edge of the configuration"
    for x in case.batches:
        before = rises
        await bench.run(case.program, [x], Scoreboard("run"))
        await _wait(dut, 50)
        assert rises - before == cycles(case.program, len(x))
    before = rises
    dut.rst.value = 1
    await _wait(dut, 5)
    assert rises - before >= 3, "reset reaches what is behind the gate"
