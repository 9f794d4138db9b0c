"""Which axons spike in which tick."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.bits import clear_lowest, lowest_set
from spikewatt.hdl.neuro.signatures import event_layout
from spikewatt.hdl.sram import TablePort, TableSram
from spikewatt.model.params import CoreParams, TableId, bits_for

__all__ = ["AxonScheduler"]


@dataclass(frozen=True)
class _Event:
    """An event whose word is being read: the row, and its bit."""

    row: Signal
    bit: Signal


@dataclass(frozen=True)
class _Scan:
    """Where a scan is.

    ``bits``: what is left of a word, emptied lowest first onto ``active``; ``rest``: the same
    without its lowest bit. ``base``: the number of that word. ``word``: the one that is fetched.
    """

    bits: Signal
    rest: Signal
    base: Signal
    word: Signal


class AxonScheduler(wiring.Component):
    """One bit for every axon and delay slot; a tick turns its slot into a list of axons.

    An event sets the bit of its axon in slot ``(t + delay) mod D`` (a read, then a write: two
    cycles an event). ``scan`` begins tick ``t + 1``: its slot is read word by word, each set bit
    leaves on ``active``, and the slot is cleared: ``2 + sum(max(1, set bits))`` cycles over the
    words of the slot. Arrivals wait meanwhile, and during a clear. ``clear`` empties all slots
    and puts ``t`` back to -1: one cycle a row. So does reset.

    Parameters
    ----------
    params : CoreParams

    Members
    -------
    i : In(stream of event)
        Events from outside; they go first.
    local : In(stream of event)
        Events the core sends to itself.
    scan, clear : In(1)
        Begin; only while ``busy`` is low.
    active : Out(stream of axon), always ready
    busy : Out(1)
        An event, a scan or a clear is in progress.
    merge : Out(1)
        An event found its bit set.
    table : In(TablePort)
    """

    i: Any
    local: Any
    scan: Signal
    clear: Signal
    active: Any
    busy: Signal
    merge: Signal
    table: Any

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        event = event_layout(params)
        super().__init__(
            {
                "i": In(stream.Signature(event)),
                "local": In(stream.Signature(event)),
                "scan": In(1),
                "clear": In(1),
                "active": Out(stream.Signature(params.axon_bits, always_ready=True)),
                "busy": Out(1),
                "merge": Out(1),
                "table": In(TablePort(params.tables[TableId.SCHEDULER])),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Share one memory between arrivals, the scan and the clear."""
        params = self._params
        m = Module()
        m.submodules.slots = slots = TableSram(params.tables[TableId.SCHEDULER])
        wiring.connect(m, wiring.flipped(self.table), slots.table)

        # t = -1 after reset: the first tick scans slot 0.
        # Slots are rows' lowest bits: D is a power of two, so that t mod D is a counter that wraps.
        slot = Signal(params.slot_bits, init=params.delay_slots - 1)
        row = Signal.like(slots.write.row)
        event, scan = self._event(), self._scan_registers(m)
        with m.FSM(init="CLEAR") as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("CLEAR"):
                # All slots, not only those that hold spikes: which do is not known.
                m.d.comb += [slots.write.enable.eq(1), slots.write.row.eq(row)]
                m.d.sync += [row.eq(row + 1), slot.eq(params.delay_slots - 1)]
                with m.If(row == params.tables[TableId.SCHEDULER].rows - 1):
                    m.d.sync += row.eq(0)
                    m.next = "IDLE"
            with m.State("IDLE"):
                with m.If(self.clear):
                    m.next = "CLEAR"
                # Scan before events: a command is only given while none is offered, so nobody
                # starves.
                with m.Elif(self.scan):
                    # The tick begins here: an event that comes later is counted from this slot on.
                    m.d.sync += slot.eq(slot + 1)
                    m.next = "FETCH"
                with m.Elif(self.i.valid | self.local.valid):
                    self._take(m, slots, slot, event)
                    m.next = "SET"
            with m.State("SET"):
                self._set(m, slots, event)
                m.next = "IDLE"
            self._scan(m, slots, slot, scan)
        return m

    def _event(self) -> _Event:
        params = self._params
        return _Event(
            row=Signal(params.slot_bits + bits_for(params.scheduler_words), name="event_row"),
            bit=Signal(bits_for(params.scheduler_bits), name="event_bit"),
        )

    def _take(self, m: Module, slots: TableSram, slot: Signal, taken: _Event) -> None:
        """Accept an event, from outside first, and read its word."""
        params = self._params
        index_bits = bits_for(params.scheduler_bits)
        layout = event_layout(params)
        event = data.View(layout, Signal(layout.size, name="event"))
        m.d.comb += [
            event.eq(Mux(self.i.valid, self.i.payload.as_value(), self.local.payload.as_value())),
            # From outside first, whatever the core itself sends: no mesh can lock up over it.
            self.i.ready.eq(1),
            self.local.ready.eq(~self.i.valid),
            slots.read.enable.eq(1),
            slots.read.row.eq(
                Cat((slot + event.delay)[: params.slot_bits], event.axon[index_bits:])
            ),
        ]
        # The word is on the memory's output in the next cycle only, and the event has left the
        # stream.
        m.d.sync += [taken.row.eq(slots.read.row), taken.bit.eq(event.axon[:index_bits])]

    def _set(self, m: Module, slots: TableSram, taken: _Event) -> None:
        """Write the word of the event back with its bit set."""
        word = slots.read.data
        m.d.comb += [
            # A second spike to one axon and tick is the same spike: bits are set, not counted.
            self.merge.eq(word.bit_select(taken.bit, 1)),
            slots.write.enable.eq(1),
            slots.write.row.eq(taken.row),
            slots.write.data.eq(word | (1 << taken.bit)),
        ]

    def _scan_registers(self, m: Module) -> _Scan:
        """The axon on ``active`` is the lowest bit that is left."""
        words = self._params.scheduler_words
        bits = Signal(self._params.scheduler_bits, name="scan_bits")
        scan = _Scan(
            bits=bits,
            rest=Signal.like(bits, name="scan_rest"),
            base=Signal(bits_for(words), name="scan_base"),
            word=Signal(range(words + 1), name="scan_word"),
        )
        index = lowest_set(m, bits, name="scan_index")
        m.d.comb += [
            scan.rest.eq(clear_lowest(bits)),
            self.active.payload.eq(Cat(index, scan.base)),
        ]
        return scan

    def _scan(self, m: Module, slots: TableSram, slot: Signal, scan: _Scan) -> None:
        """Walk the words of the slot; the next one is fetched while one is emptied."""
        words, word = self._params.scheduler_words, scan.word
        with m.State("FETCH"):
            # Word 0 of the slot: the words of a slot lie D rows apart.
            m.d.comb += [slots.read.enable.eq(1), slots.read.row.eq(slot)]
            m.d.sync += word.eq(0)
            m.next = "SCAN"
        with m.State("SCAN"):
            m.d.comb += self.active.valid.eq(scan.bits != 0)
            # In the first cycle none is left, and what FETCH has read becomes word 0.
            m.d.sync += scan.bits.eq(scan.rest)
            # The next word is on the memory's output when the last bit of this one leaves, so that
            # a word costs a cycle for each bit, and one if it is empty.
            with m.If((scan.rest == 0) & (word == words)):
                m.next = "IDLE"
            with m.Elif(scan.rest == 0):
                m.d.sync += [
                    scan.bits.eq(slots.read.data),
                    scan.base.eq(word),
                    word.eq(word + 1),
                ]
                m.d.comb += [
                    slots.read.enable.eq(word != words - 1),
                    slots.read.row.eq(Cat(slot, (word + 1)[: bits_for(words)])),
                    # An empty word is cleared in vain where its enable would come late.
                    slots.write.enable.eq(self._params.registered | (slots.read.data != 0)),
                    # The word that was just read is cleared while the next is being read: two rows,
                    # one port each.
                    slots.write.row.eq(Cat(slot, word[: bits_for(words)])),
                ]
