"""Neuron state and the pipeline that updates it, a group at a time."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.neuro.lif import FireUnit, LeakUnit
from spikewatt.hdl.neuro.pipeline import Stage
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
    written back if it changed. So a group can follow three cycles after another. For an FPGA, whose
    block RAM answers late, registers follow the memories, the comparison is a stage of its own in
    front of reset and write, and every stage has copies of what it needs: a group can follow one
    cycle after another, and leaves two cycles later. A group that fired waits in ``fired`` until it
    is taken; a second one that fires holds everything up.

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
        tables, group = self._params.tables, self.group
        m = Module()
        copied = self._params.registered
        # With copies behind the memories, a group that is read in vain does no harm.
        asked = Const(1) if copied else group.finish & group.finish_ready
        m.submodules.params = params = TableSram(tables[TableId.NEURONS], direct=copied)
        m.submodules.state = state = TableSram(tables[TableId.STATE])
        wiring.connect(m, wiring.flipped(self.neurons), params.table)
        wiring.connect(m, wiring.flipped(self.state), state.table)
        m.d.comb += [
            group.advance.eq(~(self.fired.valid & ~self.fired.ready)),
            *(
                signal.eq(value)
                for sram in (params, state)
                for signal, value in (
                    (sram.read.enable, asked & group.advance),
                    (sram.read.row, group.finish_group),
                )
            ),
        ]
        neuron = data.View(row_layout(tables[TableId.NEURONS]), params.read.data)
        kind = self._types(m, neuron)
        stage = Stage(
            valid=group.adding_end,
            number=group.add_group,
            touched=group.touched,
            neuron=neuron,
            before=data.View(row_layout(tables[TableId.STATE]), state.read.data),
            kind=kind,
            window=self._windows(m, kind),
        )
        self._pipeline(m, stage, state)
        return m

    def _pipeline(self, m: Module, stage: Stage, state: TableSram) -> None:
        """From what the memories say of a group to its new state."""
        params, advance = self._params, self.group.advance
        stages = []

        def follow(name: str, prefix: str = "") -> Stage:
            after = stage.follow(m, name, prefix, when=advance, copied=params.registered)
            stages.append(after)
            return after

        if params.registered:  # block RAM takes half of a cycle: no logic behind it
            stage = follow("leaking", "leak_")
        decayed, inputs = self._leak_stage(m, stage)
        stage = follow("summing")
        totals = self._sum_stage(m, stage, decayed, inputs)
        if not params.registered:
            m.d.comb += self.group.finish_ready.eq(~self.group.adding_end & ~stage.valid)
        stage = follow("firing", "fire_")
        units = self._fire_stage(m, stage, totals)
        if params.registered:
            m.d.comb += self.group.finish_ready.eq(1)
            stage = follow("writing", "write_")
        self._write_stage(m, stage, units, state)
        self._clear(m, state, stages)

    def _types(self, m: Module, neuron: data.View) -> data.View:
        """Table of neuron types, in registers; returns the type of the group being updated."""
        table = self._params.tables[TableId.TYPES]
        layout = row_layout(table)
        # A table like the others: reset leaves it as it is.
        self._records = records = Array(
            Signal(table.bits, name=f"type_{n}", reset_less=True) for n in range(table.rows)
        )
        with m.If(self.types.write):
            m.d.sync += records[self.types.row].eq(self.types.write_data)
        m.d.comb += self.types.read_data.eq(records[self.types.row])
        kind = Signal(layout, name="kind")
        number = neuron.type[0] if "type" in neuron.shape().members else 0
        m.d.comb += kind.eq(records[number])
        return kind

    def _windows(self, m: Module, kind: data.View) -> dict[str, Signal]:
        """What windows make of the group being updated; empty where none are built."""
        if not self._params.window_bits:
            return {}
        m.submodules.windows = windows = TickWindows(self._params)
        m.d.comb += [
            windows.clear.eq(self.clear),
            windows.advance.eq(self.tick_over),
            *(windows.types[n].eq(record) for n, record in enumerate(self._records)),
            windows.kind.eq(kind),
            self.opens.eq(windows.opens),
        ]
        return {name: getattr(windows, name) for name in ("bias", "closed", "stirs")}

    def _leak_stage(self, m: Module, stage: Stage) -> tuple[list[Signal], list[Value]]:
        """Decay the membranes; returns them, and the input of each lane to the next stage.

        That is while the last synapse word is added; with registers behind the memories it is a
        cycle later, and there is time to add the bias to the sum.
        """
        params, advance = self._params, self.group.advance
        decayed, inputs = [], []
        for lane in range(params.lanes):
            m.submodules[f"leak_{lane}"] = leak = LeakUnit(params)
            kept = Signal(signed(params.state_bits), name=f"decayed_{lane}")
            m.d.comb += [
                leak.membrane.eq(stage.before.membrane[lane]),
                leak.kind.eq(stage.kind.leak[0]),
                leak.amount.eq(stage.kind.leak_amount[0]),
            ]
            with m.If(advance & stage.valid):
                m.d.sync += kept.eq(leak.decayed)
            decayed.append(kept)
            if params.registered:
                drive = Signal(signed(self._total_bits - 1), name=f"drive_{lane}")
                with m.If(advance & stage.valid):
                    m.d.sync += drive.eq(self.group.sums[lane] + self._bias(stage, lane))
                inputs.append(drive)
        return decayed, inputs

    def _bias(self, stage: Stage, lane: int) -> Value | int:
        if not self._params.bias_bits:
            return 0
        bias = stage.neuron.bias[lane]
        return Mux(stage.window["bias"], bias, 0) if stage.window else bias

    def _sum_stage(
        self, m: Module, stage: Stage, decayed: list[Signal], inputs: list[Value]
    ) -> list[Signal]:
        """Sums are complete: add everything up."""
        totals = []
        for lane, kept in enumerate(decayed):
            bias = 0 if inputs else self._bias(stage, lane)
            total = Signal(signed(self._total_bits), name=f"total_{lane}")
            with m.If(self.group.advance & stage.valid):
                if inputs:
                    m.d.sync += total.eq(kept + inputs[lane])
                else:
                    m.d.sync += total.eq(kept + self.group.sums[lane] + bias)
            totals.append(total)
        return totals

    def _fire_stage(self, m: Module, stage: Stage, totals: list[Signal]) -> list[FireUnit]:
        """Compare and reset."""
        params, kind = self._params, stage.kind
        units = []
        for lane, total in enumerate(totals):
            m.submodules[f"fire_{lane}"] = fire = FireUnit(params, total_bits=self._total_bits)
            m.d.comb += [
                fire.total.eq(total),
                fire.membrane.eq(stage.before.membrane[lane]),
                fire.threshold.eq(stage.neuron.threshold[lane]),
                fire.reset.eq(kind.reset[0]),
                fire.compare.eq(kind.compare[0]),
                fire.silent.eq(kind.silent[0]),
            ]
            if params.registered:
                m.d.comb += fire.advance.eq(self.group.advance)
            if stage.window:
                m.d.comb += [
                    fire.windowed.eq(kind.windowed[0]),
                    fire.silent.eq(kind.silent[0] | stage.window["closed"]),
                ]
            if params.refractory_bits:
                m.d.comb += [
                    fire.refractory.eq(stage.before.refractory[lane]),
                    fire.period.eq(kind.refractory[0]),
                ]
            units.append(fire)
        return units

    def _write_stage(
        self, m: Module, stage: Stage, units: list[FireUnit], state: TableSram
    ) -> None:
        """Write back, tell who fired and whether the group can sleep."""
        params = self._params
        after = Signal(row_layout(params.tables[TableId.STATE]), name="after")
        spikes = Signal(params.lanes, name="spikes")
        for lane, fire in enumerate(units):
            m.d.comb += [after.membrane[lane].eq(fire.after), spikes[lane].eq(fire.spike)]
            if params.refractory_bits:
                m.d.comb += after.refractory[lane].eq(fire.refractory_after)
        changed, done = Signal(), Signal()
        m.d.comb += [
            done.eq(self.group.advance & stage.valid),
            changed.eq((after.as_value() != stage.before.as_value()) | (spikes != 0)),
            # An unchanged state costs energy to write, but its enable would come late.
            state.write.enable.eq(done if params.registered else done & changed),
            state.write.row.eq(stage.number),
            state.write.data.eq(after),
            self.awake.enable.eq(done),
            self.awake.group.eq(stage.number),
            self.awake.value.eq(changed | stage.touched),
            self.probe.update.eq(done),
            self.probe.group.eq(stage.number),
            self.probe.state.eq(after),
            self.probe.spikes.eq(spikes),
        ]
        if params.window_bits and params.leaks != (Leak.NONE,):
            # A bias that is taken once can hold a leak up once. Without leak nothing can move.
            stirs = stage.window["stirs"]
            m.d.comb += self.awake.value.eq(changed | stage.touched | stirs)
        with m.If(self.group.advance):
            m.d.sync += self.fired.valid.eq(stage.valid & (spikes != 0))
            with m.If(stage.valid & (spikes != 0)):
                m.d.sync += self.fired.payload.eq(Cat(stage.number, spikes))

    def _clear(self, m: Module, state: TableSram, stages: list[Stage]) -> None:
        """Write 0 to every row of the state."""
        clearing, row = Signal(init=1), Signal(self._params.group_bits)
        busy = (*(stage.valid for stage in stages), self.fired.valid)
        m.d.comb += self.busy.eq(reduce(or_, busy, clearing))
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
