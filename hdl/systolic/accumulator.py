"""Sums of tiles, and what becomes of them."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.sram import Sram, TablePort, TableSram, row_layout
from spikewatt.hdl.systolic.requantiser import Requantiser
from spikewatt.hdl.systolic.signatures import ResultPort, batch_bits, row_bits, sums_layout
from spikewatt.model.params.systolic import SystolicParams, SystolicTable

__all__ = ["Accumulator"]


@dataclass(frozen=True)
class _Place:
    """Where in the layer the arriving sums belong.

    ``vector``: its number in the batch; ``row``: of the SRAM. ``first_word``, ``last_word``: of
    inputs. ``layer_ends``: they are the layer's last ones.
    """

    vector: Signal
    row: Signal
    first_word: Signal
    last_word: Signal
    layer_ends: Signal


@dataclass(frozen=True)
class _Target:
    """Where in the unified buffer results go: the row of the batch's first vector, and the part."""

    row: Signal
    part: Signal


class Accumulator(wiring.Component):
    """Accumulator SRAM, biases, requantisation, and the way out.

    What the array gives for a word of inputs is added to what the words before gave. The sum of the
    last word is requantised and goes to the unified buffer in the next cycle, or, in the last
    layer, stays in the SRAM until the host has taken it.

    Parameters
    ----------
    params : SystolicParams

    Members
    -------
    start : In(1)
        A batch begins.
    batch : In
        Its vectors, less one.
    layer : In(row)
        The layer that is computed.
    arriving : In(1)
        ``sums`` hold a result in the next cycle.
    sums : In(signed(accumulator_bits)[columns])
    result : Out(ResultPort)
    layer_done : Out(1)
        The last result of the layer is being written.
    o : Out(stream of signed(accumulator_bits)[columns])
        The last layer's sums: tile by tile, the vectors of the batch within each.
    read, write, bias_read : Out(1)
        The SRAM is read, is written; the biases are read.
    busy : Out(1)
    table : In(TablePort)
        The biases; only where there are any.
    """

    start: Signal
    batch: Signal
    layer: Any
    arriving: Signal
    sums: Any
    result: Any
    layer_done: Signal
    o: Any
    read: Signal
    write: Signal
    bias_read: Signal
    busy: Signal
    table: Any

    def __init__(self, params: SystolicParams) -> None:
        self._params = params
        self._row_bits = row_bits(params.accumulator_rows)
        biases = params.tables.get(SystolicTable.BIASES)
        super().__init__(
            {
                "start": In(1),
                "batch": In(batch_bits(params)),
                "layer": In(row_layout(params.tables[SystolicTable.LAYERS])),
                "arriving": In(1),
                "sums": In(sums_layout(params)),
                "result": Out(ResultPort(params)),
                "layer_done": Out(1),
                "o": Out(stream.Signature(sums_layout(params))),
                "read": Out(1),
                "write": Out(1),
                "bias_read": Out(1),
                "busy": Out(1),
                **({"table": In(TablePort(biases))} if biases else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count along with the array; add; requantise or keep."""
        params = self._params
        m = Module()
        m.submodules.sram = sram = Sram(
            rows=params.accumulator_rows, bits=params.columns * params.accumulator_bits
        )
        place = self._place(m)
        adding, row = Signal(), Signal(self._row_bits)
        first, whole = Signal(), Signal()
        # In the next cycle both summands are there: the array's sums and what the SRAM was asked
        # for.
        m.d.sync += adding.eq(self.arriving)
        with m.If(self.arriving):
            m.d.sync += [
                row.eq(place.row),
                first.eq(place.first_word),
                whole.eq(place.last_word & ~self.layer.final[0]),
            ]
        totals = self._add(m, sram, place, first)
        draining = self._drain(m, sram, place)
        m.d.comb += [
            sram.write.enable.eq(adding & ~whole),
            sram.write.row.eq(row),
            sram.write.data.eq(totals),
            # The two never meet: the last layer's sums leave when nothing arrives any more.
            sram.read.enable.eq((self.arriving & ~place.first_word) | draining),
            self.read.eq(sram.read.enable),
            self.write.eq(sram.write.enable),
        ]
        self._finish(m, place, totals, adding & whole)
        return m

    def _place(self, m: Module) -> _Place:
        """Count along: vector fastest, then word, then tile."""
        params, layer = self._params, self.layer
        word, tile = Signal(layer.words[0].shape()), Signal(layer.tiles[0].shape())
        base, word_ends = Signal(self._row_bits), Signal(name="word_ends")
        place = _Place(
            vector=Signal(batch_bits(params), name="vector"),
            row=Signal(self._row_bits, name="row_arriving"),
            first_word=Signal(name="first_word"),
            last_word=Signal(name="last_word"),
            layer_ends=Signal(name="layer_ends"),
        )
        vector = place.vector
        m.d.comb += [
            place.row.eq(base + vector),
            place.first_word.eq(word == 0),
            place.last_word.eq(word == layer.words[0]),
            word_ends.eq(self.arriving & (vector == self.batch)),
            place.layer_ends.eq(word_ends & place.last_word & (tile == layer.tiles[0])),
        ]
        with m.If(self.arriving):
            m.d.sync += vector.eq(vector + 1)
        with m.If(word_ends):
            m.d.sync += [vector.eq(0), word.eq(word + 1)]
            with m.If(place.last_word):
                m.d.sync += [word.eq(0), tile.eq(tile + 1)]
                # A hidden layer's tile is through before the next begins, and uses its rows again.
                with m.If(layer.final[0]):
                    m.d.sync += base.eq(base + self.batch + 1)
        with m.If(place.layer_ends):
            m.d.sync += [tile.eq(0), base.eq(0)]
        return place

    def _add(self, m: Module, sram: Sram, place: _Place, first: Signal) -> Any:
        """Sums of this word and of those before, or the biases."""
        params = self._params
        before = Signal(sums_layout(params), name="before")
        m.d.comb += before.eq(sram.read.data)
        # Nothing was read for the first word: the SRAM still shows another row.
        with m.If(first):
            m.d.comb += before.eq(0)
        if params.bias_bits:
            self._biases(m, place, before, first)
        totals = Signal(sums_layout(params), name="totals")
        for column in range(params.columns):
            m.d.comb += totals[column].eq(before[column] + self.sums[column])
        return totals

    def _biases(self, m: Module, place: _Place, before: Any, first: Signal) -> None:
        """One row a tile, in order."""
        params = self._params
        table = params.tables[SystolicTable.BIASES]
        m.submodules.biases = biases = TableSram(table)
        wiring.connect(m, wiring.flipped(self.table), biases.table)
        row = Signal.like(biases.read.row, name="bias_row")
        m.d.comb += [
            self.bias_read.eq(self.arriving & place.first_word & (place.vector == 0)),
            biases.read.enable.eq(self.bias_read),
            biases.read.row.eq(row),
        ]
        # Biases lie in the order of use, and the row counts on through all layers.
        with m.If(self.bias_read):
            m.d.sync += row.eq(row + 1)
        with m.If(self.start):
            m.d.sync += row.eq(0)
        bias = Signal(row_layout(table), name="bias")
        m.d.comb += bias.eq(biases.read.data)
        with m.If(first):
            for column in range(params.columns):
                m.d.comb += before[column].eq(bias.bias[column])

    def _finish(self, m: Module, place: _Place, totals: Any, whole: Value) -> None:
        """A cycle for requantisation of whole sums; then into the unified buffer."""
        params, layer = self._params, self.layer
        m.submodules.requantiser = requantiser = Requantiser(params)
        sums, done = Signal(sums_layout(params), name="whole_sums"), Signal()
        last = Signal(name="layer_last")
        vector = Signal.like(place.vector, name="vector_adding")
        target = _Target(
            row=Signal(row_bits(params.activation_rows), name="target"),
            part=Signal(row_bits(params.parts), name="part"),
        )
        m.d.sync += [
            self.result.enable.eq(whole),
            last.eq(place.layer_ends),
            # A cycle more for requantisation; the last layer's sums are in the SRAM at once.
            done.eq(last & ~layer.final[0]),
        ]
        with m.If(whole):
            m.d.sync += sums.eq(totals)
        m.d.comb += [
            requantiser.sums.eq(sums),
            requantiser.multiplier.eq(layer.multiplier[0]),
            requantiser.clip_max.eq(layer.clip_max[0]),
            self.result.word.eq(requantiser.word),
            self.layer_done.eq(done | (last & layer.final[0])),
        ]
        for name in ("shift", "rounding"):
            if name in layer.shape().members:
                m.d.comb += getattr(requantiser, name).eq(getattr(layer, name)[0])
        with m.If(self.arriving):
            m.d.sync += vector.eq(place.vector)
        with m.If(whole):
            m.d.sync += [
                # Results of a tile are the inputs of the next layer, a word for each vector of the
                # batch.
                self.result.row.eq(target.row + vector),
                self.result.part.eq(target.part),
            ]
            with m.If(vector == self.batch):
                self._next_result(m, target)
        with m.If(self._layer_starts(m)):
            m.d.sync += [target.row.eq(layer.target[0]), target.part.eq(0)]

    def _layer_starts(self, m: Module) -> Value:
        """Nothing of the layer has arrived yet."""
        fresh = Signal(init=1, name="fresh")
        # The row of the table is the new layer's some time after the old one is done: its target is
        # taken over and over until the first sums come.
        with m.If(self.arriving):
            m.d.sync += fresh.eq(0)
        with m.If(self.layer_done | self.start):
            m.d.sync += fresh.eq(1)
        return fresh

    def _next_result(self, m: Module, target: _Target) -> None:
        """The next part of the words, or the next words."""
        params, following = self._params, target.row + self.batch + 1
        if params.parts == 1:
            m.d.sync += target.row.eq(following)
        else:
            m.d.sync += target.part.eq(target.part + 1)
            with m.If(target.part == params.parts - 1):
                m.d.sync += [target.part.eq(0), target.row.eq(following)]

    def _drain(self, m: Module, sram: Sram, place: _Place) -> Value:
        """Send the last layer's sums, row after row; returns whether a row is read for that."""
        layer = self.layer
        row = Signal(self._row_bits, name="drain_row")
        vector = Signal.like(place.vector, name="drain_vector")
        tile, rows_left = (
            Signal(layer.tiles[0].shape(), name="drain_tile"),
            Signal(name="rows_left"),
        )
        tiles = Signal.like(tile, name="drain_tiles")
        reading = Signal(name="draining")
        m.d.comb += [
            # A register's bit chooses: `reading` depends on the host's ready, and would be late for
            # an address.
            sram.read.row.eq(Mux(rows_left, row, place.row)),
            reading.eq(rows_left & (self.o.ready | ~self.o.valid)),
            self.o.payload.eq(sram.read.data),
            self.busy.eq(rows_left | self.o.valid),
        ]
        with m.If(self.layer_done & layer.final[0]):
            m.d.sync += [rows_left.eq(1), tiles.eq(layer.tiles[0])]
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += self.o.valid.eq(rows_left)
        with m.If(reading):
            m.d.sync += [row.eq(row + 1), vector.eq(vector + 1)]
            with m.If(vector == self.batch):
                m.d.sync += [vector.eq(0), tile.eq(tile + 1)]
                with m.If(tile == tiles):
                    m.d.sync += [tile.eq(0), row.eq(0), rows_left.eq(0)]
        return reading
