"""The table of layers."""

from typing import Any

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.sram import TablePort, row_layout
from spikewatt.model.params import bits_for
from spikewatt.model.params.systolic import SystolicParams, SystolicTable

__all__ = ["LayerTable"]


class LayerTable(wiring.Component):
    """What the sequencer knows of each layer, in registers; reset leaves it as it is.

    Parameters
    ----------
    params : SystolicParams

    Members
    -------
    table : In(TablePort)
    loading, computing : In
        Numbers of two layers: the one whose weights are loaded, and the one that is computed.
    loaded, computed : Out(row)
        Their rows.
    """

    table: Any
    loading: Signal
    computing: Signal
    loaded: Any
    computed: Any

    def __init__(self, params: SystolicParams) -> None:
        self._params = params
        table = params.tables[SystolicTable.LAYERS]
        number = max(1, bits_for(params.layers))
        super().__init__(
            {
                "table": In(TablePort(table)),
                "loading": In(number),
                "computing": In(number),
                "loaded": Out(row_layout(table)),
                "computed": Out(row_layout(table)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Registers, and a multiplexer for each reader."""
        m = Module()
        table = self._params.tables[SystolicTable.LAYERS]
        # Registers and not a memory: two readers look at different rows in every cycle.
        rows = Array(
            Signal(table.bits, name=f"layer_{n}", reset_less=True) for n in range(table.rows)
        )
        with m.If(self.table.write):
            m.d.sync += rows[self.table.row].eq(self.table.write_data)
        m.d.comb += [
            self.table.read_data.eq(rows[self.table.row]),
            self.loaded.eq(rows[self.loading]),
            self.computed.eq(rows[self.computing]),
        ]
        return m
