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
from spikewatt.model.golden.core import initial_state, run, steps, tick
from spikewatt.model.params import NeuronType
from tests.model.builders import at, make_program, membranes, random_program, spikes, state_after

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
    events = [at((0, 1)), *[at()] * 4]
    assert (
        membranes(run(program, events)) == [7] * 5
    )  # a bit that stayed would add 7 again every second tick
    assert not any(state.scheduler.any() for _, _, state in steps(program, events))


def test_merges_belong_to_their_tick() -> None:
    sends = {0: [(2, 2, 0, 0)], 1: [(2, 2, 0, 0), (2, 1, 0, 0)]}
    weights = [[5, 5, 0], [0, 5, 0], [0, 0, 1]]
    kinds = [NeuronType(), NeuronType(), SILENT]
    program = make_program(weights, kinds=kinds, threshold=5, sends=sends)
    # t = -1: axon 0 twice. t = 0: both neurons send to axon 2 for t = 2; neuron 1 also for t = 1;
    # the host repeats that. t = 1: neuron 1 spikes, its delay 1 meets t = 2, which is set.
    events = [at((0, 1), (0, 1)), at((1, 1), (2, 1)), at(), at()]
    trace = run(program, events)
    assert trace.merges.tolist() == [[1, 2, 1, 0, 0]]
    assert [output.merges for _, output, _ in steps(program, events)] == [1, 1, 0, 0]
    assert spikes(trace, 0) == [1, 0, 0, 0]
    assert spikes(trace, 1) == [1, 1, 0, 0]
    assert membranes(trace, 2) == [0, 1, 2, 3]  # once a tick, however many events merged


def test_packets_for_other_cores_are_not_delivered_here() -> None:
    sends = {0: [(1, 1, 0, -2), (1, 2, 0, 0), (0, 3, 3, 0)], 1: [(1, 3, -1, 1)]}
    program = make_program([[5, 5], [0, 0]], threshold=5, sends=sends)
    ((_, output, state),) = steps(program, [at((0, 1))])
    assert output.packets.tolist() == [[1, 1, 0, -2], [0, 3, 3, 0], [1, 3, -1, 1]]
    assert np.argwhere(state.scheduler).tolist() == [[2, 1]]  # slot (0 + 2) mod 4, axon 1
    assert output.merges == 0


def test_no_spike_no_packet() -> None:
    program = make_program([[1]], sends={0: [(0, 1, 1, 0)]})
    assert run(program, [at((0, 1))]).sent.shape == (0, 6)


def test_synaptic_ops_count_merged_events_once() -> None:
    program = make_program(np.zeros((3, 5)), kinds=[SILENT])
    trace = run(program, [at((0, 1), (0, 1), (2, 1), (1, 2)), at(), at()])
    assert trace.synaptic_ops.tolist() == [[10, 5, 0]]  # zero weights count
    assert trace.synapse_words.tolist() == [[10, 5, 0]]  # one lane


def test_a_tick_leaves_its_input_alone() -> None:
    program = make_program([[9]], threshold=5, sends={0: [(0, 1, 0, 0)]})
    before = initial_state(program.params)
    before.scheduler[0, 0] = True
    _, after = tick(before, program)
    assert (before.t, before.membrane[0], before.scheduler[0, 0]) == (-1, 0, True)
    assert (after.t, after.scheduler[1, 0], after.scheduler[0, 0]) == (0, True, False)


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
    assert trace == run(program, shuffled)


@pytest.mark.parametrize("seed", range(8))
def test_a_run_can_be_continued(seed: int) -> None:
    program = random_program(seed)
    events = random_events(program, seed)
    whole = run(program, events)
    head = run(program, events[:3])
    tail = run(program, events[3:], state_after(head, 2))
    assert whole.spikes.shape == (1, len(events), program.params.neurons)
    for name in ("spikes", "membranes", "refractory", "served", "synaptic_ops", "synapse_words"):
        joined = np.concatenate([head.arrays[name], tail.arrays[name]], axis=1)
        np.testing.assert_array_equal(whole.arrays[name], joined, err_msg=name)
    for name in ("final_membranes", "final_refractory", "final_scheduler"):
        np.testing.assert_array_equal(whole.arrays[name], tail.arrays[name], err_msg=name)
    merges = np.zeros((1, len(events) + 1), np.int64)
    merges[:, :4] += head.merges
    merges[:, 3:] += tail.merges
    np.testing.assert_array_equal(whole.merges, merges)
    later = tail.sent + np.array([0, 3, 0, 0, 0, 0])
    np.testing.assert_array_equal(whole.sent, np.concatenate([head.sent, later]))


def test_runs_that_differ_are_told_apart() -> None:
    program = make_program([[7], [7]], kinds=[SILENT])
    assert run(program, [at((0, 1))]) != run(program, [at((0, 2))])
    assert run(program, [at((0, 1))]) != run(program, [at((0, 1), (0, 1))])
