"""Networks that have no pair, by exact message."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import NetworkError, ParameterError
from spikewatt.model.network.graph import INPUT, Connection, Network, Readout
from spikewatt.model.network.pair import spiking_pair
from spikewatt.model.params import Compare, Leak, Reset
from tests.model.pairs import layered


def changed(part: str, at: int, **change: Any) -> Network:
    network = layered((3, 4, 3, 2), (5, 6), 0)
    items = list(getattr(network, part))
    items[at] = replace(items[at], **change)
    return replace(network, **{part: tuple(items)})


def kind(at: int, **change: Any) -> Network:
    network = layered((3, 4, 3, 2), (5, 6), 0)
    return changed("populations", at, neuron=replace(network.populations[at].neuron, **change))


def linked(source: str, target: str) -> Network:
    network = layered((3, 4, 3, 2), (5, 6), 0)
    sizes = {INPUT: 3, "h1": 4, "h2": 3, "out": 2}
    link = Connection(
        source=source, target=target, weights=np.zeros((sizes[source], sizes[target]), int)
    )
    return replace(network, connections=(*network.connections, link))


READOUT = "readout: a pair reads the membranes of its last population, 'out', not the "
CHAIN = ", and a pair is a chain of layers: give it one"
REFUSED = [
    (
        kind(0, leak=Leak.SHIFT, leak_amount=1),
        "population 'h1' leaks (SHIFT): choose leak NONE",
    ),
    (
        kind(2, leak=Leak.SHIFT, leak_amount=1),
        "population 'out' leaks (SHIFT): choose leak NONE",
    ),
    (kind(1, reset=Reset.ZERO), "population 'h2' is reset to ZERO: choose SUBTRACT"),
    (
        kind(1, compare=Compare.GREATER),
        "population 'h2' compares with GREATER: choose GREATER_EQUAL",
    ),
    (kind(0, refractory=1), "population 'h1' is refractory: choose 0 refractory ticks"),
    (
        kind(0, window=(1, 1)),
        "population 'h1' has a window already: give the network without windows",
    ),
    (
        kind(0, silent=True),
        "population 'h1': the last population of a pair is silent, the others fire",
    ),
    (
        kind(2, silent=False),
        "population 'out': the last population of a pair is silent, the others fire",
    ),
    (
        changed("populations", 0, threshold=np.array([5, 5, 6, 5])),
        "population 'h1' has thresholds 5..6: give all its neurons one threshold of at least 1",
    ),
    (
        changed("populations", 1, threshold=np.zeros(3, int)),
        "population 'h2' has thresholds 0..0: give all its neurons one threshold of at least 1",
    ),
    (
        changed("connections", 1, delay=2),
        "connection h1 -> h2 has a delay of 2 ticks: choose 1",
    ),
    (
        changed("connections", 0, weight_bits=9),
        "connection input -> h1 has weights of 9 bits: choose 2 to 8",
    ),
    (
        linked("h1", "h1"),
        "connection h1 -> h1 is recurrent: a pair is a chain of layers, remove it",
    ),
    (linked(INPUT, "h2"), f"network 'chain': 'input' has 2 outgoing connections{CHAIN}"),
    (linked("h1", "out"), f"network 'chain': 'h1' has 2 outgoing connections{CHAIN}"),
    (
        linked("out", "h1"),
        "network 'chain': 'out' ends the chain of layers and has outgoing connections: remove them",
    ),
    (
        replace(layered((3, 4, 3, 2), (5, 6), 0), connections=()),
        f"network 'chain': 'input' has 0 outgoing connections{CHAIN}",
    ),
    (
        replace(layered((3, 4, 3, 2), (5, 6), 0), readout=Readout(population="h2")),
        f"{READOUT}membrane of 'h2'",
    ),
    (
        replace(layered((3, 4, 2), (5,), 0), readout=Readout(population="out", kind="count")),
        f"{READOUT}count of 'out'",
    ),
]


@pytest.mark.parametrize(("network", "message"), REFUSED, ids=[m[:50] for _, m in REFUSED])
def test_what_has_no_pair(network: Network, message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        spiking_pair(network)
    assert str(caught.value) == message


def test_a_population_beside_the_chain() -> None:
    network = layered((3, 3, 3, 2), (5, 6), 0)
    first, second, third = network.connections
    back = replace(third, target="h1", weights=np.zeros((3, 3), int))
    with pytest.raises(NetworkError) as caught:
        spiking_pair(replace(network, connections=(first, second, back)))
    assert str(caught.value) == (
        "population 'out' is not on the way from the input, and a pair is a chain of layers: "
        "connect or remove it"
    )


def test_membranes_that_the_network_has_no_bits_for() -> None:
    network = layered((3, 4, 2), (2,), 0, T=7)
    needed = spiking_pair(network).state_bits
    assert spiking_pair(replace(network, state_bits=needed)).state_bits == needed
    with pytest.raises(NetworkError) as caught:
        spiking_pair(replace(network, state_bits=needed - 1))
    assert str(caught.value) == (
        f"population 'h1': membranes need {needed} bits to hold every input, and network 'chain' "
        f"has {needed - 1}: raise state_bits"
    )


def test_more_ticks_than_a_core_counts() -> None:
    network = layered((1, 1, 1, 1), (1, 1), 0, T=3)
    assert spiking_pair(network, timesteps=1364).populations[1].neuron.window_end == 4093
    with pytest.raises(NetworkError) as caught:
        spiking_pair(network, timesteps=1365)
    assert str(caught.value) == (
        "network 'chain': the last of 2 windows would end at tick 4096, and a core counts 4095: "
        "choose fewer timesteps than 1365"
    )


@pytest.mark.parametrize("steps", [0, 2.0, True, 5000])
def test_bad_timesteps(steps: Any) -> None:
    with pytest.raises(NetworkError) as caught:
        spiking_pair(layered((1, 1), (), 0), timesteps=steps)
    expected = f"encoder timesteps must be an integer from 1 to 4096, not {steps!r}"
    assert str(caught.value) == expected


def test_a_mode_that_is_none() -> None:
    mode: Any = "windows"
    with pytest.raises(ParameterError) as caught:
        spiking_pair(layered((1, 1), (), 0), mode=mode)
    assert str(caught.value) == "mode must be 'window' or 'every-tick', not 'windows'"
