"""Asynchronous serial line: 8 data bits, lowest first, no parity, one stop bit."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from spikewatt.model.params.checks import within

__all__ = ["FEWEST_CLOCKS", "MOST_CLOCKS", "UartReceiver", "UartTransmitter", "received_layout"]

FEWEST_CLOCKS, MOST_CLOCKS = 8, 1 << 16


def received_layout() -> data.StructLayout:
    """A byte from the line; ``broken``: there was no stop bit where it should be."""
    return data.StructLayout({"byte": 8, "broken": 1})


class UartReceiver(wiring.Component):
    """Takes bytes from a line.

    Each bit is taken once, in its middle, at a distance from the edge of the start bit that is
    known to one clock: sender and receiver may differ by 4 % in speed where ``clocks_per_bit`` is
    16 or more. A start bit that has gone by its middle was none. After a byte without stop bit the
    line has to be high before another start bit counts.

    Latency: 9.5 bits and 4 cycles from the edge of the start bit. Throughput: a byte every 9.5
    bits at the most. A line cannot wait: a byte that is not taken before the first bit of
    the next one, 1.5 bits later, is lost.

    Parameters
    ----------
    clocks_per_bit : int
        8 to 65 536.

    Members
    -------
    rx : In(1)
        The line, from any clock.
    o : Out(stream of received byte)
    """

    rx: Signal
    o: Any

    def __init__(self, *, clocks_per_bit: int) -> None:
        within("clocks_per_bit", clocks_per_bit, FEWEST_CLOCKS, MOST_CLOCKS)
        self._clocks = clocks_per_bit
        super().__init__({"rx": In(1), "o": Out(stream.Signature(received_layout()))})

    def elaborate(self, platform: object) -> Module:
        """Time from the start bit's edge to the middles of all bits; shift in from the top."""
        m = Module()
        # `before` is low at first: a line that is low at power-up is no start bit.
        line, before = Signal(init=1), Signal()
        # High at first, as a line at rest is.
        m.submodules.synchroniser = FFSynchronizer(self.rx, line, init=1)
        timer = Signal(range(self._clocks))
        busy, place = Signal(), Signal(range(10))
        bits = self.o.payload.byte
        m.d.sync += before.eq(line)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(~busy):
            # Half a bit to the middle of the start bit; from there on whole ones.
            m.d.sync += [timer.eq(self._clocks // 2 - 1), place.eq(0), busy.eq(before & ~line)]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [timer.eq(self._clocks - 1), place.eq(place + 1)]
            with m.If(place == 0):
                # High again in its middle: noise.
                m.d.sync += busy.eq(~line)
            with m.Elif(place == 9):
                m.d.sync += [busy.eq(0), self.o.payload.broken.eq(~line), self.o.valid.eq(1)]
            with m.Else():
                # The byte that was offered is the shift register too: with the next one's first bit
                # it is gone.
                m.d.sync += [bits.eq(Cat(bits[1:], line)), self.o.valid.eq(0)]
        return m


class UartTransmitter(wiring.Component):
    """Puts bytes on a line.

    Throughput: a byte every ``10 * clocks_per_bit`` cycles. Latency: one cycle to the edge of the
    start bit.

    Parameters
    ----------
    clocks_per_bit : int
        8 to 65 536.

    Members
    -------
    i : In(stream of 8 bits)
        A byte is accepted when its stop bit begins.
    tx : Out(1)
        The line, high at rest.
    """

    i: Any
    tx: Signal

    def __init__(self, *, clocks_per_bit: int) -> None:
        within("clocks_per_bit", clocks_per_bit, FEWEST_CLOCKS, MOST_CLOCKS)
        self._clocks = clocks_per_bit
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Choose the bits from the byte, which waits; 8 to 15 are theirs, 0 is the stop bit."""
        m = Module()
        timer, level = Signal(range(self._clocks)), Signal(init=1)
        place = Signal(4, init=1)
        m.d.comb += self.tx.eq(level)
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        # At rest the timer stands at 0: a start bit begins with its byte and not on a grid.
        with m.Elif(self.i.valid | (place != 1)):
            m.d.sync += timer.eq(self._clocks - 1)
            with m.If(place[3]):
                m.d.sync += [
                    level.eq(self.i.payload.bit_select(place[:3], 1)),
                    place.eq(place + 1),
                ]
            with m.Elif(place[0]):
                m.d.sync += [level.eq(0), place.eq(8)]
            with m.Else():
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [level.eq(1), place.eq(1)]
        return m
