"""The work list alone: axons in, entries out, in their order."""

import zlib
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Value

from spikewatt.hdl.neuro.worklist import WorkList
from spikewatt.model.compile.configuration import program_tables
from spikewatt.model.params import CoreParams, TableId
from tests.cosim.builds import BUILDS, ON_FPGA
from tests.cosim.random_cores import random_program
from tests.hdl.blocks import Stalls, packed, read_table, rows_of, simulate, write_table

NAMES = ("one neuron", "many axons", "80 groups", "shared rows")
CASES = {name: BUILDS[name] for name in NAMES} | {
    name: ON_FPGA[name] for name in ("three lanes, on an FPGA",)
}


def entry_bits(params: CoreParams) -> dict[str, int]:
    """Widths of the fields of an entry, in their order."""
    fields = {field.name: field.bits for field in params.tables[TableId.ROWS].fields}
    return {name: fields[name] for name in ("offset", "first", "last")}


@pytest.mark.parametrize("name", CASES)
def test_entries_of_ticks(name: str) -> None:
    """Axons with pauses between them; entries are read in any order, and held."""
    params = CASES[name]
    dut = WorkList(params)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    program = random_program(rng, params)
    rows = rows_of(program_tables(program)[TableId.ROWS])
    offsets = program.row_base - program.row_first

    def entry(axon: int) -> int:
        word, at = 0, 0
        values = offsets[axon], program.row_first[axon], program.row_last[axon]
        for value, bits in zip(values, entry_bits(params).values(), strict=True):
            word |= packed([value], bits) << at
            at += bits
        return word

    async def list_axons(sim: Any, stalls: Stalls, axons: list[int]) -> list[int]:
        """Send axons; returns those that must have left an entry."""
        sim.set(dut.restart, 1)
        await sim.tick()
        sim.set(dut.restart, 0)
        listed: list[int] = []
        for axon in axons:
            while stalls():
                await sim.tick()
            sim.set(dut.active.valid, 1)
            sim.set(dut.active.payload, axon)
            await sim.tick()
            sim.set(dut.active.valid, 0)
            assert sim.get(dut.length) == len(listed)  # the entry of this axon comes a cycle later
            assert sim.get(dut.busy)
            listed += [axon] * bool(program.row_words[axon])
        await sim.tick()
        assert not sim.get(dut.busy)
        return listed

    async def test(sim: Any) -> None:
        stalls = Stalls(5)
        await write_table(sim, dut.rows, rows)
        assert await read_table(sim, dut.rows, len(rows)) == rows
        for share in (0.3, 1.0, 0.0, 0.7):
            (axons,) = np.nonzero(rng.random(params.axons) < share)
            listed = await list_axons(sim, stalls, axons.tolist())
            assert sim.get(dut.length) == len(listed)
            if listed:
                assert sim.get(dut.head) == program.row_first[listed[0]]
            for number in rng.permutation(len(listed)).tolist():
                sim.set(dut.read.enable, 1)
                sim.set(dut.read.row, number)
                await sim.tick()
                sim.set(dut.read.enable, 0)
                sim.set(dut.read.row, 0)
                for _ in range(2):
                    assert sim.get(Value.cast(dut.read.data)) == entry(listed[number])
                    await sim.tick()

    simulate(dut, test)
