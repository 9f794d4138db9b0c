"""Stopping a clock."""

from typing import Any

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Module,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ClockGate", "add_gated"]


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


def add_gated(m: Module, logic: Any, wanted: Value, *, gated: bool) -> None:
    """Add ``logic`` to a core, its clock stopped wherever ``wanted`` is low and reset is not set.

    ``gated``: put the clock gate in; without it the clock always runs.
    """
    if not gated:
        m.submodules.logic = logic
        return
    m.submodules.clock_gate = gate = ClockGate()
    m.domains.core = ClockDomain()
    m.d.comb += [
        gate.enable.eq(wanted | ResetSignal("sync")),
        ClockSignal("core").eq(gate.clk),
        ResetSignal("core").eq(ResetSignal("sync")),
    ]
    m.submodules.logic = DomainRenamer("core")(logic)
