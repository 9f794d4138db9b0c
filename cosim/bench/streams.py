"""Drivers and monitors of Amaranth streams, for any cocotb test bench.

A stream ``name`` is the signals ``name__valid``, ``name__ready`` and ``name__payload``. A word
moves at a rising clock edge at which valid and ready are both set. The clock must come from cocotb:
then what a task reads at the edge is what the flip-flops see.
"""

import random
from collections import deque
from collections.abc import Iterable
from typing import Any

import cocotb
from cocotb.triggers import Event, RisingEdge

__all__ = ["StreamMonitor", "StreamSink", "StreamSource"]


class _Stream:
    def __init__(self, dut: Any, name: str, clock: Any) -> None:
        self._clock = clock
        self._valid = getattr(dut, f"{name}__valid")
        self._ready = getattr(dut, f"{name}__ready")
        self._payload = getattr(dut, f"{name}__payload")

    def _moves(self) -> bool:
        return self._valid.value == 1 and self._ready.value == 1


class StreamSource(_Stream):
    """Offers the words it is given, in order, with random pauses before them.

    Parameters
    ----------
    dut, name, clock:
        The stream and its clock.
    stall:
        Probability, in each cycle, that the next word is held back.
    rng:
        Source of the pauses; seed it for a repeatable run.
    """

    def __init__(
        self, dut: Any, name: str, clock: Any, *, stall: float, rng: random.Random
    ) -> None:
        super().__init__(dut, name, clock)
        self._stall, self._rng = stall, rng
        self._queue: deque[int] = deque()
        self._wake, self._drained = Event(), Event()
        self._valid.value = 0
        self._payload.value = 0
        self._task = cocotb.start_soon(self._drive())

    def send(self, words: Iterable[int]) -> None:
        """Queue words."""
        self._queue.extend(words)
        if self._queue:
            self._drained.clear()
            self._wake.set()

    async def drain(self) -> None:
        """Wait until every queued word has been taken."""
        if self._queue:
            await self._drained.wait()

    def abort(self) -> None:
        """Forget what was not taken yet, as a reset does."""
        # The task may be waiting in the middle of a word, which nobody will take any more.
        self._task.cancel()
        self._queue.clear()
        self._valid.value = 0
        self._wake.clear()
        self._task = cocotb.start_soon(self._drive())

    async def _drive(self) -> None:
        while True:
            if not self._queue:
                self._drained.set()
                self._wake.clear()
                await self._wake.wait()
                await RisingEdge(self._clock)
            # A pause before a word, never within: what was offered stays offered.
            while self._rng.random() < self._stall:
                await RisingEdge(self._clock)
            self._payload.value = self._queue[0]
            self._valid.value = 1
            await RisingEdge(self._clock)
            while not self._moves():
                await RisingEdge(self._clock)
            self._valid.value = 0
            self._queue.popleft()


class StreamSink(_Stream):
    """Takes words, with random pauses; ``words`` holds what came.

    Parameters
    ----------
    stall:
        Probability, in each cycle, that it is not ready.
    """

    def __init__(
        self, dut: Any, name: str, clock: Any, *, stall: float, rng: random.Random
    ) -> None:
        super().__init__(dut, name, clock)
        self._stall, self._rng = stall, rng
        self.words: list[int] = []
        self.blocked = False
        self._ready.value = 0
        cocotb.start_soon(self._take())

    async def _take(self) -> None:
        while True:
            # Drawn anew in every cycle, whether a word waits or not: ready must not depend on
            # valid.
            ready = not self.blocked and self._rng.random() >= self._stall
            self._ready.value = int(ready)
            await RisingEdge(self._clock)
            if self._moves():
                self.words.append(int(self._payload.value))


class StreamMonitor(_Stream):
    """Watches a stream, and checks the rules of its valid side.

    A word that was offered stays, unchanged, until it is taken.
    """

    def __init__(self, dut: Any, name: str, clock: Any, reset: Any) -> None:
        super().__init__(dut, name, clock)
        self._name, self._reset = name, reset
        self.words: list[int] = []
        cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        offered = None
        while True:
            await RisingEdge(self._clock)
            if self._reset.value == 1:
                offered = None
                continue
            valid = self._valid.value == 1
            word = int(self._payload.value) if valid else None
            # What was offered and not taken at the edge before must still stand here.
            if offered is not None:
                assert word == offered, f"stream {self._name} took back {offered:#x} for {word}"
            if valid and self._moves():
                self.words.append(int(self._payload.value))
                offered = None
            else:
                offered = word
