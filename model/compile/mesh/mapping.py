"""Map a network onto a mesh: its groups to tiles, its connections to axons, rows and packets."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spikewatt.base.errors import ParameterError
from spikewatt.model.compile.fitting import build_core, check_fit, check_lanes, needs, neuron_tables
from spikewatt.model.compile.mesh.placement import Placement, distances, flows, place, weighted_hops
from spikewatt.model.compile.mesh.program import MeshInput, MeshProgram, Piece
from spikewatt.model.compile.mesh.split import TileLimits, destinations, split, squarest
from spikewatt.model.compile.mesh.tile import TilePlan, row_tables
from spikewatt.model.compile.program import Program
from spikewatt.model.network.graph import INPUT, Network
from spikewatt.model.params import MESH_LIMIT, MeshParams, RouterKind, bits_for
from spikewatt.model.params.checks import within

__all__ = ["MeshFit", "TileLimits", "map_mesh", "weighted_hops"]

TRUENORTH = TileLimits()
_HOST_DELAY = 1  # the host has no slots: any valid delay


@dataclass(frozen=True, kw_only=True)
class MeshFit:
    """A mesh that is made for a network: equal cores, each as small as the fullest tile allows.

    Parameters
    ----------
    mesh:
        (columns, rows), over which the network is spread as evenly as it goes; by default the
        smallest mesh that holds it, of the fewest tiles and then the squarest.
    lanes:
        Synapse units of each core.
    limits:
        Of the core of a tile; by default those of TrueNorth.
    router:
        What joins the cores.
    clock_gating:
        Whether a core's clock stops when it has nothing to do.

    Raises
    ------
    ParameterError
        Lanes, columns, rows or tiles that cannot be.
    """

    mesh: tuple[int, int] | None = None
    lanes: int = 8
    limits: TileLimits = TRUENORTH
    router: RouterKind = RouterKind.CLICK
    clock_gating: bool = True

    def __post_init__(self) -> None:
        check_lanes(self.lanes)
        if self.mesh is not None:
            columns, rows = self.mesh
            within("columns", columns, 1, MESH_LIMIT)
            within("rows", rows, 1, MESH_LIMIT)
            within("columns x rows", columns * rows, 1, MESH_LIMIT)

    @classmethod
    def of(cls, params: MeshParams) -> "MeshFit":
        """What a mesh that exists has room for."""
        core = params.core
        return cls(
            mesh=(params.columns, params.rows),
            lanes=core.lanes,
            limits=TileLimits(
                neurons=core.neurons,
                axons=core.axons,
                synapse_words=core.synapse_words,
                destinations=core.destinations,
            ),
        )


FITTED = MeshFit()


def map_mesh(
    network: Network,
    hardware: MeshParams | MeshFit = FITTED,
    *,
    placement: Placement = "greedy",
    rates: Mapping[str, float] | None = None,
) -> MeshProgram:
    """Place a network on a mesh of equal cores.

    Populations are split over tiles at the borders of groups of ``lanes`` neurons. Every tile that
    holds some of a population has an axon for each of its sources, wherever these are.

    Parameters
    ----------
    hardware:
        A mesh that exists, or how to make one for the network.
    placement:
        ``"greedy"``, or ``"search"`` for pairwise swaps on top, until none helps.
    rates:
        Spikes of each neuron of a population (and of an input, under ``"input"``), by which hops
        are weighted; 1 where none is given.

    Raises
    ------
    CapacityError
        When the network does not fit; says what would do.
    ParameterError
        On limits, rates or a placement that cannot be; when the datapath of hardware that exists
        lacks something that a neuron needs.
    """
    if placement not in ("greedy", "search"):
        raise ParameterError(f"placement must be 'greedy' or 'search', not {placement!r}")
    fit = hardware if isinstance(hardware, MeshFit) else MeshFit.of(hardware)
    lanes, mesh = fit.lanes, fit.mesh
    parts = split(network, lanes, fit.limits, mesh and mesh[0] * mesh[1])
    columns, rows = mesh or squarest(len(parts))
    plans = [TilePlan.of(network, lanes, each) for each in parts]
    sizes = _sizes(network, plans, lanes)
    if isinstance(hardware, MeshParams):
        check_fit(network, sizes, hardware.core)
        params = hardware
    else:
        # A signed offset of up to the longer side: one bit more than the number itself takes.
        hops = 1 + bits_for(max(columns, rows))
        gating = fit.clock_gating
        core = build_core(network, sizes, lanes=lanes, hop_bits=hops, clock_gating=gating)
        params = MeshParams(columns=columns, rows=rows, core=core, router=fit.router)
    # Distances are of the whole mesh, so that a part may go to any tile, and some stay empty.
    tile_of = place(flows(network, plans, rates), distances(params), placement)
    tiles = [TilePlan.of(network, lanes, ())] * params.tiles
    for tile, plan in zip(tile_of, plans, strict=True):
        tiles[tile] = plan
    return _assemble(network, params, tiles)


def _sizes(network: Network, plans: list[TilePlan], lanes: int) -> dict[str, int]:
    """Smallest core that holds any of the plans, and can name the host's axons."""
    return needs(
        network,
        neurons=max(plan.groups for plan in plans) * lanes,
        # A packet to the host says its neuron in the axon's field, which is as wide as the core's
        # axons need.
        axons=max(_host_axons(network), *(plan.axons for plan in plans)),
        synapse_words=max(plan.synapse_words for plan in plans),
        destinations=max(destinations(network, plans)),
        types=max(len(plan.types) for plan in plans),
    )


def _host_axons(network: Network) -> int:
    readout = network.readout
    return network.population(readout.population).size if readout.kind == "count" else 0


def _assemble(network: Network, params: MeshParams, tiles: list[TilePlan]) -> MeshProgram:
    """Program of placed tiles."""
    lanes = params.core.lanes
    return MeshProgram(
        params=params,
        tiles=tuple(_program(network, params, tiles, tile) for tile in range(params.tiles)),
        inputs=tuple(
            MeshInput(tile, bundle.axon, bundle.delay, 0, bundle.sources)
            for tile, plan in enumerate(tiles)
            for bundle in plan.bundles
            if bundle.source == INPUT
        ),
        neurons_of={
            population.name: tuple(
                sorted(
                    (
                        Piece(tile, range(group * lanes, group * lanes + len(members)), members)
                        for tile, plan in enumerate(tiles)
                        for name, group, members in plan.pieces
                        if name == population.name
                    ),
                    key=lambda piece: piece.members.start,
                )
            )
            for population in network.populations
        },
        host_axons=_host_axons(network),
    )


def _program(network: Network, params: MeshParams, tiles: list[TilePlan], tile: int) -> Program:
    plan, core = tiles[tile], params.core
    types = plan.types or (network.populations[0].neuron,)  # a tile without neurons needs one too
    return Program(
        params=core,
        types=types,
        inputs=(),
        neurons_of={
            name: range(group * core.lanes, group * core.lanes + len(members))
            for name, group, members in plan.pieces
        },
        **neuron_tables(network, core, types, plan.pieces),
        **row_tables(plan, core),
        **_fanout_tables(network, params, tiles, tile),
    )


def _fanout_tables(
    network: Network, params: MeshParams, tiles: list[TilePlan], tile: int
) -> dict[str, np.ndarray]:
    """Destination lists: an entry for each bundle that a neuron drives, by tile, then the host."""
    core = params.core
    start, count = np.zeros(core.neurons, np.int64), np.zeros(core.neurons, np.int64)
    entries = np.zeros((4, core.destinations), np.int64)  # axon, delay, dx, dy
    x, y = params.place(tile)
    at = 0
    for name, group, members in tiles[tile].pieces:
        # Entries of a neuron by tile, the host's last: every run of the mesh sends in this order.
        lists = []
        for other, plan in enumerate(tiles):
            to_x, to_y = params.place(other)
            lists += [
                (bundle.axon, bundle.delay, to_x - x, to_y - y)
                for bundle in plan.bundles
                if bundle.source == name
            ]
        if name == network.readout.population and _host_axons(network):
            lists.append((0, _HOST_DELAY, *params.host_offset(tile)))
        neurons = group * core.lanes + np.arange(len(members))
        start[neurons] = at + len(lists) * np.arange(len(members))
        count[neurons] = len(lists)
        for k, (axon, *rest) in enumerate(lists):
            mine = start[neurons] + k
            entries[0, mine] = axon + np.array(members)
            entries[1:, mine] = np.array(rest)[:, None]
        at += len(lists) * len(members)
    named = dict(zip(("axon", "delay", "dx", "dy"), entries, strict=True))
    return {"fanout_start": start, "fanout_count": count, **named}
