"""Chains of layers, their quantised activations in plain NumPy, and spike trains of counts."""

import itertools

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.network.graph import INPUT, Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import NeuronType, Reset

__all__ = ["domain", "layered", "quantised", "trains"]

IntArray = NDArray[np.int64]
PLAIN = NeuronType(reset=Reset.SUBTRACT)
SILENT = NeuronType(silent=True)


def layered(
    sizes: tuple[int, ...], thresholds: tuple[int, ...], seed: int, *, bias: int = 0, T: int = 3
) -> Network:
    """Random chain; ``bias`` is the largest magnitude of a bias."""
    rng = np.random.default_rng(seed)
    names = [INPUT, *(f"h{k}" for k in range(1, len(sizes) - 1)), "out"]
    populations = tuple(
        Population(
            name=name,
            neuron=SILENT if name == "out" else PLAIN,
            threshold=np.full(size, threshold),
            bias=rng.integers(-bias, bias + 1, size),
        )
        for name, size, threshold in zip(names[1:], sizes[1:], (*thresholds, 0), strict=True)
    )
    connections = tuple(
        Connection(
            source=a, target=b, weights=rng.integers(-8, 8, (sizes[k], sizes[k + 1])), weight_bits=4
        )
        for k, (a, b) in enumerate(itertools.pairwise(names))
    )
    return Network(
        name="chain",
        encoder=Encoder(inputs=sizes[0], timesteps=T),
        populations=populations,
        connections=connections,
        readout=Readout(population="out"),
        state_bits=24,
    )


def quantised(network: Network, x: IntArray, steps: int) -> tuple[list[IntArray], IntArray]:
    """Activations of the hidden layers and last accumulators of input counts, in plain integers."""
    activations, acc = [], x
    for k, link in enumerate(network.connections):
        population = network.populations[k]
        acc = x @ link.weights + np.asarray(population.bias)
        theta = int(population.threshold[0])
        if k < len(network.populations) - 1:
            x = np.clip((acc + theta // 2) // theta, 0, steps)
            activations.append(x)
    return activations, acc


def domain(inputs: int, steps: int) -> IntArray:
    return np.array(list(itertools.product(range(steps + 1), repeat=inputs)))


def trains(counts: IntArray, ticks: int, steps: int, how: str) -> NDArray[np.bool_]:
    """Spikes bool[n, ticks, inputs]: as many as ``counts``, early, late, or anywhere."""
    order = np.arange(steps)[None, :, None] + np.zeros((len(counts), 1, counts.shape[1]))
    if how == "late":
        order = order[:, ::-1]
    elif how == "anywhere":
        order = np.random.default_rng(1).permuted(order, axis=1)
    spikes = np.zeros((len(counts), ticks, counts.shape[1]), np.bool_)
    spikes[:, :steps] = order < counts[:, None]
    return spikes
