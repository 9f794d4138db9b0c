"""Frames on a line of bytes: `spikewatt.model.params.host` has the format."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.host.uart import received_layout
from spikewatt.model.params.host import (
    CHECK_BYTES,
    CHECK_POLYNOMIAL,
    CHECK_RESIDUE,
    ESCAPE,
    ESCAPE_BIT,
    FLAG,
)

__all__ = ["CheckPort", "FrameCheck", "FrameDecoder", "FrameEncoder", "sent_layout"]

_CHECK_BITS = 8 * CHECK_BYTES


class CheckPort(wiring.Signature):
    """Use of the check sequence's register, seen by its user; nobody else uses it meanwhile.

    Members
    -------
    clear : Out(1)
        Begin a frame.
    step, bit : Out(1)
        Take a bit.
    value : In(32)
        The register, its lowest bit the one that leaves first.
    """

    def __init__(self) -> None:
        super().__init__({"clear": Out(1), "step": Out(1), "bit": Out(1), "value": In(_CHECK_BITS)})


class FrameCheck(wiring.Component):
    """Register of the check sequence, one bit a cycle, for two users who take turns.

    A bit at a time takes a quarter of the gates of a byte at a time, and the line gives a byte no
    more often than every 38 cycles.

    Members
    -------
    receiver, sender : In(CheckPort)
    """

    receiver: Any
    sender: Any

    def __init__(self) -> None:
        super().__init__({"receiver": In(CheckPort()), "sender": In(CheckPort())})

    def elaborate(self, platform: object) -> Module:
        """Divide by the polynomial, lowest bit first."""
        m = Module()
        users = (self.receiver, self.sender)
        # All ones at first, so that zeros in front of a frame count (RFC 1662, C.3).
        value = Signal(_CHECK_BITS, init=-1)
        # Only one of the two steps in a cycle: a board either receives or sends.
        odd = value[0] ^ Mux(self.sender.step, self.sender.bit, self.receiver.bit)
        with m.If(self.receiver.step | self.sender.step):
            m.d.sync += value.eq((value >> 1) ^ (odd.replicate(_CHECK_BITS) & CHECK_POLYNOMIAL))
        with m.If(self.receiver.clear | self.sender.clear):
            m.d.sync += value.eq(-1)
        m.d.comb += [user.value.eq(value) for user in users]
        return m


class FrameDecoder(wiring.Component):
    """Finds frames in what comes from a line.

    A byte takes eight cycles, a flag or an escape one. The bytes of a frame are given away as they
    come, those of its check sequence too; whether they were right, its end tells. A frame with a
    broken byte, one that ends behind an escape and one whose check sequence is wrong end
    unmentioned.

    Members
    -------
    i : In(stream of received byte)
    check : Out(CheckPort)
    enable : In(1)
        While it is low bytes are dropped; the rest of a frame that has begun is no frame.
    begin : Out(1)
        A flag has come: what follows is a new frame.
    write : Out(1), byte : Out(8)
        A byte of the frame behind its header.
    header : Out(8)
        The frame's first byte.
    good : Out(1)
        The frame, which is over, was right.
    """

    i: Any
    check: Any
    enable: Signal
    begin: Signal
    write: Signal
    byte: Signal
    header: Signal
    good: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(received_layout())),
                "check": Out(CheckPort()),
                "enable": In(1),
                "begin": Out(1),
                "write": Out(1),
                "byte": Out(8),
                "header": Out(8),
                "good": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Take flags and escapes out; send the rest through the check sequence."""
        m = Module()
        # Broken at first: up to the first flag the line may be in the middle of a frame.
        escaped, first, broken = Signal(), Signal(), Signal(init=1)
        bit = Signal(3)
        come = self.i.payload
        m.d.comb += [
            self.byte.eq(come.byte ^ (escaped << ESCAPE_BIT)),
            self.check.bit.eq(self.byte.bit_select(bit, 1)),
        ]
        with m.If(~self.enable):
            m.d.comb += self.i.ready.eq(1)
            # What is left of the frame when it is enabled again is no frame.
            m.d.sync += [broken.eq(1), bit.eq(0)]
        with m.Elif(self.i.valid):
            with m.If(come.byte == FLAG):
                # The sender's complement is in the sum too, so that a right frame leaves a
                # constant.
                right = (self.check.value == CHECK_RESIDUE) & ~escaped & ~broken
                m.d.comb += [
                    self.i.ready.eq(1),
                    self.begin.eq(1),
                    self.check.clear.eq(1),
                    self.good.eq(right & ~come.broken),
                ]
                m.d.sync += [escaped.eq(0), first.eq(1), broken.eq(0)]
            with m.Elif(come.byte == ESCAPE):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += escaped.eq(1)
            with m.Else():
                m.d.comb += self.check.step.eq(1)
                m.d.sync += bit.eq(bit + 1)
                with m.If(bit.all()):
                    m.d.comb += [self.i.ready.eq(1), self.write.eq(~first)]
                    m.d.sync += [escaped.eq(0), first.eq(0)]
                    with m.If(first):
                        m.d.sync += self.header.eq(self.byte)
            with m.If(come.broken):
                m.d.sync += broken.eq(1)
        return m


def sent_layout() -> data.StructLayout:
    """A byte of a frame to send; ``last``: the frame ends behind it."""
    return data.StructLayout({"byte": 8, "last": 1})


class FrameEncoder(wiring.Component):
    """Makes frames out of bytes: flags around them, escapes, the check sequence.

    Members
    -------
    i : In(stream of sent byte)
        The first byte begins a frame.
    o : Out(stream of 8 bits)
    check : Out(CheckPort)
    done : Out(1)
        A frame's last flag is being sent.
    """

    i: Any
    o: Any
    check: Any
    done: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(sent_layout())),
                "o": Out(stream.Signature(8)),
                "check": Out(CheckPort()),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Send each byte, then take it into the check sequence; the register's own bits leave it.

        A bit that equals the register's lowest one shifts it and changes nothing else.
        """
        m = Module()
        tail = Signal()  # the check sequence is on its way
        escaped = Signal()
        bit = Signal(5)
        source = Signal(8)
        with m.If(tail):
            m.d.comb += [
                source.eq(~self.check.value[:8]),
                self.check.bit.eq(self.check.value[0]),
            ]
        with m.Else():
            m.d.comb += [
                source.eq(self.i.payload.byte),
                self.check.bit.eq(self.i.payload.byte.bit_select(bit[:3], 1)),
            ]
        with m.FSM():
            with m.State("OPEN"):
                m.d.comb += [
                    self.o.valid.eq(self.i.valid),
                    self.o.payload.eq(FLAG),
                    self.check.clear.eq(self.i.valid & self.o.ready),
                ]
                with m.If(self.i.valid & self.o.ready):
                    m.next = "BYTE"
            with m.State("BYTE"):
                special = _is_special(source)
                m.d.comb += [
                    self.o.valid.eq(tail | self.i.valid),
                    self.o.payload.eq(source ^ (escaped << ESCAPE_BIT)),
                ]
                with m.If(special & ~escaped):
                    m.d.comb += self.o.payload.eq(ESCAPE)
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += escaped.eq(special & ~escaped)
                    with m.If(~special | escaped):
                        m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += self.check.step.eq(1)
                m.d.sync += bit.eq(bit + 1)
                with m.If(bit[:3].all()):
                    m.next = "BYTE"
                    m.d.comb += self.i.ready.eq(~tail)
                    with m.If(tail & bit.all()):
                        m.d.sync += tail.eq(0)
                        m.next = "CLOSE"
                    with m.If(~tail):
                        m.d.sync += [tail.eq(self.i.payload.last), bit.eq(0)]
            with m.State("CLOSE"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(FLAG)]
                with m.If(self.o.ready):
                    m.d.comb += self.done.eq(1)
                    m.next = "OPEN"
        return m


def _is_special(byte: Value) -> Value:
    """A flag or an escape: they differ in their two lowest bits."""
    assert FLAG >> 2 == ESCAPE >> 2
    return (byte[2:] == FLAG >> 2) & (byte[0] ^ byte[1])
