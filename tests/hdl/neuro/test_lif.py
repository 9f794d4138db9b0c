"""Leak, and saturation, comparison, reset: every case at 4 bits equals the golden model."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from spikewatt.hdl.neuro.lif import FireUnit, LeakUnit
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import leak, update
from spikewatt.model.params import (
    LEAK_BITS,
    LEAK_FRACTION_BITS,
    RESET_BITS,
    Compare,
    CoreParams,
    Fabric,
    Leak,
    NeuronType,
    Reset,
)
from tests.hdl.blocks import Stalls, packed, put, simulate

IntArray = NDArray[np.int64]
FABRICS = (Fabric.ASIC, Fabric.FPGA)
BITS = 4
MEMBRANES = np.arange(-8, 8)


def core(**sizes: Any) -> CoreParams:
    """Four bits of membrane, and the neurons that a test needs."""
    return CoreParams(**{"axons": 1, "state_bits": BITS, "weight_bits": 1, **sizes})


def program(params: CoreParams, types: tuple[NeuronType, ...], threshold: IntArray) -> Program:
    """Types one after another, each for as many groups; nothing but neurons."""
    zeros = np.zeros(params.neurons, np.int64)
    none = np.zeros(params.destinations, np.int64)
    return Program(
        params=params,
        types=types,
        group_type=np.repeat(np.arange(len(types)), params.groups // len(types)),
        threshold=threshold,
        bias=zeros,
        row_first=np.zeros(1, np.int64),
        row_last=np.full(1, -1),
        row_base=np.zeros(1, np.int64),
        synapses=np.zeros((params.synapse_words, params.lanes), np.int64),
        fanout_start=zeros,
        fanout_count=zeros,
        axon=none,
        delay=np.ones(params.destinations, np.int64),
        dx=none,
        dy=none,
        fan_out=np.zeros(1, np.int64),
    )


class Leaks(wiring.Component):
    """A unit for each membrane, all of one kind and amount; their results side by side."""

    kind: Signal
    amount: Signal
    decayed: Signal

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        super().__init__(
            {
                "kind": In(LEAK_BITS),
                "amount": In(params.leak_amount_bits),
                "decayed": Out(BITS * len(MEMBRANES)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        units = [LeakUnit(self._params) for _ in MEMBRANES]
        for number, (unit, membrane) in enumerate(zip(units, MEMBRANES, strict=True)):
            m.submodules[f"unit_{number}"] = unit
            m.d.comb += [
                unit.membrane.eq(int(membrane)),
                unit.kind.eq(self.kind),
                unit.amount.eq(self.amount),
            ]
        m.d.comb += self.decayed.eq(Cat(unit.decayed for unit in units))
        return m


def all_amounts(kind: Leak, shifts: tuple[int, ...]) -> list[NeuronType]:
    """A leak with every amount that it can be given."""
    amounts = {
        Leak.NONE: range(1),
        Leak.SUBTRACT: range(1 << BITS - 1),
        Leak.SHIFT: shifts,
        Leak.MULTIPLY: range(1 << LEAK_FRACTION_BITS),
    }
    return [NeuronType(leak=kind, leak_amount=amount) for amount in amounts[kind]]


def decayed(params: CoreParams, types: list[NeuronType]) -> IntArray:
    """What the golden model leaves of each membrane with each type: int64[types, membranes]."""
    many = replace(
        params, neurons=len(MEMBRANES) * len(types), lanes=len(MEMBRANES), synapse_words=1
    )
    whole = program(many, tuple(types), np.zeros(many.neurons, np.int64))
    return leak(np.tile(MEMBRANES, len(types)), whole).reshape(len(types), -1)


LEAKS = (
    tuple(Leak),
    (Leak.MULTIPLY, Leak.SHIFT, Leak.SUBTRACT, Leak.NONE),
    (Leak.SHIFT,),
    (Leak.SUBTRACT, Leak.NONE),
)
"""What a unit is built for: the first one is what is left when no other one is chosen."""


@pytest.mark.parametrize("fabric", FABRICS)
@pytest.mark.parametrize("leaks", LEAKS, ids=lambda leaks: "-".join(kind.name for kind in leaks))
def test_every_leak_of_every_membrane(leaks: tuple[Leak, ...], fabric: Fabric) -> None:
    shifts = (3, 1, 2) if leaks != tuple(Leak) else (1, 2, 3)
    small = core(neurons=1, lanes=1, leaks=leaks, shifts=shifts, fabric=fabric)
    dut = Leaks(small)

    async def bench(sim: Any) -> None:
        for leak_kind in leaks:
            types = all_amounts(leak_kind, shifts)
            for kind, membranes in zip(types, decayed(small, types), strict=True):
                amount = kind.leak_amount
                sim.set(dut.kind, kind.leak)
                sim.set(dut.amount, shifts.index(amount) if kind.leak is Leak.SHIFT else amount)
                await sim.delay(1e-9)
                assert sim.get(dut.decayed) == packed(membranes, BITS), kind

    simulate(dut, bench, clocked=False)


TOTALS = np.arange(-32, 32)
TOTAL_BITS = 6
REFRACTORY_BITS = 2
RESULT_BITS = BITS + REFRACTORY_BITS + 1


class Fires(wiring.Component):
    """A unit for each total of six bits, all else alike; their results side by side."""

    result: Signal

    def __init__(self, params: CoreParams) -> None:
        self.units = [FireUnit(params, total_bits=TOTAL_BITS) for _ in TOTALS]
        membrane = signed(BITS)
        super().__init__(
            {
                "membrane": In(membrane),
                "refractory": In(REFRACTORY_BITS),
                "threshold": In(BITS - 1),
                "reset": In(RESET_BITS),
                "compare": In(1),
                "silent": In(1),
                "period": In(REFRACTORY_BITS),
                "windowed": In(1),
                "advance": In(1),
                "result": Out(RESULT_BITS * len(TOTALS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        results = []
        for number, (unit, total) in enumerate(zip(self.units, TOTALS, strict=True)):
            m.submodules[f"unit_{number}"] = unit
            m.d.comb += unit.total.eq(int(total))
            for name in self.signature.members:
                if name != "result" and name in unit.signature.members:
                    m.d.comb += getattr(unit, name).eq(getattr(self, name))
            results += [unit.after, unit.refractory_after, unit.spike]
        m.d.comb += self.result.eq(Cat(*results))
        return m


def scramble(sim: Any, dut: Any, rng: np.random.Generator) -> None:
    """Set every input but ``advance`` to anything."""
    for name in dut.signature.members:
        if name not in ("advance", "result"):
            put(sim, getattr(dut, name), int(rng.integers(8)))


RESETS = (tuple(Reset), (Reset.SUBTRACT, Reset.NONE), (Reset.NONE,))
COMPARES = (tuple(Compare), (Compare.GREATER, Compare.GREATER_EQUAL), (Compare.GREATER,))


@pytest.mark.parametrize("fabric", FABRICS)
@pytest.mark.parametrize(
    ("resets", "compares"),
    [*zip(RESETS, COMPARES, strict=True)],
    ids=["all", "some", "one of each"],
)
def test_every_way_to_fire(
    resets: tuple[Reset, ...], compares: tuple[Compare, ...], fabric: Fabric
) -> None:
    """Every total, threshold and type, in some states; the window of a type is open or closed.

    With registers in the unit, thresholds are some of all; inputs change while it is held, and
    nothing comes of that.
    """
    built = {"resets": resets, "compares": compares, "refractory_bits": REFRACTORY_BITS}
    built |= {"window_bits": 2, "leaks": (Leak.NONE,)}
    kinds = [
        NeuronType(reset=reset, compare=compare, refractory=period, silent=silent, window=window)
        for reset, compare, (period, silent, window) in product(
            resets,
            compares,
            [(0, False, None), (3, True, None), (3, False, (1, 1)), (1, False, None)],
        )
    ]
    thresholds = np.array([0, 1, 3, 7]) if fabric is Fabric.FPGA else np.arange(1 << BITS - 1)
    many = core(neurons=len(kinds) * len(thresholds) * len(TOTALS), lanes=len(TOTALS), **built)
    whole = program(many, tuple(kinds), np.tile(np.repeat(thresholds, len(TOTALS)), len(kinds)))
    params = core(neurons=1, lanes=1, fabric=fabric, **built)
    dut: Any = Fires(params)
    stalls = Stalls(4)

    async def bench(sim: Any) -> None:
        for tick, refractory, membrane in ((0, 0, 3), (1, 0, -8), (1, 1, 7), (2, 3, -1)):
            before = np.full(many.neurons, membrane)
            totals = np.tile(TOTALS, many.groups)
            held = np.full(many.neurons, refractory)
            spikes, after, counters = update(before, held, totals - before, whole, tick)
            words = after & 15 | counters << BITS | spikes.astype(np.int64) << RESULT_BITS - 1
            sim.set(dut.membrane, membrane)
            sim.set(dut.refractory, refractory)
            for number, (kind, threshold) in enumerate(product(kinds, thresholds)):
                opened = not kind.windowed or kind.window_first <= tick < kind.window_end
                sim.set(dut.threshold, int(threshold))
                sim.set(dut.reset, kind.reset)
                sim.set(dut.compare, kind.compare)
                sim.set(dut.silent, kind.silent or not opened)
                sim.set(dut.period, kind.refractory)
                sim.set(dut.windowed, kind.windowed)
                expected = packed(words.reshape(-1, len(TOTALS))[number], RESULT_BITS)
                if not params.registered:
                    await sim.delay(1e-9)
                    assert sim.get(dut.result) == expected, (kind, threshold, tick)
                    continue
                sim.set(dut.advance, 1)
                await sim.tick()
                sim.set(dut.advance, 0)
                scramble(sim, dut, stalls.rng)
                assert sim.get(dut.result) == expected, (kind, threshold, tick)
                if stalls():
                    await sim.tick()
                    assert sim.get(dut.result) == expected, "it moved while it was held"
                sim.set(dut.membrane, membrane)
                sim.set(dut.refractory, refractory)

    simulate(dut, bench, clocked=params.registered)
