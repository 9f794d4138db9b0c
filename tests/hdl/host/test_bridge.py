"""The bridge between frames and streams, without its line: a toy core, stalls on both sides."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, ResetInserter
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.host.bridge import HostBridge
from spikewatt.hdl.host.uart import received_layout
from spikewatt.model.compile.host import (
    FrameReader,
    Reply,
    end_of_operations,
    frame,
    identification,
    operation,
    parse_reply,
    request,
)
from spikewatt.model.params.host import HostParams, ReplyKind, RequestKind
from tests.hdl.host.lines import feed, simulate, taker
from tests.hdl.host.toy import ToyCore, ToyParams

LINK = HostParams(
    inputs={"add": 12, "count": 9, "total": 1},
    outputs={"sums": 20, "numbers": 40},
    identity=0x01020304,
    buffer_bytes=64,
    meter=True,
)
SUM, NUMBER, METER = 0, 1, 3
OPEN = frame(request(RequestKind.OPEN, 1))
CAPACITY = LINK.buffer_bytes - LINK.margin


class Hosted(wiring.Component):
    """A toy core behind a bridge."""

    rx: Any
    tx: Any

    def __init__(self, pace: int) -> None:
        self.core = ToyCore(ToyParams(pace=pace))
        super().__init__(
            {"rx": In(stream.Signature(received_layout())), "tx": Out(stream.Signature(8))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.bridge = bridge = HostBridge(LINK)
        core = self.core
        m.submodules.core = ResetInserter(bridge.reset)(core)
        wiring.connect(m, wiring.flipped(self.rx), bridge.rx)
        wiring.connect(m, bridge.tx, wiring.flipped(self.tx))
        for number, name in enumerate(LINK.inputs):
            wiring.connect(m, getattr(bridge, f"i{number}"), getattr(core, name))
        for number, name in enumerate(LINK.outputs):
            wiring.connect(m, getattr(core, name), getattr(bridge, f"o{number}"))
        m.d.comb += bridge.idle.eq(core.idle)
        return m


def add(value: int) -> bytes:
    return operation(LINK, 0, value)


def count(words: int) -> bytes:
    return operation(LINK, 1, words)


def total(clear: bool = False) -> bytes:
    return operation(LINK, 2, int(clear))


def run(sequence: int, *operations: bytes, **end: bool) -> bytes:
    content = request(RequestKind.RUN, sequence, b"".join(operations) + end_of_operations(**end))
    return frame(content)


def replies(
    *lines: bytes, seed: int = 0, pace: int = 2, ready: float = 0.7, patience: int = 3000
) -> list[list[bytes]]:
    """Contents of the frames that answer each line."""
    dut = Hosted(pace)
    rng = np.random.default_rng(seed)
    come: list[int] = []
    answers = []

    async def drive(sim: Any) -> None:
        for line in lines:
            await feed(sim, dut.rx, [{"byte": byte, "broken": 0} for byte in line], rng)
            before, quiet = len(come), 0
            while quiet < patience and not (len(come) > before and quiet > 600):
                quiet, seen = quiet + 1, len(come)
                await sim.tick()
                quiet = 0 if len(come) > seen else quiet
                assert len(come) - before < 400, "it does not end"
            answers.append([*FrameReader(LINK.buffer_bytes).feed(bytes(come[before:]))])

    simulate(dut, drive, watchers=[taker(dut.tx, come, rng, ready)])
    return answers


def understood(answers: Sequence[list[bytes]]) -> list[Reply | None]:
    """The one reply to each line, or none."""
    assert all(len(contents) <= 1 for contents in answers)
    return [parse_reply(LINK, contents[0]) if contents else None for contents in answers]


def numbers(first: int, last: int, base: int = 0) -> tuple[tuple[int, int], ...]:
    """Words that the core counts out."""
    return tuple((NUMBER, (base + n) | n << 31) for n in range(first, last))


@pytest.mark.parametrize(("seed", "ready"), [(0, 1.0), (1, 0.05), (2, 0.3)])
def test_operations(seed: int, ready: float) -> None:
    rng = np.random.default_rng(seed)
    lines, expected, value = [OPEN], [], 0
    for sequence in range(2, 9):
        operations, words = [], []
        for _ in range(int(rng.integers(0, 6))):
            kind = int(rng.integers(3))
            if kind == 0:
                operations.append(add(added := int(rng.integers(0, 4096))))
                value += added
            elif kind == 1:
                operations.append(count(n := int(rng.integers(0, 2))))
                words += numbers(0, n, value)
            else:
                operations.append(total(clear := bool(rng.random() < 0.3)))
                words.append((SUM, value))
                value *= not clear
        lines.append(run(sequence, *operations))
        expected.append(Reply(ReplyKind.DONE, sequence, tuple(words)))
    first, *rest = replies(*lines, seed=seed, ready=ready)
    assert len(first) == 1
    assert first[0][-1] == ReplyKind.DONE << 5 | 1
    known = identification(first[0])
    assert known is not None
    assert (known.identity, known.buffer_bytes) == (LINK.identity, 64)
    assert understood(rest) == expected


def test_a_request_is_carried_out_once() -> None:
    """The one that comes again is answered with what was kept, after any noise in between."""
    lines = (OPEN, again := run(2, add(5), total()), again, b"\x7e\0\0\x7e" + again[3:], again)
    _, *rest = understood(replies(*lines, run(3, total())))
    assert rest[0] == Reply(ReplyKind.DONE, 2, ((SUM, 5),))
    assert rest[1] == rest[0]
    assert rest[2] is None
    assert rest[3] == rest[0]
    assert rest[4] == Reply(ReplyKind.DONE, 3, ((SUM, 5),))


def test_nothing_is_carried_out_before_it_is_opened() -> None:
    first, opened, last = replies(run(0, add(5)), OPEN, run(2, total()))
    assert first == []
    assert opened
    assert understood([last]) == [Reply(ReplyKind.DONE, 2, ((SUM, 0),))]


def test_opening_resets_the_core() -> None:
    lines = (OPEN, run(2, add(5)), frame(request(RequestKind.OPEN, 2)), run(3, total()))
    *_, last = understood(replies(*lines))
    assert last == Reply(ReplyKind.DONE, 3, ((SUM, 0),))


def test_opening_ends_what_does_not_end() -> None:
    """A request that waits for ever, for a stream that the core has not."""
    stuck = frame(request(RequestKind.RUN, 2, bytes([3, 1, 1])))
    lines = (OPEN, stuck, run(3, total()), frame(request(RequestKind.OPEN, 7)), run(8, total()))
    answers = replies(*lines)
    assert answers[1:3] == [[], []]
    assert len(answers[3]) == 1
    assert answers[3][0] == answers[0][0][:-1] + bytes([0x87])
    assert understood(answers[4:]) == [Reply(ReplyKind.DONE, 8, ((SUM, 0),))]


@pytest.mark.parametrize("pace", [0, 9])
def test_more_than_a_reply_holds(pace: int) -> None:
    """The words wait in the core until the host asks again; none is lost, none comes twice."""
    most = -(-CAPACITY // 6)
    lines = [OPEN, run(2, add(3), count(3 * most + 2)), *(run(k, b"") for k in range(3, 6))]
    answers = understood(replies(*lines, run(6, total()), pace=pace))
    parts = [answer for answer in answers[1:5] if answer is not None]
    assert [part.kind for part in parts] == [ReplyKind.MORE] * 3 + [ReplyKind.DONE]
    assert [len(part.words) for part in parts] == [most, most, most, 2]
    assert sum((part.words for part in parts), ()) == numbers(0, 3 * most + 2, 3)
    assert answers[5] == Reply(ReplyKind.DONE, 6, ((SUM, 3),))


def test_operations_behind_a_full_reply_are_dropped_and_told() -> None:
    most = -(-CAPACITY // 6)
    _, cut, opened, last = understood(
        replies(OPEN, run(2, count(most + 1), add(5), total()), OPEN, run(2, total()), pace=0)
    )
    assert cut == Reply(ReplyKind.CUT, 2, numbers(0, most))
    assert opened is not None
    assert last == Reply(ReplyKind.DONE, 2, ((SUM, 0),))


@pytest.mark.parametrize("pace", [0, 200])
def test_a_reply_that_does_not_wait(pace: int) -> None:
    """It holds whole words; the others come with the next one."""
    lines = (OPEN, run(2, count(3), wait=False), run(3, b""))
    _, first, second = understood(replies(*lines, pace=pace, ready=1.0))
    assert first is not None
    assert second is not None
    assert (first.kind, second.kind) == (ReplyKind.MORE, ReplyKind.DONE)
    assert first.words + second.words == numbers(0, 3)
    assert (len(first.words) > 0) == (pace == 0)


def test_meter() -> None:
    """Each addition takes a cycle beside the one in which it is accepted, a count of none one."""
    lines = (
        OPEN,
        run(9, b"", meter=True),  # waking up
        run(2, add(1), add(1), meter=True),
        run(3, b"", meter=True),
        run(4, count(0), add(3)),
        run(5, add(3), meter=True),
        run(5, add(3), meter=True),
    )
    _, _, *rest = understood(replies(*lines))
    words = [reply.words for reply in rest if reply is not None]
    assert words == [((METER, 2),), ((METER, 0),), (), ((METER, 3),), ((METER, 3),)]


def test_a_request_as_long_as_the_memory() -> None:
    """Operations, their end and the check sequence fill it to the last byte."""
    operations = [*(add(k) for k in range(19)), total()]
    line = run(2, *operations)
    assert len(b"".join(operations)) + 1 + 4 == LINK.buffer_bytes
    _, reply = understood(replies(OPEN, line))
    assert reply == Reply(ReplyKind.DONE, 2, ((SUM, sum(range(19))),))
