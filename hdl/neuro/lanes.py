"""What the lanes of a group of neurons compute, stage by stage.

The stages belong to one pipeline, whose registers move together: so these functions build into the
module of `spikewatt.hdl.neuro.neurons.NeuronGroup`, and hand on what the next one needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed

from spikewatt.hdl.neuro.lif import FireUnit, LeakUnit
from spikewatt.hdl.neuro.pipeline import UpdateStage
from spikewatt.model.params import CoreParams

__all__ = ["Decayed", "add_fire_units", "add_leak_units", "add_sums", "total_bits"]


@dataclass(frozen=True)
class Decayed:
    """What the leak leaves of each lane.

    ``membranes``: registers of the decayed membranes. ``inputs``: of sum and bias together, where
    there was time to add them; otherwise empty, and the next stage adds all three.
    """

    membranes: Sequence[Signal]
    inputs: Sequence[Signal]


def total_bits(params: CoreParams) -> int:
    """Width that holds any membrane, sum and bias added up."""
    # Three summands: two additions, a bit each. The only saturation comes after both.
    return 2 + max(params.state_bits, params.accumulator_bits, params.bias_bits)


def add_leak_units(m: Module, params: CoreParams, group: Any, stage: UpdateStage) -> Decayed:
    """Decay the membranes while the last synapse word is added.

    With registers behind the memories it is a cycle later, the sums are complete, and there is time
    to add the bias to them. ``group``: the group's sums, a `SumsPort`.
    """
    membranes, inputs = [], []
    for lane in range(params.lanes):
        # The leak looks at the membrane alone, so it runs beside the last addition of synapses and
        # costs no stage of its own.
        m.submodules[f"leak_{lane}"] = leak = LeakUnit(params)
        decayed = Signal(signed(params.state_bits), name=f"decayed_{lane}")
        m.d.comb += [
            leak.membrane.eq(stage.before.membrane[lane]),
            leak.kind.eq(stage.kind.leak[0]),
            leak.amount.eq(stage.kind.leak_amount[0]),
        ]
        with m.If(group.advance & stage.valid):
            m.d.sync += decayed.eq(leak.decayed)
        membranes.append(decayed)
        if params.registered:
            # Sum and bias: two of the three summands, and so a bit less.
            biased = Signal(signed(total_bits(params) - 1), name=f"input_{lane}")
            with m.If(group.advance & stage.valid):
                m.d.sync += biased.eq(group.sums[lane] + _bias(params, stage, lane))
            inputs.append(biased)
    return Decayed(membranes, inputs)


def _bias(params: CoreParams, stage: UpdateStage, lane: int) -> Value | int:
    """The lane's bias, in a tick in which its type takes one."""
    if not params.bias_bits:
        return 0
    bias = stage.neuron.bias[lane]
    return Mux(stage.window["takes_bias"], bias, 0) if stage.window else bias


def add_sums(
    m: Module, params: CoreParams, group: Any, stage: UpdateStage, decayed: Decayed
) -> list[Signal]:
    """Add everything up, now that the sums are complete; returns a total for each lane."""
    totals = []
    for lane, membrane in enumerate(decayed.membranes):
        # A bias that was added with the sums must not be added again.
        bias = 0 if decayed.inputs else _bias(params, stage, lane)
        total = Signal(signed(total_bits(params)), name=f"total_{lane}")
        with m.If(group.advance & stage.valid):
            if decayed.inputs:
                m.d.sync += total.eq(membrane + decayed.inputs[lane])
            else:
                m.d.sync += total.eq(membrane + group.sums[lane] + bias)
        totals.append(total)
    return totals


def add_fire_units(
    m: Module, params: CoreParams, group: Any, stage: UpdateStage, totals: Sequence[Signal]
) -> list[FireUnit]:
    """Compare and reset; returns a unit for each lane."""
    kind, units = stage.kind, []
    for lane, total in enumerate(totals):
        fire = FireUnit(params, total_bits=total_bits(params))
        m.submodules[f"fire_{lane}"] = fire
        m.d.comb += [
            fire.total.eq(total),
            fire.membrane.eq(stage.before.membrane[lane]),
            fire.threshold.eq(stage.neuron.threshold[lane]),
            fire.reset.eq(kind.reset[0]),
            fire.compare.eq(kind.compare[0]),
            fire.silent.eq(kind.silent[0]),
        ]
        if params.registered:
            m.d.comb += fire.advance.eq(group.advance)
        if stage.window:
            m.d.comb += [
                fire.windowed.eq(kind.windowed[0]),
                # The later assignment wins: a closed window silences whatever the type says.
                fire.silent.eq(kind.silent[0] | stage.window["closed"]),
            ]
        if params.refractory_bits:
            m.d.comb += [
                fire.refractory.eq(stage.before.refractory[lane]),
                fire.period.eq(kind.refractory[0]),
            ]
        units.append(fire)
    return units
