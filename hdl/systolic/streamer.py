"""Activations: from the host into the unified buffer, and from there into the array."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.sram import row_layout
from spikewatt.hdl.systolic.buffer import UnifiedBuffer
from spikewatt.hdl.systolic.signatures import (
    ResultPort,
    VectorPort,
    activations_layout,
    batch_bits,
    row_bits,
)
from spikewatt.model.params import bits_for
from spikewatt.model.params.systolic import SystolicParams, SystolicTable

__all__ = ["ActivationStreamer"]


@dataclass(frozen=True)
class _Walk:
    """Where in the buffer the walk over words and vectors is.

    ``step``: go on. ``origin``: go to the first word of the layer. ``vector``, ``word``: their
    numbers; ``row``, ``bank``: where that word lies, ``base``: the row of the word's first vector.
    ``word_done``: with this step a word ends; ``last_word``: it is the layer's last one.
    """

    step: Signal
    origin: Signal
    vector: Signal
    word: Signal
    row: Signal
    bank: Signal
    base: Signal
    word_done: Signal
    last_word: Signal


class ActivationStreamer(wiring.Component):
    """Takes a batch from the host, then sends each layer's vectors once for each tile of weights.

    Vectors of one tile follow one another without a gap. A tile begins when its weights are on
    their way far enough, and a layer when the one before has left all its results.

    Parameters
    ----------
    params : SystolicParams

    Members
    -------
    i : In(stream of activation_bits[rows])
        The words of the first layer, the vectors of the batch within each word.
    start : In(1)
        Take a batch, then work.
    batch : In
        Vectors of the batch, less one.
    layer_number : Out, layer : In(row)
        The layer that is computed, and its row of the table of layers.
    tile_ready : In(1)
        The weights of one more tile can be used from the next cycle on.
    layer_done : In(1)
        The results of the layer can be read from the next cycle on.
    vector : Out(VectorPort)
    result : In(ResultPort)
    read, write : Out(1)
        The buffer is read or written.
    busy : Out(1)
    """

    i: Any
    start: Signal
    batch: Signal
    layer_number: Signal
    layer: Any
    tile_ready: Signal
    layer_done: Signal
    vector: Any
    result: Any
    read: Signal
    write: Signal
    busy: Signal

    def __init__(self, params: SystolicParams) -> None:
        self._params = params
        super().__init__(
            {
                "i": In(stream.Signature(activations_layout(params))),
                "start": In(1),
                "batch": In(batch_bits(params)),
                "layer_number": Out(max(1, bits_for(params.layers))),
                "layer": In(row_layout(params.tables[SystolicTable.LAYERS])),
                "tile_ready": In(1),
                "layer_done": In(1),
                "vector": Out(VectorPort(params)),
                "result": In(ResultPort(params)),
                "read": Out(1),
                "write": Out(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One walk over words and vectors serves both ways."""
        params = self._params
        m = Module()
        m.submodules.buffer = buffer = UnifiedBuffer(params)
        wiring.connect(m, wiring.flipped(self.result), buffer.result)
        walk = self._walk(m)
        last_tile = self._states(m, walk)
        m.d.comb += [
            walk.step.eq(self.read | buffer.fill.enable),
            buffer.fill.enable.eq(self.i.valid & self.i.ready),
            buffer.fill.row.eq(walk.row),
            buffer.fill.bank.eq(walk.bank),
            buffer.fill.word.eq(self.i.payload),
            buffer.read.eq(self.read),
            buffer.row.eq(walk.row),
            buffer.bank.eq(walk.bank),
            self.write.eq(buffer.fill.enable | self.result.enable),
        ]
        self._send(m, buffer, walk, last_tile)
        return m

    def _walk(self, m: Module) -> _Walk:
        """Rows of the buffer: vector fastest, then word."""
        params = self._params
        bits = row_bits(params.activation_rows)
        walk = _Walk(
            step=Signal(name="step"),
            origin=Signal(name="origin"),
            vector=Signal(batch_bits(params), name="vector_number"),
            word=Signal(self.layer.words[0].shape(), name="word"),
            row=Signal(bits, name="row"),
            bank=Signal(row_bits(params.banks), name="bank"),
            base=Signal(bits, name="base"),
            word_done=Signal(name="word_done"),
            last_word=Signal(name="last_word"),
        )
        vector, word = walk.vector, walk.word
        m.d.comb += [
            walk.row.eq(walk.base + vector),
            walk.word_done.eq(walk.step & (vector == self.batch)),
            walk.last_word.eq(word == self.layer.words[0]),
        ]
        with m.If(walk.step):
            m.d.sync += vector.eq(vector + 1)
        # Later assignments go before earlier ones: the end of a word over a step, the end of a
        # layer over both.
        with m.If(walk.word_done):
            m.d.sync += [vector.eq(0), word.eq(word + 1)]
            self._next_word(m, walk)
            with m.If(walk.last_word):
                m.d.sync += [word.eq(0), walk.bank.eq(0), walk.base.eq(self.layer.source[0])]
        with m.If(walk.origin):
            m.d.sync += [walk.base.eq(self.layer.source[0]), walk.bank.eq(0)]
        return walk

    def _next_word(self, m: Module, walk: _Walk) -> None:
        """The next bank, or the next rows."""
        params, following = self._params, walk.base + self.batch + 1
        if params.wide and params.banks > 1:
            m.d.sync += walk.bank.eq(walk.bank + 1)
            with m.If(walk.bank == params.banks - 1):
                m.d.sync += [walk.bank.eq(0), walk.base.eq(following)]
        else:
            m.d.sync += walk.base.eq(following)

    def _states(self, m: Module, walk: _Walk) -> Signal:
        """Fill, then one layer after another; returns whether this is a layer's last tile."""
        params, layer = self._params, self.layer
        tile = Signal(layer.tiles[0].shape(), name="tile")
        waiting = Signal(range(params.buffers + 1), name="waiting")  # tiles loaded, not begun
        begins, alone = walk.vector == 0, Signal(name="alone")
        # The sum of a lone vector is written before the next tile's turn reads it.
        m.d.sync += [
            # A tile is taken with its first vector; the loader may be as many tiles ahead as there
            # are buffers.
            waiting.eq(waiting + self.tile_ready - (self.read & begins)),
            alone.eq(self.read & (self.batch == 0)),
        ]
        last_tile = Signal(name="last_tile")
        m.d.comb += last_tile.eq(tile == layer.tiles[0])
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += self.layer_number.eq(0)
                with m.If(self.start):
                    m.d.comb += walk.origin.eq(1)
                    m.next = "FILL"
            with m.State("FILL"):
                # The host may be slow: a cycle without a word is a cycle without a step.
                m.d.comb += self.i.ready.eq(1)
                with m.If(walk.word_done & walk.last_word):
                    m.next = "SEND"
            with m.State("SEND"):
                # Within a tile vectors follow without a gap; only its first one has to wait.
                usable = (waiting != 0) | self.tile_ready
                m.d.comb += self.read.eq(~begins | (usable & ~alone))
                with m.If(walk.word_done & walk.last_word):
                    m.d.sync += tile.eq(tile + 1)
                    with m.If(last_tile):
                        m.d.sync += tile.eq(0)
                        m.next = "WAIT"
            # The next layer reads what this one writes; there is nothing to overlap.
            with m.State("WAIT"), m.If(self.layer_done):
                m.d.sync += self.layer_number.eq(self.layer_number + 1)
                m.next = "TURN"
                with m.If(layer.final[0]):
                    m.next = "IDLE"
            # The number has just changed: the new layer's row of the table is there from now on.
            with m.State("TURN"):
                m.d.comb += walk.origin.eq(1)
                m.next = "SEND"
        return last_tile

    def _send(self, m: Module, buffer: UnifiedBuffer, walk: _Walk, last_tile: Signal) -> None:
        """What the buffer gives enters the array in the next cycle."""
        params, vector = self._params, self.vector
        short, select = Signal(), Signal()
        m.d.sync += vector.valid.eq(self.read)
        with m.If(self.read):
            m.d.sync += [
                vector.last.eq(walk.word_done),
                vector.buffer.eq(select),
                vector.last_tile.eq(last_tile),
                short.eq(walk.last_word),
            ]
        if params.double_buffer:
            with m.If(self.read & walk.word_done):
                m.d.sync += select.eq(~select)
            with m.If(self.start):
                m.d.sync += select.eq(0)
        used = self._used_rows(short)
        for row in range(params.rows):
            value, live = buffer.word[row], used(row)
            # Words of a short tile end in old activations: they have to count as 0, one way or the
            # other.
            if params.masks_rows and not params.has_live:
                m.d.comb += vector.activations[row].eq(Mux(live, value, 0))
            else:
                m.d.comb += vector.activations[row].eq(value)
            if params.isolate_activations:
                live &= value != 0
            m.d.comb += vector.live[row].eq(live)

    def _used_rows(self, short: Signal) -> Any:
        """Whether a row takes part in the tile, as a function of its number."""
        params, layer = self._params, self.layer

        def used(row: int) -> Value:
            if not params.masks_rows or row == 0:
                return Cat(1)
            return row <= Mux(short, layer.last_rows[0], layer.rows[0])

        return used
