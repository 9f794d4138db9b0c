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

__all__ = ["ClockGate", "add_gated", "gated_domain"]


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
        # The flip-flop changes while the clock is low, where the AND gate hides it. It starts at 1:
        # the first rising edge comes before any enable was taken, and may be that of a reset.
        held = Signal(init=1)
        m.d.comb += ClockSignal("fall").eq(ClockSignal())
        m.d.fall += held.eq(self.enable)
        m.d.comb += self.clk.eq(ClockSignal() & held)
        return m


def gated_domain(m: Module, name: str, wanted: Value, *, gate: str = "clock_gate") -> None:
    """Make the domain ``name``: ``sync``, stopped wherever ``wanted`` is low and reset is not set.

    ``gate`` names the submodule that stops it. ``wanted`` may hold asynchronous terms: the gate's
    flip-flop takes them at the falling edge and has half a cycle to settle.
    """
    m.submodules[gate] = stop = ClockGate()
    m.domains += ClockDomain(name, local=True)
    m.d.comb += [
        # Reset is synchronous to the gated clock too: without edges it would reset nothing.
        stop.enable.eq(wanted | ResetSignal("sync")),
        ClockSignal(name).eq(stop.clk),
        ResetSignal(name).eq(ResetSignal("sync")),
    ]


def add_gated(m: Module, logic: Any, wanted: Value, *, gated: bool) -> None:
    """Add ``logic`` to a core, its clock stopped wherever ``wanted`` is low and reset is not set.

    ``gated``: put the clock gate in; without it the clock always runs.
    """
    if not gated:
        m.submodules.logic = logic
        return
    gated_domain(m, "core", wanted)
    m.submodules.logic = DomainRenamer("core")(logic)
