"""Neuron state and the pipeline that updates it, a group at a time."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.neuro.lif import FireUnit, LeakUnit
from spikewatt.hdl.neuro.signatures import AwakePort, Probe, SumsPort, fired_layout
from spikewatt.hdl.neuro.windows import TickWindows
from spikewatt.hdl.sram import TablePort, TableSram, row_layout
from spikewatt.model.params import CoreParams, Leak, TableId

__all__ = ["NeuronGroup"]


class NeuronGroup(wiring.Component):
    """State SRAM, parameter SRAM, table of types, and ``lanes`` neurons side by side.

    A group's state and parameters are read when its last list entry has come, and stay on the
    memories' outputs through three stages. *Leak*: the membrane decays while the last synapse word
    is added. *Sum*: leaked membrane, sums and bias. *Fire*: saturate, compare, reset; the state is
    written back if it changed. So a group can follow three cycles after another. A group that fired
    waits in ``fired`` until it is taken; a second one that fires holds everything up.

    Parameters
    ----------
    params : CoreParams

    Members
    -------
    group : In(SumsPort)
        A group is taken when ``finish``, ``finish_ready`` and ``advance`` are set.
    fired : Out(stream of fired)
    clear : In(1)
        Begin to set all state to 0: one cycle a group.
    busy : Out(1)
    awake : Out(AwakePort)
    tick_over : In(1), opens : Out(1)
        A tick is over; a window begins in this one. Only with ``params.window_bits``.
    probe : Out
        ``update``, ``group``, ``state``, ``spikes`` of `Probe`.
    neurons, types, state : In(TablePort)
    """

    group: Any
    fired: Any
    clear: Signal
    busy: Signal
    awake: Any
    tick_over: Signal
    opens: Signal
    probe: Any
    neurons: Any
    types: Any
    state: Any

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        self._total_bits = 2 + max(params.state_bits, params.accumulator_bits, params.bias_bits)
        probe = Probe(params).members
        super().__init__(
            {
                "group": In(SumsPort(params)),
                "fired": Out(stream.Signature(fired_layout(params))),
                "clear": In(1),
                "busy": Out(1),
                "awake": Out(AwakePort(params)),
                **({"tick_over": In(1), "opens": Out(1)} if params.window_bits else {}),
                "probe": Out(
                    wiring.Signature(
                        {name: probe[name] for name in ("update", "group", "state", "spikes")}
                    )
                ),
                "neurons": In(TablePort(params.tables[TableId.NEURONS])),
                "types": In(TablePort(params.tables[TableId.TYPES])),
                "state": In(TablePort(params.tables[TableId.STATE])),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Read, leak, sum, fire; and the clear."""
        tables = self._params.tables
        m = Module()
        m.submodules.params = params = TableSram(tables[TableId.NEURONS])
        m.submodules.state = state = TableSram(tables[TableId.STATE])
        wiring.connect(m, wiring.flipped(self.neurons), params.table)
        wiring.connect(m, wiring.flipped(self.state), state.table)
        m.d.comb += [
            self.group.advance.eq(~(self.fired.valid & ~self.fired.ready)),
            *(
                signal.eq(value)
                for sram in (params, state)
                for signal, value in (
                    (
                        sram.read.enable,
                        self.group.finish & self.group.finish_ready & self.group.advance,
                    ),
                    (sram.read.row, self.group.finish_group),
                )
            ),
        ]
        self._neuron = data.View(row_layout(tables[TableId.NEURONS]), params.read.data)
        self._before = data.View(row_layout(tables[TableId.STATE]), state.read.data)
        self._type = self._types(m)
        decayed = self._leak_stage(m)
        totals = self._sum_stage(m, decayed)
        self._fire_stage(m, totals, state)
        self._clear(m, state)
        return m

    def _types(self, m: Module) -> data.View:
        """Table of neuron types, in registers; returns the type of the group being updated."""
        table = self._params.tables[TableId.TYPES]
        layout = row_layout(table)
        # A table like the others: reset leaves it as it is.
        records = Array(
            Signal(table.bits, name=f"type_{n}", reset_less=True) for n in range(table.rows)
        )
        with m.If(self.types.write):
            m.d.sync += records[self.types.row].eq(self.types.write_data)
        m.d.comb += self.types.read_data.eq(records[self.types.row])
        kind = Signal(layout, name="kind")
        number = self._neuron.type[0] if "type" in self._neuron.shape().members else 0
        m.d.comb += kind.eq(records[number])
        if self._params.window_bits:
            m.submodules.windows = self._windows = windows = TickWindows(self._params)
            m.d.comb += [
                windows.clear.eq(self.clear),
                windows.advance.eq(self.tick_over),
                *(windows.types[n].eq(record) for n, record in enumerate(records)),
                windows.kind.eq(kind),
                self.opens.eq(windows.opens),
            ]
        return kind

    def _leak_stage(self, m: Module) -> list[Signal]:
        """While the last synapse word is added: decay the membranes."""
        params, kind = self._params, self._type
        decayed = []
        for lane in range(params.lanes):
            m.submodules[f"leak_{lane}"] = leak = LeakUnit(params)
            kept = Signal(signed(params.state_bits), name=f"decayed_{lane}")
            m.d.comb += [
                leak.membrane.eq(self._before.membrane[lane]),
                leak.kind.eq(kind.leak[0]),
                leak.amount.eq(kind.leak_amount[0]),
            ]
            with m.If(self.group.advance & self.group.adding_end):
                m.d.sync += kept.eq(leak.decayed)
            decayed.append(kept)
        return decayed

    def _sum_stage(self, m: Module, decayed: list[Signal]) -> list[Signal]:
        """Sums are complete: add everything up."""
        self._summing = summing = Signal()
        group, touched = Signal.like(self.group.add_group), Signal()
        with m.If(self.group.advance):
            m.d.sync += summing.eq(self.group.adding_end)
            with m.If(self.group.adding_end):
                m.d.sync += [group.eq(self.group.add_group), touched.eq(self.group.touched)]
        totals = []
        for lane, kept in enumerate(decayed):
            bias = self._neuron.bias[lane] if self._params.bias_bits else 0
            if self._params.window_bits:
                bias = Mux(self._windows.bias, bias, 0)
            total = Signal(signed(self._total_bits), name=f"total_{lane}")
            with m.If(self.group.advance & summing):
                m.d.sync += total.eq(kept + self.group.sums[lane] + bias)
            totals.append(total)
        self._firing, self._group = Signal(name="firing"), Signal.like(group, name="fire_group")
        self._touched = Signal(name="fire_touched")
        with m.If(self.group.advance):
            m.d.sync += self._firing.eq(summing)
            with m.If(summing):
                m.d.sync += [self._group.eq(group), self._touched.eq(touched)]
        m.d.comb += self.group.finish_ready.eq(~self.group.adding_end & ~summing)
        return totals

    def _fire_stage(self, m: Module, totals: list[Signal], state: TableSram) -> None:
        """Compare and reset; write back, tell who fired and whether the group can sleep."""
        params, kind = self._params, self._type
        after = Signal(row_layout(params.tables[TableId.STATE]), name="after")
        spikes = Signal(params.lanes, name="spikes")
        for lane, total in enumerate(totals):
            m.submodules[f"fire_{lane}"] = fire = FireUnit(params, total_bits=self._total_bits)
            m.d.comb += [
                fire.total.eq(total),
                fire.membrane.eq(self._before.membrane[lane]),
                fire.threshold.eq(self._neuron.threshold[lane]),
                fire.reset.eq(kind.reset[0]),
                fire.compare.eq(kind.compare[0]),
                fire.silent.eq(kind.silent[0]),
                after.membrane[lane].eq(fire.after),
                spikes[lane].eq(fire.spike),
            ]
            if params.window_bits:
                m.d.comb += [
                    fire.windowed.eq(kind.windowed[0]),
                    fire.silent.eq(kind.silent[0] | self._windows.closed),
                ]
            if params.refractory_bits:
                m.d.comb += [
                    fire.refractory.eq(self._before.refractory[lane]),
                    fire.period.eq(kind.refractory[0]),
                    after.refractory[lane].eq(fire.refractory_after),
                ]
        changed, done = Signal(), Signal()
        m.d.comb += [
            done.eq(self.group.advance & self._firing),
            changed.eq((after.as_value() != self._before.as_value()) | (spikes != 0)),
            state.write.enable.eq(done & changed),
            state.write.row.eq(self._group),
            state.write.data.eq(after),
            self.awake.enable.eq(done),
            self.awake.group.eq(self._group),
            self.awake.value.eq(changed | self._touched),
            self.probe.update.eq(done),
            self.probe.group.eq(self._group),
            self.probe.state.eq(after),
            self.probe.spikes.eq(spikes),
        ]
        if params.window_bits and params.leaks != (Leak.NONE,):
            # A bias that is taken once can hold a leak up once. Without leak nothing can move.
            m.d.comb += self.awake.value.eq(changed | self._touched | self._windows.stirs)
        with m.If(self.group.advance):
            m.d.sync += self.fired.valid.eq(self._firing & (spikes != 0))
            with m.If(self._firing & (spikes != 0)):
                m.d.sync += self.fired.payload.eq(Cat(self._group, spikes))

    def _clear(self, m: Module, state: TableSram) -> None:
        """Write 0 to every row of the state."""
        clearing, row = Signal(init=1), Signal(self._params.group_bits)
        m.d.comb += self.busy.eq(clearing | self._summing | self._firing | self.fired.valid)
        with m.If(clearing):
            m.d.comb += [
                state.write.enable.eq(1),
                state.write.row.eq(row),
                state.write.data.eq(0),
            ]
            m.d.sync += row.eq(row + 1)
            with m.If(row == self._params.groups - 1):
                m.d.sync += [clearing.eq(0), row.eq(0)]
        with m.Elif(self.clear):
            m.d.sync += clearing.eq(1)
