"""The array alone: vectors times weights, in line again after as many cycles as it says."""

import zlib
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Value
from numpy.typing import NDArray

from spikewatt.hdl.systolic.array import SystolicArray
from spikewatt.model.params.systolic import Loading, SystolicParams
from tests.hdl.blocks import Stalls, packed, put, simulate
from tests.hdl.systolic.shapes import SHAPES, case

IntArray = NDArray[np.int64]


class Bench:
    """An array between a loader and a streamer, both with pauses.

    A tile is loaded, then its vectors come with gaps between them; meanwhile, where there are two
    buffers, the next tile is loaded into the other one.
    """

    def __init__(self, sim: Any, dut: SystolicArray, params: SystolicParams, seed: int) -> None:
        self.sim, self.dut, self.params = sim, dut, params
        self.stalls, self.cycles = Stalls(seed), 0
        self.expected: list[tuple[int, IntArray, int]] = []  # cycle, sums, columns that count
        self.freed: list[int] = []
        self.loads: list[tuple[int, int, int]] = []  # row, buffer, weights
        self.load_from, self.buffer = 0, 0

    @property
    def through(self) -> int:
        """Cycles from a vector to its sums."""
        return self.params.row_stages + self.params.column_stages - 1

    async def cycle(self, vector: dict[str, int] | None = None, activations: int = 0) -> None:
        """One cycle, perhaps with a vector, perhaps with a word of weights."""
        sim, dut, params = self.sim, self.dut, self.params
        loads = bool(self.loads) and self.cycles >= self.load_from and not self.stalls()
        sim.set(dut.load.enable, loads)
        if loads:
            row, buffer, weights = self.loads.pop(0)
            sim.set(dut.load.row, row)
            sim.set(dut.load.buffer, buffer)
            put(sim, dut.load.weights, weights)
        sim.set(dut.vector.valid, vector is not None)
        for name, value in (vector or {}).items():
            sim.set(getattr(dut.vector, name), value)
        put(sim, dut.vector.activations, activations)
        comes = [entry for entry in self.expected if entry[0] == self.cycles + 1]
        assert sim.get(dut.arriving) == bool(comes)
        assert sim.get(dut.buffer_free) == (self.cycles in self.freed)
        await sim.tick()
        self.cycles += 1
        for _, sums, columns in comes:
            self.expected.pop(0)
            got = sim.get(Value.cast(dut.sums))
            bits = params.accumulator_bits
            assert got & ((1 << columns * bits) - 1) == packed(sums[:columns], bits)

    def load(self, weights: IntArray, buffer: int) -> None:
        """Load a tile int[rows, columns] as soon as the buffer of the tile before is free.

        Where words are shifted in, the deepest row goes first.
        """
        self.load_from = max(self.freed, default=-1) + 1
        order = range(self.params.rows)
        if self.params.loading is Loading.SHIFT:
            order = reversed(order)
        words = [(row, buffer, packed(weights[row], self.params.weight_bits)) for row in order]
        self.loads += words

    async def multiply(self, weights: IntArray, vectors: IntArray, columns: int) -> None:
        """Send vectors int[n, rows] through the tile that ``buffer`` holds."""
        params = self.params
        shift = params.loading is Loading.SHIFT
        last_tile = columns < params.columns or self.stalls()
        self.sim.set(self.dut.last_columns, columns - 1)
        for number, vector in enumerate(vectors):
            while self.stalls():
                await self.cycle()
            last = number == len(vectors) - 1
            self.expected.append((self.cycles + self.through, vector @ weights, columns))
            if last:
                free = self.through - 1 if shift else params.column_stages - 1
                self.freed.append(self.cycles + free)
            live = [int(not params.isolate_activations or value != 0) for value in vector]
            signals = {"last": last, "buffer": self.buffer, "last_tile": last_tile}
            await self.cycle(
                signals | {"live": packed(live, 1)}, packed(vector, params.activation_bits)
            )

    async def drain(self) -> None:
        """Until all sums have come."""
        while self.expected or self.loads:
            await self.cycle()


@pytest.mark.parametrize("name", SHAPES)
def test_vectors_times_weights(name: str) -> None:
    params = case(name).program.params
    dut = SystolicArray(params)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    half, top = 1 << params.weight_bits - 1, (1 << params.activation_bits) - 1

    def draw_weights() -> IntArray:
        weights = rng.integers(-half, half, (params.rows, params.columns))
        return weights * (rng.random(weights.shape) < 0.8)

    async def test(sim: Any) -> None:
        bench = Bench(sim, dut, params, seed=2)
        weights = draw_weights()
        bench.load(weights, 0)
        await bench.drain()
        for _ in range(6):
            least = 1 if params.gate_idle else params.columns
            columns = int(rng.integers(least, params.columns + 1))
            if params.gate_idle:
                await bench.drain()  # one layer after another: a layer leaves over as many columns
            following = draw_weights()
            if params.double_buffer:
                bench.load(following, 1 - bench.buffer)
            vectors = rng.integers(0, top + 1, (int(rng.integers(1, 6)), params.rows))
            vectors *= rng.random(vectors.shape) < 0.7
            await bench.multiply(weights, vectors, columns)
            if params.double_buffer:
                bench.buffer = 1 - bench.buffer
            else:
                bench.load(following, 0)
            while bench.loads:
                await bench.cycle()
            weights = following
        await bench.drain()

    simulate(dut, test)
