"""Memory of a host bridge, as who sends from it reads it."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.host.frames import sent_layout
from spikewatt.hdl.sram import ReadPort

__all__ = ["SENT_BITS", "BufferReader"]

SENT_BITS = sent_layout().size


class BufferReader(wiring.Component):
    """Reads a memory of bytes from its begin.

    Throughput: a byte every three cycles, so that the memory's answer has a cycle to itself.

    Parameters
    ----------
    rows : int

    Members
    -------
    read : Out(ReadPort)
    start : In(1)
        Begin again.
    o : Out(stream of sent byte)
    """

    read: Any
    start: Signal
    o: Any

    def __init__(self, *, rows: int) -> None:
        super().__init__(
            {
                "read": Out(ReadPort(rows=rows, bits=SENT_BITS)),
                "start": In(1),
                "o": Out(stream.Signature(sent_layout())),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Read, hold, offer."""
        m = Module()
        come, row = Signal(), Signal.like(self.read.row)
        m.d.comb += [self.read.enable.eq(1), self.read.row.eq(row)]
        # Low for a cycle after a byte has left: the memory still answers for the row before.
        m.d.sync += come.eq(~self.o.valid)
        with m.If(come & ~self.o.valid):
            m.d.sync += [self.o.payload.eq(self.read.data), self.o.valid.eq(1)]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [self.o.valid.eq(0), row.eq(row + 1)]
        with m.If(self.start):
            m.d.sync += [row.eq(0), self.o.valid.eq(0), come.eq(0)]
        return m
