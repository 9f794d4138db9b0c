"""The board on its two pins, simulated: any core, speeds, wrong bits, and what a line does."""

from typing import Any

import pytest

from spikewatt.cosim.board import SIMULATED_BAUD, LineOptions, SimulatedBoard
from spikewatt.cosim.line import Faults, FaultyLine
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.hdl.router.mesh import Mesh
from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.model.compile.host import FrameReader, frame, identification, request
from spikewatt.model.params import CoreParams, MeshParams, RouterKind
from spikewatt.model.params.host import HostParams, RequestKind, core_identity, neuro_link
from spikewatt.model.params.systolic import SystolicParams

NEURO = CoreParams(neurons=4, axons=6, lanes=2, weight_bits=3, state_bits=6, bias_bits=0)
SYSTOLIC = SystolicParams(rows=2, columns=2, clock_gating=False)
MESH = MeshParams(columns=2, rows=1, core=NEURO, router=RouterKind.SYNC)
OPEN = frame(request(RequestKind.OPEN, 4))
BYTE = 10 / SIMULATED_BAUD


def answers(line: Any, link: HostParams, seconds: float = 0.01) -> list[bytes]:
    """Frames that come within so many seconds."""
    return [*FrameReader(link.buffer_bytes).feed(line.read(seconds))]


@pytest.mark.parametrize(
    ("kind", "params", "inputs", "outputs"),
    [
        (NeuroCore, NEURO, ["i", "command", "config"], ["o", "response"]),
        pytest.param(
            *(SystolicCore, SYSTOLIC, ["i", "command", "config"], ["o", "response"]),
            marks=pytest.mark.long,
        ),
        pytest.param(Mesh, MESH, ["i"], ["o"], marks=pytest.mark.long),
    ],
    ids=["neuro", "systolic", "mesh"],
)
def test_any_core_says_who_it_is(
    kind: Any, params: Any, inputs: list[str], outputs: list[str]
) -> None:
    with SimulatedBoard(Blueprint.of(kind, params)) as board:
        assert [*board.link.inputs] == inputs
        assert [*board.link.outputs] == outputs
        if params == NEURO:
            assert board.link == neuro_link(NEURO)
        board.write(OPEN)
        (said,) = answers(board, board.link)
        known = identification(said)
        assert known is not None
        assert known.identity == core_identity(params)
        assert known.buffer_bytes == board.link.buffer_bytes == 1024
        assert said[0] == len(outputs)


def test_time_on_the_line() -> None:
    with SimulatedBoard(Blueprint.of(NeuroCore, NEURO)) as board:
        start = board.seconds
        board.write(OPEN)
        assert board.seconds - start == pytest.approx(len(OPEN) * BYTE, abs=BYTE / 10)
        assert answers(board, board.link)
        start = board.seconds
        assert board.read(0.02) == b""
        assert board.seconds - start == pytest.approx(0.02, abs=BYTE)
        board.idle(0.04)
        assert board.seconds - start == pytest.approx(0.06, abs=BYTE)


@pytest.mark.parametrize(
    ("speed", "hears"), [(0.985, 1), (1.015, 1), (0.8, 0), (1.25, 0), (2.0, 0)]
)
def test_speed(speed: float, hears: int) -> None:
    with SimulatedBoard(Blueprint.of(NeuroCore, NEURO), line=LineOptions(speed=speed)) as board:
        board.write(OPEN)
        assert len(answers(board, board.link)) == hears


@pytest.mark.long
def test_wrong_bits_both_ways() -> None:
    """A request in about ten of them gets through, and a reply; none that is not right."""
    right = {"to": 0, "back": 0}
    for way, wrong in {"to": (0.01, 0.0), "back": (0.0, 0.01)}.items():
        line = LineOptions(wrong_bits=wrong, seed=3)
        with SimulatedBoard(Blueprint.of(NeuroCore, NEURO), line=line) as board:
            expected = bytes([2]) + board.link.identification + b"\x84"
            for _ in range(40):
                board.write(OPEN)
                found = answers(board, board.link)
                assert found in ([], [expected])
                right[way] += len(found)
    assert all(5 < count < 35 for count in right.values()), right


class Echo:
    """A board's end of a line that says what it hears."""

    def __init__(self) -> None:
        self.heard, self.idled = b"", 0.0

    def write(self, line: bytes) -> None:
        self.heard += line

    def read(self, seconds: float) -> bytes:
        come, self.heard = self.heard, b""
        return come

    def idle(self, seconds: float) -> None:
        self.idled += seconds


LINE = bytes(range(200))


def passed(**faults: Any) -> tuple[bytes, Echo, FaultyLine]:
    """What becomes of a line on its way there."""
    echo: Any = Echo()
    line = FaultyLine(echo, Faults(**faults), seed=5)
    line.write(LINE)
    return echo.heard, echo, line


def test_faults() -> None:
    """Each does what its name says, as often as it counts."""
    heard, _, line = passed()
    assert (heard, line.count) == (LINE, 0)
    heard, _, line = passed(change=0.1)
    assert len(heard) == len(LINE)
    assert 0 < sum(a != b for a, b in zip(heard, LINE, strict=True)) <= line.count
    heard, _, line = passed(lose=0.1)
    assert len(heard) == len(LINE) - line.count < len(LINE)
    heard, _, line = passed(add=0.1)
    assert len(heard) == len(LINE) + line.count > len(LINE)
    heard, _, line = passed(cut=1.0)
    assert LINE.startswith(heard)
    assert len(heard) < len(LINE)
    heard, echo, line = passed(stall=1.0)
    assert heard == LINE
    assert echo.idled > 0
    assert line.read(1.0) + line.read(1.0) == LINE
    assert passed(repeat=1.0)[0] == 2 * LINE
    assert passed(dead_after=100)[0] == b""
    assert passed(change=0.1)[0] == passed(change=0.1)[0]
