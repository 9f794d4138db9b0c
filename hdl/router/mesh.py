"""A mesh of tiles with its edge: all that reaches outside is one packet port."""

from typing import Any

from amaranth.hdl import ClockSignal, DomainRenamer, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.clock_gate import gated_domain
from spikewatt.hdl.router.bridges import FromLink, ToLink
from spikewatt.hdl.router.edge import Edge
from spikewatt.hdl.router.link import packet_layout
from spikewatt.hdl.router.tile import NEIGHBOURS, Tile, tile_members, tile_probe_layout
from spikewatt.model.params import MeshParams, Port, RouterKind

__all__ = ["Mesh"]

_STEP = {Port.EAST: (1, 0), Port.WEST: (-1, 0), Port.NORTH: (0, -1), Port.SOUTH: (0, 1)}
_OPPOSITE = {
    Port.EAST: Port.WEST,
    Port.WEST: Port.EAST,
    Port.NORTH: Port.SOUTH,
    Port.SOUTH: Port.NORTH,
}


def _instance(m: Module, name: str, module: str, params: MeshParams) -> Any:
    """Add an instance of a tile that is built elsewhere; returns its ports."""
    signature = wiring.Signature(tile_members(params))
    tile = signature.create(path=(name,))
    ports: dict[str, Any] = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
    for path, member, value in signature.flatten(tile):
        way: Any = member
        # Directions are the tile's own: what it puts out is an output of the instance.
        sign = "o" if way.flow is Out else "i"
        ports[f"{sign}_{'__'.join(map(str, path))}"] = Value.cast(value)
    m.submodules[name] = Instance(module, **ports)
    return tile


class Mesh(wiring.Component):
    """Equal tiles in columns and rows, each joined to its neighbours.

    The host's packets enter at the west side of the north-west tile and leave at its north side,
    so that they too go along X before Y. All tiles share one clock, which each stops for itself.
    A reset lasts two cycles at least: in the first one the clocked ends of clockless links come to
    rest, in the second what they sent dies out in the matched delays.

    Parameters
    ----------
    params : MeshParams
    tile : str, optional
        Name of a module that is a `Tile` of these parameters: every tile is an instance of it, so
        that tools see one design many times. By default tiles are built in, each for its place.

    Members
    -------
    i : In(stream of packet), o : Out(stream of packet)
        The packet port; `Edge` describes it.
    probe : Out(array of tile probe)
    started : Out(1)
        A tick or a clear begins.
    adding : Out(1)
        The barrier adds up.
        These three are for test benches and meters; nothing depends on them.
    """

    i: Any
    o: Any
    probe: Any
    started: Signal
    adding: Signal

    def __init__(self, params: MeshParams, *, tile: str | None = None) -> None:
        self._params, self._tile = params, tile
        packets = stream.Signature(packet_layout(params.packet))
        super().__init__(
            {
                "i": In(packets),
                "o": Out(packets),
                "probe": Out(data.ArrayLayout(tile_probe_layout(params), params.tiles)),
                "started": Out(1),
                "adding": Out(1),
            }
        )

    @property
    def params(self) -> MeshParams:
        """Parameters the mesh is built for."""
        return self._params

    def elaborate(self, platform: object) -> Module:
        """Tiles, what joins them, and the edge."""
        m = Module()
        params = self._params
        tiles = [self._add_tile(m, index) for index in range(params.tiles)]
        edge = Edge(params)
        m.submodules.edge = DomainRenamer(self._domain)(edge)
        for index, tile in enumerate(tiles):
            x, y = params.place(index)
            dx, dy = params.host_offset(index)
            wiring.connect(m, tile.port, edge.tiles[index])
            m.d.comb += [
                tile.home_dx.eq(dx),
                tile.home_dy.eq(dy),
                # One wire to all tiles: the barrier has made sure that each is at rest, so they
                # begin together.
                tile.start.eq(edge.start),
                tile.command.eq(edge.command),
                self.probe[index].eq(tile.probe),
            ]
            for port in NEIGHBOURS:
                step_x, step_y = _STEP[port]
                # At the border links stay open: their requests are 0, and no packet is sent there.
                if 0 <= x + step_x < params.columns and 0 <= y + step_y < params.rows:
                    there = tiles[index + step_x + step_y * params.columns]
                    wiring.connect(m, tile.o[port], there.i[_OPPOSITE[port]])
        self._connect_edge(m, edge, tiles[0])
        m.d.comb += [self.started.eq(edge.start), self.adding.eq(edge.adding)]
        return m

    def _add_tile(self, m: Module, index: int) -> Any:
        x, y = self._params.place(index)
        name = f"tile_{x}_{y}"
        if self._tile is not None:
            return _instance(m, name, self._tile, self._params)
        m.submodules[name] = tile = Tile(self._params)
        return tile

    def _connect_edge(self, m: Module, edge: Edge, corner: Any) -> None:
        """The host's way in, from the west, and out, to the north."""
        wiring.connect(m, wiring.flipped(self.i), edge.i)
        wiring.connect(m, edge.o, wiring.flipped(self.o))
        outside = edge.i.valid | edge.o.valid | edge.busy
        if self._params.router is RouterKind.SYNC:
            wiring.connect(m, edge.entry, corner.i[Port.WEST])
            wiring.connect(m, corner.o[Port.NORTH], edge.exit)
        else:
            shape = packet_layout(self._params.packet)
            entry, leave = ToLink(shape), FromLink(shape)
            m.submodules.entry = DomainRenamer(self._domain)(entry)
            m.submodules.exit = DomainRenamer(self._domain)(leave)
            wiring.connect(m, edge.entry, entry.i)
            wiring.connect(m, entry.o, corner.i[Port.WEST])
            wiring.connect(m, corner.o[Port.NORTH], leave.i)
            wiring.connect(m, leave.o, edge.exit)
            # A token at the border wakes the edge, and one that goes in keeps it awake to the end.
            outside = outside | leave.asked | ~entry.empty
        if self._params.core.clock_gating:
            gated_domain(m, self._domain, outside, gate="edge_gate")

    @property
    def _domain(self) -> str:
        """The edge's clock."""
        return "edge" if self._params.core.clock_gating else "sync"
