"""Drivers and monitors of two-phase links, for any cocotb test bench.

A link ``name`` is the signals ``name__req``, ``name__ack`` and ``name__data``. A token is on its
way while req and ack differ. There is no clock: pauses are times, in ps.
"""

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import cocotb
from cocotb.triggers import Event, First, ReadOnly, Timer, ValueChange
from cocotb.utils import get_sim_time

__all__ = ["LinkMonitor", "LinkSink", "LinkSource", "Pauses"]


class _Link:
    def __init__(self, dut: Any, name: str) -> None:
        self._name = name
        self._req = getattr(dut, f"{name}__req")
        self._ack = getattr(dut, f"{name}__ack")
        self._data = getattr(dut, f"{name}__data")


def _now() -> int:
    return round(get_sim_time("ps"))


@dataclass(frozen=True, kw_only=True)
class Pauses:
    """Random pauses, in ps: ``least``, or with probability ``stall`` something up to ``longest``.

    ``rng`` is their source; seed it for a repeatable run.
    """

    stall: float
    longest: int
    rng: random.Random
    least: int = 1

    def draw(self) -> Timer:
        """The next one, to be awaited."""
        long = self.rng.random() < self.stall
        return Timer(self.rng.randint(self.least, self.longest) if long else self.least, "ps")


class LinkSource(_Link):
    """Sends the tokens it is given, in order, after a pause each.

    Parameters
    ----------
    dut, name:
        The link.
    pauses : Pauses
    late:
        How much later than its request, in ps, the data of a token come: what a matched delay is
        there for.
    """

    def __init__(self, dut: Any, name: str, pauses: Pauses, *, late: int = 0) -> None:
        super().__init__(dut, name)
        self._pauses, self._late = pauses, late
        self._queue: deque[int] = deque()
        self._wake, self._drained = Event(), Event()
        self._req.value = 0
        self._data.value = 0
        self._task = cocotb.start_soon(self._drive())

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

    def stop(self) -> None:
        """Touch the link no more."""
        self._task.cancel()

    async def _drive(self) -> None:
        phase = 0
        while True:
            if not self._queue:
                self._drained.set()
                self._wake.clear()
                await self._wake.wait()
            await self._pauses.draw()
            phase ^= 1
            self._req.value = phase
            # The sender breaks the rule of bundled data here, as far as the receiver's matched
            # delay allows.
            if self._late:
                await Timer(self._late, "ps")
            self._data.value = self._queue[0]
            while self._ack.value != phase:
                await ValueChange(self._ack)
            self._queue.popleft()


class LinkSink(_Link):
    """Takes tokens, after a pause each; ``words`` holds what came.

    While ``blocked`` it takes none; `unblock` ends that.
    """

    def __init__(self, dut: Any, name: str, pauses: Pauses) -> None:
        super().__init__(dut, name)
        self._pauses = pauses
        self.words: list[int] = []
        self.blocked = False
        self._unblocked = Event()
        self._ack.value = 0
        self._task = cocotb.start_soon(self._take())

    def unblock(self) -> None:
        """Take tokens again."""
        self.blocked = False
        self._unblocked.set()

    def stop(self) -> None:
        """Touch the link no more."""
        self._task.cancel()

    async def _take(self) -> None:
        phase = 0
        while True:
            while self._req.value == phase:
                await ValueChange(self._req)
            await self._pauses.draw()
            while self.blocked:
                self._unblocked.clear()
                await self._unblocked.wait()
            self.words.append(int(self._data.value))
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
    sent. ``words`` holds the tokens that were taken. Data may come ``late`` ps after the request.
    """

    def __init__(self, dut: Any, name: str, *, late: int = 0) -> None:
        super().__init__(dut, name)
        self._late = late
        self.words: list[int] = []
        self._task = cocotb.start_soon(self._watch())

    def stop(self) -> None:
        """Watch no more."""
        self._task.cancel()

    async def _watch(self) -> None:
        changes = [ValueChange(signal) for signal in (self._req, self._ack, self._data)]
        before, sent = await self._settled(), 0
        while True:
            await First(*changes)
            after = await self._settled()
            if before.req != after.req:
                sent = _now()
            self._check(before, after, coming=_now() - sent <= self._late)
            before = after

    async def _settled(self) -> _Settled:
        # All changes of an instant are over: a request and its data may turn in either order within
        # it.
        await ReadOnly()
        return _Settled(self._req.value == 1, self._ack.value == 1, self._data.value)

    def _check(self, before: _Settled, after: _Settled, *, coming: bool) -> None:
        taken = before.ack != after.ack
        asked = before.req != after.req
        where = f"link {self._name} at {_now()} ps"
        if before.req == before.ack:
            assert not taken, f"{where}: taken before it was sent"
        elif taken:
            self.words.append(int(before.data))
        else:
            assert not asked, f"{where}: a request took back the one that waits"
            same = before.data == after.data
            assert coming or same, f"{where}: the data of a waiting token changed"
