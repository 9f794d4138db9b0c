"""Programs on a simulated board over lines of every kind: right, or an error, and never wrong."""

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest

from spikewatt.cosim.board import SIMULATED_BAUD, BoardOptions, LineOptions, SimulatedBoard
from spikewatt.cosim.line import Faults, FaultyLine
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.host import end_of_operations, frame, request
from spikewatt.model.params.host import ReplyKind, RequestKind, neuro_link
from spikewatt.model.run import Run
from spikewatt.targets.board.core import BoardCore
from spikewatt.targets.board.link import BoardLink, LineTiming
from spikewatt.targets.board.transport import BoardError, Transport
from tests.cosim.builds import BUILDS, ON_FPGA
from tests.cosim.random_cores import RandomCase, random_case

BUFFER = 256
BOARD = BoardOptions(buffer_bytes=BUFFER)
TIMING = LineTiming(SIMULATED_BAUD, latency=1e-3, attempts=8)
ON_BOARDS = {
    name: (BUILDS | ON_FPGA)[name]
    for name in ("three lanes", "64 slots", "wide membranes, on an FPGA", "80 groups, on an FPGA")
}
SMALLEST = {"80 groups, on an FPGA": 64}
"""Memories of fewer bytes than a tick's packets take."""
NOISY = "three lanes"
FAULTS: dict[str, dict[str, Any]] = {
    "change": {"change": 0.002},
    "lose": {"lose": 0.002},
    "add": {"add": 0.002},
    "cut": {"cut": 0.1},
    "stall": {"stall": 0.1},
    "repeat": {"repeat": 0.3},
    "all": {"change": 5e-4, "lose": 5e-4, "add": 5e-4, "cut": 0.03, "stall": 0.03, "repeat": 0.1},
    "too much": {"change": 0.05},
    "dead": {"dead_after": 1800},
}
CUT = "the line to the board is cut"
NO_ANSWER = (
    "no answer: is the bitstream loaded, and does the board's baud rate (--baud) match this one?"
)


def opened(line: Transport, case: RandomCase, room: int = BUFFER, **options: Any) -> BoardCore:
    """A configured core at the end of a line."""
    shape = neuro_link(case.program.params, buffer_bytes=room)
    link = BoardLink(line, shape, TIMING, sequence=7, **options)
    core = BoardCore(link, case.program)
    core.configure()
    return core


def difference(run: Run, case: RandomCase) -> str | None:
    """What is not the golden model's."""
    golden = case.golden
    refractory = run.arrays.get("final_refractory", np.zeros_like(golden.final_refractory))
    pairs = {
        "membranes": (run.final_membranes, golden.final_membranes),
        "refractory": (refractory, golden.final_refractory),
        "scheduler": (run.final_scheduler, golden.final_scheduler),
        "packets": (run.sent[:, 2:], golden.sent[:, 2:]),
    }
    wrong = [name for name, (got, right) in pairs.items() if not np.array_equal(got, right)]
    return wrong[0] if wrong else None


@pytest.mark.parametrize(
    "build",
    [
        "three lanes",
        pytest.param("80 groups, on an FPGA", marks=pytest.mark.long),
        pytest.param("64 slots", marks=pytest.mark.long),
        pytest.param("wide membranes, on an FPGA", marks=pytest.mark.long),
    ],
)
def test_random_programs(build: str) -> None:
    packets = 0
    params, room = ON_BOARDS[build], SMALLEST.get(build, BUFFER)
    with SimulatedBoard(Blueprint.of(NeuroCore, params), BoardOptions(buffer_bytes=room)) as board:
        for number in range(4):
            case = random_case(build, params, number)
            core = opened(board, case, room)
            for _ in range(2):
                sample = core.run(case.events)
                assert difference(sample, case) is None, case.name
                packets += len(sample.sent)
    assert packets > 2


FIRST = ("change", "dead")


@pytest.mark.parametrize(
    ("kind", "seeds"),
    [
        *((kind, range(1)) for kind in FIRST),
        *(pytest.param(kind, range(16), marks=pytest.mark.long) for kind in FAULTS),
    ],
)
def test_faults(kind: str, seeds: range) -> None:
    case = random_case(NOISY, ON_BOARDS[NOISY], 3)
    ends: Counter[str] = Counter()
    faults = 0
    for seed in seeds:
        with SimulatedBoard(Blueprint.of(NeuroCore, ON_BOARDS[NOISY]), BOARD) as board:
            line = FaultyLine(board, Faults(**FAULTS[kind]), seed=seed)
            try:
                core = opened(line, case)
                for _ in range(2):
                    assert difference(core.run(case.events), case) is None, (kind, seed)
                ends["right"] += 1
            except BoardError as error:
                ends[str(error)] += 1
            faults += line.count
    assert ends.keys() <= {"right", CUT, NO_ANSWER}
    hopeless = kind in ("too much", "dead")
    assert (ends["right"] == 0) if hopeless else (2 * ends["right"] > len(seeds)), ends
    assert faults >= len(seeds) or kind == "dead"


@pytest.mark.long
@pytest.mark.parametrize("wrong", [(2e-4, 0.0), (0.0, 1e-3)], ids=["there", "back"])
def test_wrong_bits(wrong: tuple[float, float]) -> None:
    """Start and stop bits among them."""
    case = random_case(NOISY, ON_BOARDS[NOISY], 3)
    repeats = 0
    for seed in range(3):
        wire = LineOptions(wrong_bits=wrong, seed=seed)
        with SimulatedBoard(Blueprint.of(NeuroCore, ON_BOARDS[NOISY]), BOARD, line=wire) as board:
            core = opened(board, case)
            assert difference(core.run(case.events), case) is None
            repeats += core.traffic.repeats
    assert repeats > 2


@pytest.mark.parametrize(
    "speed", [0.8, *(pytest.param(s, marks=pytest.mark.long) for s in (0.5, 1.25, 2.0))]
)
def test_another_speed(speed: float) -> None:
    case = random_case(NOISY, ON_BOARDS[NOISY], 3)
    core = Blueprint.of(NeuroCore, ON_BOARDS[NOISY])
    with SimulatedBoard(core, BOARD, line=LineOptions(speed=speed)) as board:
        with pytest.raises(BoardError) as error:
            opened(board, case)
        assert str(error.value) == NO_ANSWER


def test_another_core() -> None:
    names = itertools.pairwise(ON_BOARDS)
    on_board, wanted = next(names)
    case = random_case(wanted, ON_BOARDS[wanted], 0)
    with SimulatedBoard(Blueprint.of(NeuroCore, ON_BOARDS[on_board]), BOARD) as board:
        with pytest.raises(BoardError) as error:
            opened(board, case, describe=lambda identity: f": {on_board}")
        there = neuro_link(ON_BOARDS[on_board]).identity
        asked = neuro_link(ON_BOARDS[wanted]).identity
        assert str(error.value) == (
            f"the board carries another core ({there:08x}: {on_board}), not the one that this "
            f"network is laid out for ({asked:08x}): load its bitstream, or give the sizes of "
            "the board's core"
        )


class Line:
    """A line to nobody; ``answers`` makes what comes back of what was sent."""

    def __init__(self, answer: Any) -> None:
        self.seconds, self._answer, self._come = 0.0, answer, b""

    def write(self, line: bytes) -> None:
        self._come += self._answer(line)

    def read(self, seconds: float) -> bytes:
        come, self._come = self._come, b""
        self.seconds += 1e-4 if come else seconds
        return come

    def close(self) -> None:
        """Nothing is open."""


SHAPE = neuro_link(ON_BOARDS[NOISY])


def greeting(sequence: int, protocol: int = 1) -> bytes:
    said = bytes([2, protocol]) + SHAPE.identification[1:]
    return frame(said + bytes([ReplyKind.DONE << 5 | sequence]))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda line: b"", NO_ANSWER),
        (lambda line: line, NO_ANSWER),
        (lambda line: b"login: " * 9, NO_ANSWER),
        (lambda line: greeting(7), NO_ANSWER),
        (lambda line: greeting(8)[:-3], NO_ANSWER),
        (
            lambda line: greeting(8, protocol=2),
            (
                "the board speaks version 2 of the protocol, and this spikewatt 1: load a "
                "bitstream made by this version"
            ),
        ),
    ],
    ids=["silence", "echo", "a modem", "an old reply", "half a reply", "another protocol"],
)
def test_no_board(answer: Any, message: str) -> None:
    with pytest.raises(BoardError) as error:
        BoardLink(Line(answer), SHAPE, LineTiming(SIMULATED_BAUD), sequence=7)
    assert str(error.value) == message


def run_reply(kind: ReplyKind, sequence: int, *words: int) -> bytes:
    """Answers of the configuration port."""
    content = b"".join(b"\1" + word.to_bytes(4, "little") for word in words)
    return frame(content + bytes([kind << 5 | sequence]))


def test_replies_to_something_else_are_left_aside() -> None:
    script = iter(
        [
            greeting(8),
            greeting(8) + run_reply(ReplyKind.DONE, 8, 1) + run_reply(ReplyKind.DONE, 9, 2),
            run_reply(ReplyKind.DONE, 9, 3)[2:] + run_reply(ReplyKind.DONE, 9, 4),
            run_reply(ReplyKind.DONE, 10, 5),
        ]
    )
    link = BoardLink(Line(lambda line: next(script)), SHAPE, LineTiming(SIMULATED_BAUD), sequence=7)
    assert link.run(b"") == [(1, 2)]
    assert link.run(b"") == [(1, 5)]
    assert (link.traffic.repeats, link.traffic.damaged) == (1, 1)


def test_more() -> None:
    """What did not fit into the first reply is asked for without saying anything again."""
    sent = []
    script = iter(
        [
            greeting(8),
            run_reply(ReplyKind.MORE, 9, 1, 2),
            run_reply(ReplyKind.MORE, 10),
            run_reply(ReplyKind.DONE, 11, 3),
        ]
    )

    def answer(line: bytes) -> bytes:
        sent.append(line)
        return next(script)

    link = BoardLink(Line(answer), SHAPE, LineTiming(SIMULATED_BAUD), sequence=7)
    assert link.run(b"\0\1\2") == [(1, 1), (1, 2), (1, 3)]
    end = end_of_operations()
    assert sent[1:] == [
        frame(request(RequestKind.RUN, number, operations + end))
        for number, operations in ((9, b"\0\1\2"), (10, b""), (11, b""))
    ]


def test_a_reply_that_cannot_be() -> None:
    """Cut off by the board: the host never asks for so much."""

    def answer(line: bytes) -> bytes:
        return greeting(8) if line == frame(request(RequestKind.OPEN, 8)) else frame(b"\xc9")

    link = BoardLink(Line(answer), SHAPE, LineTiming(SIMULATED_BAUD), sequence=7)
    with pytest.raises(BoardError) as error:
        link.run(b"")
    assert str(error.value) == "the board has no room for a reply: this is a defect of spikewatt"


def test_waits_are_those_of_the_line() -> None:
    """A byte is ten bits; a wait doubles up to a hundred latencies, and never gets shorter."""
    slow = LineTiming(1000, latency=0.5)
    assert slow.first_wait(25) == 0.5 + 0.25
    assert [slow.next_wait(wait) for wait in (1.0, 40.0, 60.0)] == [2.0, 50.0, 60.0]


def test_what_is_sent() -> None:
    """Each request once more while nothing comes, at growing distances."""
    sent: list[tuple[float, bytes]] = []

    def answer(line: bytes) -> bytes:
        sent.append((nobody.seconds, line))
        return greeting(8) if len(sent) == 1 else b""

    nobody = Line(answer)
    link = BoardLink(nobody, SHAPE, LineTiming(SIMULATED_BAUD, 0.1, 4), sequence=7)
    with pytest.raises(BoardError) as error:
        link.run(b"\0\1\2")
    assert str(error.value) == "the line to the board is cut"
    run = frame(request(RequestKind.RUN, 9, b"\0\1\2" + end_of_operations()))
    assert [line for _, line in sent] == [frame(request(RequestKind.OPEN, 8)), *[run] * 4]
    waits = np.diff([seconds for seconds, _ in sent[1:]])
    np.testing.assert_allclose(waits[1:] / waits[:-1], 2.0)
    assert waits[0] >= 0.1
    assert (link.traffic.requests, link.traffic.repeats) == (2, 3)
