"""Runs inside the simulator: the configuration port, row by row and bit by bit."""

import random
from typing import Any

import cocotb
from cocotb.triggers import with_timeout

from spikewatt.cosim.bench.core import CoreBench
from spikewatt.model.compile.codec import encode_reads, encode_writes
from spikewatt.model.params import CONFIG_DATA_BITS, Table, TableId
from tests.cosim.builds import BUILDS

PARAMS = BUILDS["eight lanes"]
"""A core with rows of up to six words."""
LIMIT = {"timeout_time": 20, "timeout_unit": "ms"}
Row = tuple[TableId, int]


async def _started(dut: Any, seed: int) -> CoreBench:
    bench = CoreBench(dut, PARAMS, stall=0.2, seed=seed)
    await bench.reset()
    return bench


def _random_rows(rng: random.Random) -> dict[Row, int]:
    """Random contents of every row of every table, in random order."""
    rows = [(key, row) for key, table in PARAMS.tables.items() for row in range(table.rows)]
    rng.shuffle(rows)
    return {(key, row): rng.getrandbits(PARAMS.tables[key].bits) for key, row in rows}


def _chunks(table: Table, row: int, value: int) -> list[tuple[int, int]]:
    mask = (1 << CONFIG_DATA_BITS) - 1
    return [
        (table.address(row, chunk), value >> CONFIG_DATA_BITS * chunk & mask)
        for chunk in range(table.chunks)
    ]


async def _write(bench: CoreBench, rows: dict[Row, int]) -> None:
    for (key, row), value in rows.items():
        words = _chunks(PARAMS.tables[key], row, value)
        bench.config.send(int(encode_writes(a, w)) for a, w in words)
    await bench.config.drain()
    await bench.idle()


async def _read(bench: CoreBench, addresses: list[int]) -> list[int]:
    bench.response.words.clear()
    bench.config.send(int(encode_reads(address)) for address in addresses)
    await bench.config.drain()
    await bench.idle()
    assert len(bench.response.words) == len(addresses)
    return bench.response.words.copy()


async def _check(bench: CoreBench, rows: dict[Row, int]) -> None:
    """Read everything back, in another order than it was written."""
    expected = [
        word
        for (key, row), value in sorted(rows.items())
        for word in reversed(_chunks(PARAMS.tables[key], row, value))
    ]
    got = await _read(bench, [address for address, _ in expected])
    wrong = [(hex(a), w, g) for (a, w), g in zip(expected, got, strict=True) if w != g]
    assert wrong == []


@cocotb.test(**LIMIT)
async def every_table_reads_back_what_was_written(dut: Any) -> None:
    assert max(table.chunks for table in PARAMS.tables.values()) == 6
    rng = random.Random(3)
    bench = await _started(dut, 3)
    rows = _random_rows(rng)
    await _write(bench, rows)
    await _check(bench, rows)
    again = {row: value ^ 1 for row, value in rows.items() if rng.random() < 0.2}
    await _write(bench, again)
    await _check(bench, rows | again)


@cocotb.test(**LIMIT)
async def a_row_changes_only_with_its_last_word(dut: Any) -> None:
    bench = await _started(dut, 4)
    rows = _random_rows(random.Random(4))
    await _write(bench, rows)
    for key, table in PARAMS.tables.items():
        words = _chunks(table, 0, ~rows[key, 0])[:-1]
        bench.config.send(int(encode_writes(a, w)) for a, w in words)
    await bench.config.drain()
    await _check(bench, rows)


@cocotb.test(**LIMIT)
async def unknown_tables_are_ignored_and_read_as_0(dut: Any) -> None:
    bench = await _started(dut, 5)
    rng = random.Random(5)
    rows = _random_rows(rng)
    await _write(bench, rows)
    unknown = [
        table << 24 | rng.choice([0, 1, 3, rng.getrandbits(24)])
        for table in range(len(TableId), 16)
        for _ in range(6)
    ]
    bench.config.send(int(encode_writes(a, rng.getrandbits(32))) for a in unknown)
    await with_timeout(bench.config.drain(), 20, "us")
    assert await _read(bench, unknown) == [0] * len(unknown)
    await _check(bench, rows)


@cocotb.test(**LIMIT)
async def reset_keeps_the_tables_and_clears_state_and_scheduler(dut: Any) -> None:
    bench = await _started(dut, 6)
    rows = _random_rows(random.Random(6))
    await _write(bench, rows)
    cleared = {
        (key, row): 0
        for key in (TableId.STATE, TableId.SCHEDULER)
        for row in range(PARAMS.tables[key].rows)
    }
    await bench.clear()
    await _check(bench, rows | cleared)
    await _write(bench, rows)
    await bench.reset()
    await _check(bench, rows | cleared)
    assert any(rows[row] for row in cleared)
