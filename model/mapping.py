"""Map a network onto one core: populations to groups, connections to axons and synapse rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spikewatt.model.errors import CapacityError, ParameterError
from spikewatt.model.network import INPUT, Connection, Network, Population
from spikewatt.model.params import LIMITS, CoreParams, Leak, NeuronType, bits_for
from spikewatt.model.program import InputPort, Program

__all__ = ["fit_params", "map_network"]


@dataclass(frozen=True)
class _Plan:
    """Where everything goes, before the core's sizes are known."""

    lanes: int
    first_group: dict[str, int]
    groups: int
    connections: tuple[Connection, ...]  # in the order of their axons
    first_axon: tuple[int, ...]
    axons: int
    synapse_words: int
    destinations: int
    types: tuple[NeuronType, ...]

    @classmethod
    def of(cls, network: Network, lanes: int) -> "_Plan":
        """Lay populations out group by group; order axons by the first group they reach."""
        first_group, groups = {}, 0
        for population in network.populations:
            first_group[population.name] = groups
            groups += -(-population.size // lanes)
        links = tuple(sorted(network.connections, key=lambda link: first_group[link.target]))
        sources = [link.weights.shape[0] for link in links]
        words = [
            n * -(-link.weights.shape[1] // lanes) for n, link in zip(sources, links, strict=True)
        ]
        return cls(
            lanes=lanes,
            first_group=first_group,
            groups=groups,
            connections=links,
            first_axon=tuple(int(n) for n in np.cumsum([0, *sources])[:-1]),
            axons=sum(sources),
            synapse_words=sum(words),
            destinations=sum(
                n for n, link in zip(sources, links, strict=True) if link.source != INPUT
            ),
            types=tuple(dict.fromkeys(p.neuron for p in network.populations)),
        )


def _needs(network: Network, plan: _Plan) -> dict[str, int]:
    """Smallest value of every size that holds the network."""
    bias = np.concatenate([p.bias for p in network.populations if p.bias is not None])
    bias_bits = 1 + max(int(b if b >= 0 else ~b).bit_length() for b in bias)
    return {
        "neurons": plan.groups * plan.lanes,
        "axons": max(plan.axons, 1),
        "weight_bits": max((link.weight_bits for link in plan.connections), default=1),
        "state_bits": network.state_bits,
        "bias_bits": bias_bits if bias.any() else 0,
        "delay_slots": 1 << bits_for(1 + max((c.delay for c in plan.connections), default=1)),
        "synapse_words": max(plan.synapse_words, 1),
        "destinations": max(plan.destinations, 1),
        "refractory_bits": max(kind.refractory for kind in plan.types).bit_length(),
        "window_bits": max(kind.window_end for kind in plan.types).bit_length(),
        "types": len(plan.types),
    }


def fit_params(network: Network, *, lanes: int = 8, clock_gating: bool = True) -> CoreParams:
    """Return the smallest core of ``lanes`` lanes that holds the network.

    Every memory is sized to the network and the datapath is built for what its neurons use.
    """
    if not 1 <= lanes <= LIMITS["lanes"]:
        raise ParameterError(f"lanes must be an integer from 1 to {LIMITS['lanes']}, not {lanes!r}")
    plan = _Plan.of(network, lanes)
    sizes = _needs(network, plan)
    for name, needed in sizes.items():
        if needed > (limit := LIMITS.get(name, needed)):
            remedy = "more lanes" if name == "synapse_words" else "fewer or smaller populations"
            raise CapacityError(
                f"network {network.name!r} needs {name} = {needed}, and one core has at most "
                f"{limit}: choose {remedy}"
            )

    def used(pick: Callable[[NeuronType], int]) -> tuple:
        return tuple(sorted({pick(kind) for kind in plan.types}))

    shifts = {kind.leak_amount for kind in plan.types if kind.leak is Leak.SHIFT}
    try:
        return CoreParams(
            **sizes,
            lanes=lanes,
            scheduler_bits=min(32, 1 << bits_for(sizes["axons"])),
            leaks=used(lambda kind: kind.leak),
            shifts=tuple(sorted(shifts)) or (1,),
            resets=used(lambda kind: kind.reset),
            compares=used(lambda kind: kind.compare),
            hop_bits=1,
            clock_gating=clock_gating,
        )
    except ParameterError as error:
        raise CapacityError(f"network {network.name!r} fits no core: {error}") from None


def _check_fit(network: Network, plan: _Plan, params: CoreParams) -> None:
    for name, needed in _needs(network, plan).items():
        have = getattr(params, name)
        exact = name == "state_bits"  # a wider membrane saturates elsewhere: another network
        if have != needed if exact else have < needed:
            verb = "is made for" if exact else "needs"
            raise CapacityError(
                f"network {network.name!r} {verb} {name} = {needed}, and this core has {have}: "
                f"choose a core with {name} {'=' if exact else '>='} {needed}"
            )


def map_network(network: Network, params: CoreParams | None = None, *, lanes: int = 8) -> Program:
    """Place a network on one core.

    Parameters
    ----------
    params:
        The core; by default the smallest one of ``lanes`` lanes that holds the network.

    Raises
    ------
    CapacityError
        Names the limit that is too small and the value that would do.
    ParameterError
        When the core's datapath lacks something that a neuron needs.
    """
    params = params or fit_params(network, lanes=lanes)
    plan = _Plan.of(network, params.lanes)
    _check_fit(network, plan, params)
    return Program(
        params=params,
        types=plan.types,
        inputs=tuple(
            InputPort(axon, link.delay)
            for axon, link in zip(plan.first_axon, plan.connections, strict=True)
            if link.source == INPUT
        ),
        neurons_of={
            p.name: range(start := plan.first_group[p.name] * params.lanes, start + p.size)
            for p in network.populations
        },
        **_neuron_tables(network, plan, params),
        **_synapse_tables(plan, params),
        **_fanout_tables(network, plan, params),
    )


def _neuron_tables(network: Network, plan: _Plan, params: CoreParams) -> dict[str, np.ndarray]:
    threshold = np.full(params.neurons, params.membrane_range[1], np.int64)
    bias = np.zeros(params.neurons, np.int64)
    group_type = np.zeros(params.groups, np.int64)
    for population in network.populations:
        group = plan.first_group[population.name]
        groups = -(-population.size // params.lanes)
        neurons = slice(group * params.lanes, group * params.lanes + population.size)
        threshold[neurons] = population.threshold
        if population.bias is not None:
            bias[neurons] = population.bias
        group_type[group : group + groups] = plan.types.index(population.neuron)
    return {"threshold": threshold, "bias": bias, "group_type": group_type}


def _synapse_tables(plan: _Plan, params: CoreParams) -> dict[str, np.ndarray]:
    lanes = params.lanes
    synapses = np.zeros((params.synapse_words, lanes), np.int64)
    rows = {name: np.zeros(params.axons, np.int64) for name in ("first", "last", "base")}
    rows["last"] -= 1
    fan_out = np.zeros(params.axons, np.int64)
    word = 0
    for axon, link in zip(plan.first_axon, plan.connections, strict=True):
        sources, targets = link.weights.shape
        width = -(-targets // lanes)
        axons = slice(axon, axon + sources)
        rows["first"][axons] = plan.first_group[link.target]
        rows["last"][axons] = plan.first_group[link.target] + width - 1
        rows["base"][axons] = word + width * np.arange(sources)
        fan_out[axons] = targets
        padded = np.pad(link.weights, ((0, 0), (0, width * lanes - targets)))
        synapses[word : word + sources * width] = padded.reshape(-1, lanes)
        word += sources * width
    named = {f"row_{name}": array for name, array in rows.items()}
    return {**named, "synapses": synapses, "fan_out": fan_out}


def _fanout_tables(network: Network, plan: _Plan, params: CoreParams) -> dict[str, np.ndarray]:
    names = ("axon", "delay", "dx", "dy")
    entries = {name: np.zeros(params.destinations, np.int64) for name in names}
    start = np.zeros(params.neurons, np.int64)
    count = np.zeros(params.neurons, np.int64)
    at = 0
    for population in network.populations:
        links = _outgoing(plan, population)
        if not links:
            continue
        neurons = plan.first_group[population.name] * params.lanes + np.arange(population.size)
        start[neurons] = at + len(links) * np.arange(population.size)
        count[neurons] = len(links)
        for k, (axon, link) in enumerate(links):
            mine = start[neurons] + k
            entries["axon"][mine] = axon + np.arange(population.size)
            entries["delay"][mine] = link.delay
        at += len(links) * population.size
    return {"fanout_start": start, "fanout_count": count, **entries}


def _outgoing(plan: _Plan, population: Population) -> list[tuple[int, Connection]]:
    links = zip(plan.first_axon, plan.connections, strict=True)
    return [(axon, link) for axon, link in links if link.source == population.name]
