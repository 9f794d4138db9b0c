"""What goes onto a board: clock, reset, and a core with a serial port."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out

from spikewatt.base.errors import ParameterError
from spikewatt.hdl.host.board import Board
from spikewatt.hdl.host.uart import FEWEST_CLOCKS, MOST_CLOCKS
from spikewatt.synth.fpga.boards import Clock

__all__ = ["BoardTop", "bit_clocks"]

_OFF = 0.02  # of the 4 % that a receiver takes, half is the host's
_WAKE_SECONDS = 15e-6  # an iCE40's block RAM answers right 10 us after configuration at the latest


def bit_clocks(mhz: float, baud: int) -> int:
    """Cycles of a bit on the serial line.

    Raises
    ------
    ParameterError
        A baud rate that the clock cannot make.
    """
    # Out of the range of the receiver's counter the nearest rate is told in the error.
    clocks = min(max(round(mhz * 1e6 / baud), FEWEST_CLOCKS), MOST_CLOCKS)
    nearest = mhz * 1e6 / clocks
    if abs(nearest - baud) > _OFF * baud:
        raise ParameterError(
            f"--baud {baud} cannot be made of {mhz:g} MHz: the nearest is {nearest:.0f}"
        )
    return clocks


class BoardTop(wiring.Component):
    """A core on a board, from the crystal to the pins of the serial line.

    Reset lasts from configuration until the clock is stable and memories answer, 15 us at least.

    Parameters
    ----------
    core : wiring.Component
    clock : Clock
    clocks_per_bit : int
        Cycles of a bit on the serial line.
    led_low : bool
        The light is active low.

    Members
    -------
    crystal : In(1)
    rx : In(1), tx : Out(1)
        The serial line.
    led : Out(1)
        Lit while the core works for its host.
    """

    crystal: Signal
    rx: Signal
    tx: Signal
    led: Signal

    def __init__(self, core: Any, clock: Clock, *, clocks_per_bit: int, led_low: bool) -> None:
        self._clock, self._led_low = clock, led_low
        self._board = Board(core, clocks_per_bit=clocks_per_bit)
        super().__init__({"crystal": In(1), "rx": In(1), "tx": Out(1), "led": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Make clock and reset, and join the pins."""
        m = Module()
        m.domains.sync = ClockDomain()
        # Counts while everything else is in reset, so it must have none itself.
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
        # Reset comes at once and goes in step with the clock.
        m.submodules.reset = ResetSynchronizer(~locked | (waited != cycles))
        m.submodules.board = board = self._board
        m.d.comb += [
            board.rx.eq(self.rx),
            self.tx.eq(board.tx),
            self.led.eq(~board.busy if self._led_low else board.busy),
        ]
        return m
