"""Blocks of hardware alone, in Amaranth's simulator and one clock: cycles, stalls, tables."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np
from amaranth.hdl import Value
from amaranth.sim import Simulator
from numpy.typing import NDArray

__all__ = ["Stalls", "packed", "put", "read_table", "rows_of", "simulate", "write_table"]

Bench = Callable[[Any], Coroutine[Any, Any, None]]


MOST_CYCLES = 12_000
"""A test of a block takes less; more means that the block waits for what never comes."""


def simulate(dut: Any, *benches: Bench, clocked: bool = True) -> None:
    """Run all benches to their end; one that does not get there has failed."""
    sim = Simulator(dut)
    running = len(benches)

    def counted(bench: Bench) -> Bench:
        async def run(sim: Any) -> None:
            nonlocal running
            await bench(sim)
            running -= 1

        return run

    async def watch(sim: Any) -> None:
        for _ in range(MOST_CYCLES):
            if not running:
                return
            await sim.tick()
        raise AssertionError(f"no end after {MOST_CYCLES} cycles")

    if clocked:
        sim.add_clock(1e-6)
        # First, so that it has begun when a bench fails at once: what never begins is warned of.
        sim.add_testbench(watch)
    for bench in benches:
        sim.add_testbench(counted(bench))
    sim.run()


class Stalls:
    """Says in which cycles somebody is not ready; the same in every run.

    The share of such cycles changes now and then, so that long waits and full speed both come.

    Parameters
    ----------
    seed:
        Printed, so that a test that fails says which stalls it failed with.
    shares:
        Of cycles in which it stalls.
    """

    def __init__(self, seed: int, shares: Sequence[float] = (0.0, 0.3, 0.8)) -> None:
        print(f"stalls of seed {seed}")
        self.rng = np.random.default_rng(seed)
        self._shares, self._share = shares, float(self.rng.choice(shares))

    def __call__(self) -> bool:
        """Whether to stall in this cycle."""
        if self.rng.random() < 0.1:
            self._share = float(self.rng.choice(self._shares))
        return bool(self.rng.random() < self._share)


def put(sim: Any, signal: Any, value: int) -> None:
    """Set a signal or a view, of whatever shape, to the bits of a number."""
    sim.set(Value.cast(signal).as_unsigned(), value & ((1 << len(Value.cast(signal))) - 1))


def packed(values: Sequence[int] | NDArray[np.int64], bits: int) -> int:
    """Numbers of ``bits`` bits side by side, the first one lowest; negative ones wrap."""
    word = 0
    for at, value in enumerate(values):
        word |= (int(value) & ((1 << bits) - 1)) << at * bits
    return word


def rows_of(words: NDArray[np.uint32]) -> list[int]:
    """Rows of a table, a number each, from its configuration words uint32[rows, chunks]."""
    return [packed(row, 32) for row in words.astype(np.int64)]


async def write_table(sim: Any, port: Any, rows: Sequence[int]) -> None:
    """Load a table as the configuration port does."""
    sim.set(port.write, 1)
    for number, row in enumerate(rows):
        sim.set(port.row, number)
        put(sim, port.write_data, row & ((1 << len(Value.cast(port.write_data))) - 1))
        await sim.tick()
    sim.set(port.write, 0)


async def read_table(sim: Any, port: Any, rows: int) -> list[int]:
    """Read a table back as the configuration port does."""
    found = []
    for number in range(rows):
        sim.set(port.read, 1)
        sim.set(port.row, number)
        await sim.tick()
        sim.set(port.read, 0)
        found.append(sim.get(Value.cast(port.read_data)))
    return found
