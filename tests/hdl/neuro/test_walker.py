"""The walker alone: it visits what is reached or awake, in order, and reads what reaches it."""

import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from spikewatt.hdl.neuro.walker import GroupWalker
from spikewatt.model.params import CoreParams
from tests.cosim.builds import BUILDS, ON_FPGA
from tests.cosim.random_cores import random_program
from tests.hdl.blocks import Stalls, simulate
from tests.hdl.neuro.walks import Entry, EntryStage, Step, entries_of, groups_reached

NAMES = ("one neuron", "one group", "three lanes", "32 groups", "33 groups", "80 groups")
CASES = {name: BUILDS[name] for name in NAMES} | {
    name: ON_FPGA[name]
    for name in ("one group, on an FPGA", "32 groups, on an FPGA", "33 groups, on an FPGA")
}


class Bench:
    """A walker, between a list of entries and neurons that fall asleep."""

    def __init__(self, sim: Any, dut: GroupWalker, params: CoreParams, stalls: Stalls) -> None:
        self.sim, self.dut, self.params, self.stalls = sim, dut, params, stalls
        self.stage = EntryStage([], params.registered)
        self.awake = np.ones(params.groups, np.bool_)
        self.asleep_later: list[int] = []  # groups whose awake bit is still to be written
        self.told = 0  # groups of this tick whose updates were begun

    async def cycle(self, begin: int = 0, wake_all: int = 0) -> None:
        """One cycle: answer for the step before, take the next one or not, write an awake bit."""
        sim, dut, stage = self.sim, self.dut, self.stage
        sim.set(dut.begin, begin)
        sim.set(dut.wake_all, wake_all)
        port, here = dut.entry, stage.here
        sim.set(port.probe_missed, stage.missed)
        sim.set(port.probe_hit, stage.probe_hit)
        sim.set(port.last_use, stage.last_use)
        if here is not None:
            sim.set(port.index, here.index)
        if here is not None and here.read:
            entry = stage.entries[here.index]
            sim.set(port.entry, {"offset": 0, "first": entry.first, "last": entry.last})
        write = bool(self.asleep_later) and not self.stalls()
        group = self.asleep_later.pop(0) if write else 0
        sim.set(dut.awake.enable, write)
        sim.set(dut.awake.group, group)
        sim.set(dut.awake.value, bool(self.awake[group]))
        ready = not self.stalls()
        sim.set(dut.step.ready, ready)
        valid, payload = sim.get(dut.step.valid), dut.step.payload
        if ready:
            names = ("group", "index", "read", "probe", "start", "end")
            step = Step(*(sim.get(getattr(payload, name)) for name in names)) if valid else None
            stage.move(step)
        await sim.tick()

    async def tick(self, entries: list[Entry], wake_all: bool = False) -> int:
        """Walk once; returns the cycles that it took."""
        sim, dut, stage = self.sim, self.dut, self.stage
        stage.entries, stage.runs = entries, []
        sim.set(dut.length, len(entries))
        sim.set(dut.head, entries[0].first if entries else 0)
        at_begin = wake_all and bool(self.stalls.rng.random() < 0.5)
        if wake_all and not at_begin:
            await self.cycle(wake_all=1)
        must = groups_reached(entries) | {*np.flatnonzero(self.awake | wake_all).tolist()}
        await self.cycle(begin=1, wake_all=int(at_begin))
        cycles, updated = 1, 0
        while sim.get(dut.busy) or not stage.empty:
            await self.cycle()
            cycles += 1
            done = len(stage.runs) - (not stage.empty)
            for steps in stage.runs[updated:done]:
                self.update(steps[0].group)
            updated = max(updated, done)
            assert cycles < 10 * (len(must) + 10) * (len(entries) + 2), "it hangs"
        for steps in stage.runs[updated:]:
            self.update(steps[0].group)
        self.check(must)
        while self.asleep_later:
            await self.cycle()
        return cycles

    def update(self, group: int) -> None:
        """The neurons of a group were updated: they say whether they sleep."""
        self.awake[group] = self.stalls.rng.random() < 0.3
        self.asleep_later.append(group)

    def check(self, must: set[int]) -> None:
        """Each group once, in order; all entries that reach it, and few that do not."""
        entries = self.stage.entries
        runs = self.stage.runs
        assert [steps[0].group for steps in runs] == sorted(must)
        before, kept = None, Kept(1 + self.params.registered)
        for steps in runs:
            group = steps[0].group
            assert {step.group for step in steps} == {group}
            assert [step.start for step in steps] == [1] + [0] * (len(steps) - 1)
            hits = {n for n, entry in enumerate(entries) if entry.reaches(group)}
            if not hits:
                assert len(steps) == 1
                assert steps[0].end
                assert not steps[0].read
                continue
            assert all(b.index == a.index + 1 for a, b in pairwise(steps))
            if steps[0].probe:
                assert all(step.probe and not step.end for step in steps)
                behind = steps[-1].index
                assert behind == sum(entry.first <= group for entry in entries)
                assert [step.read for step in steps[:-1]] == [1] * (len(steps) - 1)
                assert steps[-1].read == (behind < len(entries))
                steps = steps[:-1]
            else:
                assert [step.end for step in steps] == [0] * (len(steps) - 1) + [1]
                assert all(step.read and not step.probe for step in steps)
            assert hits <= {step.index for step in steps}
            first, earlier = steps[0].index, [e for e in entries if e.first < group]
            if not any(entry.last >= group for entry in earlier):
                assert first == len(earlier), "a new range begins behind the one before"
            if before is not None and kept.sure:
                assert entries[first].last >= before, "what had ended was read again"
            kept.follow([entries[step.index] for step in steps], group, first)
            before = group


@dataclass
class Kept:
    """Whether every entry that has ended must have left the low end of the range.

    The walker does not hear of an entry's end in the cycle in which it goes on to the next group:
    the answer comes ``latency`` cycles behind its step. Such an entry stays until the range is
    new; that costs a step for each group and changes nothing else.
    """

    latency: int
    sure: bool = True
    behind: int = 0

    def follow(self, entries: list[Entry], group: int, first: int) -> None:
        """The steps of a group."""
        self.sure |= first >= self.behind
        self.behind = first + len(entries)
        ended = next((n for n, e in enumerate(entries) if e.last > group), len(entries))
        self.sure &= not 0 <= len(entries) - 1 - self.latency < ended


def new_ranges(entries: list[Entry]) -> int:
    """Groups at which the range of entries grows."""
    return len({entry.first for entry in entries})


@pytest.mark.parametrize("stalled", [True, False], ids=["stalls", "full speed"])
@pytest.mark.parametrize("name", CASES)
def test_visits(name: str, stalled: bool) -> None:
    """At full speed a visit takes a cycle, or one for each entry; more where it must probe."""
    params = CASES[name]
    dut = GroupWalker(params)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    program = random_program(rng, params)
    slept = 0

    async def test(sim: Any) -> None:
        nonlocal slept
        bench = Bench(sim, dut, params, Stalls(6, (0.0, 0.3, 0.8) if stalled else (0.0,)))
        for tick in range(10):
            share = rng.choice([0.0, 0.1, 0.5, 1.0])
            (axons,) = np.nonzero(rng.random(params.axons) < share)
            entries = entries_of(program, axons.tolist())
            cycles = await bench.tick(entries, wake_all=tick == 0 or rng.random() < 0.2)
            steps = sum(map(len, bench.stage.runs))
            slept += params.groups - len(bench.stage.runs)
            if not stalled:
                words = -(-params.groups // params.awake_bits)
                grown = new_ranges(entries)
                latency = 1 + params.registered
                least = 1 + 3 * words + steps
                assert least <= cycles <= least + latency + (1 + latency) * grown

    simulate(dut, test)
    assert slept or params.groups == 1


def test_the_first_tick_visits_all() -> None:
    """Nobody said so: it is so after reset."""
    params = BUILDS["33 groups"]
    dut = GroupWalker(params)

    async def test(sim: Any) -> None:
        bench = Bench(sim, dut, params, Stalls(1))
        await bench.tick([])  # `awake` is all ones
        assert len(bench.stage.runs) == params.groups

    simulate(dut, test)
