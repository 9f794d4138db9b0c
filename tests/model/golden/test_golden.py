"""A tick of the golden model, on examples small enough to work out by hand.

Membranes have 8 bits (-128..127) and there are D = 4 scheduler slots unless a test says otherwise.
"""

from dataclasses import replace

import numpy as np
import pytest

from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import CoreState, initial_state, leak, run
from spikewatt.model.params import Compare, Leak, NeuronType, Reset
from tests.model.builders import at, make_program, membranes, spikes

SILENT = NeuronType(silent=True)


def holding(program: Program, *membranes: int) -> CoreState:
    """State after reset, but with these membranes."""
    return replace(initial_state(program.params), membrane=np.array(membranes))


LEAKS = [
    (Leak.NONE, 0, -7, -7),
    (Leak.NONE, 0, 127, 127),
    (Leak.SUBTRACT, 3, 10, 7),  # 10 - 3
    (Leak.SUBTRACT, 3, 3, 0),
    (Leak.SUBTRACT, 3, 2, 0),  # stops at 0, does not become -1
    (Leak.SUBTRACT, 3, 0, 0),
    (Leak.SUBTRACT, 3, -2, 0),  # stops at 0, does not become 1
    (Leak.SUBTRACT, 3, -10, -7),  # towards 0: -10 + 3
    (Leak.SUBTRACT, 127, -128, -1),
    (Leak.SHIFT, 2, 10, 8),  # 10 - floor(2.5)
    (Leak.SHIFT, 2, 3, 3),  # 3 - floor(0.75)
    (Leak.SHIFT, 2, -1, 0),  # -1 - floor(-0.25) = -1 + 1
    (Leak.SHIFT, 2, -10, -7),  # -10 - floor(-2.5) = -10 + 3
    (Leak.SHIFT, 7, -128, -127),  # -128 - (-1)
    (Leak.MULTIPLY, 2048, 9, 4),  # floor(4.5)
    (Leak.MULTIPLY, 2048, -9, -5),  # floor(-4.5)
    (Leak.MULTIPLY, 4095, 127, 126),  # floor(126.97)
    (Leak.MULTIPLY, 4095, -1, -1),  # floor(-0.9998): never reaches 0
    (Leak.MULTIPLY, 0, -128, 0),
]


@pytest.mark.parametrize(("kind", "amount", "before", "after"), LEAKS)
def test_leak(kind: Leak, amount: int, before: int, after: int) -> None:
    quiet = NeuronType(leak=kind, leak_amount=amount, silent=True)
    program = make_program([[0]], kinds=[quiet])
    assert leak(np.array([before]), program).tolist() == [after]
    assert membranes(run(program, [at()], holding(program, before))) == [after]


def test_leak_comes_before_the_input() -> None:
    quarter = NeuronType(leak=Leak.SHIFT, leak_amount=2, silent=True)
    program = make_program([[5]], kinds=[quarter])
    trace = run(program, [at((0, 1))], holding(program, 10))
    assert membranes(trace) == [13]  # (10 - 2) + 5; leaking the sum would give 15 - 3 = 12


def test_each_neuron_leaks_by_its_own_type() -> None:
    kinds = [
        NeuronType(silent=True),
        NeuronType(leak=Leak.SUBTRACT, leak_amount=1, silent=True),
        NeuronType(leak=Leak.SHIFT, leak_amount=1, silent=True),
        NeuronType(leak=Leak.MULTIPLY, leak_amount=1024, silent=True),
    ]
    program = make_program(np.zeros((1, 4)), kinds=kinds)
    after = run(program, [at()], holding(program, -101, -101, -101, -101))
    assert after.membranes.tolist() == [[[-101, -100, -50, -26]]]  # -101 + 51; floor(-25.25)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_sum_may_leave_the_range_and_come_back(order: list) -> None:
    program = make_program([[200], [-190]], kinds=[SILENT])
    trace = run(program, [at(*((axon, 1) for axon in order))], holding(program, 100))
    assert membranes(trace) == [110]  # 100 + 200 - 190; clipping each event would give -63 or 110


@pytest.mark.parametrize(("weight", "before", "after"), [(30, 100, 127), (-30, -100, -128)])
def test_saturation_at_both_ends(weight: int, before: int, after: int) -> None:
    program = make_program([[weight]], kinds=[SILENT])
    assert membranes(run(program, [at((0, 1))], holding(program, before))) == [after]


def test_bias_is_inside_the_saturation() -> None:
    program = make_program([[20]], kinds=[SILENT], bias=-30)
    trace = run(program, [at((0, 1))], holding(program, 120))
    assert membranes(trace) == [110]  # 120 + 20 - 30; clipping before the bias would give 97


def test_the_comparison_sees_the_saturated_membrane() -> None:
    kind = NeuronType(reset=Reset.SUBTRACT)
    program = make_program([[200]], kinds=[kind], threshold=127)
    trace = run(program, [at((0, 1))])
    assert (spikes(trace), membranes(trace)) == ([1], [0])  # 127 - 127, not 200 - 127


def test_bias_adds_in_every_tick() -> None:
    program = make_program(np.zeros((1, 2)), kinds=[SILENT], bias=[3, -2])
    trace = run(program, [at()] * 3)
    assert (membranes(trace, 0), membranes(trace, 1)) == ([3, 6, 9], [-2, -4, -6])


@pytest.mark.parametrize(
    ("compare", "reached", "fires"),
    [
        (Compare.GREATER_EQUAL, 4, 0),
        (Compare.GREATER_EQUAL, 5, 1),
        (Compare.GREATER, 5, 0),
        (Compare.GREATER, 6, 1),
    ],
)
def test_compare(compare: Compare, reached: int, fires: int) -> None:
    program = make_program([[reached]], kinds=[NeuronType(compare=compare)], threshold=5)
    assert spikes(run(program, [at((0, 1))])) == [fires]


def test_threshold_zero_fires_at_rest() -> None:
    strict = NeuronType(compare=Compare.GREATER)
    program = make_program([[0, 0]], kinds=[NeuronType(), strict], threshold=0)
    trace = run(program, [at()] * 2)
    assert (spikes(trace, 0), spikes(trace, 1)) == ([1, 1], [0, 0])


@pytest.mark.parametrize(
    ("reset", "after"), [(Reset.ZERO, 0), (Reset.SUBTRACT, 4), (Reset.NONE, 9)]
)
def test_reset(reset: Reset, after: int) -> None:
    program = make_program([[9]], kinds=[NeuronType(reset=reset)], threshold=5)
    trace = run(program, [at((0, 1))])
    assert (spikes(trace), membranes(trace)) == ([1], [after])


def test_a_silent_neuron_neither_fires_nor_resets() -> None:
    kind = NeuronType(silent=True, refractory=3)
    program = make_program([[9]], kinds=[kind], threshold=5, sends={0: [(0, 1, 0, 0)]})
    trace = run(program, [at((0, 1)), at()])
    assert (spikes(trace), membranes(trace)) == ([0, 0], [9, 9])
    assert trace.refractory.tolist() == [[[0], [0]]]


@pytest.mark.parametrize("period", [0, 1, 2, 5])
def test_refractory_lasts_exactly_its_ticks(period: int) -> None:
    program = make_program([[10]], kinds=[NeuronType(refractory=period)], threshold=10)
    trace = run(program, [at((0, 1))] * 12)
    assert spikes(trace) == [int(t % (period + 1) == 0) for t in range(12)]


def test_refractory_holds_the_membrane_and_discards_input() -> None:
    kind = NeuronType(leak=Leak.SUBTRACT, leak_amount=1, reset=Reset.NONE, refractory=2)
    program = make_program([[10], [4]], kinds=[kind], threshold=10, bias=2)
    trace = run(program, [at((0, 1)), at((1, 1)), at((1, 1)), at((1, 1))])
    assert membranes(trace) == [12, 12, 12, 17]  # 10 + 2; held; held; (12 - 1) + 4 + 2
    assert spikes(trace) == [1, 0, 0, 1]
    assert trace.refractory[0, :, 0].tolist() == [2, 1, 0, 2]
