"""The barrier beside a model of the four-counter method, and of the network that it watches."""

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import pytest
from amaranth.sim import Simulator

from spikewatt.hdl.router.barrier import Barrier
from spikewatt.model.params import MeshParams, RouterKind
from tests.cosim.mesh_cases import CORE


def params(tiles: int) -> MeshParams:
    core = replace(CORE, hop_bits=6)
    return MeshParams(columns=tiles, rows=1, core=core, router=RouterKind.SYNC)


@dataclass
class Rule:
    """Mattern's rule in steps of a cycle: one tile a cycle, the host's counts with the first.

    Two sums in a row, without a break in between, agree: as much sent as received, twice the same.
    """

    modulus: int
    sums: tuple[int, int] = (0, 0)
    place: int = 0
    before: int | None = None

    def agrees(self, tiles: int) -> bool:
        """Whether it agrees in this cycle, in which every tile is idle."""
        sent, received = self.sums
        return self.place == tiles and sent == received and self.before == sent

    def step(self, looking: bool, counts: list[tuple[int, int]]) -> None:
        """One cycle; ``looking``: the barrier is asked, and every tile is idle."""
        if not looking:
            self.place, self.before = 0, None
        elif self.place < len(counts) - 1:
            begun = self.sums if self.place else counts[0]
            sent, received = counts[self.place + 1]
            self.sums = (begun[0] + sent) % self.modulus, (begun[1] + received) % self.modulus
            self.place += 1
        else:
            sent, received = self.sums
            agreed = self.agrees(len(counts) - 1)
            self.before = sent if sent == received and not agreed else None
            self.place = 0


class Bench:
    """A barrier and its counters; `cycle` compares it with the rule."""

    def __init__(self, tiles: int, ctx: Any, dut: Barrier) -> None:
        self.ctx, self.dut, self.tiles = ctx, dut, tiles
        self.modulus = 1 << params(tiles).count_bits
        self.rule = Rule(self.modulus)
        self.counts = [[0, 0] for _ in range(tiles + 1)]
        self.idle = [True] * tiles

    async def cycle(self, *, look: bool = True, entered: bool = False, left: bool = False) -> bool:
        """One cycle; returns whether the barrier agreed."""
        ctx, dut = self.ctx, self.dut
        for tile, idle, (sent, received) in zip(dut.tiles, self.idle, self.counts[1:], strict=True):
            ctx.set(tile.idle, idle)
            ctx.set(tile.sent, sent % self.modulus)
            ctx.set(tile.received, received % self.modulus)
        ctx.set(dut.look, look)
        ctx.set(dut.entered, entered)
        ctx.set(dut.left, left)
        looking = look and all(self.idle)
        agreed = bool(ctx.get(dut.agreed))
        assert ctx.get(dut.adding) == looking
        assert agreed == (looking and self.rule.agrees(self.tiles))
        self.rule.step(looking, [(sent, received) for sent, received in self.counts])
        await ctx.tick()
        self.counts[0][0] += entered
        self.counts[0][1] += left
        return agreed

    async def until_agreed(self, limit: int = 1000) -> int:
        """Cycles up to the one in which it agrees, that one too."""
        for cycles in range(1, limit):
            if await self.cycle():
                return cycles
        raise AssertionError(f"no agreement in {limit} cycles")


def run(tiles: int, test: Any) -> None:
    dut = Barrier(params(tiles))
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def bench(ctx: Any) -> None:
        await test(Bench(tiles, ctx, dut))

    simulator.add_testbench(bench)
    simulator.run()


def seeds(count: int, first: Collection[int]) -> list[Any]:
    """All of them; every run of the tests has the ``first``, which draw every number of tiles."""
    return [
        pytest.param(seed, marks=[pytest.mark.long] * (seed not in first)) for seed in range(count)
    ]


@pytest.mark.parametrize("tiles", [1, 2, 4, 9])
def test_it_takes_two_sums(tiles: int) -> None:
    """A cycle for each tile, one more to compare; the second sum ends with the agreement."""

    async def test(bench: Bench) -> None:
        for start in range(3):
            for tile in range(tiles):
                bench.counts[1 + tile][0] += tile + start
                bench.counts[tiles - tile][1] += tile + start
            assert await bench.until_agreed() == 2 * (tiles + 1)
            await bench.cycle(look=False)

    run(tiles, test)


@pytest.mark.parametrize("to", range(4))
@pytest.mark.parametrize("source", range(4))
def test_it_does_not_agree_while_a_packet_is_on_its_way(source: int, to: int) -> None:
    """From and to any tile, or the host, which is place 0."""

    async def test(bench: Bench) -> None:
        if source:
            bench.counts[source][0] += 1
        assert not await bench.cycle(entered=not source)
        for _ in range(100):
            assert not await bench.cycle()
        if to:  # a tile that takes a packet is not idle, and the edge lets one out or looks
            bench.counts[to][1] += 1
            bench.idle[to - 1] = False
        await bench.cycle(look=bool(to), left=not to)
        bench.idle = [True] * 3
        assert await bench.until_agreed() == 2 * 4

    run(3, test)


@pytest.mark.parametrize("cycle", range(17))
def test_it_starts_over_when_a_tile_wakes_up(cycle: int) -> None:
    """Whenever in the two sums it does, and though it counts as many received as sent."""

    async def test(bench: Bench) -> None:
        for _ in range(cycle):
            await bench.cycle()
        bench.idle[1] = False
        await bench.cycle()
        bench.counts[2][1] += 1
        bench.counts[1][0] += 1
        await bench.cycle()
        bench.idle[1] = True
        assert await bench.until_agreed() == 2 * 4

    run(3, test)


def test_it_starts_over_when_it_is_not_asked() -> None:
    async def test(bench: Bench) -> None:
        for pause in range(1, 10):
            for _ in range(pause):
                await bench.cycle()
            await bench.cycle(look=False)
        assert await bench.until_agreed() == 2 * 3

    run(2, test)


def test_counts_wrap() -> None:
    async def test(bench: Bench) -> None:
        for _ in range(bench.modulus - 3):
            await bench.cycle(look=False, entered=True)
        bench.counts[1] = [bench.modulus - 1, 4]
        bench.counts[2] = [9, 1]
        assert await bench.until_agreed() == 2 * 3
        await bench.cycle(look=False)
        for _ in range(10):
            await bench.cycle(look=False, entered=True, left=True)
        assert await bench.until_agreed() == 2 * 3
        bench.counts[2][0] += 1 << params(2).count_bits - 1
        for _ in range(50):
            assert not await bench.cycle()

    run(2, test)


@pytest.mark.parametrize("seed", seeds(12, first=(0, 1, 2, 5, 7)))
def test_random(seed: int) -> None:
    """A network of packets that take their time: it agrees only when none is on its way.

    A tile is not idle in the cycle in which it takes one; the edge does not look while it passes
    one in or out.
    """
    rng = random.Random(seed)
    tiles = rng.choice([1, 2, 3, 4, 6])

    async def test(bench: Bench) -> None:
        flying: list[tuple[int, int]] = []  # cycles to go, place
        agreements, work = 0, [0] * tiles
        for _ in range(1500):
            entered = rng.random() < 0.02
            left = False
            if entered:
                flying.append((rng.randrange(40), rng.randrange(tiles + 1)))
            for packet in [p for p in flying if p[0] <= 0]:
                place = packet[1]
                if place == 0 and left:
                    continue
                flying.remove(packet)
                if place == 0:
                    left = True
                else:
                    bench.counts[place][1] += 1
                    work[place - 1] = rng.randrange(2, 7)
            flying = [(cycles - 1, place) for cycles, place in flying]
            for tile in range(tiles):
                work[tile] = max(work[tile] - 1, 0)
                bench.idle[tile] = not work[tile]
                if work[tile] and rng.random() < 0.1:
                    bench.counts[tile + 1][0] += 1
                    flying.append((rng.randrange(40), rng.randrange(tiles + 1)))
            look = not entered and not left
            if await bench.cycle(look=look, entered=entered, left=left):
                agreements += 1
                assert not flying
                assert not any(work)
        assert agreements > 20

    run(tiles, test)


@pytest.mark.parametrize("seed", seeds(8, first=(0, 1, 2, 5)))
def test_any_counts(seed: int) -> None:
    """The rule holds whatever is counted, and whenever, while every tile says that it is idle."""
    rng = random.Random(seed)
    tiles = rng.choice([1, 2, 3, 5])

    async def test(bench: Bench) -> None:
        agreements = 0
        for _ in range(3000):
            change = rng.random()
            if change < 0.15:  # a packet sent, one received, or both at once
                sender, receiver = rng.randrange(1, tiles + 1), rng.randrange(1, tiles + 1)
                bench.counts[sender][0] += change < 0.1
                bench.counts[receiver][1] += change > 0.05
            elif change < 0.17:
                for place in range(1, tiles + 1):
                    bench.counts[place] = [place, tiles + 1 - place]
            agreements += await bench.cycle(look=rng.random() < 0.98)
        assert agreements > 20

    run(tiles, test)
