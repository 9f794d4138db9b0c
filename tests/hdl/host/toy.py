"""A core small enough to see through: it has a stream of each kind, and takes its time."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ToyCore", "ToyParams"]


@dataclass(frozen=True, kw_only=True)
class ToyParams:
    """``pace``: cycles between the words of an answer; ``wake``: cycles after a reset, less one.

    ``clock_gating`` changes nothing.
    """

    pace: int = 3
    wake: int = 200
    clock_gating: bool = False


class ToyCore(wiring.Component):
    """Adds what it is given, and counts up to what it is asked.

    Members
    -------
    add : In(stream of 12 bits)
        Added to a sum, two cycles each.
    count : In(stream of 9 bits)
        That many words leave on ``numbers``, each the sum plus its place.
    total : In(stream of 1 bit)
        The sum leaves on ``sums``; with 1 it is 0 from then on.
    sums : Out(stream of 20 bits), numbers : Out(stream of 40 bits)
    idle : Out(1)
    """

    add: Any
    count: Any
    total: Any
    sums: Any
    numbers: Any
    idle: Signal
    spare: Signal

    def __init__(self, params: ToyParams) -> None:
        self._params = params
        super().__init__(
            {
                "add": In(stream.Signature(12)),
                "sums": Out(stream.Signature(20)),
                "count": In(stream.Signature(9)),
                "numbers": Out(stream.Signature(40)),
                "total": In(stream.Signature(1)),
                "idle": Out(1),
                "spare": Out(3),
            }
        )

    @property
    def params(self) -> ToyParams:
        """Parameters the core is built for."""
        return self._params

    def elaborate(self, platform: object) -> Module:
        """One thing at a time."""
        m = Module()
        value, left, place = Signal(20), Signal(9), Signal(9)
        pace = Signal(range(self._params.pace + 1))
        m.d.comb += [
            self.sums.payload.eq(value),
            self.numbers.payload.eq((value + place) | (place << 31)),
        ]
        with m.FSM(init="WAKE") as fsm:
            m.d.comb += self.idle.eq(fsm.ongoing("REST"))
            with m.State("WAKE"):
                m.d.sync += place.eq(place + 1)
                with m.If(place == self._params.wake):
                    m.next = "REST"
            with m.State("REST"):
                m.d.comb += [
                    self.add.ready.eq(1),
                    self.count.ready.eq(~self.add.valid),
                    self.total.ready.eq(~self.add.valid & ~self.count.valid & self.sums.ready),
                    self.sums.valid.eq(~self.add.valid & ~self.count.valid & self.total.valid),
                ]
                m.d.sync += [place.eq(0), pace.eq(0)]
                with m.If(self.add.valid):
                    m.d.sync += value.eq(value + self.add.payload)
                    m.next = "ADD"
                with m.Elif(self.count.valid):
                    m.d.sync += left.eq(self.count.payload)
                    m.next = "COUNT"
                with m.Elif(self.total.valid & self.sums.ready & self.total.payload):
                    m.d.sync += value.eq(0)
            with m.State("ADD"):
                m.next = "REST"
            with m.State("COUNT"):
                m.d.sync += pace.eq(pace + 1)
                with m.If(left == 0):
                    m.next = "REST"
                with m.Elif(pace == self._params.pace):
                    m.d.comb += self.numbers.valid.eq(1)
                    m.d.sync += pace.eq(pace)
                    with m.If(self.numbers.ready):
                        m.d.sync += [place.eq(place + 1), left.eq(left - 1), pace.eq(0)]
        return m
