"""One tile of a mesh: which neurons it holds, and the axons that they need."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from spikewatt.model.compile.program import weight_type
from spikewatt.model.network.graph import Connection, Network
from spikewatt.model.params import CoreParams, NeuronType

__all__ = ["Bundle", "Part", "Run", "TilePlan", "row_tables"]

_AXON_BITS = 70
"""Bits that an axon takes in a core of TrueNorth's size (256 neurons and axons, 16 slots): a row
of 24, 16 in the scheduler, and 30 of a destination that leads to it."""


class Part(NamedTuple):
    """Neurons of a population, whole groups of them from group ``first`` on."""

    population: str
    first: int
    groups: int


class Run(NamedTuple):
    """Synapses of a connection to the ``members`` of its target, from ``group`` of the tile on."""

    link: Connection
    group: int
    members: range


@dataclass(frozen=True)
class Bundle:
    """Axons of a tile, one for each neuron of ``source``, whose rows hold ``runs``.

    Groups ``first`` to ``last`` of the tile; what no run covers is zeros.
    """

    source: str
    delay: int
    sources: int
    runs: tuple[Run, ...]
    first: int
    last: int
    axon: int = 0

    @property
    def words(self) -> int:
        """Synapse words of all rows."""
        return self.sources * (self.last - self.first + 1)


@dataclass(frozen=True)
class TilePlan:
    """A tile before the core's sizes are known.

    ``pieces``: population, first group on the tile, and neurons of the population. ``bundles``: in
    the order of their axons.
    """

    groups: int
    pieces: tuple[tuple[str, int, range], ...]
    bundles: tuple[Bundle, ...]
    types: tuple[NeuronType, ...]

    @classmethod
    def of(cls, network: Network, lanes: int, parts: tuple[Part, ...]) -> "TilePlan":
        """Lay parts out group by group in the given order, and order axons by their first group."""
        pieces, groups = [], 0
        for name, first, count in parts:
            last = min((first + count) * lanes, network.population(name).size)
            pieces.append((name, groups, range(first * lanes, last)))
            groups += count
        return cls(
            groups=groups,
            pieces=tuple(pieces),
            bundles=_bundles(network, lanes, pieces),
            types=tuple(dict.fromkeys(network.population(name).neuron for name, _, _ in pieces)),
        )

    @property
    def axons(self) -> int:
        """Axons in use."""
        return sum(bundle.sources for bundle in self.bundles)

    @property
    def synapse_words(self) -> int:
        """Synapse words in use."""
        return sum(bundle.words for bundle in self.bundles)


def _bundles(
    network: Network, lanes: int, pieces: list[tuple[str, int, range]]
) -> tuple[Bundle, ...]:
    """Bundles of a tile in the order of their first groups.

    Connections from one source with one delay share axons where their rows can be one run of
    groups. Zeros between two targets are stored where they take no more bits than a second axon.
    """
    weight_bits = max((link.weight_bits for link in network.connections), default=1)
    # Whole words of zeros that cost no more than another axon would.
    most_zeros = _AXON_BITS // (lanes * weight_bits)
    bundles: list[Bundle] = []
    for name, group, members in pieces:
        for link in network.connections:
            if link.target == name:
                last = group + -(-len(members) // lanes) - 1
                _add(bundles, Run(link, group, members), last, most_zeros)
    placed, axon = [], 0
    for bundle in bundles:  # made in the order of their first groups
        placed.append(replace(bundle, axon=axon))
        axon += bundle.sources
    return tuple(placed)


def _add(bundles: list[Bundle], run: Run, last: int, most_zeros: int) -> None:
    """Put a run behind the rows of a bundle that ends closest before it, or into a new one."""
    link = run.link
    near = [
        (run.group - bundle.last, at)
        for at, bundle in enumerate(bundles)
        if (bundle.source, bundle.delay) == (link.source, link.delay)
        and 0 < run.group - bundle.last <= 1 + most_zeros
    ]
    if near:
        _, at = min(near)
        bundles[at] = replace(bundles[at], runs=(*bundles[at].runs, run), last=last)
    else:
        sources = link.weights.shape[0]
        bundles.append(Bundle(link.source, link.delay, sources, (run,), run.group, last))


def row_tables(plan: TilePlan, params: CoreParams) -> dict[str, np.ndarray]:
    """Rows, synapses and counts of stored synapses of a tile's axons."""
    lanes = params.lanes
    synapses = np.zeros((params.synapse_words, lanes), weight_type(params))
    first, base, fan_out = (np.zeros(params.axons, np.int64) for _ in range(3))
    last = first - 1
    word = 0
    for bundle in plan.bundles:
        axons = slice(bundle.axon, bundle.axon + bundle.sources)
        width = bundle.last - bundle.first + 1
        first[axons], last[axons] = bundle.first, bundle.last
        base[axons] = word + width * np.arange(bundle.sources)
        # A row spans all targets that share the axon; zeros lie in the gaps.
        rows = np.zeros((bundle.sources, width * lanes), synapses.dtype)
        for link, group, members in bundle.runs:
            at = (group - bundle.first) * lanes
            rows[:, at : at + len(members)] = link.weights[:, members.start : members.stop]
            # Zeros that fill the gap between two targets are no synapses of the network's.
            fan_out[axons] += len(members)
        synapses[word : word + bundle.words] = rows.reshape(-1, lanes)
        word += bundle.words
    rows = {"row_first": first, "row_last": last, "row_base": base}
    return {**rows, "synapses": synapses, "fan_out": fan_out}
