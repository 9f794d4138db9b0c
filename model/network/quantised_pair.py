"""The quantised side of the fair pair: what a network with windows computes, without time."""

from itertools import pairwise

from spikewatt.model.network.graph import INPUT, Network
from spikewatt.model.network.pair import spiking_pair
from spikewatt.model.network.quantised import QuantisedLayer, QuantisedNetwork, divider

__all__ = ["quantised_pair"]


def quantised_pair(network: Network, *, timesteps: int | None = None) -> QuantisedNetwork:
    """Return the quantised network whose activations are spike counts in T ticks.

    Activations run from 0 to T in ``ceil(log2(T + 1))`` bits: a hidden layer gives
    ``clip(floor((acc + floor(θ/2)) / θ), 0, T)``, as a multiplication and a shift that are equal to
    the division for every accumulator, and the last layer its accumulators. That is what the
    network of `spiking_pair` in mode ``"window"`` sends. Layers have the names of the populations.

    Parameters
    ----------
    network, timesteps:
        As for `spiking_pair`.

    Raises
    ------
    NetworkError
        The network has no equal, and why.
    """
    spiking = spiking_pair(network, timesteps=timesteps)
    steps = spiking.encoder.timesteps
    links = {link.source: link for link in spiking.connections}
    names = [INPUT]
    # `spiking_pair` has seen to it that this is one chain to the readout.
    while names[-1] in links:
        names.append(links[names[-1]].target)
    layers = []
    for source, target in pairwise(names):
        population = spiking.population(target)
        assert population.bias is not None  # Population fills it in
        silent = population.neuron.silent
        layers.append(
            QuantisedLayer(
                weights=links[source].weights,
                bias=population.bias,
                requantisation=None if silent else divider(int(population.threshold[0]), steps),
                name=target,
            )
        )
    return QuantisedNetwork(
        name=spiking.name,
        activation_bits=steps.bit_length(),
        weight_bits=max(link.weight_bits for link in spiking.connections),
        input_max=steps,
        layers=tuple(layers),
    )
