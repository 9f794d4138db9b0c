"""The quantised pair is what the network with windows sends, for every input there is."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from spikewatt.base.errors import NetworkError
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.graph import Network
from spikewatt.model.network.pair import spiking_pair
from spikewatt.model.network.quantised_pair import quantised_pair
from spikewatt.model.params import Leak
from tests.model.pairs import domain, layered, quantised, trains


def cases() -> Iterator[tuple[tuple[int, ...], tuple[int, ...], int, int, int | None]]:
    """(sizes, thresholds, bias, T of the network, T of the pair)."""
    for steps in (1, 2, 3, 5, 7):
        yield (3, 4, 2), (5,), 0, steps, None
        yield (3, 4, 3, 2), (6, 5), 9, steps, None
    yield (3, 2), (), 7, 3, None
    yield (2, 3, 3, 3, 2), (4, 7, 1), 5, 3, None
    for other in (1, 2, 7):
        yield (3, 4, 3, 2), (6, 5), 9, 4, other


def spiking(network: Network, counts: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Spike counts of the hidden layers and last membranes of the golden model."""
    program = map_network(network, lanes=4)
    spikes = trains(counts, network.ticks, network.encoder.timesteps, "anywhere")
    trace = run_batch(program, spikes)
    columns = [program.neurons_of[population.name] for population in network.populations]
    hidden = [trace.spikes[:, :, numbers].sum(1) for numbers in columns[:-1]]
    return hidden, trace.membranes[:, -1, columns[-1]]


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_equals_the_spiking_pair(case: tuple) -> None:
    sizes, thresholds, bias, before, other = case
    steps = other or before
    for seed in range(3):
        network = layered(sizes, thresholds, seed, bias=bias, T=before)
        pair, found = (
            spiking_pair(network, timesteps=other),
            quantised_pair(network, timesteps=other),
        )
        counts = domain(sizes[0], steps)
        expected, membranes = spiking(pair, counts)
        *hidden, accumulators = found.run(counts)
        assert len(hidden) == len(expected) == len(thresholds)
        for got, wanted in zip(hidden, expected, strict=True):
            np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(accumulators, membranes)
        plain, sums = quantised(pair, counts, steps)
        np.testing.assert_array_equal(accumulators, sums)
        for got, wanted in zip(hidden, plain, strict=True):
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("steps", "bits"), [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (15, 4)]
)
def test_activations_reach_from_0_to_the_timesteps(steps: int, bits: int) -> None:
    found = quantised_pair(layered((3, 4, 2), (5,), 1, T=steps))
    assert (found.activation_bits, found.input_max, found.weight_bits) == (bits, steps, 4)
    assert [(layer.inputs, layer.outputs) for layer in found.layers] == [(3, 4), (4, 2)]
    first = found.layers[0].requantisation
    assert first is not None
    assert first.clip_max == steps  # and not 2^b - 1
    assert found.layers[1].requantisation is None
    assert found.name == "chain"


def test_populations_in_any_order() -> None:
    """The chain follows the connections, wherever populations and connections stand in the file."""
    network = layered((3, 4, 3, 2), (6, 5), 2, bias=4, T=3)
    shuffled = replace(
        network,
        populations=network.populations[::-1],
        connections=(network.connections[1], network.connections[2], network.connections[0]),
    )
    counts = domain(3, 3)
    for got, wanted in zip(
        quantised_pair(shuffled).run(counts), quantised_pair(network).run(counts), strict=True
    ):
        np.testing.assert_array_equal(got, wanted)


def test_widest_weights_count() -> None:
    network = layered((3, 4, 2), (5,), 1)
    wider = replace(network.connections[1], weight_bits=7)
    assert (
        quantised_pair(replace(network, connections=(network.connections[0], wider))).weight_bits
        == 7
    )


def test_no_equal_says_why() -> None:
    network = layered((3, 4, 2), (5,), 1)
    hidden = network.populations[0]
    leaky = replace(hidden, neuron=replace(hidden.neuron, leak=Leak.SHIFT, leak_amount=3))
    with pytest.raises(NetworkError, match=r"^population 'h1' leaks \(SHIFT\): choose leak NONE$"):
        quantised_pair(replace(network, populations=(leaky, network.populations[1])))
