"""What a core must have for a network, or for a part of it on one of several cores."""

from collections.abc import Callable, Iterable

import numpy as np

from spikewatt.base.errors import CapacityError, ParameterError
from spikewatt.model.network.graph import Network
from spikewatt.model.params import LIMITS, CoreParams, Fabric, Leak, NeuronType, bits_for

__all__ = ["build_core", "check_fit", "check_lanes", "needs", "neuron_tables"]


def check_lanes(lanes: int) -> None:
    """Raise `ParameterError` unless a core can have so many lanes."""
    if not 1 <= lanes <= LIMITS["lanes"]:
        raise ParameterError(f"lanes must be an integer from 1 to {LIMITS['lanes']}, not {lanes!r}")


def needs(
    network: Network,
    *,
    neurons: int,
    axons: int,
    synapse_words: int,
    destinations: int,
    types: int,
) -> dict[str, int]:
    """Smallest value of every size of a core for as much of the network as the arguments count."""
    kinds = [population.neuron for population in network.populations]
    bias = np.concatenate([p.bias for p in network.populations if p.bias is not None])
    # Two's complement: -1 - b has the magnitude bits of a negative b; one more is for the sign.
    bias_bits = 1 + max(int(b if b >= 0 else ~b).bit_length() for b in bias)
    return {
        "neurons": neurons,
        "axons": max(axons, 1),
        "weight_bits": max((link.weight_bits for link in network.connections), default=1),
        "state_bits": network.state_bits,
        "bias_bits": bias_bits if bias.any() else 0,
        # A tick reads and clears slot t mod D, where a delay of D would land: D is one more at
        # least.
        "delay_slots": 1 << bits_for(1 + max((c.delay for c in network.connections), default=1)),
        "synapse_words": max(synapse_words, 1),
        "destinations": max(destinations, 1),
        "refractory_bits": max(kind.refractory for kind in kinds).bit_length(),
        "window_bits": max(kind.window_end for kind in kinds).bit_length(),
        "types": types,
    }


def build_core(
    network: Network, sizes: dict[str, int], *, lanes: int, hop_bits: int, clock_gating: bool
) -> CoreParams:
    """Return the core of these ``sizes`` whose datapath does what the network's neurons use.

    Raises
    ------
    CapacityError
        When there is no such core.
    """
    kinds = [population.neuron for population in network.populations]

    def used(pick: Callable[[NeuronType], int]) -> tuple:
        return tuple(sorted({pick(kind) for kind in kinds}))

    shifts = {kind.leak_amount for kind in kinds if kind.leak is Leak.SHIFT}
    try:
        return CoreParams(
            **sizes,
            lanes=lanes,
            # One read looks at that many axons; a word wider than the axons are many is wasted.
            scheduler_bits=min(32, 1 << bits_for(sizes["axons"])),
            leaks=used(lambda kind: kind.leak),
            # Where no type leaks by a shift none is built, and this one counts for nothing.
            shifts=tuple(sorted(shifts)) or (1,),
            resets=used(lambda kind: kind.reset),
            compares=used(lambda kind: kind.compare),
            hop_bits=hop_bits,
            clock_gating=clock_gating,
            fabric=Fabric.ASIC,
        )
    except ParameterError as error:
        raise CapacityError(f"network {network.name!r} fits no core: {error}") from None


def check_fit(network: Network, sizes: dict[str, int], params: CoreParams) -> None:
    """Raise `CapacityError` unless a core has all these ``sizes`` (see `needs`)."""
    for name, needed in sizes.items():
        have = getattr(params, name)
        exact = name == "state_bits"  # a wider membrane saturates elsewhere: another network
        if have != needed if exact else have < needed:
            verb = "is made for" if exact else "needs"
            raise CapacityError(
                f"network {network.name!r} {verb} {name} = {needed}, and this core has {have}: "
                f"choose a core with {name} {'=' if exact else '>='} {needed}"
            )


def neuron_tables(
    network: Network,
    params: CoreParams,
    types: tuple[NeuronType, ...],
    pieces: Iterable[tuple[str, int, range]],
) -> dict[str, np.ndarray]:
    """Thresholds, biases and types of a core's neurons.

    A neuron that belongs to no population never fires: its threshold is the highest membrane, it
    has no bias, and no weight reaches it.

    Parameters
    ----------
    types:
        The core's types.
    pieces:
        Population, its first group on the core, and which of its neurons follow from there.
    """
    threshold = np.full(params.neurons, params.membrane_range[1], np.int64)
    bias = np.zeros(params.neurons, np.int64)
    group_type = np.zeros(params.groups, np.int64)
    for name, group, members in pieces:
        population = network.population(name)
        # A type is a whole group's: populations never share one.
        groups = -(-len(members) // params.lanes)
        neurons = slice(group * params.lanes, group * params.lanes + len(members))
        threshold[neurons] = population.threshold[members.start : members.stop]
        if population.bias is not None:
            bias[neurons] = population.bias[members.start : members.stop]
        group_type[group : group + groups] = types.index(population.neuron)
    return {"threshold": threshold, "bias": bias, "group_type": group_type}
