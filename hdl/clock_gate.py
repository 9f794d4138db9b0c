"""Stopping a clock."""

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ClockGate"]


class ClockGate(wiring.Component):
    """A clock that pulses only in the cycles that are wanted.

    ``enable`` is taken at the falling edge of ``sync``, so that the gated clock has no glitch: the
    high phase after that falling edge comes through when ``enable`` was set. ``enable`` has to be
    stable half a cycle before the rising edge it lets through.

    Members
    -------
    enable : In(1)
        Let the next rising edge through.
    clk : Out(1)
        The gated clock.
    """

    enable: Signal
    clk: Signal

    def __init__(self) -> None:
        super().__init__({"enable": In(1), "clk": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Hold ``enable`` through the high phase with a flip-flop on the falling edge."""
        m = Module()
        m.domains.fall = ClockDomain(clk_edge="neg", reset_less=True, local=True)
        held = Signal(init=1)
        m.d.comb += ClockSignal("fall").eq(ClockSignal())
        m.d.fall += held.eq(self.enable)
        m.d.comb += self.clk.eq(ClockSignal() & held)
        return m
