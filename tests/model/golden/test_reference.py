"""The network before quantisation, on an example small enough to work out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from spikewatt.base.errors import NetworkError
from spikewatt.model.golden.reference import run_reference
from spikewatt.model.network.graph import Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import Leak, NeuronType, Reset

WEIGHT, THRESHOLD = 8.5, 6.0
"""In real numbers; rounded, they are 9 and 6."""


def one_neuron(neuron: NeuronType, ticks: int) -> Network:
    """An input that drives one neuron in every tick."""
    hidden = Population(
        name="p",
        neuron=neuron,
        threshold=np.array([6]),
        threshold_float=np.array([THRESHOLD]),
    )
    return Network(
        name="one neuron",
        encoder=Encoder(inputs=1, timesteps=ticks),
        populations=(hidden,),
        connections=(
            Connection(
                source="input",
                target="p",
                weights=np.array([[9]]),
                weights_float=np.array([[WEIGHT]]),
            ),
        ),
        readout=Readout(population="p"),
    )


def membrane(neuron: NeuronType, ticks: int = 1) -> float:
    """After so many ticks with a spike in each."""
    network = one_neuron(neuron, ticks)
    run = run_reference(network, np.ones((1, ticks, 1), np.bool_))
    return float(network.readout.scores(run).item())


AFTER = {Reset.ZERO: 0.0, Reset.SUBTRACT: WEIGHT - THRESHOLD, Reset.NONE: WEIGHT}
"""A spike."""
LEFT = {
    Leak.NONE: (0, WEIGHT),
    Leak.SHIFT: (2, WEIGHT * 3 / 4),
    Leak.MULTIPLY: (1024, WEIGHT / 4),
}
"""Amounts, and what a tick leaves; a leak by subtraction is refused."""


@pytest.mark.parametrize("reset", list(Reset))
def test_reset(reset: Reset) -> None:
    assert membrane(NeuronType(reset=reset)) == AFTER[reset]


@pytest.mark.parametrize("leak", [kind for kind in Leak if kind is not Leak.SUBTRACT])
def test_leak(leak: Leak) -> None:
    """What the second tick finds of the first one's membrane."""
    amount, left = LEFT[leak]
    neuron = NeuronType(silent=True, leak=leak, leak_amount=amount)
    assert membrane(neuron, ticks=2) == left + WEIGHT


def test_a_second_population_comes_a_tick_later() -> None:
    """The hidden neuron fires in every tick; the readout adds the weight of the first spike."""
    chain = one_neuron(NeuronType(), ticks=2)
    out = replace(chain.populations[0], name="out", neuron=NeuronType(silent=True))
    link = Connection(
        source="p", target="out", weights=np.array([[2]]), weights_float=np.array([[2.25]])
    )
    network = replace(
        chain,
        populations=(*chain.populations, out),
        connections=(*chain.connections, link),
        readout=Readout(population="out"),
    )
    run = run_reference(network, np.ones((1, 2, 1), np.bool_))
    assert network.readout.scores(run).tolist() == [[2.25]]
    assert run.of("spike_counts", "p").tolist() == [[2]]
    assert run.of("spike_counts", "out").tolist() == [[0]]


@pytest.mark.parametrize(
    "neuron", [NeuronType(leak=Leak.SUBTRACT, leak_amount=1), NeuronType(refractory=1)]
)
def test_what_has_no_real_form(neuron: NeuronType) -> None:
    with pytest.raises(
        NetworkError, match=r"^population 'p' is refractory or leaks by subtraction"
    ):
        membrane(neuron)
