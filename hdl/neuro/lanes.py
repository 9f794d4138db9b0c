"""What the lanes of a group of neurons compute, stage by stage."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed

from spikewatt.hdl.neuro.lif import FireUnit, LeakUnit
from spikewatt.hdl.neuro.pipeline import Stage
from spikewatt.model.params import CoreParams

__all__ = ["NeuronLanes"]


class NeuronLanes:
    """The arithmetic of the neurons' pipeline, a lane beside another.

    Parameters
    ----------
    params : CoreParams
    group : SumsPort
        The group's sums, and when the pipeline moves.
    """

    def __init__(self, params: CoreParams, group: Any) -> None:
        self._params = params
        self._total_bits = 2 + max(params.state_bits, params.accumulator_bits, params.bias_bits)
        self.group = group

    def leak(self, m: Module, stage: Stage) -> tuple[list[Signal], list[Value]]:
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

    def sum(
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

    def fire(self, m: Module, stage: Stage, totals: list[Signal]) -> list[FireUnit]:
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
