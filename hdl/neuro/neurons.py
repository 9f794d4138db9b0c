"""Neuron state and the pipeline that updates it, a group at a time."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.neuro.lanes import add_fire_units, add_leak_units, add_sums
from spikewatt.hdl.neuro.lif import FireUnit
from spikewatt.hdl.neuro.pipeline import UpdateStage
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
        # Only the host writes parameters; the datapath writes the state.
        m.submodules.params = params = TableSram(tables[TableId.NEURONS], direct=copied)
        m.submodules.state = state = TableSram(tables[TableId.STATE])
        wiring.connect(m, wiring.flipped(self.neurons), params.table)
        wiring.connect(m, wiring.flipped(self.state), state.table)
        m.d.comb += [
            # One group of spikes may wait; a second one has no place, so nothing moves.
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
        types = self._types(m)
        kind = self._kind(m, types, neuron)
        stage = UpdateStage(
            valid=group.add_last,
            number=group.add_group,
            has_input=group.has_input,
            neuron=neuron,
            before=data.View(row_layout(tables[TableId.STATE]), state.read.data),
            kind=kind,
            window=self._windows(m, types, kind),
        )
        self._pipeline(m, stage, state)
        return m

    def _pipeline(self, m: Module, stage: UpdateStage, state: TableSram) -> None:
        """From what the memories say of a group to its new state."""
        params, group = self._params, self.group
        stages = []

        def follow(name: str, prefix: str = "") -> UpdateStage:
            after = stage.follow(m, name, prefix, when=group.advance, copied=params.registered)
            stages.append(after)
            return after

        if params.registered:  # block RAM takes half of a cycle: no logic behind it
            stage = follow("leaking", "leak_")
        decayed = add_leak_units(m, params, group, stage)
        # A group moves on with `advance`; what the memories said of it moves too only on an FPGA.
        stage = follow("summing")
        totals = add_sums(m, params, group, stage, decayed)
        if not params.registered:
            # The memories' outputs hold a group through three stages: the next one waits.
            m.d.comb += group.finish_ready.eq(~group.add_last & ~stage.valid)
        stage = follow("firing", "fire_")
        units = add_fire_units(m, params, group, stage, totals)
        if params.registered:
            m.d.comb += group.finish_ready.eq(1)
            stage = follow("writing", "write_")
        self._write_stage(m, stage, units, state)
        self._clear(m, state, stages)

    def _types(self, m: Module) -> Array[Signal]:
        """Table of neuron types, in registers; returns its rows."""
        table = self._params.tables[TableId.TYPES]
        # A table like the others: reset leaves it as it is.
        # In flip-flops: every row is compared with the tick at once where windows are built, and
        # the type of a group is needed in the cycle in which its number comes out of the memory.
        rows = Array(
            Signal(table.bits, name=f"type_{n}", reset_less=True) for n in range(table.rows)
        )
        with m.If(self.types.write):
            m.d.sync += rows[self.types.row].eq(self.types.write_data)
        m.d.comb += self.types.read_data.eq(rows[self.types.row])
        return rows

    def _kind(self, m: Module, types: Array[Signal], neuron: data.View) -> data.View:
        """Type of the group being updated."""
        kind = Signal(row_layout(self._params.tables[TableId.TYPES]), name="kind")
        # A core with one type stores no number.
        number = neuron.type[0] if "type" in neuron.shape().members else 0
        m.d.comb += kind.eq(types[number])
        return kind

    def _windows(self, m: Module, types: Array[Signal], kind: data.View) -> dict[str, Signal]:
        """What windows make of the group being updated; empty where none are built."""
        if not self._params.window_bits:
            return {}
        m.submodules.windows = windows = TickWindows(self._params)
        m.d.comb += [
            windows.clear.eq(self.clear),
            windows.advance.eq(self.tick_over),
            *(windows.types[n].eq(record) for n, record in enumerate(types)),
            windows.kind.eq(kind),
            self.opens.eq(windows.opens),
        ]
        return {name: getattr(windows, name) for name in ("takes_bias", "closed", "keeps_awake")}

    def _write_stage(
        self, m: Module, stage: UpdateStage, units: list[FireUnit], state: TableSram
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
            # A spike counts, though it may leave the state as it was: the next tick has one too.
            changed.eq((after.as_value() != stage.before.as_value()) | (spikes != 0)),
            # An unchanged state costs energy to write, but its enable would come late.
            state.write.enable.eq(done if params.registered else done & changed),
            state.write.row.eq(stage.number),
            state.write.data.eq(after),
            self.awake.enable.eq(done),
            self.awake.group.eq(stage.number),
            self.awake.value.eq(changed | stage.has_input),
            self.probe.update.eq(done),
            self.probe.group.eq(stage.number),
            self.probe.state.eq(after),
            self.probe.spikes.eq(spikes),
        ]
        if params.window_bits and params.leaks != (Leak.NONE,):
            # A bias that is taken once can hold a leak up once. Without leak nothing can move.
            keeps_awake = stage.window["keeps_awake"]
            m.d.comb += self.awake.value.eq(changed | stage.has_input | keeps_awake)
        # `advance` says that the group before has gone, so that the register is free.
        with m.If(self.group.advance):
            m.d.sync += self.fired.valid.eq(stage.valid & (spikes != 0))
            with m.If(stage.valid & (spikes != 0)):
                m.d.sync += self.fired.payload.eq(Cat(stage.number, spikes))

    def _clear(self, m: Module, state: TableSram, stages: list[UpdateStage]) -> None:
        """Write 0 to every row of the state."""
        # Reset begins a clear: the memory comes up undefined.
        clearing, row = Signal(init=1), Signal(self._params.group_bits)
        busy = (*(stage.valid for stage in stages), self.fired.valid)
        m.d.comb += self.busy.eq(reduce(or_, busy, clearing))
        # Nothing else writes meanwhile: the core takes no tick before the clear is over.
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
