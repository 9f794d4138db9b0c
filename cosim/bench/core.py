"""Bench of the neuromorphic core: drivers, monitors, golden model and scoreboard in one."""

import random
from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from numpy.typing import NDArray

from spikewatt.cosim.bench.aer import AerDriver, Scoreboard, SpikeMonitor
from spikewatt.cosim.bench.streams import StreamMonitor, StreamSink, StreamSource
from spikewatt.hdl.neuro.signatures import Command
from spikewatt.model.compile.codec import decode_packets, encode_reads, encode_writes
from spikewatt.model.compile.configuration import (
    program_words,
    scheduler_bits,
    table_addresses,
    unpack_table,
)
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import run
from spikewatt.model.params import CoreParams, TableId
from spikewatt.model.run import Run

__all__ = ["CoreBench"]


class CoreBench:
    """A core under test.

    Parameters
    ----------
    dut:
        The simulator's top: a `NeuroCore` exported as Verilog.
    params:
        Its parameters.
    stall:
        Probability of a pause on every stream, in each cycle.
    seed:
        Of the pauses.
    """

    def __init__(self, dut: Any, params: CoreParams, *, stall: float, seed: int) -> None:
        self.dut, self.params = dut, params
        options = {"stall": stall, "rng": random.Random(seed)}
        dut.rst.value = 1
        self.events = AerDriver(dut, params, **options)
        self.commands = StreamSource(dut, "command", dut.clk, **options)
        self.config = StreamSource(dut, "config", dut.clk, **options)
        self.response = StreamSink(dut, "response", dut.clk, **options)
        self.packets = StreamSink(dut, "o", dut.clk, **options)
        self.offered = StreamMonitor(dut, "o", dut.clk, dut.rst)
        self.monitor = SpikeMonitor(dut, params)
        self.cycles = 0
        # The clock begins low: the inputs above are in place before its first edge.
        Clock(dut.clk, 10, unit="ns", impl="gpi").start(start_high=False)
        cocotb.start_soon(self._count())

    # Counted beside the clock, since cocotb's time would have to be divided by a period.
    async def _count(self) -> None:
        while True:
            await RisingEdge(self.dut.clk)
            self.cycles += 1

    async def reset(self) -> None:
        """Hold reset for four cycles, and wait until the core has cleared itself."""
        for source in (self.events, self.commands, self.config):
            source.abort()
        self.dut.rst.value = 1
        for _ in range(4):
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        self.monitor.reset()
        self.monitor.take_merges()
        self.packets.words.clear()
        await self.idle()

    async def idle(self) -> None:
        """Wait until the core is at rest."""
        await RisingEdge(self.dut.clk)
        while self.dut.idle.value != 1:
            await RisingEdge(self.dut.clk)

    async def command(self, command: Command) -> None:
        """Give a command; returns when it is taken."""
        self.commands.send([command.value])
        await self.commands.drain()

    async def clear(self) -> None:
        """Clear state and scheduler."""
        await self.command(Command.CLEAR)
        await self.idle()
        self.monitor.reset()

    async def load(self, program: Program) -> None:
        """Write every table of a program."""
        addresses, words = program_words(program)
        self.config.send(encode_writes(addresses, words).tolist())
        await self.config.drain()
        await self.idle()

    async def read_table(self, key: TableId) -> dict[str, NDArray[np.int64]]:
        """Read a table back: int64[rows, count] a field."""
        table = self.params.tables[key]
        self.response.words.clear()
        self.config.send(encode_reads(table_addresses(table).ravel()).tolist())
        await self.config.drain()
        words = np.array(self.response.words, np.uint32)
        return unpack_table(table, words.reshape(table.rows, table.chunks))

    async def tick(self, events: NDArray[np.int64], *, early: bool) -> int:
        """Send events, give the command TICK and wait for its end; returns the merges before it.

        ``early`` events may already be on their way since the last tick began.
        """
        # Early ones were sent while the tick before was at work.
        if not early:
            self.events.send_events(events)
        await self.events.drain()
        await self.command(Command.TICK)
        merges = self.monitor.take_merges()
        # Cleared once the command was taken: updates of the tick come later.
        self.monitor.spikes[:] = False
        return merges

    async def run(
        self,
        program: Program,
        events: Sequence[NDArray[np.int64]],
        board: Scoreboard,
        *,
        early: bool = False,
    ) -> Run:
        """Run ticks from the cleared state, and compare every one with the golden model.

        Parameters
        ----------
        events:
            int64[n, 2] (axon, delay) before each tick.
        early:
            Send them while the tick before is being worked on, rather than after it.
        """
        golden = run(program, events)
        self.packets.words.clear()
        self.monitor.words = 0
        for k in range(len(events)):
            merges = await self.tick(events[k], early=early and k > 0)
            # Arrivals in the middle of a tick belong to it as those after it do: the result must be
            # the same.
            if early and k + 1 < len(events):
                self.events.send_events(events[k + 1])
            await self.idle()
            board.check(f"merges before tick {k}", merges, golden.merges[0, k])
            self.check_tick(golden, k, board)
        await self.events.drain()
        await self.idle()
        board.check("merges at the end", self.monitor.take_merges(), golden.merges[0, -1])
        await self._check_end(golden, board)
        return golden

    def check_tick(self, golden: Run, tick: int, board: Scoreboard) -> None:
        """Compare the neurons after a tick with a golden run's."""
        monitor = self.monitor
        board.check(f"tick {tick} spikes", monitor.spikes, golden.spikes[0, tick])
        board.check(f"tick {tick} membrane", monitor.membrane, golden.membranes[0, tick])
        board.check(f"tick {tick} refractory", monitor.refractory, golden.refractory[0, tick])

    async def _check_end(self, golden: Run, board: Scoreboard) -> None:
        """Packets, words read, and what the memories really hold."""
        params = self.params
        got = decode_packets(params, np.array(self.packets.words, np.uint64))
        board.check("packets", got, golden.sent[:, 2:])
        board.check("synapse words", self.monitor.words, golden.total("synapse_words"))
        state = await self.read_table(TableId.STATE)
        board.check("state SRAM membrane", state["membrane"].ravel(), golden.final_membranes[0])
        if params.refractory_bits:
            refractory = state["refractory"].ravel()
            board.check("state SRAM refractory", refractory, golden.final_refractory[0])
        await self.check_scheduler(golden.final_scheduler[0], board)

    async def check_scheduler(self, expected: NDArray[np.bool_], board: Scoreboard) -> None:
        """Compare the scheduler SRAM with bool[D, axons]."""
        params = self.params
        bits = scheduler_bits(params, await self.read_table(TableId.SCHEDULER))
        board.check("scheduler", bits[:, : params.axons], expected)
        board.check("scheduler padding", bits[:, params.axons :].any(), False)
