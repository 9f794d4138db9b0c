"""Random quantised networks and inputs, drawn so that every corner of rounding is met."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.network.quantised import (
    QuantisedLayer,
    QuantisedNetwork,
    Requantisation,
    divider,
)
from spikewatt.model.params.systolic import Rounding

__all__ = ["NetworkKind", "random_inputs", "random_network"]

IntArray = NDArray[np.int64]
Rng = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class NetworkKind:
    """What a random network may use: widths, sizes of its layers, shifts and roundings."""

    activation_bits: int = 8
    weight_bits: int = 8
    layers: int = 4
    widest: int = 40
    biases: bool = True
    shifts: tuple[int, ...] = tuple(range(21))
    roundings: tuple[Rounding, ...] = tuple(Rounding)
    multiplier_bits: int = 16


def random_network(rng: Rng, kind: NetworkKind, name: str) -> QuantisedNetwork:
    """Layers of any size up to ``kind.widest``, often of one activation or next to it."""
    depth = int(rng.integers(1, kind.layers + 1))
    small = rng.random(depth + 1) < 0.25
    sizes = np.where(small, 1 + small.cumsum() % 2, rng.integers(1, kind.widest + 1, depth + 1))
    top = (1 << kind.activation_bits) - 1
    input_max = top if rng.random() < 0.6 else int(rng.integers(1, top + 1))
    layers, largest = [], input_max
    for number, (inputs, outputs) in enumerate(pairwise(sizes.tolist())):
        weights = _weights(rng, kind.weight_bits, (inputs, outputs))
        spread = max(1, round(largest * float(np.sqrt((weights**2).sum(0).mean()))))
        bias = _bias(rng, spread, outputs) if kind.biases else np.zeros(outputs, np.int64)
        how = None
        if number + 1 < depth:
            how = _requantisation(rng, kind, spread)
            largest = max(1, how.clip_max)
        layers.append(QuantisedLayer(weights=weights, bias=bias, requantisation=how))
    return QuantisedNetwork(
        name=name,
        activation_bits=kind.activation_bits,
        weight_bits=kind.weight_bits,
        input_max=input_max,
        layers=tuple(layers),
    )


def _weights(rng: Rng, bits: int, shape: tuple[int, int]) -> IntArray:
    """Of all values, or many zeros, or nothing but the extremes."""
    half = 1 << bits - 1
    anything = rng.integers(-half, half, shape)
    ends = rng.choice(np.array([-half, half - 1]), shape)
    kept = rng.random(shape) < 0.4
    return [anything, np.where(kept, anything, 0), ends, np.full(shape, -half)][
        rng.choice(4, p=[0.5, 0.3, 0.15, 0.05])
    ]


def _bias(rng: Rng, spread: int, outputs: int) -> IntArray:
    """None, or about as large as the sums."""
    if rng.random() < 0.2:
        return np.zeros(outputs, np.int64)
    return rng.integers(-spread - 1, spread + 2, outputs)


def _requantisation(rng: Rng, kind: NetworkKind, spread: int) -> Requantisation:
    """A division by a threshold, powers of two (with ties), or any multiplier that is lively."""
    clip_max = int(rng.integers(1, 1 << kind.activation_bits))
    if rng.random() < 0.02:
        clip_max = 0
    exact = divider(max(1, 2 * spread // max(1, clip_max)), max(1, clip_max))
    possible = exact.shift in kind.shifts and exact.rounding in kind.roundings
    if possible and exact.multiplier < 1 << kind.multiplier_bits and rng.random() < 0.4:
        return exact
    shift = int(rng.choice(kind.shifts))
    rounding = kind.roundings[rng.integers(len(kind.roundings))]
    lively = max(1.0, (max(1, clip_max) << shift) / (2 * spread) * rng.choice([0.5, 1, 2]))
    multiplier = min(round(lively), (1 << kind.multiplier_bits) - 1)
    if rng.random() < 0.5:  # with few bits below the point, ties are frequent
        multiplier = 1 << multiplier.bit_length() - 1
    return Requantisation(multiplier, shift, clip_max, rounding)


def random_inputs(rng: Rng, network: QuantisedNetwork, batch: int) -> IntArray:
    """Inputs int64[batch, inputs]: of all values, many zeros, all at the top, none at all."""
    shape = (batch, network.layers[0].inputs)
    anything = rng.integers(0, network.input_max + 1, shape)
    kept = np.where(rng.random(shape) < 0.4, anything, 0)
    top, none = np.full(shape, network.input_max), np.zeros(shape, np.int64)
    kind = rng.choice(4, (batch, 1), p=[0.5, 0.35, 0.1, 0.05])
    return np.choose(kind, [anything, kept, top, none])
