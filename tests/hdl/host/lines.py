"""Blocks of the host's link alone, in Amaranth's simulator: feeders and takers that stall."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from amaranth.sim import Simulator

__all__ = ["feed", "simulate", "taker"]

Bench = Callable[[Any], Any]
Watcher = Callable[[Any], None]


def simulate(dut: Any, *benches: Bench, watchers: Iterable[Watcher] = ()) -> None:
    """Run all ``benches`` to their end; each cycle ``watchers`` look, and set what they will."""
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    running = len(benches)

    def counted(bench: Bench) -> Bench:
        async def run(sim: Any) -> None:
            nonlocal running
            await bench(sim)
            running -= 1

        return run

    async def watch(sim: Any) -> None:
        while running:
            for watcher in watchers:
                watcher(sim)
            await sim.tick()

    for bench in benches:
        sim.add_testbench(counted(bench))
    sim.add_testbench(watch)
    sim.run()


async def feed(sim: Any, stream: Any, words: Iterable[Any], rng: np.random.Generator) -> None:
    """Send words, with pauses."""
    for word in words:
        await sim.tick().repeat(int(rng.integers(1, 5)))
        sim.set(stream.payload, word)
        sim.set(stream.valid, 1)
        await sim.tick().until(stream.ready)
        sim.set(stream.valid, 0)


def taker(stream: Any, found: list[Any], rng: np.random.Generator, ready: float = 0.4) -> Watcher:
    """Take words into ``found``, in some of the cycles."""

    def watch(sim: Any) -> None:
        take = bool(rng.random() < ready)
        sim.set(stream.ready, take)
        if take and sim.get(stream.valid):
            found.append(sim.get(stream.payload))

    return watch
