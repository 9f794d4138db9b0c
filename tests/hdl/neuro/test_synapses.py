"""The synapse lanes alone: steps of a walk in, one exact sum a lane out, as in the golden model."""

import zlib
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Value

from spikewatt.hdl.neuro.synapses import SynapseLanes
from spikewatt.model.compile.configuration import program_tables
from spikewatt.model.compile.program import Program
from spikewatt.model.params import TableId
from tests.cosim.builds import BUILDS, ON_FPGA
from tests.cosim.random_cores import random_program
from tests.hdl.blocks import Stalls, packed, read_table, rows_of, simulate, write_table
from tests.hdl.neuro.walks import Entry, EntryStage, Step, entries_of, groups_reached

NAMES = ("one neuron", "many axons", "three lanes", "1-bit weights", "shared rows", "33 groups")
CASES = {name: BUILDS[name] for name in NAMES} | {
    name: ON_FPGA[name]
    for name in ("three lanes, on an FPGA", "9-bit weights, 8-bit membranes, on an FPGA")
}


class Bench:
    """The lanes between a walker, a list of entries, and neurons that take the sums."""

    def __init__(self, sim: Any, dut: SynapseLanes, program: Program, stalls: Stalls) -> None:
        self.sim, self.dut, self.program, self.stalls = sim, dut, program, stalls
        params = program.params
        self.params = params
        self.stage = EntryStage([], params.registered)
        fields = {field.name: field.bits for field in params.tables[TableId.ROWS].fields}
        self.widths = [fields[name] for name in ("offset", "first", "last")]
        self.listed = 0  # what the list answers with
        self.due: tuple[int, bool] | None = None  # a group whose sums are complete from now on
        self.finished: list[int] = []
        self.sums: dict[int, tuple[int, bool]] = {}
        self.reads = 0

    def word(self, index: int) -> int:
        """An entry as the list holds it; what lies behind its end is anything."""
        if index >= len(self.stage.entries):
            return int(self.stalls.rng.integers(1 << 20))
        entry, word, at = self.stage.entries[index], 0, 0
        values = entry.offset, entry.first, entry.last
        for value, bits in zip(values, self.widths, strict=True):
            word |= packed([value], bits) << at
            at += bits
        return word & ((1 << sum(self.widths)) - 1)

    async def cycle(self, step: Step | None = None) -> bool:
        """One cycle, in which the walker offers a step; returns whether it was taken."""
        sim, dut, stage = self.sim, self.dut, self.stage
        if self.due is not None:
            group, touched = self.due
            self.sums[group] = sim.get(Value.cast(dut.group.sums)), touched
            self.due = None
        if step is not None:
            names = ("group", "index", "read", "probe", "start", "end")
            sim.set(dut.step.payload, {name: getattr(step, name) for name in names})
        sim.set(dut.step.valid, step is not None)
        listed = dut.entries.data
        sim.set(listed, self.listed & ((1 << len(Value.cast(listed))) - 1))
        sim.set(dut.group.advance, not self.stalls())
        # With a register behind every memory the neurons take a group in every cycle.
        sim.set(dut.group.finish_ready, self.params.registered or not self.stalls())
        self.compare()
        ready, advance = sim.get(dut.step.ready), sim.get(dut.group.advance)
        waits = sim.get(dut.group.finish) and not sim.get(dut.group.finish_ready)
        assert ready == (advance and not waits)
        if sim.get(dut.group.finish) and ready:
            self.finished.append(sim.get(dut.group.finish_group))
        if advance and sim.get(dut.group.add_last):
            self.due = sim.get(dut.group.add_group), bool(sim.get(dut.group.has_input))
        self.reads += sim.get(dut.read)
        if sim.get(dut.entries.enable):
            assert step is not None
            assert ready
            assert step.read
            self.listed = self.word(sim.get(dut.entries.row))
        if ready:
            stage.move(step)
        await sim.tick()
        return bool(ready)

    def compare(self) -> None:
        """What the walker hears of the step whose entry has come."""
        sim, port, stage = self.sim, self.dut.entry, self.stage
        assert sim.get(port.probe_missed) == stage.missed
        assert sim.get(port.probe_hit) == stage.probe_hit
        assert sim.get(port.last_use) == stage.last_use
        here = stage.here
        if here is None:
            return
        assert sim.get(port.index) == here.index
        if here.read:
            entry = stage.entries[here.index]
            assert sim.get(port.entry.first) == entry.first
            assert sim.get(port.entry.last) == entry.last

    async def send(self, step: Step) -> bool:
        """Offer a step until it is taken, or, where the probe has missed, is not wanted."""
        while True:
            if step.probe and self.stage.missed:
                while not await self.cycle():
                    pass
                return False
            if await self.cycle(step):
                return True

    async def pause(self) -> None:
        """The walker offers nothing for a while."""
        while self.stalls():
            await self.cycle()

    async def walk(self, entries: list[Entry], visits: list[int]) -> None:
        """Visit groups as the walker does, with pauses."""
        self.stage.entries = entries
        high = 0
        for group in visits:
            await self.pause()
            if group == visits[-1]:  # it comes into empty stages: each of them must say it is busy
                while self.sim.get(self.dut.busy) or self.due:
                    await self.cycle()
            if not any(entry.reaches(group) for entry in entries):
                await self.send(Step(group, int(self.stalls.rng.integers(2)), 0, 0, 1, 1))
                continue
            low = next(n for n, entry in enumerate(entries) if entry.last >= group)
            behind = sum(entry.first <= group for entry in entries)
            grows, high = behind > high, max(behind, high)
            if not grows:
                for index in range(low, high):
                    await self.pause()
                    start, end = index == low, index == high - 1
                    await self.send(Step(group, index, 1, 0, int(start), int(end)))
                continue
            index, wanted = low, True
            while wanted:
                step = Step(group, index, int(index != len(entries)), 1, int(index == low), 0)
                wanted = await self.send(step)
                index += 1
        while self.sim.get(self.dut.busy) or self.due:
            await self.cycle()


@pytest.mark.parametrize("stalled", [True, False], ids=["stalls", "full speed"])
@pytest.mark.parametrize("name", CASES)
def test_sums_of_ticks(name: str, stalled: bool) -> None:
    params = CASES[name]
    dut = SynapseLanes(params)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    program = random_program(rng, params)
    rows = rows_of(program_tables(program)[TableId.SYNAPSES])

    async def test(sim: Any) -> None:
        bench = Bench(sim, dut, program, Stalls(2, (0.0, 0.3, 0.7) if stalled else (0.0,)))
        await write_table(sim, dut.table, rows)
        assert await read_table(sim, dut.table, len(rows)) == rows
        for _ in range(6):
            (axons,) = np.nonzero(rng.random(params.axons) < rng.choice([0.1, 0.5, 1.0]))
            entries = entries_of(program, axons.tolist())
            reached = groups_reached(entries)
            awake = {*np.flatnonzero(rng.random(params.groups) < 0.3).tolist()}
            visits = sorted(reached | awake)
            bench.reads, bench.sums, bench.finished = 0, {}, []
            await bench.walk(entries, visits)
            sums = program.matrix[axons].sum(axis=0).reshape(params.groups, params.lanes)
            assert bench.finished == visits
            assert [*bench.sums] == visits
            bits = params.accumulator_bits
            for group in visits:
                assert bench.sums[group] == (packed(sums[group], bits), group in reached)
            assert bench.reads == program.row_words[axons].sum()

    simulate(dut, test)
