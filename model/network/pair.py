"""The spiking side of the fair pair: an ordinary network with windows.

With ``acc`` the sum of a hidden neuron's weighted inputs over T ticks, its bias included, window
mode sends exactly ``clip(floor((acc + floor(theta / 2)) / theta), 0, T)`` spikes: the neuron fires
for the n-th time if ``acc - (n - 1) theta >= ceil(theta / 2)``, and at most T times. The membranes
of the readout end as its accumulators.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetworkError, ParameterError
from spikewatt.model.network.graph import INPUT, Connection, Network, Population
from spikewatt.model.network.modes import Mode
from spikewatt.model.params import WINDOW_END, Compare, Leak, NeuronType, Reset

__all__ = ["Mode", "spiking_pair"]

IntArray = NDArray[np.int64]
SMALLEST_STATE_BITS = 4


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """A population and what drives it."""

    link: Connection
    population: Population

    @property
    def hidden(self) -> bool:
        """Whether it sends spikes."""
        return not self.population.neuron.silent


def spiking_pair(
    network: Network, *, timesteps: int | None = None, mode: Mode = "window"
) -> Network:
    """Put windows on a chain of integrate-and-fire layers, so that each serves for T ticks.

    In mode ``"window"`` hidden layer l = 1, 2, … integrates silently, then fires in the T ticks
    from ``(l - 1) (T + 1) + T`` on; in mode ``"every-tick"`` it fires as it integrates, in the T
    ticks from ``l - 1`` on. Weights, thresholds and real values stay. The membranes become as
    narrow as they can be without ever saturating.

    Parameters
    ----------
    network:
        A chain from the input over hidden populations (no leak, no refractory ticks, reset by
        subtraction, compared with ``>=``, one threshold of at least 1 for all neurons) to a silent
        population whose membranes are read; delays of 1 tick, weights of 2 to 8 bits. A bias is
        what its neuron adds once, for a whole run of ``network.encoder.timesteps`` ticks.
    timesteps:
        T; the encoder's by default. Biases are scaled where it differs, and rounded half up.

    Raises
    ------
    NetworkError
        Names what is not as above, or the population whose membranes need more bits than
        ``network.state_bits``.
    ParameterError
        On another ``mode``.
    """
    if mode not in ("window", "every-tick"):
        raise ParameterError(f"mode must be 'window' or 'every-tick', not {mode!r}")
    layers = _chain(network)
    for layer in layers:
        _check(layer, last=layer is layers[-1])
    steps = network.encoder.timesteps if timesteps is None else timesteps
    encoder = replace(network.encoder, timesteps=steps)
    stride = steps + 1 if mode == "window" else 1
    silent = steps if mode == "window" else 0  # ticks before the first hidden layer fires
    hidden = len(layers) - 1
    # The last hidden layer's window; without hidden layers the readout still takes its bias, in
    # tick 0.
    end = max((hidden - 1) * stride + silent + steps, 1)
    if end > WINDOW_END:
        raise NetworkError(
            f"network {network.name!r}: the last of {hidden} windows would end at tick {end}, and "
            f"a core counts {WINDOW_END}: choose fewer timesteps than {steps}"
        )
    scaled = [
        replace(layer, population=_scaled(layer.population, steps, network.encoder.timesteps))
        for layer in layers
    ]
    needed = {layer.population.name: _state_bits(layer, steps, mode) for layer in scaled}
    name = max(needed, key=lambda key: needed[key])
    if needed[name] > network.state_bits:
        raise NetworkError(
            f"population {name!r}: membranes need {needed[name]} bits to hold every input, and "
            f"network {network.name!r} has {network.state_bits}: raise state_bits"
        )
    placed = {
        layer.population.name: replace(
            layer.population, neuron=_neuron(layer, k * stride + silent, steps)
        )
        for k, layer in enumerate(scaled)
    }
    return replace(
        network,
        encoder=encoder,
        populations=tuple(placed[population.name] for population in network.populations),
        state_bits=needed[name],
        drain_ticks=hidden * stride,
    )


def _chain(network: Network) -> list[_Layer]:
    """Layers from the input to the readout; every population and connection is among them."""
    subject = f"network {network.name!r}"
    for link in network.connections:
        if link.source == link.target:
            raise NetworkError(
                f"connection {link.source} -> {link.target} is recurrent: a pair is a chain of "
                "layers, remove it"
            )
    layers: list[_Layer] = []
    at = INPUT
    # So many steps at most: a ring of populations is no chain either, and ends here.
    for _ in network.populations:
        links = [link for link in network.connections if link.source == at]
        if len(links) != 1:
            raise NetworkError(
                f"{subject}: {at!r} has {len(links)} outgoing connections, and a pair is a chain "
                "of layers: give it one"
            )
        at = links[0].target
        layers.append(_Layer(link=links[0], population=network.population(at)))
    used = {layer.population.name for layer in layers}
    for population in network.populations:
        if population.name not in used:
            raise NetworkError(
                f"population {population.name!r} is not on the way from the input, and a pair is a "
                "chain of layers: connect or remove it"
            )
    if len(network.connections) != len(layers):
        raise NetworkError(
            f"{subject}: {at!r} ends the chain of layers and has outgoing connections: remove them"
        )
    if network.readout.population != at or network.readout.kind != "membrane":
        raise NetworkError(
            f"readout: a pair reads the membranes of its last population, {at!r}, not the "
            f"{network.readout.kind} of {network.readout.population!r}"
        )
    return layers


def _check(layer: _Layer, *, last: bool) -> None:
    """Refuse what has no equal in a quantised network."""
    link, population, kind = layer.link, layer.population, layer.population.neuron
    subject = f"population {population.name!r}"
    lowest, highest = int(population.threshold.min()), int(population.threshold.max())
    uneven = (
        f"{subject} has thresholds {lowest}..{highest}: give all its neurons one threshold of at "
        "least 1"
    )
    wants = [
        # A readout that fires would lose what it should end with.
        (
            kind.silent == last,
            f"{subject}: the last population of a pair is silent, the others fire",
        ),
        (kind.leak is Leak.NONE, f"{subject} leaks ({kind.leak.name}): choose leak NONE"),
        (kind.window is None, f"{subject} has a window already: give the network without windows"),
    ]
    if not last:
        wants += [
            (
                kind.reset is Reset.SUBTRACT,
                f"{subject} is reset to {kind.reset.name}: choose SUBTRACT",
            ),
            (
                kind.compare is Compare.GREATER_EQUAL,
                f"{subject} compares with {kind.compare.name}: choose GREATER_EQUAL",
            ),
            (not kind.refractory, f"{subject} is refractory: choose 0 refractory ticks"),
            (1 <= lowest == highest, uneven),
        ]
    joined = f"connection {link.source} -> {link.target}"
    wants += [
        (link.delay == 1, f"{joined} has a delay of {link.delay} ticks: choose 1"),
        (
            2 <= link.weight_bits <= 8,
            f"{joined} has weights of {link.weight_bits} bits: choose 2 to 8",
        ),
    ]
    for met, message in wants:
        if not met:
            raise NetworkError(message)


def _scaled(population: Population, steps: int, before: int) -> Population:
    """Bias for ``steps`` ticks instead of ``before``: ``floor(bias steps / before + 1/2)``."""
    bias, real = population.bias, population.bias_float
    if steps == before or bias is None:
        return population
    return replace(
        population,
        bias=(2 * bias * steps + before) // (2 * before),
        bias_float=None if real is None else real * steps / before,
    )


def _neuron(layer: _Layer, first: int, steps: int) -> NeuronType:
    """Type with its window; a readout's only lets its bias in, and the rest of it is not read."""
    if layer.hidden:
        return replace(layer.population.neuron, window=(first, steps))
    return NeuronType(reset=Reset.SUBTRACT, silent=True, window=(0, 1))


def _state_bits(layer: _Layer, steps: int, mode: Mode) -> int:
    """Fewest bits in which no membrane of a layer can saturate, and its thresholds fit.

    Each of its sources sends a spike or none in each of ``steps`` ticks. Followed are the lowest
    and the highest membrane int64[n], which any order of the spikes keeps between.
    """
    weights, threshold = layer.link.weights, layer.population.threshold
    falls, rises = np.minimum(weights, 0).sum(axis=0), np.maximum(weights, 0).sum(axis=0)
    bias = layer.population.bias
    low = high = np.zeros_like(threshold) if bias is None else bias
    least, most = int(low.min()), int(high.max())
    for _ in range(steps):
        low, high = low + falls, high + rises
        least, most = min(least, int(low.min())), max(most, int(high.max()))
        if layer.hidden and mode == "every-tick":
            low, high = _fired(low, high, threshold)
    # A spike takes no membrane below -floor(threshold / 2), which is narrower than the threshold.
    ends = (most, ~least, int(threshold.max()))
    return max(SMALLEST_STATE_BITS, 1 + max(end.bit_length() for end in ends if end >= 0))


def _fired(low: IntArray, high: IntArray, threshold: IntArray) -> tuple[IntArray, IntArray]:
    """Bounds after a tick in which those at ``ceil(threshold / 2)`` or above lost the threshold."""
    half = (threshold + 1) >> 1
    some, all_ = high >= half, low >= half
    lowest = np.where(some, np.minimum(low, np.maximum(low, half) - threshold), low)
    highest = np.where(all_, high - threshold, np.minimum(high, half - 1))
    highest = np.where(some & ~all_, np.maximum(highest, high - threshold), highest)
    return lowest, highest
