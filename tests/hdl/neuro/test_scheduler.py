"""The scheduler alone: events in, axons of a tick out, as the golden model's slots say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.hdl.neuro.scheduler import AxonScheduler
from spikewatt.model.golden.core import deliver, initial_state
from spikewatt.model.params import CoreParams, TableId
from tests.cosim.builds import BUILDS, ON_FPGA
from tests.hdl.blocks import Stalls, packed, read_table, simulate, write_table

IntArray = NDArray[np.int64]
NAMES = ("one neuron", "many axons", "1-bit weights", "six lanes")
CASES = {name: BUILDS[name] for name in NAMES} | {
    name: ON_FPGA[name] for name in ("five lanes, on an FPGA", "leak none only, on an FPGA")
}


class Bench:
    """A scheduler, and the golden model's slots beside it, a cycle at a time."""

    def __init__(self, sim: Any, dut: AxonScheduler, params: CoreParams, seed: int) -> None:
        self.sim, self.dut, self.params = sim, dut, params
        self.state = initial_state(params)
        self.stalls = {name: Stalls(seed + n) for n, name in enumerate(("i", "local"))}
        self.rng = np.random.default_rng(seed)
        self.waiting: dict[str, list[tuple[int, int]]] = {"i": [], "local": []}
        self.offered = {"i": False, "local": False}
        self.merges = 0
        self.active: list[int] = []

    def draw(self, count: int) -> list[tuple[int, int]]:
        """Events (axon, delay), some of them twice."""
        axons = self.rng.integers(0, self.params.axons, count)
        delays = self.rng.integers(1, self.params.delay_slots, count)
        events = [*zip(axons.tolist(), delays.tolist(), strict=True)]
        return events + events[: count // 3]

    async def cycle(self, **commands: int) -> None:
        """One cycle; ``scan`` or ``clear`` may be asked."""
        sim, dut = self.sim, self.dut
        for name in ("scan", "clear"):
            sim.set(getattr(dut, name), commands.get(name, 0))
        for name, events in self.waiting.items():
            stream = getattr(dut, name)
            # What was offered stays until it is taken.
            self.offered[name] = bool(events) and (self.offered[name] or not self.stalls[name]())
            sim.set(stream.valid, self.offered[name])
            if events:
                sim.set(stream.payload, {"axon": events[0][0], "delay": events[0][1]})
        assert sim.get(dut.merge) == self.merges
        self.merges = 0
        ready = [name for name in self.offered if sim.get(getattr(dut, name).ready)]
        taken = [name for name in ready if self.offered[name]]
        free = not sim.get(dut.busy) and not commands
        # An event from outside goes before one of the core's own; neither waits without a reason.
        first = "i" if self.offered["i"] else "local"
        assert taken == ([first] if free and self.offered[first] else [])
        for name in taken:
            event = np.array([self.waiting[name].pop(0)])
            self.offered[name] = False
            self.state, self.merges = deliver(self.state, event, self.params)
        if sim.get(dut.active.valid):
            self.active.append(sim.get(dut.active.payload))
        await sim.tick()
        for name in commands:
            sim.set(getattr(dut, name), 0)

    async def rest(self) -> int:
        """Until it is not busy; returns for how many cycles it was."""
        busy = 0
        while self.sim.get(self.dut.busy):
            busy += 1
            await self.cycle()
        return busy

    async def settle(self) -> None:
        """Until every event is in."""
        while any(self.waiting.values()) or self.sim.get(self.dut.busy):
            await self.cycle()

    async def scan(self) -> None:
        """Begin a tick while events wait; compare what it lists, and in how many cycles."""
        await self.rest()
        due = np.nonzero(self.state.scheduler[(self.state.t + 1) % self.params.delay_slots])[0]
        for name in self.waiting:
            self.waiting[name] += self.draw(int(self.rng.integers(0, 4)))
        self.active.clear()
        await self.cycle(scan=1)
        scheduler = self.state.scheduler.copy()
        scheduler[(self.state.t + 1) % self.params.delay_slots] = False
        self.state = replace(self.state, t=self.state.t + 1, scheduler=scheduler)
        busy = await self.rest()
        assert self.active == due.tolist()
        words = np.bincount(
            due // self.params.scheduler_bits, minlength=self.params.scheduler_words
        )
        assert busy == 1 + np.maximum(words, 1).sum() + 1

    def rows(self) -> list[int]:
        """The golden model's slots as rows of the table."""
        params = self.params
        words = params.scheduler_words * params.scheduler_bits
        padded = np.zeros((params.delay_slots, words), np.int64)
        padded[:, : params.axons] = self.state.scheduler
        split = padded.reshape(params.delay_slots, params.scheduler_words, params.scheduler_bits)
        return [packed(row, 1) for row in np.moveaxis(split, 1, 0).reshape(-1, split.shape[2])]


@pytest.mark.parametrize("name", CASES)
def test_events_and_ticks(name: str) -> None:
    params = CASES[name]
    dut = AxonScheduler(params)

    async def test(sim: Any) -> None:
        bench = Bench(sim, dut, params, seed=len(name))
        rows = params.tables[TableId.SCHEDULER].rows
        assert await bench.rest() == rows  # of reset
        for tick in range(3 * min(params.delay_slots, 10) + 1):
            for stream in bench.waiting:
                bench.waiting[stream] += bench.draw(int(bench.rng.integers(0, 6)))
            await bench.settle()
            await bench.scan()
            if tick % 9 == 8:
                await bench.settle()
                assert await read_table(sim, dut.table, rows) == bench.rows()
        await bench.settle()
        await bench.cycle(clear=1)
        bench.state = initial_state(params)
        bench.waiting["local"] += bench.draw(5)
        assert await bench.rest() == rows
        await bench.settle()
        assert await read_table(sim, dut.table, rows) == bench.rows()
        await bench.scan()  # the tick after a clear is tick 0: the slot says so

    simulate(dut, test)


def test_the_table_is_the_slots() -> None:
    """What the configuration port writes is due in its tick."""
    params = BUILDS["many axons"]
    dut = AxonScheduler(params)
    rng = np.random.default_rng(3)

    async def test(sim: Any) -> None:
        bench = Bench(sim, dut, params, seed=1)
        await bench.rest()
        bench.state.scheduler[:] = rng.random(bench.state.scheduler.shape) < 0.4
        await write_table(sim, dut.table, bench.rows())
        for _ in range(params.delay_slots):
            await bench.scan()
            await bench.settle()

    simulate(dut, test)
