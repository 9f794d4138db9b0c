"""A quantised network of dense layers: integers in, integers out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.base.errors import DataError, NetworkError
from spikewatt.model.params.systolic import Rounding

__all__ = ["QuantisedLayer", "QuantisedNetwork", "Requantisation", "divider", "requantise"]

IntArray = NDArray[np.int64]


REQUANTISATION_LIMITS = {"multiplier": (1, (1 << 24) - 1), "shift": (0, 40), "clip_max": (0, 255)}
"""What a core can be built for; with accumulators of 40 bits no product exceeds 64 bits."""


@dataclass(frozen=True)
class Requantisation:
    """``clip(round(acc * multiplier / 2^shift), 0, clip_max)``.

    Raises
    ------
    NetworkError
        A value out of ``REQUANTISATION_LIMITS``.
    """

    multiplier: int
    shift: int
    clip_max: int
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        for name, (low, high) in REQUANTISATION_LIMITS.items():
            value = getattr(self, name)
            if not _is_integer(value) or not low <= value <= high:
                raise NetworkError(f"{name} must be an integer from {low} to {high}, not {value!r}")
        if not isinstance(self.rounding, Rounding):
            raise NetworkError(f"rounding must be a member of Rounding, not {self.rounding!r}")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def requantise(accumulators: ArrayLike, how: Requantisation) -> IntArray:
    """Activations int64[...] of accumulators int[...].

    ``floor`` drops the bits below ``2^shift``, ``half_up`` adds one half first, and ``half_even``
    takes the even neighbour where exactly one half is dropped.
    """
    scaled = np.asarray(accumulators, np.int64) * how.multiplier
    # Arithmetic: rounds down, below 0 too. With 24 bits times 40 it fits 64.
    whole = scaled >> how.shift
    if how.shift and how.rounding is not Rounding.FLOOR:
        half, rest = 1 << how.shift - 1, scaled & ((1 << how.shift) - 1)
        up = rest > half if how.rounding is Rounding.HALF_EVEN else rest >= half
        if how.rounding is Rounding.HALF_EVEN:
            up |= (rest == half) & (whole & 1 == 1)
        whole = whole + up
    return np.clip(whole, 0, how.clip_max)


def divider(threshold: int, clip_max: int) -> Requantisation:
    """The cheapest requantisation that is ``clip(floor((acc + floor(θ/2)) / θ), 0, clip_max)``.

    Both sides are staircases in ``acc`` that rise by one at each of ``clip_max`` steps, so they are
    equal for every integer if their steps lie at the same integers: ``k θ - floor(θ/2)`` for the
    division, and for rounding half up, where 2^shift takes the place of θ, at
    ``ceil((k 2^shift - floor(2^shift/2)) / multiplier)``. The smallest shift for which some
    multiplier does that is taken, and the smallest such multiplier.

    Raises
    ------
    NetworkError
        ``threshold`` or ``clip_max`` below 1, or a division that no `Requantisation` does.
    """
    for name, value in (("threshold", threshold), ("clip_max", clip_max)):
        if not _is_integer(value) or value < 1:
            raise NetworkError(f"{name} must be an integer of at least 1, not {value!r}")
    ks = range(1, clip_max + 1)
    steps = [k * threshold - threshold // 2 for k in ks]
    longest = REQUANTISATION_LIMITS["shift"][1]
    for shift in range(longest + 1):
        unit = 1 << shift
        # Where `acc * multiplier` reaches the k-th step of rounding half up.
        edges = [k * unit - unit // 2 for k in ks]
        # ceil(e / m) = s  <=>  e / s <= m < e / (s - 1)
        low = max(-(-e // s) for e, s in zip(edges, steps, strict=True))
        if all(low * (s - 1) < e for e, s in zip(edges, steps, strict=True)):
            return Requantisation(low, shift, clip_max)
    raise NetworkError(f"no shift of at most {longest} bits divides by {threshold}")


@dataclass(frozen=True, kw_only=True, eq=False)
class QuantisedLayer:
    """``acc = x @ weights + bias``, then requantisation; the last layer has none.

    ``weights``: int64[inputs, outputs]. ``bias``: int64[outputs]. ``name``: as its user calls it.
    """

    weights: IntArray
    bias: IntArray
    requantisation: Requantisation | None = None
    name: str = ""

    @property
    def inputs(self) -> int:
        """Activations that enter."""
        return self.weights.shape[0]

    @property
    def outputs(self) -> int:
        """Accumulators, and activations that leave."""
        return self.weights.shape[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class QuantisedNetwork:
    """Dense layers one after another; the class is the argmax of the last accumulators.

    Parameters
    ----------
    activation_bits:
        Width of every activation, unsigned, 1 to 8.
    weight_bits:
        Width of every weight, signed, 2 to 8.
    input_max:
        Largest input.

    Raises
    ------
    NetworkError
        Shapes or ranges that do not fit together.
    """

    name: str
    activation_bits: int
    weight_bits: int
    input_max: int
    layers: tuple[QuantisedLayer, ...]

    def __post_init__(self) -> None:
        def require(condition: bool, message: str) -> None:
            if not condition:
                raise NetworkError(f"quantised network {self.name!r}: {message}")

        for name, value, low in (
            ("activation", self.activation_bits, 1),
            ("weight", self.weight_bits, 2),
        ):
            fits = _is_integer(value) and low <= value <= 8
            require(fits, f"{value!r} {name} bits, not {low}..8")
        top, half = (1 << self.activation_bits) - 1, 1 << self.weight_bits - 1
        fits = _is_integer(self.input_max) and 1 <= self.input_max <= top
        require(fits, f"input_max must be 1..{top}, not {self.input_max!r}")
        require(bool(self.layers), "it needs at least one layer")
        names = self.layer_names
        require(len(set(names)) == len(names), f"names of layers must be unique, not {names}")
        for number, layer in enumerate(self.layers):
            last = number == len(self.layers) - 1
            how = layer.requantisation
            require(layer.weights.ndim == 2 and layer.weights.size > 0, f"layer {number} is empty")
            require(
                layer.bias.shape == (layer.outputs,),
                f"layer {number}: bias must have shape ({layer.outputs},), not {layer.bias.shape}",
            )
            for name, values in (("weights", layer.weights), ("bias", layer.bias)):
                require(
                    values.dtype.kind == "i",
                    f"layer {number}: {name} must be signed integers, not {values.dtype}",
                )
            require(
                -half <= layer.weights.min() and layer.weights.max() < half,
                f"layer {number}: weights must lie in {-half}..{half - 1}",
            )
            require(
                (how is None) == last,
                f"layer {number} {'must not' if last else 'needs to'} be requantised",
            )
            require(
                how is None or how.clip_max <= top,
                f"layer {number}: clip_max exceeds the {self.activation_bits}-bit activation",
            )
            require(
                not number or layer.inputs == self.layers[number - 1].outputs,
                f"layer {number} takes {layer.inputs} inputs, the one before gives "
                f"{self.layers[number - 1].outputs}",
            )

    @property
    def layer_names(self) -> list[str]:
        """What reports and pictures call the layers: their names, else ``layer 1`` and so on."""
        return [layer.name or f"layer {k}" for k, layer in enumerate(self.layers, start=1)]

    @property
    def macs(self) -> int:
        """Multiplications of one input."""
        return sum(layer.weights.size for layer in self.layers)

    @cached_property
    def accumulator_range(self) -> tuple[int, int]:
        """Lowest and highest partial sum that any input can lead to, both included."""
        low = high = 0
        top = self.input_max
        for layer in self.layers:
            # All positive products first, or all negative ones: no partial sum of any order lies
            # beyond.
            positive = np.maximum(layer.weights, 0).sum(0) * top + np.maximum(layer.bias, 0)
            negative = np.minimum(layer.weights, 0).sum(0) * top + np.minimum(layer.bias, 0)
            low, high = min(low, int(negative.min())), max(high, int(positive.max()))
            # Activations are never negative, and never above what the layer clips to.
            top = 0 if layer.requantisation is None else layer.requantisation.clip_max
        return low, high

    @property
    def accumulator_bits(self) -> int:
        """Width, at least 4, that holds every partial sum of every input, signed."""
        low, high = self.accumulator_range
        return max(4, 1 + high.bit_length(), 1 + (~low).bit_length())

    def check_inputs(self, x: ArrayLike) -> IntArray:
        """Inputs int64[n, inputs], or say what is wrong with them.

        Raises
        ------
        DataError
            Wrong shape, not integers, or outside 0..input_max.
        """
        array = np.asarray(x)
        if array.ndim != 2 or array.shape[1] != self.layers[0].inputs or not len(array):
            raise DataError(
                f"inputs must have shape (n, {self.layers[0].inputs}), not {array.shape}"
            )
        if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > self.input_max:
            raise DataError(f"inputs must be integers from 0 to {self.input_max}")
        return array.astype(np.int64)

    def run(self, x: ArrayLike) -> list[IntArray]:
        """What each layer gives for inputs int[n, inputs]: int64[n, outputs], accumulators last."""
        values, out = self.check_inputs(x), []
        for layer in self.layers:
            values = values @ layer.weights + layer.bias
            if layer.requantisation is not None:
                values = requantise(values, layer.requantisation)
            out.append(values)
        return out
