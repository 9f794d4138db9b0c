"""A third opinion: docs/architecture.md in plain Python integers, equal to the golden model.

The simulator below knows neither arrays nor `spikewatt.model.golden.core`. It runs a program
from its packed tables, and a network straight from its connections, without any mapping.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.core import run, steps
from spikewatt.model.network.graph import Network
from spikewatt.model.params import NeuronType
from tests.model.builders import random_network, random_program

TICKS = 16
Name = Any  # of a neuron: its number, or its population and place
Axon = Any  # its number, or its connection and source


@dataclass
class Neuron:
    kind: NeuronType
    threshold: int
    bias: int
    sends: list[tuple[Axon, int]]  # (axon, delay)
    v: int = 0
    resting: int = 0


@dataclass
class Oracle:
    """A core as dictionaries: ``synapses[axon]`` lists (neuron, weight)."""

    neurons: dict[Name, Neuron]
    synapses: dict[Axon, list[tuple[Name, int]]]
    slots: int
    bits: int
    t: int = -1
    merges: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    pending: set[tuple[int, Axon]] = field(default_factory=set)

    def arrive(self, events: Iterable[tuple[Axon, int]]) -> None:
        for axon, delay in events:
            place = ((self.t + delay) % self.slots, axon)
            if place in self.pending:
                self.merges[self.t] += 1
            self.pending.add(place)

    def tick(self) -> set[Name]:
        self.t += 1
        total: dict[Name, int] = defaultdict(int)
        for place in [p for p in self.pending if p[0] == self.t % self.slots]:
            self.pending.remove(place)
            for name, weight in self.synapses.get(place[1], []):
                total[name] += weight
        fired = {name for name, n in self.neurons.items() if self.update(n, total[name])}
        for name in fired:
            self.arrive(self.neurons[name].sends)
        return fired

    def update(self, n: Neuron, acc: int) -> bool:
        if n.resting:
            n.resting -= 1
            return False
        top = 2 ** (self.bits - 1)
        bias, bound, open_ = n.bias, n.threshold, True
        if n.kind.window is not None:
            first, ticks = n.kind.window
            bias = n.bias if self.t == 0 else 0
            bound = n.threshold - n.threshold // 2
            open_ = self.t in range(first, first + ticks)
        n.v = max(-top, min(top - 1, leaked(n.v, n.kind) + acc + bias))
        above = n.v > bound or (n.v == bound and n.kind.compare.name == "GREATER_EQUAL")
        if not above or n.kind.silent or not open_:
            return False
        n.v = {"ZERO": 0, "SUBTRACT": n.v - n.threshold, "NONE": n.v}[n.kind.reset.name]
        n.resting = n.kind.refractory
        return True


def leaked(v: int, kind: NeuronType) -> int:
    amount = kind.leak_amount
    if kind.leak.name == "SUBTRACT":
        return v - min(amount, v) if v > 0 else v + min(amount, -v)
    if kind.leak.name == "SHIFT":
        return v - v // 2**amount
    return v * amount // 4096 if kind.leak.name == "MULTIPLY" else v


def oracle_of_program(program: Program) -> Oracle:
    """Oracle from the tables that a core is loaded with."""
    params = program.params
    synapses = {}
    for axon in range(params.axons):
        groups = range(program.row_first[axon], program.row_last[axon] + 1)
        synapses[axon] = [
            (group * params.lanes + lane, int(weight))
            for k, group in enumerate(groups)
            for lane, weight in enumerate(program.synapses[program.row_base[axon] + k])
        ]
    neurons = {}
    for n in range(params.neurons):
        run_ = range(program.fanout_start[n], program.fanout_start[n] + program.fanout_count[n])
        local = [k for k in run_ if program.dx[k] == 0 and program.dy[k] == 0]
        neurons[n] = Neuron(
            kind=program.types[program.group_type[n // params.lanes]],
            threshold=int(program.threshold[n]),
            bias=int(program.bias[n]),
            sends=[(int(program.axon[k]), int(program.delay[k])) for k in local],
        )
    return Oracle(neurons, synapses, params.delay_slots, params.state_bits)


def oracle_of_network(network: Network) -> Oracle:
    """Oracle of a network as its user describes it; axons are (connection, source neuron)."""
    neurons = {
        (p.name, i): Neuron(p.neuron, int(p.threshold[i]), int(np.asarray(p.bias)[i]), [])
        for p in network.populations
        for i in range(p.size)
    }
    synapses = {}
    for c, link in enumerate(network.connections):
        for i, row in enumerate(link.weights.tolist()):
            synapses[c, i] = [((link.target, j), weight) for j, weight in enumerate(row)]
            if link.source != "input":
                neurons[link.source, i].sends.append(((c, i), link.delay))
    return Oracle(neurons, synapses, 64, network.state_bits)


@pytest.mark.parametrize("seed", range(60))
def test_golden_equals_the_oracle(seed: int) -> None:
    program = random_program(seed)
    params = program.params
    rng = np.random.default_rng([seed, 3])
    counts = rng.integers(0, params.axons + 1, TICKS)
    axons, delays = (0, params.axons), (1, params.delay_slots)
    events = [np.stack([rng.integers(*axons, n), rng.integers(*delays, n)], 1) for n in counts]
    oracle = oracle_of_program(program)
    for t, (_, output, state) in enumerate(steps(program, events)):
        oracle.arrive((int(axon), int(delay)) for axon, delay in events[t])
        assert set(np.flatnonzero(output.spikes)) == oracle.tick(), t
        assert state.membrane.tolist() == [n.v for n in oracle.neurons.values()], t
        assert state.refractory.tolist() == [n.resting for n in oracle.neurons.values()], t
        assert set(map(tuple, np.argwhere(state.scheduler))) == oracle.pending, t
    assert run(program, events).merges[0].tolist() == [oracle.merges[t] for t in range(-1, TICKS)]


@pytest.mark.parametrize("seed", range(60))
def test_a_mapped_network_equals_the_oracle(seed: int) -> None:
    network = random_network(seed)
    rng = np.random.default_rng([seed, 4])
    spikes = rng.random((TICKS, network.encoder.inputs)) < 0.5
    program = map_network(network, lanes=int(rng.integers(1, 9)))
    trace = run_batch(program, spikes[None])
    oracle = oracle_of_network(network)
    entries = [(c, link) for c, link in enumerate(network.connections) if link.source == "input"]
    for t in range(TICKS):
        oracle.arrive(
            ((c, int(i)), link.delay) for c, link in entries for i in np.flatnonzero(spikes[t])
        )
        fired = oracle.tick()
        for name, numbers in program.neurons_of.items():
            spiked = np.flatnonzero(trace.spikes[0, t, numbers])
            assert {(name, int(i)) for i in spiked} == {n for n in fired if n[0] == name}, t
            v = [oracle.neurons[name, i].v for i in range(len(numbers))]
            assert trace.membranes[0, t, numbers].tolist() == v, t
    used = np.concatenate([list(numbers) for numbers in program.neurons_of.values()])
    padding = np.setdiff1d(np.arange(program.params.neurons), used)
    assert not trace.spikes[0][:, padding].any()
