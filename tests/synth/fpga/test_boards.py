"""Boards: their pins and clocks, and what goes onto them."""

import sys
from typing import Any

import pytest
from amaranth.hdl import Elaboratable, Module
from amaranth.sim import Simulator

from spikewatt.base.errors import ParameterError, ToolError
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.params import CoreParams, Fabric
from spikewatt.synth.fpga.board_top import BoardTop, bit_clocks
from spikewatt.synth.fpga.boards import Pin, find_board
from spikewatt.synth.verilog import export

PARAMS = CoreParams(neurons=4, axons=4, lanes=1, delay_slots=2, fabric=Fabric.FPGA)


def test_ulx3s() -> None:
    """Pins as in the board's schematic, version 3.0.8: oscillator, FT231X, LED 0."""
    board = find_board("ecp5", "ulx3s")
    assert (board.device.name, board.device.package, board.device.speed) == ("25k", "CABGA381", "6")
    assert board.crystal_mhz == 25
    sites = {port: pin.site for port, pin in board.pins.items()}
    assert sites == {"crystal": "G2", "rx": "M1", "tx": "L4", "led": "B2"}
    assert board.constraints.splitlines() == [
        'LOCATE COMP "crystal" SITE "G2";',
        'IOBUF PORT "crystal" IO_TYPE=LVCMOS33;',
        'LOCATE COMP "rx" SITE "M1";',
        'IOBUF PORT "rx" IO_TYPE=LVCMOS33;',
        'LOCATE COMP "tx" SITE "L4";',
        'IOBUF PORT "tx" IO_TYPE=LVCMOS33;',
        'LOCATE COMP "led" SITE "B2";',
        'IOBUF PORT "led" IO_TYPE=LVCMOS33 DRIVE=4;',
        'FREQUENCY PORT "crystal" 25 MHZ;',
    ]
    assert find_board("ecp5", "ulx3s", "85K").device.name == "85k"


def test_icebreaker() -> None:
    """Pins as in the board's schematic, version 1.0e: oscillator, FT2232H, the red LED."""
    board = find_board("ice40", "icebreaker")
    assert (board.device.name, board.device.package, board.device.speed) == ("up5k", "sg48", None)
    assert board.crystal_mhz == 12
    assert board.pins["led"] == Pin("11", {"IO_STANDARD": "SB_LVCMOS"}, low=True)
    assert board.constraints.splitlines() == [
        "set_io crystal 35",
        "set_io -pullup yes rx 6",
        "set_io -pullup yes tx 9",
        "set_io led 11",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ecp5", "arty"), "--board must be one of ulx3s, icebreaker, not 'arty'"),
        (("ice40", "ulx3s"), "--board ulx3s has an ecp5: --target ecp5"),
        (("ecp5", "icebreaker"), "--board icebreaker has an ice40: --target ice40"),
        (
            ("ecp5", "ulx3s", "13k"),
            "--device of ulx3s must be one of 25k, 12k, 45k, 85k, not '13k'",
        ),
        (("ice40", "icebreaker", "hx8k"), "--device of icebreaker must be one of up5k, not 'hx8k'"),
        (
            ("ecp5", "ulx3s", None, "CABGA256"),
            "--package goes without --board: a board has its own",
        ),
    ],
)
def test_others(words: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        find_board(*words)
    assert str(error.value) == message


def test_without_amaranth_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amaranth_boards.ulx3s", None)
    with pytest.raises(
        ToolError, match=r"^amaranth-boards is missing: pip install 'spikewatt\[fpga\]'$"
    ):
        find_board("ecp5", "ulx3s")


def test_clocks() -> None:
    board = find_board("ecp5", "ulx3s")
    assert board.clock(None).pll is None
    assert board.clock(25).pll is None
    assert board.clock(None).mhz == 25
    assert board.clock(80).mhz == 80


def top(family: Any, name: str, mhz: float | None = None) -> BoardTop:
    board = find_board(family, name)
    low = board.pins["led"].low
    return BoardTop(NeuroCore(PARAMS), board.clock(mhz), clocks_per_bit=12, led_low=low)


def test_the_loop_is_there_when_it_is_needed() -> None:
    assert "EHXPLLL" not in export(top("ecp5", "ulx3s"), "top")
    text = export(top("ecp5", "ulx3s", 80), "top")
    for words in (".CLKI_DIV(32'd5)", ".CLKFB_DIV(32'd16)", 'FREQUENCY_PIN_CLKOP = "80"'):
        assert words in text
    assert "SB_PLL40_PAD" in export(top("ice40", "icebreaker", 18), "top")


@pytest.mark.parametrize(
    ("mhz", "baud", "clocks"),
    [
        (12, 1_000_000, 12),
        (25, 1_000_000, 25),
        (80, 115_200, 694),
        (12, 9600, 1250),
        (12, 1_480_000, 8),
    ],
)
def test_baud_rates(mhz: float, baud: int, clocks: int) -> None:
    assert bit_clocks(mhz, baud) == clocks


@pytest.mark.parametrize(
    ("mhz", "baud", "nearest"),
    [(12, 1_250_000, 1_200_000), (12, 3_000_000, 1_500_000), (80, 300, 1221)],
)
def test_baud_rates_out_of_reach(mhz: float, baud: int, nearest: int) -> None:
    with pytest.raises(ParameterError) as error:
        bit_clocks(mhz, baud)
    assert str(error.value) == (
        f"--baud {baud} cannot be made of {mhz} MHz: the nearest is {nearest}"
    )


class Driven(Elaboratable):
    """The top on a board whose crystal is the simulator's clock."""

    def __init__(self, whole: BoardTop) -> None:
        self.whole = whole

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.whole = self.whole
        return m


@pytest.mark.parametrize(("family", "name", "cycles"), [("ice40", "icebreaker", 180)])
def test_reset_lasts_until_memories_answer(family: str, name: str, cycles: int) -> None:
    """The core clears its memories, in a few cycles, when reset ends: 15 us after configuration."""
    whole = top(family, name)
    seen: list[int] = []

    async def bench(ctx: Any) -> None:
        for _ in range(cycles + 400):
            ctx.set(whole.crystal, 1)
            await ctx.delay(1e-9)
            ctx.set(whole.crystal, 0)
            await ctx.delay(1e-9)
            seen.append(ctx.get(whole.led))  # low while the core is busy
            assert ctx.get(whole.tx) == 1

    simulator = Simulator(Driven(whole))
    simulator.add_testbench(bench)
    simulator.run()
    assert not any(seen[:cycles])
    assert all(seen[cycles + 50 :])
