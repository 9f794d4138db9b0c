"""From frames on a line of bytes to the streams of a core, and back."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.host.frames import FrameCheck, FrameDecoder, FrameEncoder, sent_layout
from spikewatt.hdl.host.operations import (
    InputFeeder,
    OutputCollector,
    input_members,
    output_members,
)
from spikewatt.hdl.host.uart import received_layout
from spikewatt.hdl.sram import ReadPort, Sram
from spikewatt.model.params import bits_for
from spikewatt.model.params.host import SEQUENCE_BITS, HostParams, RequestKind

__all__ = ["HostBridge"]

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
        m.d.sync += come.eq(~self.o.valid)
        with m.If(come & ~self.o.valid):
            m.d.sync += [self.o.payload.eq(self.read.data), self.o.valid.eq(1)]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [self.o.valid.eq(0), row.eq(row + 1)]
        with m.If(self.start):
            m.d.sync += [row.eq(0), self.o.valid.eq(0), come.eq(0)]
        return m


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
        self._sequence(m, decoder, encoder, buffer, reader, feeder, collector)
        return m

    def _sequence(
        self,
        m: Module,
        decoder: FrameDecoder,
        encoder: FrameEncoder,
        buffer: Sram,
        reader: BufferReader,
        feeder: InputFeeder,
        collector: OutputCollector,
    ) -> None:
        """Receive, carry out, send. The memory's halves change hands with the states."""
        params = self._params
        margin = bits_for(params.margin)
        number, open_ = Signal(SEQUENCE_BITS), Signal()
        end = Signal(bits_for(params.buffer_bytes))
        cut, more = Signal(), Signal()
        receiving, working, sending, rewind = Signal(), Signal(), Signal(), Signal()
        kind = decoder.header[SEQUENCE_BITS:]
        sequence = decoder.header[:SEQUENCE_BITS]
        asked_open = decoder.good & (kind == RequestKind.OPEN)
        asked_run = decoder.good & (kind == RequestKind.RUN) & open_
        write = Mux(receiving, decoder.write, collector.write)
        m.d.comb += [
            decoder.enable.eq(~sending),
            buffer.write.enable.eq(write),
            buffer.write.row.eq(Cat(end, ~receiving)),
            buffer.write.data.eq(
                Cat(Mux(receiving, decoder.byte, collector.byte), collector.finish)
            ),
            buffer.read.enable.eq(reader.read.enable),
            buffer.read.row.eq(Cat(reader.read.row, sending)),
            reader.read.data.eq(buffer.read.data),
            reader.start.eq(rewind),
            feeder.i.payload.eq(reader.o.payload.byte),
            feeder.i.valid.eq(reader.o.valid & ~sending),
            encoder.i.payload.eq(reader.o.payload),
            encoder.i.valid.eq(reader.o.valid & sending),
            reader.o.ready.eq(Mux(sending, encoder.i.ready, feeder.i.ready)),
            collector.room.eq(working & ~end[margin:].all()),
            collector.kind.eq(Cat(number, more, cut, 1)),
            self.busy.eq(~receiving),
        ]
        with m.If(write):
            m.d.sync += end.eq(end + 1)
        with m.If(receiving & decoder.begin):
            m.d.sync += end.eq(0)

        quiet = feeder.ended & ~collector.waiting & (self.idle | ~feeder.wait)
        with m.FSM() as fsm:
            m.d.comb += [
                receiving.eq(fsm.ongoing("RECEIVE")),
                working.eq(fsm.ongoing("WORK")),
                sending.eq(fsm.ongoing("SEND")),
            ]
            with m.State("RECEIVE"):
                m.d.comb += rewind.eq(1)
                with m.If(asked_run):
                    m.d.sync += number.eq(sequence)
                    m.next = "SEND"
                    with m.If(number != sequence):
                        m.d.comb += feeder.start.eq(1)
                        m.next = "WORK"
                with m.If(asked_open):
                    m.next = "RESET"
            with m.State("RESET"):
                m.d.comb += self.reset.eq(1)
                m.d.sync += [number.eq(sequence), open_.eq(1), end.eq(0)]
                m.next = "RESTART"
            with m.State("RESTART"):
                m.d.comb += self.reset.eq(1)
                m.next = "IDENTIFY"
            with m.State("IDENTIFY"):
                m.d.comb += collector.identify.eq(1)
                with m.If(collector.done):
                    m.next = "WORK"
            with m.State("WORK"):
                m.d.sync += [
                    cut.eq(~feeder.ended),
                    more.eq(feeder.ended & (collector.waiting | ~self.idle)),
                ]
                with m.If(quiet | collector.blocked):
                    m.next = "METER" if params.meter else "FINISH"
                with m.If(asked_open):
                    m.next = "RESET"
            if params.meter:
                with m.State("METER"):
                    m.d.comb += collector.tell.eq(feeder.meter)
                    with m.If(~feeder.meter | collector.done):
                        m.next = "FINISH"
            with m.State("FINISH"):
                m.d.comb += collector.finish.eq(1)
                with m.If(collector.done):
                    m.d.comb += rewind.eq(1)
                    m.next = "SEND"
            with m.State("SEND"), m.If(encoder.done):
                m.next = "RECEIVE"
        if params.meter:
            with m.If(self.reset | (collector.tell & collector.done)):
                m.d.sync += collector.meter.eq(0)
            with m.Elif(~self.idle & ~collector.tell):
                m.d.sync += collector.meter.eq(collector.meter + 1)
