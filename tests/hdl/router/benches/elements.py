"""Runs inside the simulator: each Click element alone, between sources and sinks that stall."""

import os
import random
from itertools import pairwise
from typing import Any

import cocotb
from cocotb.triggers import Timer

from spikewatt.cosim.bench.links import LinkMonitor, LinkSink, LinkSource, Pauses
from tests.hdl.router.elements import DELAYS, ELEMENTS, WIDTH, Element

SEED = int(os.environ["SEED"])
TOKENS = int(os.environ["TOKENS"])
LEAST = 4 * DELAYS.fire  # a receiver answers after the click has ended, whatever the delays
LIMIT = {"timeout_time": 2000 + 50 * TOKENS, "timeout_unit": "ns"}
QUIET = 20_000


class Bench:
    """An element, reset, with sources, sinks and monitors at its links."""

    def __init__(self, dut: Any, name: str) -> None:
        self.element: Element = ELEMENTS[name]
        self._dut, self._name = dut, name
        self.rng = random.Random(f"{name} {SEED}")
        self.sources: dict[str, LinkSource] = {}
        self.sinks: dict[str, LinkSink] = {}
        self.monitors: dict[str, LinkMonitor] = {}

    def pauses(self, stall: float, least: int) -> Pauses:
        return Pauses(stall=stall, longest=least + 4000, least=least, rng=self.rng)

    async def begin(self, *, stall_in: float, stall_out: float, least: int = LEAST) -> None:
        """Reset, which empties whatever is there, and put new ends at the links."""
        for end in (*self.sources.values(), *self.sinks.values(), *self.monitors.values()):
            end.stop()
        dut, late = self._dut, self.element.late
        dut.rst.value = 1
        await Timer(QUIET, "ps")
        for link in self.element.inputs:
            name = f"{self._name}_{link}"
            self.sources[link] = LinkSource(dut, name, self.pauses(stall_in, 1), late=late)
        for link in self.element.outputs:
            self.sinks[link] = LinkSink(dut, f"{self._name}_{link}", self.pauses(stall_out, least))
        await Timer(QUIET, "ps")
        dut.rst.value = 0
        await Timer(QUIET, "ps")
        for link in (*self.element.inputs, *self.element.outputs):
            late_here = late if link in self.element.inputs else 0
            self.monitors[link] = LinkMonitor(dut, f"{self._name}_{link}", late=late_here)

    def tokens(self, count: int) -> dict[str, list[int]]:
        """Random tokens for every input; the top bit says which one."""
        half = 2 ** (WIDTH - 1)
        return {
            link: [n * half + self.rng.randrange(half) for _ in range(count)]
            for n, link in enumerate(self.element.inputs)
        }

    async def run(self, tokens: dict[str, list[int]]) -> None:
        """Send tokens until all have been taken; check what came."""
        for link, words in tokens.items():
            self.sources[link].send(words)
        for link in tokens:
            await self.sources[link].drain()
        await Timer(2 * QUIET, "ps")
        expected = self.element.expected(tokens)
        for link, sink in self.sinks.items():
            assert self._by_origin(sink.words) == self._by_origin(expected[link]), link
        for link, monitor in self.monitors.items():
            words = tokens[link] if link in tokens else self.sinks[link].words
            assert monitor.words == words, link

    def _by_origin(self, words: Any) -> list[list[int]]:
        """A merge keeps the order of the tokens of each link; other elements keep all of it."""
        if len(self.element.inputs) == 2 and self._name == "merge":
            return [[word for word in words if word >> (WIDTH - 1) == n] for n in range(2)]
        return [list(words)]


async def _pass(dut: Any, name: str) -> None:
    bench = Bench(dut, name)
    for stall_in, stall_out in ((0.0, 0.0), (0.6, 0.1), (0.1, 0.6), (0.4, 0.4)):
        await bench.begin(stall_in=stall_in, stall_out=stall_out)
        await bench.run(bench.tokens(TOKENS))


@cocotb.test(**LIMIT)
async def a_stage_passes_tokens(dut: Any) -> None:
    await _pass(dut, "stage")


@cocotb.test(**LIMIT)
async def a_stage_with_logic_passes_tokens(dut: Any) -> None:
    await _pass(dut, "logic")


@cocotb.test(**LIMIT)
async def a_fork_copies_tokens(dut: Any) -> None:
    await _pass(dut, "fork")


@cocotb.test(**LIMIT)
async def a_join_pairs_tokens(dut: Any) -> None:
    await _pass(dut, "join")


@cocotb.test(**LIMIT)
async def a_merge_keeps_every_token(dut: Any) -> None:
    await _pass(dut, "merge")


@cocotb.test(**LIMIT)
async def a_demux_sends_each_token_one_way(dut: Any) -> None:
    await _pass(dut, "demux")


@cocotb.test(**LIMIT)
async def a_merge_is_fair(dut: Any) -> None:
    """While both links wait they take turns."""
    bench = Bench(dut, "merge")
    await bench.begin(stall_in=0.0, stall_out=0.0, least=8000)
    await bench.run(bench.tokens(100))
    origins = [word >> (WIDTH - 1) for word in bench.sinks["o"].words]
    assert all(one != other for one, other in pairwise(origins[1:-2])), origins


@cocotb.test(**LIMIT)
async def a_blocked_output_loses_nothing(dut: Any) -> None:
    """Each output in turn takes nothing for 200 ns; an element holds one token, and waits."""
    for name in ELEMENTS:
        bench = Bench(dut, name)
        for blocked in bench.element.outputs:
            await bench.begin(stall_in=0.0, stall_out=0.0)
            bench.sinks[blocked].blocked = True
            run = cocotb.start_soon(bench.run(bench.tokens(30)))
            await Timer(200_000, "ps")
            assert not bench.sinks[blocked].words
            assert not run.done()
            held = sum(len(bench.monitors[link].words) for link in bench.element.inputs)
            out = sum(len(bench.monitors[link].words) for link in bench.element.outputs)
            if name in ("stage", "logic", "merge"):
                assert (held, out) == (1, 0), name
            bench.sinks[blocked].unblock()
            await run


@cocotb.test(**LIMIT)
async def reset_empties_an_element(dut: Any) -> None:
    """With a token inside and one that waits: none of them comes out after the reset."""
    for name in ELEMENTS:
        bench = Bench(dut, name)
        await bench.begin(stall_in=0.0, stall_out=0.0)
        for sink in bench.sinks.values():
            sink.blocked = True
        for link, words in bench.tokens(9).items():
            bench.sources[link].send(words)
        await Timer(QUIET, "ps")
        await bench.begin(stall_in=0.3, stall_out=0.3)
        await bench.run(bench.tokens(40))
