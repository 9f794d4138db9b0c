"""Synapse SRAM and the lanes that add it up."""

from typing import Any, NamedTuple

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.neuro.signatures import SumsPort, WindowPort, entry_layout, step_layout
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


class SynapseLanes(wiring.Component):
    """Adds the weight words of a group's list entries into one exact accumulator a lane.

    Two pipeline stages behind the walker. *Entry*: the list entry has come; if it reaches the
    step's group, its synapse word is read, and the walker learns what the entry says of the window.
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
    window : Out(WindowPort)
    group : Out(SumsPort)
        Sums of one group after another.
    read : Out(1)
        A synapse word is read.
    busy : Out(1)
    table : In(TablePort)
    """

    step: Any
    entries: Any
    window: Any
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
                "window": Out(WindowPort(params)),
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
        self._add_stage(m, sram, self._entry_stage(m, sram))
        return m

    def _memory(self) -> TableSram:
        """The synapse memory, the largest of the core."""
        table, direct = self._params.tables[TableId.SYNAPSES], self._params.registered
        single = self._params.fabric is Fabric.UP5K
        sram = Spram(rows=table.rows, bits=table.bits) if single else None
        return TableSram(table, direct=direct, sram=sram)

    def _entry_stage(self, m: Module, sram: TableSram) -> "_Reading":
        """Hold the entry against its group; read the synapse word if it is reached."""
        self._valid = valid = Signal(name="entry_valid")
        self._step = step = Signal(step_layout(self._params), name="entry_step")
        move = self.step.ready
        m.d.comb += [
            move.eq(self.group.advance & ~(self.group.finish & ~self.group.finish_ready)),
            self.entries.enable.eq(self.step.valid & self.step.payload.read & move),
            self.entries.row.eq(self.step.payload.index),
        ]
        entry = data.View(entry_layout(self._params), self.entries.data)
        behind, hit, ended = Signal(), Signal(), Signal()
        came, asked = self.step.valid, self.step.payload
        if self._params.registered:
            came, asked, entry = self._answer_stage(m, move, ended)
        with m.If(move):
            m.d.sync += valid.eq(came)
            with m.If(came):
                m.d.sync += step.eq(asked)

        m.d.comb += [
            behind.eq(~step.read | (entry.first > step.group)),
            ended.eq(valid & step.probe & behind),
            hit.eq(valid & ~behind & (entry.last >= step.group)),
            self.window.ended.eq(ended),
            self.window.entered.eq(valid & step.probe & ~behind),
            self.window.spent.eq(valid & ~behind & (entry.last <= step.group)),
            self.window.index.eq(step.index),
            self.window.entry.eq(entry),
            self.read.eq(hit & move),
            # A word read in vain costs energy, but the entry would enable the memory late.
            sram.read.enable.eq(valid & move if self._params.registered else self.read),
            sram.read.row.eq((entry.offset + step.group)[: len(sram.read.row)]),
        ]
        reading = _Reading(valid, step.start, hit, valid & (step.end | ended), step.group)
        if self._params.registered:
            reading = self._word_stage(m, reading)
        m.d.comb += [
            self.group.finish.eq(reading.finish),
            self.group.finish_group.eq(reading.group),
        ]
        return reading

    def _answer_stage(
        self, m: Module, move: Signal, ended: Signal
    ) -> tuple[Value, data.View, data.View]:
        """Block RAM answers late: a register behind the list, so that a step takes a cycle more.

        The walker has then asked for an entry more when a probe ends; that step is dropped.
        """
        layout = entry_layout(self._params)
        self._asked = asked = Signal(name="asked")
        step = Signal(step_layout(self._params), name="asked_step")
        entry = Signal(layout, name="entry")
        with m.If(move):
            m.d.sync += [asked.eq(self.step.valid), entry.eq(self.entries.data)]
            with m.If(self.step.valid):
                m.d.sync += step.eq(self.step.payload)
        return asked & ~ended, step, entry

    def _word_stage(self, m: Module, reading: "_Reading") -> "_Reading":
        """A register behind the synapse memory too."""
        names = ("word_valid", "word_start", "word_hit", "word_finish", "word_group")
        kept = _Reading(*(Signal.like(v, name=n) for v, n in zip(reading, names, strict=True)))
        with m.If(self.group.advance):
            m.d.sync += [register.eq(value) for register, value in zip(kept, reading, strict=True)]
        return kept

    def _add_stage(self, m: Module, sram: TableSram, reading: "_Reading") -> None:
        """Start or continue the sums."""
        params = self._params
        valid, start, added = Signal(name="add_valid"), Signal(name="start"), Signal(name="added")
        seen = Signal(name="seen")  # a word was added to this group before
        came = reading.valid & self.step.ready
        with m.If(self.group.advance):
            m.d.sync += valid.eq(came)
            with m.If(came):
                m.d.sync += [
                    start.eq(reading.start),
                    added.eq(reading.hit),
                    self.group.adding_end.eq(self.group.finish),
                    self.group.add_group.eq(reading.group),
                ]
            with m.Else():
                m.d.sync += self.group.adding_end.eq(0)

        stored = sram.read.data
        m.d.comb += [
            self.group.touched.eq(added | (seen & ~start)),
            self.busy.eq(self._valid | valid),
        ]
        if params.registered:
            m.d.comb += self.busy.eq(self._valid | valid | self._asked | reading.valid)
            stored = Signal.like(sram.read.data, name="word")
            with m.If(self.group.advance):
                m.d.sync += stored.eq(sram.read.data)
        word = data.View(row_layout(params.tables[TableId.SYNAPSES]), stored)
        with m.If(self.group.advance & valid):
            m.d.sync += seen.eq(self.group.touched)
            with m.If(start | added):
                for lane in range(params.lanes):
                    before = Mux(start, 0, self.group.sums[lane])
                    weight = Mux(added, word.weight[lane], 0)
                    m.d.sync += self.group.sums[lane].eq(before + weight)
