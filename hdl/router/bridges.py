"""Between clocked streams and two-phase links."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.router.link import Link

__all__ = ["FromLink", "ToLink"]


class ToLink(wiring.Component):
    """Sends the words of a stream over a link.

    It holds one word; the next one is taken when the acknowledgement has passed a synchroniser of
    two flip-flops. While it is not ``empty`` its clock must run.

    Members
    -------
    i : In(stream)
    o : Out(Link)
    empty : Out(1)
        Nothing is on its way.
    """

    i: Any
    o: Any
    empty: Signal

    def __init__(self, shape: Any) -> None:
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(Link(shape)), "empty": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Turn the request over with each word."""
        m = Module()
        phase, acknowledged = Signal(), Signal()
        held = Signal.like(self.o.data, reset_less=True)
        # The acknowledgement comes at any time, and may be caught in the middle of its edge.
        m.submodules.synchroniser = FFSynchronizer(self.o.ack, acknowledged)
        m.d.comb += [
            self.empty.eq(~(phase ^ acknowledged)),
            self.i.ready.eq(self.empty),
            self.o.req.eq(phase),
            self.o.data.eq(held),
        ]
        # Data and request leave at the same edge: the matched delay at the link's end puts the
        # request behind.
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [phase.eq(~phase), held.eq(self.i.payload)]
        return m


class FromLink(wiring.Component):
    """Offers the tokens of a link as a stream.

    The request passes a synchroniser of two flip-flops. The data need none: they were there before
    the request, and stay. The clock may sleep while ``asked`` is low; that is the request as it
    comes, at any time, for a clock gate whose flip-flop takes it at the falling edge and has half a
    cycle to settle.

    Members
    -------
    i : In(Link)
    o : Out(stream)
    asked : Out(1)
        A token waits: asynchronous.
    """

    i: Any
    o: Any
    asked: Signal

    def __init__(self, shape: Any) -> None:
        super().__init__({"i": In(Link(shape)), "o": Out(stream.Signature(shape)), "asked": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Turn the acknowledgement over with each word taken."""
        m = Module()
        requested, phase = Signal(), Signal()
        m.submodules.synchroniser = FFSynchronizer(self.i.req, requested)
        m.d.comb += [
            self.o.valid.eq(requested ^ phase),
            self.o.payload.eq(self.i.data),
            self.i.ack.eq(phase),
            self.asked.eq(self.i.req ^ phase),
        ]
        # Acknowledged only when it was taken: until then the sender holds the data.
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += phase.eq(~phase)
        return m
