"""What a request asks of a core, and what its reply tells."""

from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.model.params import bits_for
from spikewatt.model.params.host import END, END_METER, END_WAIT, HostParams

__all__ = ["InputFeeder", "OutputCollector", "input_members", "output_members"]


def input_members(params: HostParams) -> dict[str, Any]:
    """Streams into a core, ``i0``, ``i1``, …, seen by the one who feeds them."""
    widths = enumerate(params.inputs.values())
    return {f"i{number}": Out(stream.Signature(bits)) for number, bits in widths}


def output_members(params: HostParams) -> dict[str, Any]:
    """Streams out of a core, ``o0``, ``o1``, …, seen by the one who takes them."""
    widths = enumerate(params.outputs.values())
    return {f"o{number}": In(stream.Signature(bits)) for number, bits in widths}


class InputFeeder(wiring.Component):
    """Carries operations out: a stream's number, then the bytes of a word for it, lowest first.

    A byte takes one cycle; then the word waits until it is accepted.

    Parameters
    ----------
    params : HostParams

    Members
    -------
    i : In(stream of 8 bits)
        Operations, and their end.
    start : In(1)
        Begin; whatever was not done is forgotten.
    ended : Out(1)
        The end has come; nothing is accepted until ``start``.
    wait, meter : Out(1)
        What the end asks for; after a reset there is an end that waits.
    i0, i1, … : Out(stream)
        Inputs of the core.
    """

    i: Any
    start: Signal
    ended: Signal
    wait: Signal
    meter: Signal

    def __init__(self, params: HostParams) -> None:
        self._params = params
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "start": In(1),
                "ended": Out(1),
                "wait": Out(1),
                "meter": Out(1),
                **input_members(params),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Shift a word in from the top: each input takes as much of the top as it is wide."""
        m = Module()
        params = self._params
        sizes = params.input_bytes
        ports = [getattr(self, f"i{number}") for number in range(len(sizes))]
        word = Signal(8 * max(sizes))
        chosen = Signal(range(len(sizes)))
        missing = Signal(range(max(sizes)))
        byte, wait = self.i.payload, Signal(init=1)
        m.d.comb += self.wait.eq(wait)
        for port, size in zip(ports, sizes, strict=True):
            # Each input takes as much of the top as it needs, so that a short word need not be
            # shifted down.
            m.d.comb += port.payload.eq(word[len(word) - 8 * size :])

        def begin() -> None:
            with m.If(self.start):
                m.next = "NUMBER"

        with m.FSM(init="ENDED"):
            with m.State("NUMBER"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [
                    chosen.eq(byte),
                    wait.eq((byte & END_WAIT & ~END).any()),
                    self.meter.eq((byte & END_METER).any()),
                ]
                with m.Switch(byte[: len(chosen)]):
                    for number, size in enumerate(sizes):
                        with m.Case(number):
                            m.d.sync += missing.eq(size - 1)
                with m.If(self.i.valid):
                    m.next = "WORD"
                    with m.If((byte & END).any()):
                        m.next = "ENDED"
                begin()
            with m.State("WORD"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    # Lowest byte first: it ends up lowest of those that came.
                    m.d.sync += [word.eq(Cat(word[8:], byte)), missing.eq(missing - 1)]
                    with m.If(missing == 0):
                        m.next = "OFFER"
                begin()
            with m.State("OFFER"):
                with m.Switch(chosen):
                    for number, port in enumerate(ports):
                        with m.Case(number):
                            m.d.comb += port.valid.eq(1)
                            with m.If(port.ready):
                                m.next = "NUMBER"
                begin()
            with m.State("ENDED"):
                m.d.comb += self.ended.eq(1)
                begin()
        return m


class OutputCollector(wiring.Component):
    """Writes down what a core says: a stream's number, then the bytes of a word, lowest first.

    Behind the streams of the core come those of the board: its identification, and its meter, a
    count of cycles. A byte takes one cycle, a choice between streams another.

    Parameters
    ----------
    params : HostParams

    Members
    -------
    o0, o1, … : In(stream)
        Outputs of the core; the lowest number goes first.
    identify, tell, finish : In(1)
        Write down the identification, the meter, and at last ``kind``; each until ``done``.
    done : Out(1)
        The last byte of it is being written.
    meter : In(32)
        The meter.
    kind : In(8)
        What a reply ends with.
    room : In(1)
        Words of the core are taken.
    waiting : Out(1)
        A word of the core's waits, or is being written.
    blocked : Out(1)
        A word of the core's waits, and cannot be written.
    write : Out(1), byte : Out(8)
        The reply.
    """

    identify: Signal
    tell: Signal
    finish: Signal
    done: Signal
    meter: Signal
    kind: Signal
    room: Signal
    waiting: Signal
    blocked: Signal
    write: Signal
    byte: Signal

    def __init__(self, params: HostParams) -> None:
        self._params = params
        super().__init__(
            {
                **output_members(params),
                "identify": In(1),
                "tell": In(1),
                "finish": In(1),
                "done": Out(1),
                "meter": In(32),
                "kind": In(8),
                "room": In(1),
                "waiting": Out(1),
                "blocked": Out(1),
                "write": Out(1),
                "byte": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Write the number, then the bytes of one record after another; ``kind`` is bare."""
        m = Module()
        params = self._params
        streams = [getattr(self, f"o{number}") for number in range(len(params.outputs))]
        sources = [Value.cast(port.payload) for port in streams]
        # Constants of the board travel as one more stream would.
        sources.append(Const(int.from_bytes(params.identification, "little")))
        wanted = [*(port.valid & self.room for port in streams), self.identify]
        if params.meter:
            sources.append(self.meter)
            wanted.append(self.tell)
        sources.append(self.kind)
        wanted.append(self.finish)
        sizes = [*params.output_bytes, 1]
        record = Signal(range(len(sources)))
        place = Signal(range(max(sizes)))
        come = Cat(port.valid for port in streams).any()
        written = Signal()
        with m.Switch(record):
            for number, (source, size) in enumerate(zip(sources, sizes, strict=True)):
                with m.Case(number):
                    m.d.comb += [
                        self.byte.eq(_byte(source, place)),
                        written.eq(place == size - 1),
                    ]
        with m.FSM() as fsm:
            m.d.comb += [
                self.waiting.eq(come | ~fsm.ongoing("CHOOSE")),
                self.blocked.eq(come & fsm.ongoing("CHOOSE") & ~self.room),
            ]
            # The assignment that stands last wins, so that the loop below runs from the last stream
            # to the first.
            with m.State("CHOOSE"):
                m.d.sync += place.eq(0)
                for number, want in reversed([*enumerate(wanted)]):
                    with m.If(want):
                        m.d.sync += record.eq(number)
                        m.next = "NUMBER"
            with m.State("NUMBER"):
                # The kind that ends a reply has no number in front: it stands at a place that the
                # host knows.
                m.d.comb += [self.write.eq(record != len(sizes) - 1), self.byte.eq(record)]
                m.next = "WORD"
            with m.State("WORD"):
                m.d.comb += self.write.eq(1)
                m.d.sync += place.eq(place + 1)
                with m.If(written):
                    m.next = "CHOOSE"
                    for number, port in enumerate(streams):
                        # The word is taken with its last byte; until then the stream holds it, and
                        # no copy is needed.
                        m.d.comb += port.ready.eq(record == number)
                    m.d.comb += self.done.eq(record >= len(streams))
        return m


def _byte(source: Value, place: Signal) -> Value:
    """Byte of a word; what is behind the last one does not matter."""
    size = -(-len(source) // 8)
    bits = bits_for(size)
    padded = Cat(source, Const(0, 8 * (1 << bits) - len(source)))
    return (
        Array(padded.word_select(k, 8) for k in range(1 << bits))[place[:bits]] if bits else padded
    )
