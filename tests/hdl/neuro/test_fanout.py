"""The fan-out alone: groups that fired in, every entry of their lists out, in order."""

import zlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from spikewatt.hdl.neuro.fanout import FanOut
from spikewatt.model.compile.configuration import program_tables
from spikewatt.model.compile.program import Program
from spikewatt.model.params import CoreParams, TableId
from tests.cosim.builds import BUILDS, ON_FPGA
from tests.cosim.random_cores import random_program
from tests.hdl.blocks import Stalls, packed, read_table, rows_of, simulate, write_table

NAMES = ("one neuron", "three lanes", "1-bit weights", "64 groups")
CASES = {name: BUILDS[name] for name in NAMES} | {
    name: ON_FPGA[name] for name in ("three lanes, on an FPGA", "64 slots, on an FPGA")
}


def sent(program: Program, neurons: list[int]) -> list[tuple[int, ...]]:
    """Entries (axon, delay, dx, dy) that the golden model sends for spikes of neurons."""
    columns = np.stack([program.axon, program.delay, program.dx, program.dy], axis=1)
    runs = [
        columns[program.fanout_start[n] : program.fanout_start[n] + program.fanout_count[n]]
        for n in neurons
    ]
    return [tuple(entry) for run in runs for entry in run.tolist()]


@dataclass
class Taker:
    """Takes events and packets with stalls; each has to be the next one expected."""

    sim: Any
    dut: FanOut
    stalls: tuple[Stalls, Stalls]
    expected: list[tuple[int, ...]] = field(default_factory=list)

    def look(self) -> None:
        """One cycle, before its edge."""
        sim, dut = self.sim, self.dut
        for stream, stalls in zip((dut.local, dut.o), self.stalls, strict=True):
            sim.set(stream.ready, not stalls())
        own, other = sim.get(dut.local.valid), sim.get(dut.o.valid)
        assert not (own and other)
        if own or other:
            assert self.expected, "an entry that no list holds"
            axon, delay, dx, dy = self.expected[0]
            assert bool(own) == (dx == dy == 0)
            if own:
                payload = dut.local.payload
                got = sim.get(payload.axon), sim.get(payload.delay)
            else:
                payload = dut.o.payload
                fields = (payload.axon[0], payload.delay[0], payload.dx[0], payload.dy[0])
                got = tuple(sim.get(value) for value in fields)
            assert got == ((axon, delay) if own else (axon, delay, dx, dy))
            if sim.get((dut.local if own else dut.o).ready):
                self.expected.pop(0)


@pytest.mark.parametrize("stalled", [True, False], ids=["stalls", "full speed"])
@pytest.mark.parametrize("name", CASES)
def test_lists_of_spikes(name: str, stalled: bool) -> None:
    """At full speed two cycles a spike and one an entry; one more where entries are registered."""
    params: CoreParams = CASES[name]
    dut = FanOut(params)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    program = random_program(rng, params)
    half = 1 << params.hop_bits - 1
    near = rng.random((2, params.destinations)) < 0.6  # many in this column, or in this row
    dx, dy = np.where(near, 0, rng.integers(-half, half, near.shape))
    program = replace(program, dx=dx, dy=dy)
    tables = program_tables(program)
    lanes, taken = params.lanes, 0

    async def test(sim: Any) -> None:
        nonlocal taken
        shares = (0.0, 0.3, 0.8) if stalled else (0.0,)
        pauses = Stalls(7, shares)
        taker = Taker(sim, dut, (Stalls(8, shares), Stalls(9, shares)))
        for key, port in ((TableId.FANOUT, dut.lists), (TableId.DESTINATIONS, dut.entries)):
            rows = rows_of(tables[key])
            await write_table(sim, port, rows)
            assert await read_table(sim, port, len(rows)) == rows
        for _ in range(25):
            group = int(rng.integers(params.groups))
            mask = rng.random(lanes) < rng.choice([0.2, 0.8])
            mask[rng.integers(lanes)] = True
            neurons = [group * lanes + lane for lane in np.flatnonzero(mask).tolist()]
            while pauses():
                taker.look()
                await sim.tick()
            sim.set(dut.i.valid, 1)
            sim.set(dut.i.payload, {"group": group, "mask": packed(mask.astype(np.int64), 1)})
            while not sim.get(dut.i.ready):
                taker.look()
                await sim.tick()
            taker.look()
            await sim.tick()
            sim.set(dut.i.valid, 0)
            entries = sent(program, neurons)
            taker.expected += entries
            taken += len(entries)
            busy = 0
            while sim.get(dut.busy) and (not stalled or rng.random() < 0.98):
                busy += 1
                taker.look()
                await sim.tick()
            if not stalled:
                held = params.registered and bool(program.fanout_count[neurons[-1]])
                assert busy == 2 * len(neurons) + len(entries) + held
                assert taker.expected == []
        while sim.get(dut.busy):
            taker.look()
            await sim.tick()
        assert taker.expected == []

    simulate(dut, test)
    assert taken > 10
