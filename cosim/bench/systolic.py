"""Bench of the systolic core: drivers, monitors, golden model and scoreboard in one."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from numpy.typing import NDArray

from spikewatt.cosim.bench.aer import Scoreboard
from spikewatt.cosim.bench.streams import StreamMonitor, StreamSink, StreamSource
from spikewatt.model.compile.codec import encode_reads, encode_writes
from spikewatt.model.compile.configuration import table_addresses
from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.golden.systolic import ACCESSES, accesses
from spikewatt.model.params.systolic import SystolicParams, SystolicTable

__all__ = ["ArrayMonitor", "SystolicBench"]

IntArray = NDArray[np.int64]


def _pack(values: Sequence[int], bits: int) -> int:
    """Unsigned values of ``bits`` bits side by side, lowest first."""
    return sum(int(value) << k * bits for k, value in enumerate(values))


def _unpack(word: int, bits: int, count: int, *, signed: bool) -> list[int]:
    values = [word >> k * bits & (1 << bits) - 1 for k in range(count)]
    return [v - (v >> bits - 1 << bits) for v in values] if signed else values


class ArrayMonitor:
    """Follows the core's probe; each of its enables must be known in every cycle.

    ``results``: words of activations since `reset`, in the order in which they were written.
    ``accesses``: of each memory. ``cycles``: all that passed.
    """

    def __init__(self, dut: Any) -> None:
        self._dut = dut
        self.cycles = 0
        self.reset()
        cocotb.start_soon(self._watch())

    def reset(self) -> None:
        """Begin to count."""
        self.results: list[int] = []
        self.accesses: Counter[str] = Counter(dict.fromkeys(ACCESSES, 0))

    async def _watch(self) -> None:
        dut = self._dut
        probes = {name: getattr(dut, f"probe__{name}") for name in ACCESSES}
        while True:
            await RisingEdge(dut.clk)
            self.cycles += 1
            if dut.rst.value == 1:
                continue
            for name, probe in probes.items():
                self.accesses[name] += int(probe.value)  # raises where it is X
            if int(dut.probe__result.value):
                self.results.append(int(dut.probe__word.value))


class SystolicBench:
    """A systolic core under test.

    Parameters
    ----------
    dut:
        The simulator's top: a `SystolicCore` exported as Verilog.
    params:
        Its parameters.
    stall:
        Probability of a pause on every stream, in each cycle.
    seed:
        Of the pauses.
    """

    def __init__(self, dut: Any, params: SystolicParams, *, stall: float, seed: int) -> None:
        self.dut, self.params = dut, params
        options = {"stall": stall, "rng": random.Random(seed)}
        dut.rst.value = 1
        self.inputs = StreamSource(dut, "i", dut.clk, **options)
        self.commands = StreamSource(dut, "command", dut.clk, **options)
        self.config = StreamSource(dut, "config", dut.clk, **options)
        self.response = StreamSink(dut, "response", dut.clk, **options)
        self.outputs = StreamSink(dut, "o", dut.clk, **options)
        self.offered = StreamMonitor(dut, "o", dut.clk, dut.rst)
        self.answers = StreamMonitor(dut, "response", dut.clk, dut.rst)
        self.monitor = ArrayMonitor(dut)
        # The clock begins low: the inputs above are in place before its first edge.
        Clock(dut.clk, 10, unit="ns", impl="gpi").start(start_high=False)

    async def reset(self, cycles: int = 4) -> None:
        """Hold reset, and wait until the core is at rest."""
        # What was queued before a reset belongs to a batch that is gone.
        for source in (self.inputs, self.commands, self.config):
            source.abort()
        self.dut.rst.value = 1
        for _ in range(cycles):
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        self.outputs.words.clear()
        self.response.words.clear()
        self.monitor.reset()
        await self.idle()

    async def idle(self) -> None:
        """Wait until the core is at rest."""
        await RisingEdge(self.dut.clk)
        while int(self.dut.idle.value) != 1:
            await RisingEdge(self.dut.clk)

    async def write(self, addresses: Sequence[int], words: Sequence[int]) -> None:
        """Write configuration words."""
        self.config.send(encode_writes(addresses, words).tolist())
        await self.config.drain()
        await self.idle()

    async def load(self, program: SystolicProgram) -> None:
        """Write every table of a program."""
        await self.write(*(words.tolist() for words in program.config_words()))

    async def read_words(self, key: SystolicTable) -> NDArray[np.uint32]:
        """Read a table back: uint32[rows, chunks]."""
        addresses = table_addresses(self.params.tables[key])
        self.response.words.clear()
        self.config.send(encode_reads(addresses.ravel()).tolist())
        await self.config.drain()
        await self.idle()
        return np.array(self.response.words, np.uint32).reshape(addresses.shape)

    def send(self, program: SystolicProgram, x: IntArray) -> None:
        """Queue the command for a batch, and its words."""
        # The command's payload is the batch less one, so that no code means an empty batch.
        self.commands.send([len(x) - 1])
        bits = self.params.activation_bits
        self.inputs.send(_pack(word, bits) for word in program.input_words(x).tolist())

    async def run(
        self, program: SystolicProgram, batches: Sequence[IntArray], board: Scoreboard
    ) -> None:
        """Queue batches int64[n, inputs] behind one another; compare all that comes of them."""
        self.outputs.words.clear()
        self.monitor.reset()
        for x in batches:
            self.send(program, x)
        await self.commands.drain()
        await self.idle()
        self.check(program, batches, board)

    def check(
        self, program: SystolicProgram, batches: Sequence[IntArray], board: Scoreboard
    ) -> None:
        """Compare outputs, hidden activations and accesses since they were cleared."""
        params = self.params
        width = params.accumulator_bits
        words = [_unpack(w, width, params.columns, signed=True) for w in self.outputs.words]
        bits = params.activation_bits
        results = [_unpack(w, bits, params.columns, signed=False) for w in self.monitor.results]
        for number, x in enumerate(batches):
            golden = program.network.run(x)
            for k, (plan, expected) in enumerate(zip(program.plans, golden, strict=True)):
                source, count = (words if plan.final else results), plan.tiles * len(x)
                # Consumed as they are compared: what is left at the end came too much.
                got, source[:count] = source[:count], []
                block = np.array(got, np.int64).reshape(plan.tiles, len(x), params.columns)
                flat = np.moveaxis(block, 0, 1).reshape(len(x), -1)[:, : plan.layer.outputs]
                board.check(f"batch {number}, layer {k}", flat, expected)
        board.check("words left over", [len(words), len(results)], [0, 0])
        expected = [accesses(program, len(x)) for x in batches]
        for name in ACCESSES:
            board.check(name, self.monitor.accesses[name], sum(counts[name] for counts in expected))
