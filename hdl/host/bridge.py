"""From frames on a line of bytes to the streams of a core, and back."""

from typing import Any, NamedTuple

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.host.buffer import SENT_BITS, BufferReader
from spikewatt.hdl.host.frames import FrameCheck, FrameDecoder, FrameEncoder
from spikewatt.hdl.host.operations import (
    InputFeeder,
    OutputCollector,
    input_members,
    output_members,
)
from spikewatt.hdl.host.uart import received_layout
from spikewatt.hdl.sram import Sram
from spikewatt.model.params import bits_for
from spikewatt.model.params.host import SEQUENCE_BITS, HostParams, RequestKind

__all__ = ["HostBridge"]


class HostBridge(wiring.Component):
    """Carries a host's requests out on a core, each exactly once, and replies.

    A request is carried out once its check sequence was found right, so a damaged one does nothing
    and is not answered; one that repeats the number of the last is answered with the same reply and
    not carried out again. A request ``OPEN`` is taken at any time but during a reply: it resets the
    core, and nothing else is carried out before the first of them. A request that comes while the
    one before is being carried out is lost, and so is what comes during a reply.

    The request waits in one half of a memory, the reply in the other.

    Cycles beside those of the line and of the core: four for each byte of an operation, one for
    each byte of a reply's words and one for each word.

    Parameters
    ----------
    params : HostParams

    Members
    -------
    rx : In(stream of received byte), tx : Out(stream of 8 bits)
        The line.
    i0, i1, … : Out(stream), o0, o1, … : In(stream)
        Inputs and outputs of the core.
    idle : In(1)
        The core is at rest.
    reset : Out(1)
        Reset the core: two cycles.
    busy : Out(1)
        A request is being carried out or answered.
    """

    rx: Any
    tx: Any
    idle: Signal
    reset: Signal
    busy: Signal

    def __init__(self, params: HostParams) -> None:
        self._params = params
        super().__init__(
            {
                "rx": In(stream.Signature(received_layout())),
                "tx": Out(stream.Signature(8)),
                **input_members(params),
                **output_members(params),
                "idle": In(1),
                "reset": Out(1),
                "busy": Out(1),
            }
        )

    @property
    def params(self) -> HostParams:
        """Parameters the bridge is built for."""
        return self._params

    def elaborate(self, platform: object) -> Module:
        """Wire the way of a request to the core, and that of its reply to the line."""
        m = Module()
        params = self._params
        half = params.buffer_bytes
        m.submodules.decoder = decoder = FrameDecoder()
        m.submodules.encoder = encoder = FrameEncoder()
        m.submodules.check = check = FrameCheck()
        m.submodules.buffer = buffer = Sram(rows=2 * half, bits=SENT_BITS)
        m.submodules.reader = reader = BufferReader(rows=half)
        feeder, collector = InputFeeder(params), OutputCollector(params)
        m.submodules.feeder = ResetInserter(self.reset)(feeder)
        m.submodules.collector = ResetInserter(self.reset)(collector)
        wiring.connect(m, wiring.flipped(self.rx), decoder.i)
        wiring.connect(m, encoder.o, wiring.flipped(self.tx))
        wiring.connect(m, decoder.check, check.receiver)
        wiring.connect(m, encoder.check, check.sender)
        for member in input_members(params):
            wiring.connect(m, getattr(feeder, member), wiring.flipped(getattr(self, member)))
        for member in output_members(params):
            wiring.connect(m, wiring.flipped(getattr(self, member)), getattr(collector, member))
        parts = _Parts(decoder, encoder, buffer, reader, feeder, collector)
        state = _State(params)
        self._hand_over(m, parts, state)
        self._sequence(m, parts, state)
        if params.meter:
            with m.If(self.reset | (collector.tell & collector.done)):
                m.d.sync += collector.meter.eq(0)
            with m.Elif(~self.idle & ~collector.tell):
                m.d.sync += collector.meter.eq(collector.meter + 1)
        return m

    def _hand_over(self, m: Module, parts: "_Parts", state: "_State") -> None:
        """Give the memory's halves to who receives, works, or sends."""
        decoder, encoder, buffer, reader, feeder, collector = parts
        receiving, working, sending = state.receiving, state.working, state.sending
        margin, end = bits_for(self._params.margin), state.end
        write = Mux(receiving, decoder.write, collector.write)
        m.d.comb += [
            decoder.enable.eq(~sending),
            buffer.write.enable.eq(write),
            # The half is the highest address bit: the request's below, the reply's above.
            buffer.write.row.eq(Cat(end, ~receiving)),
            buffer.write.data.eq(
                Cat(Mux(receiving, decoder.byte, collector.byte), collector.finish)
            ),
            buffer.read.enable.eq(reader.read.enable),
            buffer.read.row.eq(Cat(reader.read.row, sending)),
            reader.read.data.eq(buffer.read.data),
            reader.start.eq(state.rewind),
            feeder.i.payload.eq(reader.o.payload.byte),
            feeder.i.valid.eq(reader.o.valid & ~sending),
            encoder.i.payload.eq(reader.o.payload),
            encoder.i.valid.eq(reader.o.valid & sending),
            reader.o.ready.eq(Mux(sending, encoder.i.ready, feeder.i.ready)),
            # A word begins only while the margin at the end is free, and that is a power of two:
            # one AND.
            collector.room.eq(working & ~end[margin:].all()),
            collector.kind.eq(Cat(state.number, state.more, state.cut, 1)),
            self.busy.eq(~receiving),
        ]
        with m.If(write):
            m.d.sync += end.eq(end + 1)
        with m.If(receiving & decoder.begin):
            m.d.sync += end.eq(0)

    def _sequence(self, m: Module, parts: "_Parts", state: "_State") -> None:
        """Receive, carry out, send."""
        with m.FSM() as fsm:
            m.d.comb += [
                state.receiving.eq(fsm.ongoing("RECEIVE")),
                state.working.eq(fsm.ongoing("WORK")),
                state.sending.eq(fsm.ongoing("SEND")),
            ]
            self._receive(m, parts, state)
            self._work(m, parts, state)
            self._reply(m, parts, state)

    def _receive(self, m: Module, parts: "_Parts", state: "_State") -> None:
        """Wait for a request; one that was carried out already is answered as before."""
        decoder, collector = parts.decoder, parts.collector
        sequence = decoder.header[:SEQUENCE_BITS]
        with m.State("RECEIVE"):
            m.d.comb += state.rewind.eq(1)
            with m.If(_asks(decoder, RequestKind.RUN) & state.open):
                m.d.sync += state.number.eq(sequence)
                m.next = "SEND"
                # With the number of the last request only the reply was lost: it still lies in its
                # half.
                with m.If(state.number != sequence):
                    m.d.comb += parts.feeder.start.eq(1)
                    m.next = "WORK"
            with m.If(_asks(decoder, RequestKind.OPEN)):
                m.next = "RESET"
        with m.State("RESET"):
            m.d.comb += self.reset.eq(1)
            m.d.sync += [state.number.eq(sequence), state.open.eq(1), state.end.eq(0)]
            # Reset lasts two cycles: a mesh needs the second for what its first edge sends to die
            # out.
            m.next = "RESTART"
        with m.State("RESTART"):
            m.d.comb += self.reset.eq(1)
            m.next = "IDENTIFY"
        with m.State("IDENTIFY"):
            m.d.comb += collector.identify.eq(1)
            with m.If(collector.done):
                m.next = "WORK"

    def _work(self, m: Module, parts: "_Parts", state: "_State") -> None:
        """Until the operations are through and the core is quiet, or the reply is full."""
        feeder, collector = parts.feeder, parts.collector
        quiet = feeder.ended & ~collector.waiting & (self.idle | ~feeder.wait)
        with m.State("WORK"):
            m.d.sync += [
                state.cut.eq(~feeder.ended),
                state.more.eq(feeder.ended & (collector.waiting | ~self.idle)),
            ]
            with m.If(quiet | collector.blocked):
                m.next = "METER" if self._params.meter else "FINISH"
            with m.If(_asks(parts.decoder, RequestKind.OPEN)):
                m.next = "RESET"
        if self._params.meter:
            with m.State("METER"):
                m.d.comb += collector.tell.eq(feeder.meter)
                with m.If(~feeder.meter | collector.done):
                    m.next = "FINISH"

    def _reply(self, m: Module, parts: "_Parts", state: "_State") -> None:
        """Say how it ended, then send it all."""
        with m.State("FINISH"):
            m.d.comb += parts.collector.finish.eq(1)
            with m.If(parts.collector.done):
                m.d.comb += state.rewind.eq(1)
                m.next = "SEND"
        with m.State("SEND"), m.If(parts.encoder.done):
            m.next = "RECEIVE"


class _Parts(NamedTuple):
    """What a bridge is made of."""

    decoder: FrameDecoder
    encoder: FrameEncoder
    buffer: Sram
    reader: BufferReader
    feeder: InputFeeder
    collector: OutputCollector


class _State:
    """What a bridge remembers, and in which of its states it is.

    ``number``: of the last request. ``open``: there was one that opens. ``end``: bytes in the half
    of the memory that is being written. ``cut``, ``more``: how the request ended. ``rewind``: read
    from the begin.
    """

    def __init__(self, params: HostParams) -> None:
        self.number, self.open = Signal(SEQUENCE_BITS, name="number"), Signal(name="open_")
        self.end = Signal(bits_for(params.buffer_bytes), name="end")
        self.cut, self.more = Signal(name="cut"), Signal(name="more")
        self.receiving, self.working = Signal(name="receiving"), Signal(name="working")
        self.sending, self.rewind = Signal(name="sending"), Signal(name="rewind")


def _asks(decoder: FrameDecoder, kind: RequestKind) -> Value:
    """A request of a kind has come, undamaged."""
    return decoder.good & (decoder.header[SEQUENCE_BITS:] == kind)
