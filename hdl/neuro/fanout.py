"""Spikes on their way: destination lists."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.bits import clear_lowest, lowest_set
from spikewatt.hdl.neuro.signatures import event_layout, fired_layout, packet_layout
from spikewatt.hdl.sram import TablePort, TableSram, row_layout
from spikewatt.model.params import CoreParams, TableId

__all__ = ["FanOut"]


@dataclass(frozen=True)
class _Held:
    """An entry in registers until it is taken: block RAM answers late.

    ``local``: it is for the core itself. ``valid``: there is one; ``leaves``: it is taken.
    """

    entry: Any
    local: Signal
    valid: Signal
    leaves: Signal


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
    local : Out(stream of event)
        For the core itself.
    o : Out(stream of packet)
        For other cores.
    busy : Out(1)
    lists, entries : In(TablePort)
    """

    i: Any
    local: Any
    o: Any
    busy: Signal
    lists: Any
    entries: Any

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        super().__init__(
            {
                "i": In(stream.Signature(fired_layout(params))),
                "local": Out(stream.Signature(event_layout(params))),
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
        # Of the group that waits: its neurons that still have to send, this one included.
        m.d.comb += mask.eq(pending.mask)
        rest = clear_lowest(mask)
        run = data.View(row_layout(tables[TableId.FANOUT]), lists.read.data)
        remaining = Signal(run.count[0].shape())
        entry = Signal.like(entries.read.row)
        # The table has a row for every lane up to a power of two, so that a neuron's row needs no
        # multiplier; rows of lanes that there are not stay unused.
        m.d.comb += lists.read.row.eq(Cat(lowest_set(m, mask, name="lane"), pending.group))

        held = self._hold(m) if self._params.registered else None
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            if held is not None:
                m.d.comb += self.busy.eq(~fsm.ongoing("IDLE") | held.valid)
            with m.State("IDLE"):
                # One group at a time: the next one waits in the neurons' own register, and a third
                # holds the walk.
                m.d.comb += self.i.ready.eq(1)
                # Taken whether valid or not: what is not valid is overwritten before anybody looks.
                m.d.sync += pending.eq(self.i.payload)
                with m.If(self.i.valid):
                    m.next = "LIST"
            with m.State("LIST"):
                m.d.comb += lists.read.enable.eq(1)
                # This neuron's bit goes as soon as its list is asked for.
                m.d.sync += pending.mask.eq(rest)
                m.next = "ENTRY"
            with m.State("ENTRY"):
                # The first entry is read in this cycle, the second one while the first goes.
                m.d.sync += [remaining.eq(run.count[0]), entry.eq(run.start[0] + 1)]
                m.d.comb += [
                    # Without a list nothing need be read; on an FPGA the count comes too late to
                    # enable block RAM.
                    entries.read.enable.eq(1 if self._params.registered else run.count[0] != 0),
                    entries.read.row.eq(run.start[0]),
                ]
                with m.If(run.count[0] != 0):
                    m.next = "SEND"
                with m.Else():
                    self._go_on(m, mask)
            with m.State("SEND"), m.If(self._send(m, entries, held)):
                m.d.sync += [remaining.eq(remaining - 1), entry.eq(entry + 1)]
                # Reading ahead keeps one entry a cycle going; behind the last one there is nothing
                # to read.
                m.d.comb += [entries.read.enable.eq(remaining != 1), entries.read.row.eq(entry)]
                with m.If(remaining == 1):
                    self._go_on(m, mask)
        return m

    def _send(self, m: Module, entries: TableSram, held: _Held | None) -> Signal:
        """Offer the entry that was read, or hold it; returns whether it goes."""
        entry = data.View(packet_layout(self._params), entries.read.data)
        local, sent = Signal(name="is_local"), Signal(name="sent")
        # Spikes for the core itself never enter the network.
        m.d.comb += local.eq((entry.dx[0] == 0) & (entry.dy[0] == 0))
        if held is not None:
            # A register that is emptied in this cycle can be filled in it, so that the rate stays
            # at one.
            m.d.comb += sent.eq(~held.valid | held.leaves)
            with m.If(sent):
                m.d.sync += [held.entry.eq(entry), held.local.eq(local), held.valid.eq(1)]
            return sent
        m.d.comb += [
            *self._offer(entry, local, ~local),
            sent.eq((self.local.valid & self.local.ready) | (self.o.valid & self.o.ready)),
        ]
        return sent

    def _offer(self, entry: data.View, local: Value, other: Value) -> list[Any]:
        """Both streams show an entry; one of them is valid, or none."""
        return [
            self.local.valid.eq(local),
            self.local.payload.axon.eq(entry.axon[0]),
            self.local.payload.delay.eq(entry.delay[0]),
            self.o.valid.eq(other),
            self.o.payload.eq(entry),
        ]

    def _hold(self, m: Module) -> _Held:
        held = _Held(
            entry=Signal(packet_layout(self._params), name="held"),
            local=Signal(name="held_local"),
            valid=Signal(name="held_valid"),
            leaves=Signal(name="held_leaves"),
        )
        local = held.local
        m.d.comb += [
            *self._offer(held.entry, held.valid & local, held.valid & ~local),
            held.leaves.eq((local & self.local.ready) | (~local & self.o.ready)),
        ]
        with m.If(held.leaves):
            m.d.sync += held.valid.eq(0)
        return held

    def _go_on(self, m: Module, mask: Signal) -> None:
        """Next neuron of the group, or rest."""
        with m.If(mask != 0):
            m.next = "LIST"
        with m.Else():
            m.next = "IDLE"
