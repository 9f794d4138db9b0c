"""A quantised spiking network: populations of neurons and the connections between them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.base.html import html_table
from spikewatt.model.network.checks import is_integer, require
from spikewatt.model.network.encoder import Encoder, encode
from spikewatt.model.network.readout import Readout
from spikewatt.model.params import LEAK_FRACTION_BITS, Leak, NeuronType

__all__ = ["INPUT", "Connection", "Encoder", "Network", "Population", "Readout"]

INPUT = "input"
"""Name of the population that the encoder drives."""

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def _integers(name: str, values: Any, shape: tuple[int, ...], low: int, high: int) -> IntArray:
    array = np.asarray(values)
    require(array.shape == shape, f"{name} must have shape {shape}, not {array.shape}")
    require(array.dtype.kind in "iu", f"{name} must hold integers, not {array.dtype}")
    if array.size:
        extremes = int(array.min()), int(array.max())
        require(
            low <= extremes[0] and extremes[1] <= high,
            f"{name} must lie in {low}..{high}, not {extremes[0]}..{extremes[1]}",
        )
    # A copy, then read-only: a network that was checked stays as it was checked.
    array = array.astype(np.int64)
    array.setflags(write=False)
    return array


def _floats(name: str, values: Any, shape: tuple[int, ...]) -> FloatArray | None:
    if values is None:
        return None
    array = np.asarray(values)
    require(array.dtype.kind in "fiu", f"{name} must hold numbers, not {array.dtype}")
    require(array.shape == shape, f"{name} must have shape {shape}, not {array.shape}")
    array = array.astype(np.float64)
    # The file holds float32: what would become infinite there is refused here.
    finite = np.abs(array) <= np.finfo(np.float32).max
    require(bool(finite.all()), f"{name} must be finite float32 values")
    array.setflags(write=False)
    return array


@dataclass(frozen=True, kw_only=True)
class Population:
    """Neurons of one type.

    Parameters
    ----------
    name:
        Unique, and not ``"input"``.
    neuron:
        Leak, reset, comparison, refractory ticks; the same for all.
    threshold:
        int[n], at least 0.
    bias:
        int[n], added in every tick; zeros when left out.
    threshold_float, bias_float:
        float[n] of the network before quantisation, where known.
    """

    name: str
    neuron: NeuronType
    threshold: IntArray
    bias: IntArray | None = None
    threshold_float: FloatArray | None = None
    bias_float: FloatArray | None = None

    def __post_init__(self) -> None:
        shape = np.shape(self.threshold)
        subject = f"population {self.name!r}"
        require(isinstance(self.name, str), f"population name must be text, not {self.name!r}")
        require(bool(self.name) and self.name != INPUT, f"{subject}: the name is reserved or empty")
        require(
            len(shape) == 1 and 1 <= shape[0] <= 1 << 16,
            f"{subject}: threshold must be a vector of 1 to 65536 values, not of shape {shape}",
        )
        high = (1 << 31) - 1
        # Around `frozen`, once, while it is made.
        set_ = object.__setattr__
        set_(self, "threshold", _integers(f"{subject}: threshold", self.threshold, shape, 0, high))
        bias = np.zeros(shape, np.int64) if self.bias is None else self.bias
        set_(self, "bias", _integers(f"{subject}: bias", bias, shape, -high - 1, high))
        for name in ("threshold_float", "bias_float"):
            set_(self, name, _floats(f"{subject}: {name}", getattr(self, name), shape))

    @property
    def size(self) -> int:
        """Number of neurons."""
        return len(self.threshold)

    @property
    def leak_float(self) -> float:
        """Factor that the leak puts on a real-valued membrane in a tick."""
        kind, amount = self.neuron.leak, self.neuron.leak_amount
        if kind is Leak.SHIFT:
            return 1 - 2.0**-amount
        if kind is Leak.MULTIPLY:
            return amount / (1 << LEAK_FRACTION_BITS)
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Dense synapses from every neuron of one population to every neuron of another.

    Parameters
    ----------
    source, target:
        Names of populations; ``source`` may be ``"input"``, and may equal ``target``.
    weights:
        int[sources, targets] of ``weight_bits`` bits: signed, or {0, 1} when 1 bit wide.
    weight_bits:
        1 to 9.
    delay:
        Ticks from the spike to the target's integration, 1 to 63.
    weights_float:
        float[sources, targets] before quantisation, where known.
    """

    source: str
    target: str
    weights: IntArray
    weight_bits: int = 8
    delay: int = 1
    weights_float: FloatArray | None = None

    def __post_init__(self) -> None:
        subject = f"connection {self.source} -> {self.target}"
        bits, shape = self.weight_bits, np.shape(self.weights)
        require(
            is_integer(bits, 1, 9),
            f"{subject}: weight_bits must be an integer from 1 to 9, not {bits!r}",
        )
        require(
            is_integer(self.delay, 1, 63),
            f"{subject}: delay must be an integer from 1 to 63 ticks, not {self.delay!r}",
        )
        require(len(shape) == 2, f"{subject}: weights must be a matrix, not of shape {shape}")
        low, high = (0, 1) if bits == 1 else (-(1 << bits - 1), (1 << bits - 1) - 1)
        weights = _integers(f"{subject}: weights", self.weights, shape, low, high)
        object.__setattr__(self, "weights", weights)
        floats = _floats(f"{subject}: weights_float", self.weights_float, shape)
        object.__setattr__(self, "weights_float", floats)


@dataclass(frozen=True, kw_only=True, repr=False)
class Network:
    """A quantised spiking network with its encoder and readout.

    Raises
    ------
    NetworkError
        When names, shapes or ranges do not fit together.
    """

    name: str
    encoder: Encoder
    populations: tuple[Population, ...]
    connections: tuple[Connection, ...]
    readout: Readout
    state_bits: int = 16
    drain_ticks: int = 0
    metadata: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __repr__(self) -> str:
        sizes = [self.encoder.inputs, *(population.size for population in self.populations)]
        ticks = f"{self.encoder.timesteps} timesteps"
        return f"<Network {self.name!r}: {'-'.join(map(str, sizes))}, {ticks}>"

    def _repr_html_(self) -> str:
        rows = [("input", f"{self.encoder.inputs} inputs, {self.encoder.timesteps} timesteps")]
        rows += [(each.name, f"{each.size} neurons") for each in self.populations]
        rows += [
            (
                f"{link.source} to {link.target}",
                f"{link.weights.size} weights of {link.weight_bits} bits",
            )
            for link in self.connections
        ]
        return html_table(self.name, rows)

    def __post_init__(self) -> None:
        require(isinstance(self.name, str), f"name must be text, not {self.name!r}")
        require(
            isinstance(self.metadata, Mapping),
            f"metadata must be a mapping, not {self.metadata!r}",
        )
        object.__setattr__(self, "populations", tuple(self.populations))
        object.__setattr__(self, "connections", tuple(self.connections))
        sizes = {population.name: population.size for population in self.populations}
        require(bool(sizes), "a network needs at least one population")
        require(len(sizes) == len(self.populations), "population names must be unique")
        sizes[INPUT] = self.encoder.inputs
        for link in self.connections:
            subject = f"connection {link.source} -> {link.target}"
            for end in (link.source, link.target):
                require(end in sizes, f"{subject}: there is no population {end!r}")
            require(link.target != INPUT, f"{subject}: the input cannot be a target")
            expected = sizes[link.source], sizes[link.target]
            require(
                link.weights.shape == expected,
                f"{subject}: weights must have shape {expected}, not {link.weights.shape}",
            )
        require(
            self.readout.population in sizes and self.readout.population != INPUT,
            f"readout: there is no population {self.readout.population!r}",
        )
        require(
            is_integer(self.state_bits, 4, 32),
            f"state_bits must be an integer from 4 to 32, not {self.state_bits!r}",
        )
        require(
            is_integer(self.drain_ticks, 0, 4096),
            f"drain_ticks must be an integer from 0 to 4096, not {self.drain_ticks!r}",
        )
        self._check_membranes()

    def _check_membranes(self) -> None:
        top = (1 << self.state_bits - 1) - 1
        for population in self.populations:
            # Saturated before it is compared, such a neuron could never fire.
            threshold = int(population.threshold.max())
            require(
                threshold <= top,
                f"population {population.name!r}: threshold {threshold} exceeds the "
                f"{self.state_bits}-bit membrane ({top}); raise state_bits",
            )

    def population(self, name: str) -> Population:
        """Return the population called ``name``."""
        return next(p for p in self.populations if p.name == name)

    @property
    def ticks(self) -> int:
        """Ticks of one inference: those of the encoder, then those that let spikes drain."""
        return self.encoder.timesteps + self.drain_ticks

    def stimulus(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Spikes bool[n, ticks, inputs] of samples ``x[n, inputs]``: encoded, then silence.

        In the ``drain_ticks`` nothing enters, and what is on its way reaches the readout.

        Raises
        ------
        DataError
            On samples that the encoder does not take.
        """
        return self.drained(encode(x, self.encoder))

    def drained(self, spikes: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Spikes bool[n, timesteps, inputs] of an encoder, with the drain ticks behind them."""
        return np.pad(spikes, ((0, 0), (0, self.drain_ticks), (0, 0)))

    @property
    def has_floats(self) -> bool:
        """Whether the network before quantisation is on board."""
        return all(link.weights_float is not None for link in self.connections) and all(
            population.threshold_float is not None for population in self.populations
        )
