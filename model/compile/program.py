"""What is loaded into a core: the contents of its tables, and how to read its answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import ParameterError
from spikewatt.model.params import CoreParams, NeuronType
from spikewatt.model.run import Piece

__all__ = ["InputPort", "Program", "weight_type"]

IntArray = NDArray[np.int64]


def weight_type(params: CoreParams) -> type[np.signedinteger]:
    """Return the narrowest type that holds a weight; synapses are most of what a program holds."""
    return np.int8 if params.weight_bits <= 8 else np.int16


@dataclass(frozen=True)
class InputPort:
    """Where the encoder's spikes enter: input ``i`` drives axon ``axon + i`` after ``delay``."""

    axon: int
    delay: int


@dataclass(frozen=True, kw_only=True)
class Program:
    """Configuration of one core, as arrays.

    Parameters
    ----------
    params:
        The hardware the program is for.
    types, group_type:
        Neuron types, and int[groups], the type of each group.
    threshold, bias:
        int[neurons]; thresholds are at least 0.
    row_first, row_last, row_base:
        int[axons]: groups first..last that the axon reaches, and the synapse word of the first;
        an axon without synapses has ``row_last < row_first``. ``row_first`` never falls from one
        axon with synapses to the next: the core relies on it.
    synapses:
        int[synapse_words, lanes]; held in the type of `weight_type`.
    fanout_start, fanout_count:
        int[neurons]: the neuron's run of the destination list.
    axon, delay, dx, dy:
        int[destinations]: (dx, dy) = (0, 0) is the core itself.
    fan_out:
        int[axons]: synapses the network stores for the axon, zeros included, padding not.
    inputs:
        Where the encoder's spikes enter.
    neurons_of:
        For each population its neurons, as a range of neuron numbers.
    """

    params: CoreParams
    types: tuple[NeuronType, ...]
    group_type: IntArray
    threshold: IntArray
    bias: IntArray
    row_first: IntArray
    row_last: IntArray
    row_base: IntArray
    synapses: NDArray[np.signedinteger]
    fanout_start: IntArray
    fanout_count: IntArray
    axon: IntArray
    delay: IntArray
    dx: IntArray
    dy: IntArray
    fan_out: IntArray
    inputs: tuple[InputPort, ...] = ()
    neurons_of: Mapping[str, range] = field(default_factory=dict)

    def __post_init__(self) -> None:
        params = self.params
        shapes = {
            "group_type": (params.groups,),
            "synapses": (params.synapse_words, params.lanes),
            **dict.fromkeys(("threshold", "bias"), (params.neurons,)),
            **dict.fromkeys(("fanout_start", "fanout_count"), (params.neurons,)),
            **dict.fromkeys(("row_first", "row_last", "row_base", "fan_out"), (params.axons,)),
            **dict.fromkeys(("axon", "delay", "dx", "dy"), (params.destinations,)),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ParameterError(
                    f"{name} must have shape {shape}, not {getattr(self, name).shape}"
                )
        for kind in self.types:
            params.check_type(kind)
        self._check_ranges()
        # Only after the checks: a weight that is out of range would wrap into it.
        narrow = self.synapses.astype(weight_type(params), copy=False)
        object.__setattr__(self, "synapses", narrow)

    def _check_ranges(self) -> None:
        params = self.params
        top = params.membrane_range[1]
        half_bias = 1 << max(params.bias_bits - 1, 0)
        half_hop = 1 << params.hop_bits - 1
        bits = params.weight_bits
        weights = (0, 1) if bits == 1 else (-(1 << bits - 1), (1 << bits - 1) - 1)
        ended = self.fanout_start + self.fanout_count
        for name, array, low, high in (
            ("group_type", self.group_type, 0, len(self.types) - 1),
            ("threshold", self.threshold, 0, top),
            ("bias", self.bias, *((-half_bias, half_bias - 1) if params.bias_bits else (0, 0))),
            ("synapses", self.synapses, *weights),
            ("axon", self.axon, 0, params.axons - 1),
            # Entries that no neuron uses are zeros, and a delay of 0 is none.
            ("delay", self.delay[self._entries_in_use()], 1, params.delay_slots - 1),
            ("dx", self.dx, -half_hop, half_hop - 1),
            ("dy", self.dy, -half_hop, half_hop - 1),
            ("fanout end", ended, 0, params.destinations),
        ):
            if array.size and not (low <= array.min() and array.max() <= high):
                raise ParameterError(
                    f"{name} must lie in {low}..{high}, not {array.min()}..{array.max()}"
                )
        self._check_rows()

    def _entries_in_use(self) -> NDArray[np.bool_]:
        """Which destinations belong to a neuron, bool[destinations]: runs begun and not ended."""
        size = self.params.destinations
        # One more run where one begins, one less where it ends: within a run the sum is above 0.
        starts, ends = (
            np.bincount(np.clip(at, 0, size), minlength=size + 1)
            for at in (self.fanout_start, self.fanout_start + self.fanout_count)
        )
        return np.cumsum(starts - ends)[:size] > 0

    def _check_rows(self) -> None:
        # Axons without synapses take no part in the order: the core passes over them.
        present = self.row_first <= self.row_last
        first, last, base = (a[present] for a in (self.row_first, self.row_last, self.row_base))
        if (np.diff(first) < 0).any():
            raise ParameterError("row_first must not fall from one axon to the next")
        ends = base + last - first
        if present.any() and (
            first.min() < 0
            or last.max() >= self.params.groups
            or base.min() < 0
            or ends.max() >= self.params.synapse_words
        ):
            raise ParameterError("a synapse row reaches outside the groups or the synapse SRAM")

    def row(self, axon: int) -> tuple[slice, NDArray[np.signedinteger]]:
        """Neurons that an axon reaches, side by side, and its weights to them."""
        lanes, first, base = self.params.lanes, self.row_first[axon], self.row_base[axon]
        words = self.row_words[axon]
        neurons = slice(first * lanes, (first + words) * lanes)
        return neurons, self.synapses[base : base + words].ravel()

    @cached_property
    def matrix(self) -> IntArray:
        """Weights int64[axons, neurons] that the packed rows stand for: to look at small programs.

        Of 65 536 axons and neurons it has 32 GiB.
        """
        dense = np.zeros((self.params.axons, self.params.neurons), np.int64)
        for axon in range(self.params.axons):
            neurons, weights = self.row(axon)
            dense[axon, neurons] = weights
        dense.setflags(write=False)
        return dense

    @cached_property
    def layout(self) -> dict[str, tuple[Piece, ...]]:
        """For each population where its neurons are, as a `spikewatt.model.run.Run` wants it."""
        return {
            name: (Piece(0, neurons, range(len(neurons))),)
            for name, neurons in self.neurons_of.items()
        }

    @cached_property
    def row_words(self) -> IntArray:
        """Synapse words int64[axons] that a spike on the axon reads."""
        return np.maximum(self.row_last - self.row_first + 1, 0)

    def neuron_types(self, attribute: str) -> IntArray:
        """One attribute of the neuron's type, for every neuron: int64[neurons]."""
        table = np.array([int(getattr(kind, attribute)) for kind in self.types], np.int64)
        return np.repeat(table[self.group_type], self.params.lanes)

    def input_events(self, spikes: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
        """Events ``int64[n, 2]`` (axon, delay) to send before each tick.

        Parameters
        ----------
        spikes:
            bool[ticks, inputs] of one sample.
        """
        events = []
        # An input drives one axon of every connection that leaves the inputs: one event for each.
        for frame in spikes:
            (inputs,) = np.nonzero(frame)
            parts = [
                np.stack([port.axon + inputs, np.full_like(inputs, port.delay)], axis=1)
                for port in self.inputs
            ]
            events.append(np.concatenate(parts) if parts else np.zeros((0, 2), np.int64))
        return events
