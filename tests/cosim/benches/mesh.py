"""Runs inside the simulator: cases on a mesh, and what only a host that stalls or reads meets."""

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, RisingEdge

from spikewatt.model.compile.configuration import pack_table, table_addresses
from spikewatt.model.compile.mesh.packets import (
    control_packet,
    event_packets,
    read_packets,
    reply_words,
    unpack,
    write_packets,
)
from spikewatt.model.params import HostCommand, MeshParams, TableId, ToHost
from spikewatt.model.run import Run
from tests.cosim.mesh_cases import MeshJob, MeshWork, check_run
from tests.cosim.mesh_recorder import PERIOD, MeshBench

LIMIT: dict[str, Any] = {"timeout_time": 200_000 * PERIOD, "timeout_unit": "ps"}


async def _bench(dut: Any) -> tuple[MeshBench, Sequence[MeshWork]]:
    job: MeshJob = pickle.loads(Path(os.environ["MESH_JOB"]).read_bytes())
    bench = MeshBench(dut, job.params, stall=job.stall, seed=job.seed)
    await bench.reset()
    return bench, job.cases


def _talkative(cases: Sequence[MeshWork]) -> MeshWork:
    """The case that sends most to the host."""
    case = max(cases, key=lambda each: int(each.golden.to_host.sum()))
    assert case.golden.to_host.sum() >= 8
    return case


def _run_packets(case: MeshWork, params: MeshParams) -> list[int]:
    tick, clear = (control_packet(params, what) for what in (HostCommand.TICK, HostCommand.CLEAR))
    parts = [clear]
    for arriving in case.program.input_packets(case.spikes):
        parts += [event_packets(params, arriving), tick]
    return np.concatenate(parts).tolist()


def _trace(bench: MeshBench, case: MeshWork, host: list[int]) -> Run:
    """What the recorder saw of a case."""
    events = case.program.input_packets(case.spikes)
    return bench.recorder.trace(host, events, case.program.host_axons)


async def _read(bench: MeshBench, tile: int, addresses: np.ndarray) -> np.ndarray:
    """Words uint32 of the addresses' shape."""
    params = bench.params
    back = await bench.exchange(read_packets(params, tile, addresses.ravel()).tolist())
    _, _, kind, payload = unpack(params.packet, np.array(back, np.uint64))
    assert (kind == ToHost.REPLY).all()
    return reply_words(params.packet, payload).reshape(addresses.shape)


@cocotb.test(**LIMIT)
async def runs_equal_the_golden_model(dut: Any) -> None:
    """Every case, from what was left by the one before."""
    bench, cases = await _bench(dut)
    for case in cases:
        await bench.load(case.program)
        bench.recorder.begin(len(case.spikes))
        host = await bench.exchange(_run_packets(case, bench.params))
        check_run(case, _trace(bench, case, host), "cocotb")
        for tile, golden in enumerate(case.golden.cores):
            table = bench.params.core.tables[TableId.STATE]
            left = {"membrane": golden.final_membranes[0], "refractory": golden.final_refractory[0]}
            shape = table.rows, bench.params.core.lanes
            expected = pack_table(table, {k: v.reshape(shape) for k, v in left.items()})
            got = await _read(bench, tile, table_addresses(table))
            np.testing.assert_array_equal(got, expected)


@cocotb.test(**LIMIT)
async def a_host_that_takes_nothing_for_long_is_no_reason_to_be_stuck(dut: Any) -> None:
    """The watchdog's time passes many times over while the host takes nothing, offers nothing."""
    bench, cases = await _bench(dut)
    case = _talkative(cases)
    patience = 1 << bench.params.watchdog_bits
    await bench.load(case.program)
    await ClockCycles(dut.clk, 20 * patience)
    bench.recorder.begin(len(case.spikes))
    bench.sink.blocked = True
    running = cocotb.start_soon(bench.exchange(_run_packets(case, bench.params)))
    while dut.o__valid.value != 1:
        await ClockCycles(dut.clk, 1)
    came = len(bench.sink.words)
    await ClockCycles(dut.clk, 20 * patience)
    assert not running.done()
    assert len(bench.sink.words) == came
    bench.sink.blocked = False
    host = await running
    check_run(case, _trace(bench, case, host), "a slow host")


@cocotb.test(**LIMIT)
async def every_table_reads_back_what_was_written(dut: Any) -> None:
    """Random words in every row of every table of every tile, of large tables in some."""
    bench, _ = await _bench(dut)
    params, rng = bench.params, np.random.default_rng(11)
    written, packets = [], []
    for tile in range(params.tiles):
        for table in params.core.tables.values():
            columns = {
                field.name: rng.integers(0, 1 << field.bits, (table.rows, field.count))
                for field in table.fields
            }
            rows = rng.permutation(table.rows)[:40]
            addresses, words = table_addresses(table)[rows], pack_table(table, columns)[rows]
            written.append((tile, addresses, words))
            packets.append(write_packets(params, tile, addresses.ravel(), words.ravel()))
    mixed = [packets[at] for at in rng.permutation(len(packets))]
    assert await bench.exchange(np.concatenate(mixed).tolist()) == []
    for tile, addresses, words in written:
        got = await _read(bench, tile, addresses)
        np.testing.assert_array_equal(got, words, err_msg=f"tile {tile}, {addresses[0, 0]:#x}")


@cocotb.test(**LIMIT)
async def a_read_in_the_middle_of_a_run_waits_for_the_barrier(dut: Any) -> None:
    """What a tick sends is all there before the answer; the state read is that after the tick."""
    bench, cases = await _bench(dut)
    case = _talkative(cases)
    params, core = bench.params, bench.params.core
    await bench.load(case.program)
    tick, clear = (control_packet(params, what) for what in (HostCommand.TICK, HostCommand.CLEAR))
    addresses = table_addresses(core.tables[TableId.STATE])
    inputs = case.program.input_packets(case.spikes)
    tiles = range(params.tiles)
    reads = [read_packets(params, tile, addresses.ravel()) for tile in tiles]
    parts = [clear]
    for arriving in inputs:
        parts += [event_packets(params, arriving), tick, *reads]
    back = await bench.exchange(np.concatenate(parts).tolist())
    dx, dy, kind, payload = unpack(params.packet, np.array(back, np.uint64))
    assert not dx.any()
    assert not dy.any()
    count = addresses.size * params.packet.reply_packets
    (answers,) = np.nonzero(kind == ToHost.REPLY)
    assert len(answers) == len(inputs) * params.tiles * count
    words = reply_words(params.packet, payload[answers])
    words = words.reshape(len(inputs), params.tiles, *addresses.shape)
    shape = core.tables[TableId.STATE].rows, core.lanes
    mask = (1 << core.state_bits) - 1
    membrane = words[..., 0].astype(np.int64)[..., None] >> np.arange(core.lanes) * core.state_bits
    for tile, golden in enumerate(case.golden.cores):
        expected = golden.membranes[0].reshape(len(inputs), *shape) & mask
        np.testing.assert_array_equal(membrane[:, tile] & mask, expected)
    # Spikes of tick k come before the first answer that was asked for after it.
    first = answers[:: params.tiles * count]
    before = np.cumsum(kind == ToHost.SPIKE)[first]
    np.testing.assert_array_equal(before, np.cumsum(case.golden.to_host[0].sum(axis=1)))


@cocotb.test(**LIMIT)
async def spikes_go_in_as_they_come(dut: Any) -> None:
    """They do not wait for a tick to end: the barrier adds up for a control alone."""
    bench, _ = await _bench(dut)
    tick = control_packet(bench.params, HostCommand.TICK).tolist()
    events = event_packets(bench.params, np.array([(0, 1, 1), (1, 2, 3), (0, 4, 2)])).tolist()
    for _ in range(4):
        bench.source.send(tick)
        while dut.started.value != 1:
            await RisingEdge(dut.clk)
        bench.source.send(events)
        drained = cocotb.start_soon(bench.source.drain())
        while not drained.done():
            await RisingEdge(dut.clk)
            assert dut.adding.value == 0
    await bench.exchange([])


@cocotb.test(**LIMIT)
async def answers_wait_for_the_host(dut: Any) -> None:
    """While it takes none, the next reads wait, and their answers are those of their own words."""
    bench, _ = await _bench(dut)
    params, rng = bench.params, np.random.default_rng(12)
    addresses = table_addresses(params.core.tables[TableId.SYNAPSES])[:8]
    words = rng.integers(1, 256, (params.tiles, *addresses.shape), np.uint32)
    for tile in range(params.tiles):
        packets = write_packets(params, tile, addresses.ravel(), words[tile].ravel())
        assert await bench.exchange(packets.tolist()) == []
    for tile in range(params.tiles):
        bench.sink.blocked = True
        reading = cocotb.start_soon(_read(bench, tile, addresses))
        await ClockCycles(dut.clk, 600)
        assert not reading.done()
        bench.sink.blocked = False
        np.testing.assert_array_equal(await reading, words[tile])


@cocotb.test(**LIMIT)
async def a_reset_in_the_middle_leaves_nothing(dut: Any) -> None:
    """Two cycles are enough, whatever was on its way; the tables keep what they hold."""
    bench, cases = await _bench(dut)
    case = _talkative(cases)
    packets = _run_packets(case, bench.params)
    await bench.load(case.program)
    for cycles in (2, 2, 2, 3, 5):
        bench.source.send(packets)
        start = len(bench.sink.words)
        while len(bench.sink.words) < start + 2:
            await ClockCycles(dut.clk, 1)
        await ClockCycles(dut.clk, cycles)
        await bench.reset(cycles)
        bench.recorder.begin(len(case.spikes))
        host = await bench.exchange(packets)
        check_run(case, _trace(bench, case, host), f"after a reset of {cycles} cycles")
