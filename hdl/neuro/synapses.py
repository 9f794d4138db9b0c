"""Synapse SRAM and the lanes that add it up."""

from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.neuro.signatures import EntryPort, SumsPort, entry_layout, step_layout
from spikewatt.hdl.spram import Spram
from spikewatt.hdl.sram import ReadPort, TablePort, TableSram, row_layout
from spikewatt.model.params import CoreParams, Fabric, TableId

__all__ = ["SynapseLanes"]


class _Reading(NamedTuple):
    """A step whose synapse word is being read: it starts a group, hits it, ends it."""

    valid: Value
    start: Value
    hit: Value
    finish: Value
    group: Value


class _Asked(NamedTuple):
    """A step and the list entry that it asked for.

    ``pending``: flip-flops, a step waits in front of this one; none where there is no register.
    """

    valid: Value
    step: Any
    entry: data.View
    pending: tuple[Signal, ...] = ()


class _Entered(NamedTuple):
    """What the entry stage leaves: the step that reads, and which registers hold one before it."""

    reading: _Reading
    holds: Signal
    pending: tuple[Signal, ...]


class SynapseLanes(wiring.Component):
    """Adds the weight words of a group's list entries into one exact accumulator a lane.

    Two pipeline stages behind the walker. *Entry*: the list entry has come; if it reaches the
    step's group, its synapse word is read, and the walker learns what the entry says of the range.
    *Add*: the word has come and is added. Throughput: one synapse word, ``lanes`` synaptic
    operations, a cycle. Sums cannot overflow, so order does not matter. With
    ``params.registered``, a register behind each of the two memories makes four stages of them.

    Parameters
    ----------
    params : CoreParams

    Members
    -------
    step : In(stream of step)
        ``ready`` is low while the neurons cannot take the end of a group.
    entries : Out(ReadPort)
        Into the work list.
    entry : Out(EntryPort)
        To the walker.
    group : Out(SumsPort)
        Sums of one group after another.
    read : Out(1)
        A synapse word is read.
    busy : Out(1)
    table : In(TablePort)
    """

    step: Any
    entries: Any
    entry: Any
    group: Any
    read: Signal
    busy: Signal
    table: Any

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        layout = entry_layout(params)
        super().__init__(
            {
                "step": In(stream.Signature(step_layout(params))),
                "entries": Out(ReadPort(rows=params.axons, bits=layout.size)),
                "entry": Out(EntryPort(params)),
                "group": Out(SumsPort(params)),
                "read": Out(1),
                "busy": Out(1),
                "table": In(TablePort(params.tables[TableId.SYNAPSES])),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Entry stage, then add stage."""
        m = Module()
        m.submodules.sram = sram = self._memory()
        wiring.connect(m, wiring.flipped(self.table), sram.table)
        entered = self._entry_stage(m, sram)
        self._add_stage(m, sram, entered)
        return m

    def _memory(self) -> TableSram:
        """The synapse memory, the largest of the core."""
        table, direct = self._params.tables[TableId.SYNAPSES], self._params.registered
        # Only the host writes synapses, and at rest, so that one port does.
        single = self._params.fabric is Fabric.UP5K
        sram = Spram(rows=table.rows, bits=table.bits) if single else None
        return TableSram(table, direct=direct, sram=sram)

    def _entry_stage(self, m: Module, sram: TableSram) -> _Entered:
        """Hold the entry against its group; read the synapse word if it is reached."""
        valid = Signal(name="entry_valid")
        step = Signal(step_layout(self._params), name="entry_step")
        # Everything in front of the sums stands still with them, or none of it does.
        move = self.step.ready
        m.d.comb += [
            move.eq(self.group.advance & ~(self.group.finish & ~self.group.finish_ready)),
            self.entries.enable.eq(self.step.valid & self.step.payload.read & move),
            self.entries.row.eq(self.step.payload.index),
        ]
        behind, hit, missed = Signal(name="behind"), Signal(name="hit"), Signal(name="missed")
        answer = data.View(entry_layout(self._params), self.entries.data)
        asked = _Asked(self.step.valid, self.step.payload, answer)
        if self._params.registered:
            asked = self._answer_stage(m, move, missed)
        entry = asked.entry
        with m.If(move):
            m.d.sync += valid.eq(asked.valid)
            with m.If(asked.valid):
                m.d.sync += step.eq(asked.step)

        m.d.comb += [
            # A step that reads nothing stands behind the list: as a probe it ends the range as an
            # entry of a later group would.
            behind.eq(~step.read | (entry.first > step.group)),
            missed.eq(valid & step.probe & behind),
            # Entries of the range are sorted by their first group, not by their last: one in the
            # middle may already be over, and is passed in a cycle without a word.
            hit.eq(valid & ~behind & (entry.last >= step.group)),
            self.entry.probe_missed.eq(missed),
            self.entry.probe_hit.eq(valid & step.probe & ~behind),
            self.entry.last_use.eq(valid & ~behind & (entry.last <= step.group)),
            self.entry.index.eq(step.index),
            self.entry.entry.eq(entry),
            self.read.eq(hit & move),
            # A word read in vain costs energy, but the entry would enable the memory late.
            sram.read.enable.eq(valid & move if self._params.registered else self.read),
            # The table holds the row's base less its first group, modulo the memory, so that an
            # address is one addition; what wraps is cut off.
            sram.read.row.eq((entry.offset + step.group)[: len(sram.read.row)]),
        ]
        # A probe's group ends at the step that missed: nobody knew before that it was the last.
        reading = _Reading(valid, step.start, hit, valid & (step.end | missed), step.group)
        if self._params.registered:
            reading = self._word_stage(m, reading)
        m.d.comb += [
            self.group.finish.eq(reading.finish),
            self.group.finish_group.eq(reading.group),
        ]
        return _Entered(reading, valid, asked.pending)

    def _answer_stage(self, m: Module, move: Signal, missed: Signal) -> _Asked:
        """Block RAM answers late: a register behind the list, so that a step takes a cycle more.

        The walker has then asked for an entry more when a probe ends; that step is dropped.
        """
        layout = entry_layout(self._params)
        asked = Signal(name="asked")
        step = Signal(step_layout(self._params), name="asked_step")
        entry = Signal(layout, name="entry")
        with m.If(move):
            m.d.sync += [asked.eq(self.step.valid), entry.eq(self.entries.data)]
            with m.If(self.step.valid):
                m.d.sync += step.eq(self.step.payload)
        return _Asked(asked & ~missed, step, entry, (asked,))

    def _word_stage(self, m: Module, reading: _Reading) -> _Reading:
        """A register behind the synapse memory too."""
        names = ("word_valid", "word_start", "word_hit", "word_finish", "word_group")
        kept = _Reading(*(Signal.like(v, name=n) for v, n in zip(reading, names, strict=True)))
        with m.If(self.group.advance):
            m.d.sync += [register.eq(value) for register, value in zip(kept, reading, strict=True)]
        return kept

    def _add_stage(self, m: Module, sram: TableSram, entered: _Entered) -> None:
        """Start or continue the sums."""
        params, reading = self._params, entered.reading
        valid, start, added = Signal(name="add_valid"), Signal(name="start"), Signal(name="added")
        seen = Signal(name="seen")  # a word was added to this group before
        # What stands still in front of the sums must not be added twice.
        came = reading.valid & self.step.ready
        with m.If(self.group.advance):
            m.d.sync += valid.eq(came)
            with m.If(came):
                m.d.sync += [
                    start.eq(reading.start),
                    added.eq(reading.hit),
                    self.group.add_last.eq(self.group.finish),
                    self.group.add_group.eq(reading.group),
                ]
            with m.Else():
                # `add_last` says that a group ends in this very cycle; a bubble ends none.
                m.d.sync += self.group.add_last.eq(0)

        stored = sram.read.data
        m.d.comb += [
            # Words count, not values: whether a sum is 0 would take a comparator in every lane.
            self.group.has_input.eq(added | (seen & ~start)),
            self.busy.eq(entered.holds | valid),
        ]
        if params.registered:
            waiting = (*entered.pending, reading.valid)
            m.d.comb += self.busy.eq(reduce(or_, waiting, entered.holds | valid))
            stored = Signal.like(sram.read.data, name="word")
            with m.If(self.group.advance):
                m.d.sync += stored.eq(sram.read.data)
        word = data.View(row_layout(params.tables[TableId.SYNAPSES]), stored)
        with m.If(self.group.advance & valid):
            m.d.sync += seen.eq(self.group.has_input)
            # Neither: the sums stand, and the lanes do not toggle.
            with m.If(start | added):
                for lane in range(params.lanes):
                    # A group starts its sums afresh: clearing them would take a cycle of its own.
                    before = Mux(start, 0, self.group.sums[lane])
                    weight = Mux(added, word.weight[lane], 0)
                    m.d.sync += self.group.sums[lane].eq(before + weight)
