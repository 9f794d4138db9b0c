"""The streamer alone: a batch in, then every layer's vectors once for each tile of weights."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.hdl.systolic.streamer import ActivationStreamer
from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.golden.systolic import accesses
from spikewatt.model.params.systolic import SystolicTable
from tests.hdl.blocks import Stalls, packed, put, rows_of, simulate
from tests.hdl.systolic.shapes import SHAPES, ShapedCase, case

IntArray = NDArray[np.int64]


def vectors_of(program: SystolicProgram, values: list[IntArray]) -> list[tuple[int, IntArray]]:
    """Every vector that enters the array, as (fold, int[elements in use]); inputs of each layer."""
    found = []
    for number, fold in enumerate(program.folds):
        found += [(number, vector) for vector in values[fold.layer][:, list(fold.inputs)]]
    return found


def results_of(program: SystolicProgram, outputs: IntArray, layer: int) -> list[dict[str, int]]:
    """What the accumulator writes of a hidden layer: a word of each tile for each vector."""
    params, plan = program.params, program.plans[layer]
    found = []
    for tile in range(plan.tiles):
        at = tile * params.columns
        for number, row in enumerate(outputs[:, at : at + params.columns]):
            place, part = divmod(tile, params.parts)
            word = packed(row, params.activation_bits)
            target = plan.target + place * len(outputs) + number
            found.append({"row": target, "part": part, "word": word})
    return found


def host_words(program: SystolicProgram, inputs: IntArray) -> list[int]:
    """Words of a batch; where the core masks rows, those that a word leaves over are anything."""
    params, words = program.params, program.input_words(inputs)
    if params.masks_rows:
        for number, word in enumerate(words):
            word[len(program.plans[0].words[number // len(inputs)]) :] = -1
    return [packed(word, params.activation_bits) for word in words]


class Bench:
    """A streamer between a host that stalls, a loader, and an accumulator that answers."""

    def __init__(self, sim: Any, dut: ActivationStreamer, one: ShapedCase, stalled: bool) -> None:
        self.sim, self.dut, self.program = sim, dut, one.program
        self.stalls = Stalls(5, (0.0, 0.4, 0.8) if stalled else (0.0,))
        self.values = [one.inputs, *one.network.run(one.inputs)]
        self.vectors = vectors_of(self.program, self.values)
        self.words = host_words(self.program, one.inputs)
        self.layers = rows_of(self.program.tables()[SystolicTable.LAYERS])
        self.loading = Stalls(6, (0.5, 0.9) if stalled else (0.0,))
        self.tiles = 0  # whose weights were ready a cycle ago, and that have not begun
        self.to_load = len(self.program.folds)
        self.results: list[dict[str, int]] = []
        self.reads = self.writes = 0
        self.number, self.entered = 0, False

    async def cycle(self, *, start: int = 0, layer_done: int = 0) -> None:
        """One cycle: weights of a tile, a word of the host's or a result may come."""
        sim, dut, params = self.sim, self.dut, self.program.params
        sim.set(dut.start, start)
        sim.set(dut.layer_done, layer_done)
        # Behind the last layer its number is one of none, for a moment.
        number = min(sim.get(dut.layer_number), len(self.layers) - 1)
        put(sim, dut.layer, self.layers[number])
        ready = self.to_load > 0 and self.tiles < params.buffers and not self.loading()
        sim.set(dut.tile_ready, ready)
        self.to_load -= ready
        sim.set(dut.i.valid, bool(self.words) and not self.stalls())
        put(sim, dut.i.payload, self.words[0] if self.words else 0)
        writes = bool(self.results) and not self.stalls()
        sim.set(dut.result.enable, writes)
        for name, value in (self.results.pop(0) if writes else {}).items():
            put(sim, getattr(dut.result, name), value)
        if sim.get(dut.i.valid) and sim.get(dut.i.ready):
            self.words.pop(0)
        self.reads += sim.get(dut.read)
        self.writes += sim.get(dut.write)
        self.compare()
        self.tiles += ready
        await sim.tick()

    def compare(self) -> None:
        """A vector that enters is the next one, with its tile's buffer and its place in it."""
        sim, dut, params = self.sim, self.dut, self.program.params
        before, self.entered = self.entered, bool(sim.get(dut.vector.valid))
        if not self.entered:
            return
        # The sum of a lone vector is written before that of the next one is added to it.
        assert not (before and len(self.values[0]) == 1)
        number, vector = self.vectors.pop(0)
        fold = self.program.folds[number]
        first = not self.number
        self.number += 1
        if first:
            assert self.tiles > 0, "weights are not ready"
            self.tiles -= 1
        last = not self.vectors or self.vectors[0][0] != number
        self.number = 0 if last else self.number
        assert sim.get(dut.vector.last) == last
        assert sim.get(dut.vector.buffer) == number % params.buffers
        assert sim.get(dut.vector.last_tile) == (
            fold.tile == self.program.plans[fold.layer].tiles - 1
        )
        got = [sim.get(dut.vector.activations[row]) for row in range(len(vector))]
        assert got == vector.tolist()
        live = sim.get(dut.vector.live)
        for row in range(params.rows):
            used = row < len(vector)
            takes_part = (used or not params.masks_rows) and (
                not params.isolate_activations or sim.get(dut.vector.activations[row]) != 0
            )
            if params.has_live:
                assert live >> row & 1 == takes_part
            elif params.masks_rows and not used:
                assert sim.get(dut.vector.activations[row]) == 0

    async def batch(self) -> None:
        """Inputs, then layer after layer; the results of one come before the next one begins."""
        sim, dut, program = self.sim, self.dut, self.program
        await self.cycle(start=1)
        for layer, plan in enumerate(program.plans):
            last = [number for number, fold in enumerate(program.folds) if fold.layer == layer][-1]
            while self.vectors and self.vectors[0][0] <= last:
                await self.cycle()
            if not plan.final:
                self.results = results_of(program, self.values[layer + 1], layer)
                last_tile = plan.layer.outputs - (plan.tiles - 1) * program.params.columns
                for result in self.results[-len(self.values[0]) :]:  # what is left over is anything
                    result["word"] |= -1 << last_tile * program.params.activation_bits
            while self.results or self.stalls():
                await self.cycle()
            assert sim.get(dut.layer_number) == layer
            assert sim.get(dut.busy)
            await self.cycle(layer_done=1)
        assert not sim.get(dut.busy)


@pytest.mark.parametrize("stalled", [True, False], ids=["stalls", "full speed"])
@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", SHAPES)
def test_batches(name: str, number: int, stalled: bool) -> None:
    """A whole batch and a smaller one; the buffer is read and written as the model counts."""
    one = case(name, number)
    dut = ActivationStreamer(one.program.params)
    vectors = len(one.inputs)

    async def test(sim: Any) -> None:
        sim.set(dut.batch, vectors - 1)
        for _ in range(2):
            bench = Bench(sim, dut, one, stalled)
            await bench.batch()
            assert bench.vectors == []
            counts = accesses(one.program, vectors)
            assert bench.reads == counts["activation_read"]
            assert bench.writes == counts["activation_write"]

    simulate(dut, test)
