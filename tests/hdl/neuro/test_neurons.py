"""The neurons alone: sums of groups in, states, spikes and awake bits out, as the golden model."""

import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Value
from numpy.typing import NDArray

from spikewatt.hdl.neuro.neurons import NeuronGroup
from spikewatt.model.compile.configuration import pack_table, program_tables
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import update
from spikewatt.model.params import CoreParams, Leak, NeuronType, TableId
from tests.cosim.builds import BUILDS, ON_FPGA
from tests.cosim.random_cores import random_program
from tests.hdl.blocks import Stalls, packed, put, read_table, rows_of, simulate, write_table

IntArray = NDArray[np.int64]
NAMES = (
    *("one neuron", "three lanes", "2-bit weights, 4-bit membranes", "equal widths"),
    *("33 groups", "windows", "windows without leak", "leak none only"),
)
CASES = {name: BUILDS[name] for name in NAMES} | {
    name: ON_FPGA[name]
    for name in ("three lanes, on an FPGA", "windows, on an FPGA", "leak shift only, on an FPGA")
}


@dataclass(frozen=True)
class Visit:
    """A group's update: its sums, whether a synapse word was among them, and what must come."""

    group: int
    sums: int
    touched: bool
    state: int
    spikes: int
    awake: bool


def state_rows(params: CoreParams, membrane: IntArray, refractory: IntArray) -> list[int]:
    """Rows of the table of states."""
    columns = {
        "membrane": membrane.reshape(params.groups, -1),
        "refractory": refractory.reshape(params.groups, -1),
    }
    return rows_of(pack_table(params.tables[TableId.STATE], columns))


class Model:
    """The golden model's neurons, of which some groups are visited in a tick."""

    def __init__(self, program: Program, rng: np.random.Generator) -> None:
        self.program, self.params, self.rng, self.t = program, program.params, rng, -1
        self.membrane = self.refractory = np.zeros(program.params.neurons, np.int64)

    def draw_state(self) -> None:
        """Any state."""
        low, high = self.params.membrane_range
        self.membrane = self.rng.integers(low, high + 1, self.params.neurons)
        self.refractory = self.rng.integers(0, 1 << self.params.refractory_bits, len(self.membrane))

    def rows(self) -> list[int]:
        """Its state as rows of the table."""
        return state_rows(self.params, self.membrane, self.refractory)

    def tick(self) -> list[Visit]:
        """Visit some groups with sums of any size; some are 0, as where nothing reaches them."""
        params, rng = self.params, self.rng
        self.t += 1
        shape = (params.groups, params.lanes)
        half = 1 << params.accumulator_bits - 1
        reach = min(half, int(rng.choice([4, 1 << params.state_bits - 1, half])))
        touched = rng.random(params.groups) < (0.3 if self.t == 0 else 0.7)
        silent = ~touched | (rng.random(params.groups) < 0.2)
        sums = np.where(silent[:, None], 0, rng.integers(-reach, reach, shape))
        share = 1.0 if self.t == 0 else rng.choice([0.3, 0.8, 1.0])
        visited = rng.random(params.groups) < share
        spikes, membrane, refractory = update(
            self.membrane, self.refractory, sums.ravel(), self.program, self.t
        )
        changed = spikes | (membrane != self.membrane) | (refractory != self.refractory)
        keeps_awake = np.zeros(params.groups, np.bool_)
        if self.t == 0 and params.leaks != (Leak.NONE,):
            windowed = np.array([kind.windowed for kind in self.program.types])
            keeps_awake = windowed[self.program.group_type]
        awake = changed.reshape(shape).any(axis=1) | touched | keeps_awake
        rows = state_rows(params, membrane, refractory)
        lanes = np.repeat(visited, params.lanes)
        self.membrane = np.where(lanes, membrane, self.membrane)
        self.refractory = np.where(lanes, refractory, self.refractory)
        return [
            Visit(
                group,
                packed(sums[group], params.accumulator_bits),
                bool(touched[group]),
                rows[group],
                packed(spikes.reshape(shape)[group].astype(np.int64), 1),
                bool(awake[group]),
            )
            for group in np.flatnonzero(visited).tolist()
        ]


class Bench:
    """The neurons between the synapse lanes and a fan-out that stalls."""

    def __init__(self, sim: Any, dut: NeuronGroup, stalls: Stalls) -> None:
        self.sim, self.dut, self.stalls = sim, dut, stalls
        self.adding: Visit | None = None
        self.to_update: list[Visit] = []
        self.to_fire: list[tuple[int, int]] = []

    async def cycle(self, visit: Visit | None = None, **commands: int) -> bool:
        """One cycle; returns whether the group was taken."""
        sim, dut, group = self.sim, self.dut, self.dut.group
        self.command(**commands)
        sim.set(group.finish, visit is not None)
        sim.set(group.finish_group, visit.group if visit else 0)
        sim.set(group.add_last, self.adding is not None)
        if self.adding is not None:
            sim.set(group.add_group, self.adding.group)
            sim.set(group.has_input, self.adding.touched)
        sim.set(dut.fired.ready, not self.stalls())
        self.watch()
        advance = bool(sim.get(group.advance))
        taken = advance and visit is not None and bool(sim.get(group.finish_ready))
        added = self.adding
        await sim.tick()
        self.command()
        if advance:
            # Complete sums stand for one cycle in which the pipeline moves, then anything does.
            anything = int(self.stalls.rng.integers(1 << 16))
            put(sim, group.sums, added.sums if added else anything)
            self.adding = visit if taken else None
        return taken

    def command(self, **values: int) -> None:
        """Set ``clear`` and ``tick_over``, which is there only with windows; 0 by default."""
        for name in ("clear", "tick_over"):
            if name in self.dut.signature.members:
                self.sim.set(getattr(self.dut, name), values.get(name, 0))

    def watch(self) -> None:
        """Updates and spikes are the next ones expected."""
        sim, dut = self.sim, self.dut
        assert sim.get(dut.awake.enable) == sim.get(dut.probe.update)
        if sim.get(dut.probe.update):
            visit = self.to_update.pop(0)
            assert sim.get(dut.probe.group) == sim.get(dut.awake.group) == visit.group
            assert sim.get(Value.cast(dut.probe.state)) == visit.state
            assert sim.get(dut.probe.spikes) == visit.spikes
            assert sim.get(dut.awake.value) == visit.awake
            if visit.spikes:
                self.to_fire.append((visit.group, visit.spikes))
        if sim.get(dut.fired.valid):
            fired = sim.get(dut.fired.payload.group), sim.get(dut.fired.payload.mask)
            assert fired == self.to_fire[0]
            if sim.get(dut.fired.ready):
                self.to_fire.pop(0)

    async def tick(self, visits: list[Visit], stalled: bool) -> int:
        """Update groups; returns the cycles in which groups waited."""
        waited = 0
        self.to_update += visits
        for visit in visits:
            while stalled and self.stalls():
                await self.cycle()
            while not await self.cycle(visit):
                waited += 1
        while self.sim.get(self.dut.busy) or self.adding:
            await self.cycle()
        assert self.to_update == []
        assert self.to_fire == []
        return waited


def loaded(program: Program) -> dict[TableId, list[int]]:
    tables = program_tables(program)
    return {key: rows_of(tables[key]) for key in (TableId.NEURONS, TableId.TYPES)}


@pytest.mark.parametrize("stalled", [True, False], ids=["stalls", "full speed"])
@pytest.mark.parametrize("name", CASES)
def test_updates_of_ticks(name: str, stalled: bool) -> None:
    """From cleared and from any state; at full speed a group each three cycles, or each cycle."""
    params = CASES[name]
    dut = NeuronGroup(params)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    program = random_program(rng, params)
    model = Model(program, rng)
    ports = {TableId.NEURONS: dut.neurons, TableId.TYPES: dut.types}

    async def test(sim: Any) -> None:
        bench = Bench(sim, dut, Stalls(3, (0.0, 0.3, 0.8) if stalled else (0.0,)))
        for _ in range(params.groups):
            assert sim.get(dut.busy)
            await bench.cycle()
        assert not sim.get(dut.busy)
        for key, rows in loaded(program).items():
            await write_table(sim, ports[key], rows)
            assert await read_table(sim, ports[key], len(rows)) == rows
        for tick in range(9):
            if tick == 3:
                model.draw_state()
                await write_table(sim, dut.state, model.rows())
            if tick == 6:
                await bench.cycle(clear=1)
                while sim.get(dut.busy):
                    await bench.cycle()
                model.membrane = model.refractory = np.zeros(params.neurons, np.int64)
                model.t = -1
            visits = model.tick()
            waited = await bench.tick(visits, stalled)
            if not stalled:
                assert waited <= (0 if params.registered else 2 * len(visits))
            assert await read_table(sim, dut.state, params.groups) == model.rows()
            await bench.cycle(tick_over=1)

    simulate(dut, test)


def test_windows_open_in_their_ticks() -> None:
    """Of every type in the table, used or not; once, and again after a clear."""
    params = replace(BUILDS["windows"], types=4, window_bits=3)
    rng = np.random.default_rng(8)
    windows = (1, 2), (5, 2), None, (3, 1)
    types = tuple(NeuronType(silent=not window, window=window) for window in windows)
    zeros = np.zeros(params.groups, np.int64)
    program = replace(random_program(rng, params), types=types, group_type=zeros)
    dut = NeuronGroup(params)

    async def test(sim: Any) -> None:
        bench = Bench(sim, dut, Stalls(3))
        for key, rows in loaded(program).items():
            port = {TableId.NEURONS: dut.neurons, TableId.TYPES: dut.types}[key]
            await write_table(sim, port, rows)
        for _ in range(2):
            opened = []
            for tick in range(20):
                opened += [tick] * sim.get(dut.opens)
                await bench.cycle(tick_over=1)
            assert opened == [0, 1, 3, 5]  # 0 is what a type without a window says
            await bench.cycle(clear=1)

    simulate(dut, test)
