"""The accumulator alone: sums of words in, activations or the last layer's sums out."""

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Value
from numpy.typing import NDArray

from spikewatt.hdl.systolic.accumulator import Accumulator
from spikewatt.model.golden.systolic import accesses
from spikewatt.model.params.systolic import SystolicTable
from tests.hdl.blocks import Stalls, packed, put, read_table, rows_of, simulate, write_table
from tests.hdl.systolic.shapes import SHAPES, ShapedCase, case
from tests.hdl.systolic.test_streamer import results_of

IntArray = NDArray[np.int64]


class Bench:
    """An accumulator between an array and a host that stalls."""

    def __init__(self, sim: Any, dut: Accumulator, one: ShapedCase, stalled: bool) -> None:
        self.sim, self.dut, self.one, self.program = sim, dut, one, one.program
        self.stalls = Stalls(3, (0.0, 0.4, 0.8) if stalled else (0.0,))
        self.results: list[dict[str, int]] = []
        self.sent: list[int] = []
        self.counts = {"read": 0, "write": 0, "bias_read": 0}
        self.layer_done = 0

    async def cycle(self, *, arriving: int = 0, start: int = 0) -> None:
        """One cycle; what comes out is the next result, or a word of sums."""
        sim, dut, params = self.sim, self.dut, self.program.params
        sim.set(dut.start, start)
        sim.set(dut.arriving, arriving)
        sim.set(dut.o.ready, not self.stalls())
        for name in self.counts:
            self.counts[name] += sim.get(getattr(dut, name))
        self.layer_done += sim.get(dut.layer_done)
        if sim.get(dut.result.enable):
            result = self.results.pop(0)
            assert sim.get(dut.result.row) == result["row"]
            assert sim.get(dut.result.part) == result["part"]
            columns = result["columns"]
            mask = (1 << columns * params.activation_bits) - 1
            assert sim.get(Value.cast(dut.result.word)) & mask == result["word"]
        if sim.get(dut.o.valid):
            assert sim.get(dut.busy)
            if sim.get(dut.o.ready):
                self.sent.append(sim.get(Value.cast(dut.o.payload)))
        await sim.tick()

    async def layer(self, number: int, values: IntArray, outputs: IntArray) -> None:
        """Partial sums of a layer, fold by fold, vectors of the batch within each."""
        program, params = self.program, self.program.params
        if not program.plans[number].final:
            plan = program.plans[number]
            columns = [
                min(params.columns, plan.layer.outputs - tile * params.columns)
                for tile in range(plan.tiles)
                for _ in values
            ]
            self.results = [
                result | {"columns": count}
                for result, count in zip(results_of(program, outputs, number), columns, strict=True)
            ]
        self.layer_done, words = 0, []
        for fold in program.folds:
            if fold.layer == number:
                sums = values[:, list(fold.inputs)] @ program.weights(fold)
                words += [packed(row, params.accumulator_bits) for row in sums]
        row = rows_of(program.tables()[SystolicTable.LAYERS])[number]
        put(self.sim, self.dut.layer, row)
        per_fold = len(values)
        for at, word in enumerate(words):
            while self.stalls() or (at % per_fold == 0 and per_fold == 1 and self.pause()):
                await self.cycle()
            await self.cycle(arriving=1)
            put(self.sim, self.dut.sums, word)
            self.alone = per_fold == 1
        while not self.layer_done:
            await self.cycle()
        assert self.layer_done == 1

    alone = False

    def pause(self) -> bool:
        """A lone vector lets a cycle pass, in which its sum is written."""
        paused, self.alone = self.alone, False
        return paused


@pytest.mark.parametrize("stalled", [True, False], ids=["stalls", "full speed"])
@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", SHAPES)
def test_layers(name: str, number: int, stalled: bool) -> None:
    """Two batches; the network's numbers come, and memories are accessed as the model counts."""
    one = case(name, number)
    program, params, vectors = one.program, one.program.params, len(one.inputs)
    dut = Accumulator(params)

    async def test(sim: Any) -> None:
        sim.set(dut.batch, vectors - 1)
        if params.bias_bits:
            biases = rows_of(program.tables()[SystolicTable.BIASES])
            await write_table(sim, dut.table, biases)
            assert await read_table(sim, dut.table, len(biases)) == biases
        for _ in range(2):
            bench = Bench(sim, dut, one, stalled)
            await bench.cycle(start=1)
            values = one.inputs
            for layer, outputs in enumerate(one.network.run(one.inputs)):
                await bench.layer(layer, values, outputs)
                assert bench.results == []
                values = outputs
            while sim.get(dut.busy):
                await bench.cycle()
            words = np.array(
                [
                    [word >> n * params.accumulator_bits for n in range(params.columns)]
                    for word in bench.sent
                ],
                dtype=object,
            )
            bits = params.accumulator_bits
            half = 1 << bits - 1
            sums = ((words % (1 << bits)) + half) % (1 << bits) - half
            got = program.outputs(sums.astype(np.int64), vectors)
            np.testing.assert_array_equal(got, values)
            expected = accesses(program, vectors)
            assert bench.counts == {
                "read": expected["accumulator_read"],
                "write": expected["accumulator_write"],
                "bias_read": expected["bias_read"],
            }

    simulate(dut, test)
