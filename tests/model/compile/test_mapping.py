"""Every neuron and synapse of a network is in its place on the core."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.graph import INPUT, Network, Population, Readout
from spikewatt.model.params import CoreParams, NeuronType
from tests.model.builders import dense_network, random_network


def larger(params: CoreParams, lanes: int) -> CoreParams:
    """Core with more of everything than ``params``."""
    neurons = -(-(params.neurons + 9 * lanes) // lanes) * lanes
    return CoreParams(
        neurons=neurons,
        axons=params.axons + 11,
        weight_bits=9,
        state_bits=params.state_bits,
        bias_bits=4,
        lanes=lanes,
        delay_slots=params.delay_slots * 2,
        scheduler_bits=8,
        refractory_bits=8,
        window_bits=6,
        types=16,
        shifts=tuple(range(1, params.state_bits)),
        destinations=params.destinations + 5,
    )


@pytest.mark.parametrize("seed", range(20))
def test_a_larger_core_gives_the_same_run(seed: int) -> None:
    network = random_network(seed)
    rng = np.random.default_rng(seed)
    spikes = rng.random((3, 12, network.encoder.inputs)) < 0.5
    small = map_network(network, lanes=4)
    other = map_network(network, larger(small.params, lanes=3))
    left, right = (run_batch(program, spikes) for program in (small, other))
    assert np.array_equal(left.synaptic_ops, right.synaptic_ops)
    assert np.array_equal(left.merges, right.merges)
    for name, numbers in small.neurons_of.items():
        for field in ("spikes", "membranes"):
            a, b = getattr(left, field), getattr(right, field)
            assert np.array_equal(a[:, :, numbers], b[:, :, other.neurons_of[name]]), name


def rows_of(program: Program, entries: list[tuple[int, int]]) -> Counter:
    """Rows of the synapse matrix behind (axon, delay) entries."""
    return Counter((delay, tuple(program.matrix[axon].tolist())) for axon, delay in entries)


def rows_wanted(network: Network, program: Program, source: str, i: int) -> Counter:
    """Rows that neuron ``i`` of ``source`` must reach, padded with zeros to the whole core."""
    wanted = Counter()
    for link in network.connections:
        if link.source == source:
            row = np.zeros(program.params.neurons, np.int64)
            row[program.neurons_of[link.target]] = link.weights[i]
            wanted[link.delay, tuple(row.tolist())] += 1
    return wanted


@pytest.mark.parametrize("lanes", [1, 3, 8, 16])
@pytest.mark.parametrize("seed", range(15))
def test_every_synapse_is_in_its_place(seed: int, lanes: int) -> None:
    network = random_network(seed)
    program = map_network(network, lanes=lanes)
    for i in range(network.encoder.inputs):
        ports = [(port.axon + i, port.delay) for port in program.inputs]
        assert rows_of(program, ports) == rows_wanted(network, program, INPUT, i)
    for population in network.populations:
        for i, n in enumerate(program.neurons_of[population.name]):
            run = slice(program.fanout_start[n], program.fanout_start[n] + program.fanout_count[n])
            sent = list(zip(program.axon[run].tolist(), program.delay[run].tolist(), strict=True))
            assert rows_of(program, sent) == rows_wanted(network, program, population.name, i)
    stored = sum(link.weights.size for link in network.connections)
    assert program.fan_out.sum() == stored
    assert np.abs(program.matrix).sum() == sum(np.abs(c.weights).sum() for c in network.connections)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), lanes=st.integers(1, 16))
def test_layers_start_on_group_borders_and_rows_ascend(seed: int, lanes: int) -> None:
    network = random_network(seed)
    program = map_network(network, lanes=lanes)
    numbers = list(program.neurons_of.values())
    assert [len(n) for n in numbers] == [p.size for p in network.populations]
    assert all(n.start % lanes == 0 for n in numbers)
    assert all(b.start >= a.stop for a, b in pairwise(numbers))
    assert (np.diff(program.row_first) >= 0).all()
    last = program.row_base + program.row_words
    assert program.row_base.tolist() == [0, *last[:-1].tolist()]  # packed without a gap
    assert last[-1] == program.params.synapse_words
    for population in network.populations:
        place = program.neurons_of[population.name]
        assert np.array_equal(program.threshold[place], population.threshold)
        assert program.bias[place].tolist() == np.asarray(population.bias).tolist()
        kinds = {program.types[program.group_type[n // lanes]] for n in place}
        assert kinds == {population.neuron}


def test_a_population_without_input_still_runs_on_its_bias() -> None:
    population = Population(
        name="alone", neuron=NeuronType(), threshold=np.array([4]), bias=np.array([2])
    )
    network = replace(
        dense_network(1, 1),
        populations=(population,),
        connections=(),
        readout=Readout(population="alone"),
    )
    trace = run_batch(map_network(network), np.ones((1, 5, 1), np.bool_))
    assert trace.spikes[0, :, 0].tolist() == [False, True, False, True, False]
    assert not trace.active.any()
