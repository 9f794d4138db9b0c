"""Split a network into what the tiles of a mesh hold: groups of neurons, within a core's limits."""

from collections.abc import Iterator
from dataclasses import dataclass

from spikewatt.base.errors import CapacityError, ParameterError
from spikewatt.model.compile.mesh.tile import Part, TilePlan
from spikewatt.model.network.graph import Network, Population
from spikewatt.model.params import LIMITS, MESH_LIMIT
from spikewatt.model.params.checks import within

__all__ = ["TileLimits", "destinations", "split", "squarest"]

Split = list[tuple[Part, ...]]


@dataclass(frozen=True, kw_only=True)
class TileLimits:
    """How large the core of a tile may be.

    Parameters
    ----------
    neurons, axons:
        By default 256 each, as in TrueNorth (Merolla et al., Science 345 (2014) 668).
    synapse_words, destinations:
        Rows of the synapse SRAM and entries of the destination lists.
    """

    neurons: int = 256
    axons: int = 256
    synapse_words: int = LIMITS["synapse_words"]
    destinations: int = LIMITS["destinations"]

    def __post_init__(self) -> None:
        for name in ("neurons", "axons", "synapse_words", "destinations"):
            within(f"limit of {name}", getattr(self, name), 1, LIMITS[name])


def squarest(tiles: int) -> tuple[int, int]:
    """(columns, rows) of the squarest mesh of exactly so many tiles, no higher than wide."""
    rows = max(n for n in range(1, tiles + 1) if tiles % n == 0 and n * n <= tiles)
    return tiles // rows, rows


def destinations(network: Network, plans: list[TilePlan]) -> list[int]:
    """Entries of the destination lists of each tile."""
    entries = dict.fromkeys((p.name for p in network.populations), 0)
    if network.readout.kind == "count":
        entries[network.readout.population] = 1
    for plan in plans:
        for bundle in plan.bundles:
            if bundle.source in entries:
                entries[bundle.source] += 1
    return [sum(entries[name] * len(members) for name, _, members in plan.pieces) for plan in plans]


def split(network: Network, lanes: int, limits: TileLimits, tiles: int | None = None) -> Split:
    """What each tile holds: at most ``tiles`` of them, or as few as the packing finds.

    Populations are cut at group borders. The parts are spread over the tiles so that the fullest
    one has as few groups as possible.

    Raises
    ------
    CapacityError
        When a core, or so many, cannot hold the network; says what would do.
    """
    packer = _Packer(network, lanes, limits)
    packer.check()
    # The fullest tiles make the fewest; a lower cap is for destinations, which spread with neurons.
    caps = range(limits.neurons // lanes, 0, -1)
    fewest = next((len(best) for cap in caps if (best := packer.best(cap))), None)
    if fewest is None:
        raise CapacityError(
            f"network {network.name!r} needs more than {limits.destinations} destinations in a "
            "tile, however it is split: allow more"
        )
    if fewest > (tiles or MESH_LIMIT):
        have = f"this mesh has {tiles}" if tiles else f"a mesh has at most {MESH_LIMIT}"
        raise CapacityError(
            f"network {network.name!r} takes {fewest} tiles of {limits.neurons} neurons and "
            f"{limits.axons} axons, and {have}: choose a larger mesh or larger cores"
        )
    tiles = tiles or fewest
    groups = sum(packer.groups(population) for population in network.populations)
    # From the evenest spread on: the first cap with which the tiles are enough.
    for cap in range(-(-groups // tiles), limits.neurons // lanes + 1):
        best = packer.best(cap)
        if best and len(best) <= tiles:
            return best
    raise AssertionError("the packing that gave the number of tiles is among them")


class _Packer:
    """Packs groups of neurons into tiles, in several orders, and keeps the best."""

    def __init__(self, network: Network, lanes: int, limits: TileLimits) -> None:
        if lanes > limits.neurons:
            raise ParameterError(
                f"limit of neurons must be at least {lanes}, one group of as many lanes, "
                f"not {limits.neurons}"
            )
        self._network, self._lanes, self._limits = network, lanes, limits
        self._index = {p.name: i for i, p in enumerate(network.populations)}

    def groups(self, population: Population) -> int:
        """Groups of a population."""
        return -(-population.size // self._lanes)

    def check(self) -> None:
        """Raise `CapacityError` where not even one group of a population fits a tile."""
        limits = self._limits
        for population in self._network.populations:
            plan = self._plan((Part(population.name, 0, 1),))
            for size, needed in (("axons", plan.axons), ("synapse_words", plan.synapse_words)):
                if needed > (limit := getattr(limits, size)):
                    raise CapacityError(
                        f"population {population.name!r} needs {size} = {needed} in every tile "
                        f"that holds some of it, and a tile has at most {limit}: its sums cannot "
                        f"be split, so allow more {size} or make its sources smaller"
                    )
        readout = self._network.population(self._network.readout.population)
        if self._network.readout.kind == "count" and readout.size > limits.axons:
            raise CapacityError(
                f"readout {readout.name!r} has {readout.size} neurons, and a spike's packet tells "
                f"{limits.axons} axons apart: allow more axons or read membranes"
            )

    def best(self, cap: int) -> Split | None:
        """The packing of at most ``cap`` groups a tile with the fewest tiles, then axons."""
        packings = []
        for packing in self._packings(cap):
            plans = [self._plan(parts) for parts in packing]
            if max(destinations(self._network, plans)) <= self._limits.destinations:
                packings.append((len(packing), sum(plan.axons for plan in plans), packing))
        return min(packings, key=lambda each: each[:2])[2] if packings else None

    def _packings(self, cap: int) -> Iterator[Split]:
        populations = self._network.populations
        fan_in = {p.name: self._plan((Part(p.name, 0, 1),)).axons for p in populations}
        # As given, and those with most axons first, which leave gaps that the others fill.
        for order in (populations, sorted(populations, key=lambda p: -fan_in[p.name])):
            yield self._pack(cap, order, whole=True)
            yield self._pack(cap, order, whole=False)

    def _pack(
        self, cap: int, order: "tuple[Population, ...] | list[Population]", whole: bool
    ) -> Split:
        """First fit: the rest of a population goes where it fits as a whole, else into a new tile;
        or, unless ``whole``, as much of it as fits into the first tile with room.
        """
        tiles: Split = []
        for population in order:
            at, end = 0, self.groups(population)
            while at < end:
                rooms = [self._room(parts, population.name, at, end - at, cap) for parts in tiles]
                fits = [
                    i for i, room in enumerate(rooms) if room == end - at or (room and not whole)
                ]
                if fits:
                    tile, count = fits[0], rooms[fits[0]]
                else:
                    tile, count = len(tiles), self._room((), population.name, at, end - at, cap)
                    tiles.append(())
                tiles[tile] = self._with(tiles[tile], Part(population.name, at, count))
                at += count
        return tiles

    def _room(self, parts: tuple[Part, ...], name: str, at: int, wanted: int, cap: int) -> int:
        """How many more groups of a population fit a tile."""
        most = min(wanted, cap - sum(part.groups for part in parts))
        if most <= 0 or self._fits(parts, Part(name, at, most)):
            return max(most, 0)
        # Fewer groups never need more axons, words or types, so that halving finds the border.
        low, high = 0, most  # low fits, high does not
        while high - low > 1:
            middle = (low + high) // 2
            if self._fits(parts, Part(name, at, middle)):
                low = middle
            else:
                high = middle
        return low

    def _fits(self, parts: tuple[Part, ...], part: Part) -> bool:
        plan = self._plan(self._with(parts, part))
        return (
            plan.axons <= self._limits.axons
            and plan.synapse_words <= self._limits.synapse_words
            and len(plan.types) <= LIMITS["types"]
        )

    def _with(self, parts: tuple[Part, ...], part: Part) -> tuple[Part, ...]:
        return tuple(sorted((*parts, part), key=lambda p: (self._index[p.population], p.first)))

    def _plan(self, parts: tuple[Part, ...]) -> TilePlan:
        return TilePlan.of(self._network, self._lanes, parts)
