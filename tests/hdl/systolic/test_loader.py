"""The loader alone: every fold's weights in order, as soon as a buffer is free, as by schedule."""

from typing import Any

import pytest
from amaranth.hdl import Value

from spikewatt.hdl.systolic.loader import WeightLoader
from spikewatt.model.params.systolic import Loading, SystolicTable
from tests.hdl.blocks import Stalls, put, read_table, rows_of, simulate, write_table
from tests.hdl.systolic.shapes import SHAPES, case


@pytest.mark.parametrize("stalled", [True, False], ids=["stalls", "full speed"])
@pytest.mark.parametrize("name", SHAPES)
def test_folds(name: str, stalled: bool) -> None:
    """Buffers become free at random, or in the cycle in which they are wanted; two batches."""
    program = case(name).program
    params, folds, tables = program.params, program.folds, program.tables()
    dut = WeightLoader(params)
    weights, layers = rows_of(tables[SystolicTable.WEIGHTS]), rows_of(tables[SystolicTable.LAYERS])
    shift = params.loading is Loading.SHIFT
    usable = params.rows if shift else params.rows - params.row_stages + 1

    async def batch(sim: Any, stalls: Stalls) -> None:
        """One batch, a cycle at a time, beside a count of what is free and what was loaded."""
        sim.set(dut.start, 1)
        await sim.tick()
        sim.set(dut.start, 0)
        free, address, in_use = params.buffers, 0, 0
        reads = [(n, row) for n, fold in enumerate(folds) for row in range(fold.loads)]
        loads: list[tuple[int, int]] = []  # a word that comes in the next cycle
        ready = 0
        while reads or loads:
            if in_use and (not stalled or not stalls()):
                freed, in_use = 1, in_use - 1
            else:
                freed = 0
            sim.set(dut.buffer_free, freed)
            # Behind the last layer its number is one of none, for a moment.
            put(sim, dut.layer, layers[min(sim.get(dut.layer_number), len(layers) - 1)])
            assert sim.get(dut.busy)
            assert sim.get(dut.load.enable) == bool(loads)
            assert sim.get(dut.tile_ready) == ready
            for number, row in loads:
                assert sim.get(dut.load.row) == row
                assert sim.get(dut.load.buffer) == number % params.buffers
                assert sim.get(Value.cast(dut.load.weights)) == weights[address]
                address += 1
            loads, ready = [], 0
            begins = bool(reads) and reads[0][1] == 0
            reading = bool(reads) and (not begins or free + freed > 0)
            assert sim.get(dut.read) == reading
            free += freed - (reading and begins)
            if reading:
                number, row = reads.pop(0)
                assert sim.get(dut.layer_number) == folds[number].layer
                loads = [(number, row)]
                # The first vector may enter before the last word where it meets it on its way.
                ready = int(row == min(usable, folds[number].loads) - 1)
                in_use += row == folds[number].loads - 1
            await sim.tick()
        sim.set(dut.buffer_free, 0)
        assert not sim.get(dut.busy)
        assert sim.get(dut.tile_ready) == ready
        for _ in range(params.buffers - free):
            sim.set(dut.buffer_free, 1)
            await sim.tick()
            sim.set(dut.buffer_free, 0)

    async def test(sim: Any) -> None:
        stalls = Stalls(4)
        await write_table(sim, dut.table, weights)
        assert await read_table(sim, dut.table, len(weights)) == weights
        for _ in range(2):
            await batch(sim, stalls)

    simulate(dut, test)
