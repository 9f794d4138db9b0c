"""Networks of the fair pair: what they compute in integers, and as spiking networks.

A pair network is two things at once. As a quantised network its activations are integers 0..T: the
input is the encoder's spike count, the hidden layer ``clip(floor((acc + floor(theta / 2)) / theta),
0, T)`` of ``acc = x @ W``, the class the argmax of the last accumulators. As a spiking network its
hidden neurons integrate, fire at ``theta`` and reset by subtraction. Weights are signed integers,
``theta`` is one integer for the whole hidden layer, and there is no bias.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from train import CLASSES, SPLIT, Digits

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.encoder import encode
from spikewatt.model.network.graph import INPUT, Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import Leak, NeuronType, Reset

__all__ = ["INPUTS", "Layer", "Pair", "counts", "forward", "judge", "package", "predict"]

INPUTS = 64

Layer = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Integer and float weights [sources, targets]."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Sizes of a pair network: hidden neurons, weight bits, timesteps T, threshold ``theta``."""

    hidden: int
    weight_bits: int
    timesteps: int
    theta: int

    @property
    def encoder(self) -> Encoder:
        """``floor(T x / 16 + 1/2)`` spikes for a pixel ``x`` of 0..16."""
        return Encoder(inputs=INPUTS, timesteps=self.timesteps, low=0.0, high=16.0)

    @property
    def activation_bits(self) -> int:
        """Bits of an activation 0..T."""
        return self.timesteps.bit_length()

    @property
    def macs(self) -> int:
        """Multiply-accumulates of an inference, one for each weight."""
        return (INPUTS + CLASSES) * self.hidden

    @property
    def cost(self) -> tuple[int, int]:
        """Weight-memory bits; then, among equals, MACs times activation bits."""
        return self.macs * self.weight_bits, self.macs * self.activation_bits


def counts(x: NDArray[np.uint8], encoder: Encoder) -> NDArray[np.uint8]:
    """Input spikes of images, summed over the timesteps: uint8[n, 64] of 0..T."""
    return encode(x, encoder).sum(axis=1, dtype=np.uint8)


def forward(
    network: Network, counts: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hidden activations int64[n, hidden] and last accumulators int64[n, 10], in integers."""
    hidden, output = (link.weights for link in network.connections)
    theta = network.population("hidden").threshold
    y = (counts.astype(np.int64) @ hidden + theta // 2) // theta
    y = np.clip(y, 0, network.encoder.timesteps)
    return y, y @ output


def predict(network: Network, x: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Class of each image by the quantised network."""
    return Readout.decide(forward(network, counts(x, network.encoder))[1])


def state_bits(layers: list[tuple[NDArray[np.int64], int]], t: int) -> int:
    """Bits of a membrane that cannot saturate, whatever the input, in either mode.

    A membrane lies between the sums of a neuron's negative and of its positive weights, T times
    each, with the layer's threshold to spare on either side.
    """
    ends = [
        t * int(np.maximum(sign * weights, 0).sum(axis=0).max()) + theta
        for weights, theta in layers
        for sign in (1, -1)
    ]
    return max(end.bit_length() for end in ends) + 1


def package(pair: Pair, layers: list[Layer], name: str, metadata: Mapping[str, Any]) -> Network:
    """Return the two layers as a spiking network: integrate, fire, reset by subtraction."""
    links = ((INPUT, "hidden"), ("hidden", "output"))
    bounds = [(layers[0][0], pair.theta), (layers[1][0], 0)]
    return Network(
        name=name,
        encoder=pair.encoder,
        populations=(
            Population(
                name="hidden",
                neuron=NeuronType(leak=Leak.NONE, reset=Reset.SUBTRACT),
                threshold=np.full(pair.hidden, pair.theta),
                threshold_float=np.ones(pair.hidden),
            ),
            Population(
                name="output",
                neuron=NeuronType(leak=Leak.NONE, reset=Reset.SUBTRACT, silent=True),
                threshold=np.zeros(CLASSES, np.int64),  # silent: never read
                threshold_float=np.zeros(CLASSES),
            ),
        ),
        connections=tuple(
            Connection(
                source=source,
                target=target,
                weights=weights,
                weight_bits=pair.weight_bits,
                weights_float=floats,
            )
            for (source, target), (weights, floats) in zip(links, layers, strict=True)
        ),
        readout=Readout(population="output"),
        state_bits=state_bits(bounds, pair.timesteps),
        drain_ticks=1,  # every tick: the last hidden spikes reach the output one tick later
        metadata={"dataset": "sklearn.datasets.load_digits", "split": SPLIT, **metadata},
    )


def judge(network: Network, data: Digits) -> dict[str, float]:
    """Accuracy as a quantised network and as a spiking one that fires every tick, and activity.

    An activity is the mean of activation / T, the spikes per neuron and timestep. ``every-tick
    differs`` is the share of hidden spike counts that are not the quantised activation.
    """
    encoder = network.encoder
    x = counts(data.x, encoder)
    y, scores = forward(network, x)
    program = map_network(network)
    trace = run_batch(program, network.stimulus(data.x))
    fired = trace.of("spikes", "hidden")[:, : encoder.timesteps].sum(axis=1)
    return {
        "quantised accuracy": float(np.mean(Readout.decide(scores) == data.y)),
        "every-tick accuracy": float(np.mean(network.readout.classes(trace) == data.y)),
        "input activity": float(x.mean() / encoder.timesteps),
        "input zeros": float(np.mean(x == 0)),
        "hidden activity": float(y.mean() / encoder.timesteps),
        "hidden zeros": float(np.mean(y == 0)),
        "every-tick activity": float(fired.mean() / encoder.timesteps),
        "every-tick differs": float(np.mean(fired != y)),
    }
