"""Spikes on their way: destination lists."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.bits import clear_lowest, lowest_set
from spikewatt.hdl.neuro.signatures import event_layout, fired_layout, packet_layout
from spikewatt.hdl.sram import TablePort, TableSram, row_layout
from spikewatt.model.params import CoreParams, TableId

__all__ = ["FanOut"]


class FanOut(wiring.Component):
    """Sends one event or packet for every entry of every spiking neuron's destination list.

    Neurons in ascending order, each list in its order. An entry with (dx, dy) = (0, 0) is the core
    itself. Two cycles a spike, and one cycle an entry when its taker is ready. With
    ``params.registered``, an entry waits for its taker in a register, a cycle later.

    Parameters
    ----------
    params : CoreParams

    Members
    -------
    i : In(stream of fired)
    own : Out(stream of event)
    o : Out(stream of packet)
    busy : Out(1)
    lists, entries : In(TablePort)
    """

    i: Any
    own: Any
    o: Any
    busy: Signal
    lists: Any
    entries: Any

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        super().__init__(
            {
                "i": In(stream.Signature(fired_layout(params))),
                "own": Out(stream.Signature(event_layout(params))),
                "o": Out(stream.Signature(packet_layout(params))),
                "busy": Out(1),
                "lists": In(TablePort(params.tables[TableId.FANOUT])),
                "entries": In(TablePort(params.tables[TableId.DESTINATIONS])),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Look the list up, then send its entries."""
        tables = self._params.tables
        m = Module()
        m.submodules.lists = lists = TableSram(
            tables[TableId.FANOUT], direct=self._params.registered
        )
        m.submodules.entries = entries = TableSram(
            tables[TableId.DESTINATIONS],
            direct=self._params.registered,
        )
        wiring.connect(m, wiring.flipped(self.lists), lists.table)
        wiring.connect(m, wiring.flipped(self.entries), entries.table)
        pending = Signal(data.StructLayout(fired_layout(self._params).members))
        mask = Signal(self._params.lanes)
        m.d.comb += mask.eq(pending.mask)
        rest = clear_lowest(mask)
        run = data.View(row_layout(tables[TableId.FANOUT]), lists.read.data)
        left = Signal(run.count[0].shape())
        entry = Signal.like(entries.read.row)
        m.d.comb += lists.read.row.eq(Cat(lowest_set(m, mask, name="lane"), pending.group))

        if self._params.registered:
            self._hold(m)
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("REST"))
            if self._params.registered:
                m.d.comb += self.busy.eq(~fsm.ongoing("REST") | self._holding)
            with m.State("REST"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += pending.eq(self.i.payload)
                with m.If(self.i.valid):
                    m.next = "LIST"
            with m.State("LIST"):
                m.d.comb += lists.read.enable.eq(1)
                m.d.sync += pending.mask.eq(rest)
                m.next = "ENTRY"
            with m.State("ENTRY"):
                m.d.sync += [left.eq(run.count[0]), entry.eq(run.start[0] + 1)]
                m.d.comb += [
                    entries.read.enable.eq(1 if self._params.registered else run.count[0] != 0),
                    entries.read.row.eq(run.start[0]),
                ]
                with m.If(run.count[0] != 0):
                    m.next = "SEND"
                with m.Else():
                    self._go_on(m, mask)
            with m.State("SEND"), m.If(self._send(m, entries)):
                m.d.sync += [left.eq(left - 1), entry.eq(entry + 1)]
                m.d.comb += [entries.read.enable.eq(left != 1), entries.read.row.eq(entry)]
                with m.If(left == 1):
                    self._go_on(m, mask)
        return m

    def _send(self, m: Module, entries: TableSram) -> Signal:
        """Offer the entry that was read; returns whether it goes."""
        entry = data.View(packet_layout(self._params), entries.read.data)
        own, sent = Signal(name="is_own"), Signal(name="sent")
        m.d.comb += own.eq((entry.dx[0] == 0) & (entry.dy[0] == 0))
        if self._params.registered:
            m.d.comb += sent.eq(~self._holding | self._leaves)
            with m.If(sent):
                m.d.sync += [self._held.eq(entry), self._held_own.eq(own), self._holding.eq(1)]
            return sent
        m.d.comb += [
            *self._offer(entry, own, ~own),
            sent.eq((self.own.valid & self.own.ready) | (self.o.valid & self.o.ready)),
        ]
        return sent

    def _offer(self, entry: data.View, own: Value, other: Value) -> list[Any]:
        """Both streams show an entry; one of them is valid, or none."""
        return [
            self.own.valid.eq(own),
            self.own.payload.axon.eq(entry.axon[0]),
            self.own.payload.delay.eq(entry.delay[0]),
            self.o.valid.eq(other),
            self.o.payload.eq(entry),
        ]

    def _hold(self, m: Module) -> None:
        """Keep an entry in registers until it is taken: block RAM answers late."""
        self._held = held = Signal(packet_layout(self._params), name="held")
        self._held_own = own = Signal(name="held_own")
        self._holding = holding = Signal(name="holding")
        self._leaves = leaves = Signal(name="leaves")
        m.d.comb += [
            *self._offer(held, holding & own, holding & ~own),
            leaves.eq((own & self.own.ready) | (~own & self.o.ready)),
        ]
        with m.If(leaves):
            m.d.sync += holding.eq(0)

    def _go_on(self, m: Module, mask: Signal) -> None:
        """Next neuron of the group, or rest."""
        with m.If(mask != 0):
            m.next = "LIST"
        with m.Else():
            m.next = "REST"
