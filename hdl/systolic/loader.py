"""Weights from their SRAM into the array."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.sram import TablePort, TableSram, row_layout
from spikewatt.hdl.systolic.signatures import LoadPort
from spikewatt.model.params import bits_for
from spikewatt.model.params.systolic import Loading, SystolicParams, SystolicTable

__all__ = ["WeightLoader"]


class WeightLoader(wiring.Component):
    """Loads one tile of weights after another, as soon as a buffer of the array is free.

    The SRAM holds the tiles in the order in which they are used, so that addresses only count up.
    A word a cycle: as many as a tile has rows, or, where weights are shifted in, as the array has.

    Parameters
    ----------
    params : SystolicParams

    Members
    -------
    start : In(1)
        Begin with the first tile of the first layer.
    layer_number : Out, layer : In(row)
        The layer that is loaded, and its row of the table of layers.
    buffer_free : In(1)
        A buffer becomes free.
    load : Out(LoadPort)
    tile_ready : Out(1)
        Vectors may enter for one more tile from the next cycle on.
    read : Out(1)
        The SRAM is read.
    busy : Out(1)
    table : In(TablePort)
    """

    start: Signal
    layer_number: Signal
    layer: Any
    buffer_free: Signal
    load: Any
    tile_ready: Signal
    read: Signal
    busy: Signal
    table: Any

    def __init__(self, params: SystolicParams) -> None:
        self._params = params
        layers = row_layout(params.tables[SystolicTable.LAYERS])
        super().__init__(
            {
                "start": In(1),
                "layer_number": Out(max(1, bits_for(params.layers))),
                "layer": In(layers),
                "buffer_free": In(1),
                "load": Out(LoadPort(params)),
                "tile_ready": Out(1),
                "read": Out(1),
                "busy": Out(1),
                "table": In(TablePort(params.tables[SystolicTable.WEIGHTS])),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count rows, words, tiles and layers; a cycle later the word enters the array."""
        params = self._params
        m = Module()
        m.submodules.sram = sram = TableSram(params.tables[SystolicTable.WEIGHTS])
        wiring.connect(m, wiring.flipped(self.table), sram.table)
        active, address = Signal(), Signal.like(sram.read.row)
        row, final_row = Signal.like(self.load.row), Signal()
        free = Signal(range(params.buffers + 1), init=params.buffers)
        begins = row == 0
        m.d.comb += [
            self.busy.eq(active | self.load.enable),
            # Only the first row of a tile may have to wait; a buffer that is freed in this cycle
            # counts.
            self.read.eq(active & (~begins | (free != 0) | self.buffer_free)),
            sram.read.enable.eq(self.read),
            sram.read.row.eq(address),
            self.load.weights.eq(sram.read.data),
        ]
        word = Signal(self.layer.words[0].shape(), name="word")
        self._rows(m, word, row, final_row)
        buffer = Signal()
        # A tile takes its buffer with its first word; one that becomes free meanwhile adds up.
        m.d.sync += [
            free.eq(free + self.buffer_free - (self.read & begins)),
            self.load.enable.eq(self.read),
        ]
        with m.If(self.read):
            m.d.sync += [
                address.eq(address + 1),
                self.load.row.eq(row),
                self.load.buffer.eq(buffer),
                row.eq(row + 1),
            ]
            with m.If(final_row):
                m.d.sync += row.eq(0)
                if params.double_buffer:
                    m.d.sync += buffer.eq(~buffer)
                self._next_word(m, word, active)
        with m.If(self.start):
            m.d.sync += [active.eq(1), address.eq(0), self.layer_number.eq(0), buffer.eq(0)]
        return m

    def _rows(self, m: Module, word: Signal, row: Signal, final_row: Signal) -> None:
        """Say when a tile has all its rows, and when the first vector may enter."""
        params, layer = self._params, self.layer
        last_word = word == layer.words[0]
        rows: Value = Const(0)
        if params.rows > 1:
            rows = Mux(last_word, layer.last_rows[0], layer.rows[0])
        if params.loading is Loading.SHIFT:
            # Every row moves down with each word, so no weight is in its place before the last one
            # has come.
            usable = params.rows - 1
            m.d.comb += final_row.eq(row == usable)
            last: Value = final_row
        else:
            # Row r is needed r // tile_rows cycles after the vector enters.
            usable = params.rows - params.row_stages
            m.d.comb += final_row.eq(row == rows)
            last = (row == usable) | (final_row & (rows < usable))
        # A cycle behind the read, as the weights are.
        m.d.sync += self.tile_ready.eq(self.read & last)

    def _next_word(self, m: Module, word: Signal, active: Signal) -> None:
        """Words fastest, then tiles, then layers."""
        layer, tile = self.layer, Signal(self.layer.tiles[0].shape(), name="tile")
        m.d.sync += word.eq(word + 1)
        with m.If(word == layer.words[0]):
            m.d.sync += [word.eq(0), tile.eq(tile + 1)]
            with m.If(tile == layer.tiles[0]):
                m.d.sync += [tile.eq(0), self.layer_number.eq(self.layer_number + 1)]
                with m.If(layer.final[0]):
                    m.d.sync += active.eq(0)
