"""Events of the golden model: delays, merges, packets, order; small enough to work out by hand.

Membranes have 8 bits (-128..127) and there are D = 4 scheduler slots unless a test says otherwise.
"""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import RunTrace, initial_state, run, tick
from spikewatt.model.params import NeuronType
from tests.model.builders import at, make_program, membranes, random_program, spikes

SILENT = NeuronType(silent=True)


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_an_event_waits_its_delay(delay: int) -> None:
    program = make_program([[7]], kinds=[SILENT])
    trace = run(program, [at((0, delay)), *[at()] * 5])
    expected = [7 if t >= delay - 1 else 0 for t in range(6)]  # belongs to t = -1
    assert membranes(trace) == expected


@pytest.mark.parametrize("slots", [2, 8, 64])
def test_the_longest_delay_is_one_less_than_the_slots(slots: int) -> None:
    sends = {0: [(1, slots - 1, 0, 0)]}
    weights = [[5, 0], [0, 3]]
    program = make_program(
        weights, kinds=[NeuronType(), SILENT], threshold=5, sends=sends, delay_slots=slots
    )
    trace = run(program, [at((0, 1)), at(), at((0, 1)), *[at()] * slots])
    spiked = [t for t, spike in enumerate(spikes(trace)) if spike]
    v = membranes(trace, 1)
    assert spiked == [0, 2]
    risen = [t for t in range(1, len(v)) if v[t] > v[t - 1]]
    assert risen == [slots - 1, slots + 1]  # 0 and 2 plus D - 1
    assert v[-1] == 6


def test_a_served_slot_is_cleared() -> None:
    program = make_program([[7]], kinds=[SILENT], delay_slots=2)
    trace = run(program, [at((0, 1)), *[at()] * 4])
    assert membranes(trace) == [7] * 5  # a bit that stayed would add 7 again every second tick
    assert not any(state.scheduler.any() for state in trace.states)


def test_merges_belong_to_their_tick() -> None:
    sends = {0: [(2, 2, 0, 0)], 1: [(2, 2, 0, 0), (2, 1, 0, 0)]}
    weights = [[5, 5, 0], [0, 5, 0], [0, 0, 1]]
    kinds = [NeuronType(), NeuronType(), SILENT]
    program = make_program(weights, kinds=kinds, threshold=5, sends=sends)
    # t = -1: axon 0 twice. t = 0: both neurons send to axon 2 for t = 2; neuron 1 also for t = 1;
    # the host repeats that. t = 1: neuron 1 spikes, its delay 1 meets t = 2, which is set.
    events = [at((0, 1), (0, 1)), at((1, 1), (2, 1)), at(), at()]
    trace = run(program, events)
    assert trace.merges.tolist() == [1, 2, 1, 0, 0]
    assert [output.merges for output in trace.outputs] == [1, 1, 0, 0]
    assert spikes(trace, 0) == [1, 0, 0, 0]
    assert spikes(trace, 1) == [1, 1, 0, 0]
    assert membranes(trace, 2) == [0, 1, 2, 3]  # once a tick, however many events merged


def test_packets_for_other_cores_are_not_delivered_here() -> None:
    sends = {0: [(1, 1, 0, -2), (1, 2, 0, 0), (0, 3, 3, 0)], 1: [(1, 3, -1, 1)]}
    program = make_program([[5, 5], [0, 0]], threshold=5, sends=sends)
    trace = run(program, [at((0, 1))])
    output, state = trace.outputs[0], trace.states[0]
    assert output.packets.tolist() == [[1, 1, 0, -2], [0, 3, 3, 0], [1, 3, -1, 1]]
    assert np.argwhere(state.scheduler).tolist() == [[2, 1]]  # slot (0 + 2) mod 4, axon 1
    assert output.merges == 0


def test_no_spike_no_packet() -> None:
    program = make_program([[1]], sends={0: [(0, 1, 1, 0)]})
    (output,) = run(program, [at((0, 1))]).outputs
    assert output.packets.shape == (0, 4)


def test_synaptic_ops_count_merged_events_once() -> None:
    program = make_program(np.zeros((3, 5)), kinds=[SILENT])
    trace = run(program, [at((0, 1), (0, 1), (2, 1), (1, 2)), at(), at()])
    assert [output.synaptic_ops for output in trace.outputs] == [10, 5, 0]  # zero weights count
    assert [output.synapse_words for output in trace.outputs] == [10, 5, 0]  # one lane


def test_a_tick_leaves_its_input_alone() -> None:
    program = make_program([[9]], threshold=5, sends={0: [(0, 1, 0, 0)]})
    before = initial_state(program.params)
    before.scheduler[0, 0] = True
    _, after = tick(before, program)
    assert (before.t, before.membrane[0], before.scheduler[0, 0]) == (-1, 0, True)
    assert (after.t, after.scheduler[1, 0], after.scheduler[0, 0]) == (0, True, False)


def same(left: RunTrace, right: RunTrace) -> bool:
    """Whether two runs agree in everything they record."""
    pairs = [
        *zip(left.outputs, right.outputs, strict=True),
        *zip(left.states, right.states, strict=True),
    ]
    return np.array_equal(left.merges, right.merges) and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for a, b in pairs for name in vars(a)
    )


def random_events(program: Program, seed: int, ticks: int = 8) -> list[NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    params = program.params
    counts = rng.integers(0, 2 * params.axons, ticks)
    return [
        np.stack([rng.integers(0, params.axons, n), rng.integers(1, params.delay_slots, n)], axis=1)
        for n in counts
    ]


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), shuffle=st.randoms(use_true_random=False))
def test_order_of_events_within_a_tick_does_not_matter(seed: int, shuffle: Random) -> None:
    program = random_program(seed)
    events = random_events(program, seed)
    shuffled = [array[shuffle.sample(range(len(array)), len(array))] for array in events]
    trace = run(program, events)
    assert same(trace, run(program, shuffled))


@pytest.mark.parametrize("seed", range(8))
def test_a_run_can_be_continued(seed: int) -> None:
    program = random_program(seed)
    events = random_events(program, seed)
    whole = run(program, events)
    head = run(program, events[:3])
    tail = run(program, events[3:], head.states[-1])
    assert whole.outputs[-1].spikes.shape == (program.params.neurons,)
    assert same(
        whole,
        RunTrace(
            outputs=head.outputs + tail.outputs,
            states=head.states + tail.states,
            merges=np.concatenate(
                [head.merges[:-1], head.merges[-1:] + tail.merges[:1], tail.merges[1:]]
            ),
        ),
    )


def test_runs_that_differ_are_told_apart() -> None:
    program = make_program([[7], [7]], kinds=[SILENT])
    assert not same(run(program, [at((0, 1))]), run(program, [at((0, 2))]))
    assert not same(run(program, [at((0, 1))]), run(program, [at((0, 1), (0, 1))]))
