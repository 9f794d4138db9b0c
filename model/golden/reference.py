"""The network before quantisation: the same tick, in real numbers."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetworkError
from spikewatt.model.network.graph import INPUT, Network, Population
from spikewatt.model.params import Compare, Leak, Reset
from spikewatt.model.run import Layout, Piece, Run

__all__ = ["run_reference"]

FloatArray = NDArray[np.float64]


def _fire(v: FloatArray, population: Population, t: int) -> tuple[NDArray[np.bool_], FloatArray]:
    """Spikes bool[B, n] of tick ``t`` and membranes after the reset."""
    neuron, threshold = population.neuron, population.threshold_float
    closed = neuron.windowed and not neuron.window_first <= t < neuron.window_end
    if neuron.silent or closed or threshold is None:
        return np.zeros(v.shape, np.bool_), v
    strict = neuron.compare is Compare.GREATER
    # Real numbers: nothing to round.
    bound = threshold / 2 if neuron.windowed else threshold
    spikes = v > bound if strict else v >= bound
    after = {Reset.ZERO: np.zeros_like(v), Reset.SUBTRACT: v - threshold, Reset.NONE: v}
    return spikes, np.where(spikes, after[neuron.reset], v)


def run_reference(network: Network, spikes: NDArray[np.bool_]) -> Run:
    """Run of the network before quantisation; membranes are float64.

    ``v = leak v + sum of weights + bias``, then compare and reset, as in
    `spikewatt.model.golden.core`, with real weights and thresholds and without saturation.
    With a window, half the threshold is not rounded.

    Parameters
    ----------
    spikes:
        bool[B, ticks, inputs].

    Raises
    ------
    NetworkError
        When the network carries no real-valued weights, or leaks by subtraction or is refractory,
        which have no real-valued form here.
    """
    if not network.has_floats:
        raise NetworkError(f"network {network.name!r} carries no real-valued weights")
    for population in network.populations:
        if population.neuron.refractory or population.neuron.leak is Leak.SUBTRACT:
            raise NetworkError(
                f"population {population.name!r} is refractory or leaks by subtraction: "
                "that has no real-valued form here"
            )
    batch, ticks, _ = spikes.shape
    v = {p.name: np.zeros((batch, p.size)) for p in network.populations}
    sent = {p.name: np.zeros((ticks, batch, p.size), np.bool_) for p in network.populations}
    sent[INPUT] = np.moveaxis(spikes, 1, 0)
    for t in range(ticks):
        for population in network.populations:
            name = population.name
            current = np.zeros_like(v[name])
            takes_bias = t == 0 or not population.neuron.windowed
            if population.bias_float is not None and takes_bias:
                current += population.bias_float
            for link in network.connections:
                # Input spikes of tick t arrive with delay 1 in t; a neuron's, one tick later.
                at = t - link.delay + (link.source == INPUT)
                if link.target == name and at >= 0:
                    current = current + sent[link.source][at] @ link.weights_float
            v[name] = population.leak_float * v[name] + current
            sent[name][t], v[name] = _fire(v[name], population, t)
    names = [population.name for population in network.populations]
    fired = np.moveaxis(np.concatenate([sent[name] for name in names], axis=2), 0, 1)
    return Run(
        by="the network before quantisation",
        arrays={
            "spikes": fired,
            "spike_counts": fired.sum(axis=1),
            "final_membranes": np.concatenate([v[name] for name in names], axis=1),
        },
        layout=_layout(network),
    )


def _layout(network: Network) -> Layout:
    """Populations one after another."""
    ends = np.cumsum([0, *(population.size for population in network.populations)]).tolist()
    return {
        population.name: (Piece(0, range(first, end), range(end - first)),)
        for population, (first, end) in zip(network.populations, pairwise(ends), strict=True)
    }
