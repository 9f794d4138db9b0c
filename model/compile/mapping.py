"""Map a network onto one core: populations to groups, connections to axons and synapse rows."""

from dataclasses import dataclass

import numpy as np

from spikewatt.base.errors import CapacityError
from spikewatt.model.compile.fitting import build_core, check_fit, check_lanes, needs, neuron_tables
from spikewatt.model.compile.program import InputPort, Program, weight_type
from spikewatt.model.network.graph import INPUT, Connection, Network, Population
from spikewatt.model.params import LIMITS, CoreParams, NeuronType

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
        # The work list holds active axons by their numbers, and the walker, which goes through the
        # groups, needs it sorted by first group: those that reach a group then lie side by side.
        links = tuple(sorted(network.connections, key=lambda link: first_group[link.target]))
        sources = [link.weights.shape[0] for link in links]
        # A row is whole words: every lane has its weight in it, whether a neuron is there or not.
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
    """Smallest value of every size that holds the whole network."""
    return needs(
        network,
        neurons=plan.groups * plan.lanes,
        axons=plan.axons,
        synapse_words=plan.synapse_words,
        destinations=plan.destinations,
        types=len(plan.types),
    )


def fit_params(network: Network, *, lanes: int = 8, clock_gating: bool = True) -> CoreParams:
    """Return the smallest core of ``lanes`` lanes that holds the network.

    Every memory is sized to the network and the datapath is built for what its neurons use.
    """
    check_lanes(lanes)
    plan = _Plan.of(network, lanes)
    sizes = _needs(network, plan)
    for name, needed in sizes.items():
        if needed > (limit := LIMITS.get(name, needed)):
            smaller = "fewer or smaller populations, or a mesh of cores"
            remedy = "more lanes" if name == "synapse_words" else smaller
            raise CapacityError(
                f"network {network.name!r} needs {name} = {needed}, and one core has at most "
                f"{limit}: choose {remedy}"
            )

    # A core by itself sends to itself alone: offsets of one bit are the narrowest there are.
    return build_core(network, sizes, lanes=lanes, hop_bits=1, clock_gating=clock_gating)


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
    check_fit(network, _needs(network, plan), params)
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
        **neuron_tables(
            network,
            params,
            plan.types,
            [(p.name, plan.first_group[p.name], range(p.size)) for p in network.populations],
        ),
        **_synapse_tables(plan, params),
        **_fanout_tables(network, plan, params),
    )


def _synapse_tables(plan: _Plan, params: CoreParams) -> dict[str, np.ndarray]:
    lanes = params.lanes
    synapses = np.zeros((params.synapse_words, lanes), weight_type(params))
    rows = {name: np.zeros(params.axons, np.int64) for name in ("first", "last", "base")}
    # Ends before it begins: an axon that reaches nothing.
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
        mine = synapses[word : word + sources * width].reshape(sources, width * lanes)
        # Lanes behind the last target keep weights of 0, and neurons that nothing reaches.
        mine[:, :targets] = link.weights
        word += sources * width
    named = {f"row_{name}": array for name, array in rows.items()}
    return {**named, "synapses": synapses, "fan_out": fan_out}


def _fanout_tables(network: Network, plan: _Plan, params: CoreParams) -> dict[str, np.ndarray]:
    names = ("axon", "delay", "dx", "dy")
    entries = {name: np.zeros(params.destinations, np.int64) for name in names}
    start = np.zeros(params.neurons, np.int64)
    count = np.zeros(params.neurons, np.int64)
    # Neuron i of a population drives axon i of each of its connections. Its entries stand side by
    # side, so that a spike walks one run of the list.
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
