"""What goes onto a board: clock, reset, and a core with a serial port."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.host.board import Board
from spikewatt.model.errors import ParameterError
from spikewatt.synth.fpga.boards import FpgaBoard

__all__ = ["BAUD", "BoardTop"]

BAUD = 1_000_000
"""Speed of the serial line unless another is named."""

_WAKE_SECONDS = 15e-6  # an iCE40's block RAM answers right 10 us after configuration at the latest


class BoardTop(wiring.Component):
    """A core on a board, from the crystal to the pins of the serial line.

    Reset lasts from configuration until the clock is stable and memories answer, 15 us at least.

    Parameters
    ----------
    core : wiring.Component
    board : FpgaBoard
    mhz : float or None
        Clock of the core; ``None``: the crystal's.
    baud : int
        Bits per second on the serial line.

    Members
    -------
    crystal : In(1)
    rx : In(1), tx : Out(1)
        The serial line.
    led : Out(1)
        Lit while the core works for its host.

    Raises
    ------
    ParameterError
        A baud rate that the clock cannot make.
    """

    crystal: Signal
    rx: Signal
    tx: Signal
    led: Signal

    def __init__(
        self, core: Any, board: FpgaBoard, *, mhz: float | None = None, baud: int = BAUD
    ) -> None:
        self._clock, self._led_low = board.clock(mhz), board.pins["led"].low
        clocks = round(self._clock.mhz * 1e6 / baud)
        real = self._clock.mhz * 1e6 / max(clocks, 1)
        if abs(real - baud) > 0.02 * baud:  # the host's end has tolerances of its own
            raise ParameterError(
                f"--baud {baud} cannot be made of {self._clock.mhz:g} MHz: "
                f"the nearest is {real:.0f}"
            )
        self._board = Board(core, clocks_per_bit=clocks)
        super().__init__({"crystal": In(1), "rx": In(1), "tx": Out(1), "led": Out(1)})

    @property
    def mhz(self) -> float:
        """Clock of the core."""
        return self._clock.mhz

    def elaborate(self, platform: object) -> Module:
        """Make clock and reset, and join the pins."""
        m = Module()
        m.domains.sync = ClockDomain()
        m.domains.wake = ClockDomain(reset_less=True, local=True)
        locked = Signal(init=1)
        if pll := self._clock.pll:
            m.submodules.pll = pll.instance(self.crystal, ClockSignal("sync"), locked)
        else:
            m.d.comb += ClockSignal("sync").eq(self.crystal)
        cycles = round(_WAKE_SECONDS * self._clock.mhz * 1e6)
        waited = Signal(range(cycles + 1))
        m.d.comb += ClockSignal("wake").eq(ClockSignal("sync"))
        with m.If(waited != cycles):
            m.d.wake += waited.eq(waited + 1)
        m.submodules.reset = ResetSynchronizer(~locked | (waited != cycles))
        m.submodules.board = board = self._board
        m.d.comb += [
            board.rx.eq(self.rx),
            self.tx.eq(board.tx),
            self.led.eq(~board.busy if self._led_low else board.busy),
        ]
        return m
