"""Drivers and monitors of two-phase links, for any cocotb test bench.

A link ``name`` is the signals ``name__req``, ``name__ack`` and ``name__data``. A token is on its
way while req and ack differ. There is no clock: pauses are times, in ps.
"""

import random
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

import cocotb
from cocotb.triggers import Event, First, ReadOnly, Timer, ValueChange
from cocotb.utils import get_sim_time

__all__ = ["LinkMonitor", "LinkSink", "LinkSource"]


class _Link:
    def __init__(self, dut: Any, name: str) -> None:
        self._name = name
        self._req = getattr(dut, f"{name}__req")
        self._ack = getattr(dut, f"{name}__ack")
        self._data = getattr(dut, f"{name}__data")


def _now() -> int:
    return round(get_sim_time("ps"))


class _Pauses:
    """Pauses of up to ``longest`` ps, each with probability ``stall``, and never none at all."""

    def __init__(self, stall: float, longest: int, rng: random.Random) -> None:
        self._stall, self._longest, self._rng = stall, longest, rng

    def __call__(self) -> Timer:
        long = self._rng.random() < self._stall
        return Timer(self._rng.randint(1, self._longest) if long else 1, "ps")


class LinkSource(_Link):
    """Sends the tokens it is given, in order, with random pauses before them.

    Parameters
    ----------
    dut, name:
        The link.
    stall:
        Probability that a token is held back.
    longest:
        The longest pause, ps.
    rng:
        Source of the pauses; seed it for a repeatable run.
    """

    def __init__(
        self, dut: Any, name: str, *, stall: float, longest: int, rng: random.Random
    ) -> None:
        super().__init__(dut, name)
        self._pause = _Pauses(stall, longest, rng)
        self._queue: deque[int] = deque()
        self._wake, self._drained = Event(), Event()
        self._phase = 0
        self._req.value = 0
        self._data.value = 0
        cocotb.start_soon(self._drive())

    def send(self, words: Iterable[int]) -> None:
        """Queue tokens."""
        self._queue.extend(words)
        if self._queue:
            self._drained.clear()
            self._wake.set()

    async def drain(self) -> None:
        """Wait until every queued token has been taken."""
        if self._queue:
            await self._drained.wait()

    async def _drive(self) -> None:
        while True:
            if not self._queue:
                self._drained.set()
                self._wake.clear()
                await self._wake.wait()
            await self._pause()
            # Bundled: the data first, the request in the same instant at the earliest.
            self._data.value = self._queue[0]
            self._phase ^= 1
            self._req.value = self._phase
            while self._ack.value != self._phase:
                await ValueChange(self._ack)
            self._queue.popleft()


class LinkSink(_Link):
    """Takes tokens, with random pauses; ``words`` holds what came, ``times`` when, in ps.

    While ``blocked`` it takes none; end that with `unblock`.

    Parameters
    ----------
    stall, longest, rng:
        Of the pauses before a token is taken, as for `LinkSource`.
    """

    def __init__(
        self, dut: Any, name: str, *, stall: float, longest: int, rng: random.Random
    ) -> None:
        super().__init__(dut, name)
        self._pause = _Pauses(stall, longest, rng)
        self.words: list[int] = []
        self.times: list[int] = []
        self.blocked = False
        self._unblocked = Event()
        self._ack.value = 0
        cocotb.start_soon(self._take())

    def unblock(self) -> None:
        """Take tokens again."""
        self.blocked = False
        self._unblocked.set()

    async def _take(self) -> None:
        phase = 0
        while True:
            while self._req.value == phase:
                await ValueChange(self._req)
            await self._pause()
            while self.blocked:
                self._unblocked.clear()
                await self._unblocked.wait()
            self.words.append(int(self._data.value))
            self.times.append(_now())
            phase ^= 1
            self._ack.value = phase


class _Settled(NamedTuple):
    """A link at the end of an instant."""

    req: bool
    ack: bool
    data: Any


class LinkMonitor(_Link):
    """Watches a link, and checks its rules.

    While a token waits, its data stay and its request does not go; no token is taken that was not
    sent. ``words`` holds the tokens that were taken.
    """

    def __init__(self, dut: Any, name: str) -> None:
        super().__init__(dut, name)
        self.words: list[int] = []
        cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        changes = [ValueChange(signal) for signal in (self._req, self._ack, self._data)]
        before = await self._settled()
        while True:
            await First(*changes)
            after = await self._settled()
            self._check(before, after)
            before = after

    async def _settled(self) -> _Settled:
        await ReadOnly()
        return _Settled(self._req.value == 1, self._ack.value == 1, self._data.value)

    def _check(self, before: _Settled, after: _Settled) -> None:
        taken = before.ack != after.ack
        asked = before.req != after.req
        where = f"link {self._name} at {_now()} ps"
        if before.req == before.ack:
            assert not taken, f"{where}: taken before it was sent"
        elif taken:
            self.words.append(int(before.data))
        else:
            assert not asked, f"{where}: a request took back the one that waits"
            assert before.data == after.data, f"{where}: the data of a waiting token changed"
