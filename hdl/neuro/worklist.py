"""The axons of a tick, with the synapse rows they stand for."""

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.neuro.signatures import entry_layout
from spikewatt.hdl.sram import ReadPort, Sram, TablePort, TableSram, row_layout
from spikewatt.model.params import CoreParams, TableId

__all__ = ["WorkList"]


class WorkList(wiring.Component):
    """Turns active axons into entries that the walker runs through once for every group.

    Each axon's row descriptor is read once a tick; an axon without synapses leaves no entry.
    Latency from ``active`` to the entry: two cycles. Throughput: one axon a cycle.

    Parameters
    ----------
    params : CoreParams

    Members
    -------
    restart : In(1)
        Forget the entries.
    active : In(stream of axon), always ready
    read : In(ReadPort)
        Entries, in the order of their axons.
    length : Out
        Number of entries.
    head : Out
        First group of entry 0.
    busy : Out(1)
        An axon is on its way to becoming an entry.
    rows : In(TablePort)
    """

    restart: Signal
    active: Any
    read: Any
    length: Signal
    head: Signal
    busy: Signal
    rows: Any

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        size = {"rows": params.axons, "bits": entry_layout(params).size}
        super().__init__(
            {
                "restart": In(1),
                "active": In(stream.Signature(params.axon_bits, always_ready=True)),
                "read": In(ReadPort(**size)),
                "length": Out(range(params.axons + 1)),
                "head": Out(params.group_bits),
                "busy": Out(1),
                "rows": In(TablePort(params.tables[TableId.ROWS])),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Look each axon up, then append."""
        params = self._params
        table = params.tables[TableId.ROWS]
        layout = entry_layout(params)
        m = Module()
        m.submodules.rows = rows = TableSram(table, direct=params.registered)
        m.submodules.list = entries = Sram(rows=params.axons, bits=layout.size)
        wiring.connect(m, wiring.flipped(self.rows), rows.table)
        wiring.connect(m, wiring.flipped(self.read), entries.read)

        found = Signal()
        m.d.comb += [rows.read.enable.eq(self.active.valid), rows.read.row.eq(self.active.payload)]
        # A cycle behind the axon its row is on the memory's output, and is appended at once.
        m.d.sync += found.eq(self.active.valid)
        m.d.comb += self.busy.eq(found)

        row = data.View(row_layout(table), rows.read.data)
        entry = data.View(layout, entries.write.data)
        m.d.comb += [
            # The list is dense: an axon without synapses would cost every group that runs past it a
            # cycle.
            entries.write.enable.eq(found & row.present[0]),
            entries.write.row.eq(self.length),
            *(entry[name].eq(row[name][0]) for name in ("offset", "first", "last")),
        ]
        with m.If(entries.write.enable):
            m.d.sync += self.length.eq(self.length + 1)
            # The walker needs the first group before it has read any entry.
            with m.If(self.length == 0):
                m.d.sync += self.head.eq(entry.first)
        with m.If(self.restart):
            # The memory keeps what it had: only the length says what is a list.
            m.d.sync += self.length.eq(0)
        return m
