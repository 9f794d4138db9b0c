"""The network before quantisation, on an example small enough to work out by hand."""

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


@pytest.mark.parametrize(
    "neuron", [NeuronType(leak=Leak.SUBTRACT, leak_amount=1), NeuronType(refractory=1)]
)
def test_what_has_no_real_form(neuron: NeuronType) -> None:
    with pytest.raises(
        NetworkError, match=r"^population 'p' is refractory or leaks by subtraction"
    ):
        membrane(neuron)
