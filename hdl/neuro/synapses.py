"""Synapse SRAM and the lanes that add it up."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.neuro.signatures import SumsPort, WindowPort, entry_layout, step_layout
from spikewatt.hdl.sram import ReadPort, TablePort, TableSram, row_layout
from spikewatt.model.params import CoreParams, TableId

__all__ = ["SynapseLanes"]


class SynapseLanes(wiring.Component):
    """Adds the weight words of a group's list entries into one exact accumulator a lane.

    Two pipeline stages behind the walker. *Entry*: the list entry has come; if it reaches the
    step's group, its synapse word is read, and the walker learns what the entry says of the window.
    *Add*: the word has come and is added. Throughput: one synapse word, ``lanes`` synaptic
    operations, a cycle. Sums cannot overflow, so order does not matter.

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
        m.submodules.sram = sram = TableSram(
            self._params.tables[TableId.SYNAPSES], direct=self._params.registered
        )
        wiring.connect(m, wiring.flipped(self.table), sram.table)
        ended, hit = self._entry_stage(m, sram)
        self._add_stage(m, sram, ended, hit)
        return m

    def _entry_stage(self, m: Module, sram: TableSram) -> tuple[Signal, Signal]:
        """Hold the entry against its group; read the synapse word if it is reached."""
        self._valid = valid = Signal(name="entry_valid")
        self._step = step = Signal(step_layout(self._params), name="entry_step")
        move = self.step.ready
        m.d.comb += [
            move.eq(self.group.advance & ~(self.group.finish & ~self.group.finish_ready)),
            self.entries.enable.eq(self.step.valid & self.step.payload.read & move),
            self.entries.row.eq(self.step.payload.index),
        ]
        with m.If(move):
            m.d.sync += valid.eq(self.step.valid)
            with m.If(self.step.valid):
                m.d.sync += step.eq(self.step.payload)

        entry = data.View(entry_layout(self._params), self.entries.data)
        behind, hit, ended = Signal(), Signal(), Signal()
        m.d.comb += [
            behind.eq(~step.read | (entry.first > step.group)),
            ended.eq(valid & step.probe & behind),
            hit.eq(valid & ~behind & (entry.last >= step.group)),
            self.window.ended.eq(ended),
            self.window.entered.eq(valid & step.probe & ~behind),
            self.window.spent.eq(valid & ~behind & (entry.last <= step.group)),
            self.window.index.eq(step.index),
            self.window.entry.eq(entry),
            self.group.finish.eq(valid & (step.end | ended)),
            self.group.finish_group.eq(step.group),
            self.read.eq(hit & move),
            sram.read.enable.eq(self.read),
            sram.read.row.eq((entry.offset + step.group)[: len(sram.read.row)]),
        ]
        return self.group.finish, hit

    def _add_stage(self, m: Module, sram: TableSram, finish: Signal, hit: Signal) -> None:
        """Start or continue the sums."""
        params = self._params
        valid, start, added = Signal(name="add_valid"), Signal(name="start"), Signal(name="added")
        seen = Signal(name="seen")  # a word was added to this group before
        with m.If(self.group.advance):
            m.d.sync += valid.eq(self._valid & self.step.ready)
            with m.If(self._valid & self.step.ready):
                m.d.sync += [
                    start.eq(self._step.start),
                    added.eq(hit),
                    self.group.adding_end.eq(finish),
                    self.group.add_group.eq(self._step.group),
                ]
            with m.Else():
                m.d.sync += self.group.adding_end.eq(0)

        m.d.comb += [
            self.group.touched.eq(added | (seen & ~start)),
            self.busy.eq(self._valid | valid),
        ]
        word = data.View(row_layout(params.tables[TableId.SYNAPSES]), sram.read.data)
        with m.If(self.group.advance & valid):
            m.d.sync += seen.eq(self.group.touched)
            with m.If(start | added):
                for lane in range(params.lanes):
                    before = Mux(start, 0, self.group.sums[lane])
                    weight = Mux(added, word.weight[lane], 0)
                    m.d.sync += self.group.sums[lane].eq(before + weight)
