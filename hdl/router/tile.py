"""A tile of a mesh: a core, its network interface, and a router."""

from typing import Any

from amaranth.hdl import Const, DomainRenamer, Module, ResetSignal, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.clock_gate import gated_domain
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.hdl.neuro.signatures import Command, Probe
from spikewatt.hdl.router.asynchronous import ClickRouter
from spikewatt.hdl.router.bridges import FromLink, ToLink
from spikewatt.hdl.router.interface import NetworkInterface
from spikewatt.hdl.router.link import Link, packet_layout
from spikewatt.hdl.router.synchronous import SyncRouter
from spikewatt.model.params import PORTS, MeshParams, Port, RouterKind

__all__ = [
    "NEIGHBOURS",
    "Tile",
    "TilePort",
    "network_signature",
    "status_layout",
    "tile_members",
    "tile_probe_layout",
]

NEIGHBOURS = tuple(port for port in PORTS if port is not Port.LOCAL)
"""Ports that lead to other tiles."""


def network_signature(params: MeshParams) -> Any:
    """What runs between two routers: a link, or a stream."""
    shape = packet_layout(params.packet)
    return Link(shape) if params.router is RouterKind.CLICK else stream.Signature(shape)


def status_layout() -> data.StructLayout:
    """What a tile says of itself when the mesh is stuck.

    ``pending``: ports of its router at which a packet waits for the next one to take it.
    ``sending``: it has a packet that its own router does not take. ``refusing``: it does not take a
    packet that has arrived. ``working``: its core is in the middle of something.
    """
    return data.StructLayout({"pending": len(PORTS), "sending": 1, "refusing": 1, "working": 1})


def tile_probe_layout(params: MeshParams) -> data.StructLayout:
    """What a test bench sees of a tile: the core's probe, and the packet that it sends."""
    probe = Probe(params.core).members
    return data.StructLayout(
        {
            **{name: member.shape for name, member in probe.items()},
            "sent": 1,
            "packet": params.packet.bits,
        }
    )


class TilePort(wiring.Signature):
    """What a tile tells the edge, seen by the tile.

    Members
    -------
    idle : Out(1)
        The core is at rest, and nothing that this tile knows of is on its way.
    active : Out(1)
        Something moves: the core works, or a packet goes in or out.
    sent, received : Out(count_bits)
        Packets so far, modulo the width.
    status : Out(status)
    """

    def __init__(self, params: MeshParams) -> None:
        super().__init__(
            {
                "idle": Out(1),
                "active": Out(1),
                "sent": Out(params.count_bits),
                "received": Out(params.count_bits),
                "status": Out(status_layout()),
            }
        )


def tile_members(params: MeshParams) -> dict[str, wiring.Member]:
    """Members of a `Tile`."""
    network, hop = network_signature(params), params.core.hop_bits
    return {
        "i": In(network).array(len(NEIGHBOURS)),
        "o": Out(network).array(len(NEIGHBOURS)),
        "home_dx": In(hop),
        "home_dy": In(hop),
        "start": In(1),
        "command": In(Command),
        "port": Out(TilePort(params)),
        "probe": Out(tile_probe_layout(params)),
    }


class Tile(wiring.Component):
    """A core in a mesh.

    Two clocks stop on their own: the core's, while it is idle and nothing is offered to it, and the
    interface's, while nothing arrives or leaves. With a clockless router a packet wakes the
    interface at the falling edge after its request, and is there three edges later: two of the
    synchroniser, one to take it; one that leaves keeps it awake until the acknowledgement is back,
    three edges at least. With a clocked router it is one edge each.

    Parameters
    ----------
    params : MeshParams

    Members
    -------
    i : array of In(link or stream), o : array of Out(link or stream)
        By `Port`, without LOCAL.
    home_dx, home_dy : In
        Offset from here to the host.
    start : In(1), command : In(Command)
        Do this now; only while every tile is idle.
    port : Out(TilePort)
    probe : Out(tile probe)
        For test benches and meters; nothing depends on it.
    """

    i: Any
    o: Any
    home_dx: Signal
    home_dy: Signal
    start: Signal
    command: Signal
    port: Any
    probe: Any

    def __init__(self, params: MeshParams) -> None:
        self._params = params
        super().__init__(tile_members(params))

    def elaborate(self, platform: object) -> Module:
        """Join the core to the interface, and the interface to the router."""
        m = Module()
        params = self._params
        m.submodules.core = core = NeuroCore(params.core)
        interface = NetworkInterface(params)
        m.submodules.interface = DomainRenamer(self._domain)(interface)
        kind = self._clockless if params.router is RouterKind.CLICK else self._clocked
        router, arrived, waits = kind(m, interface)
        if params.core.clock_gating:
            # Bridges run on the interface's clock, so that whatever waits in one of them keeps it
            # awake.
            gated_domain(m, self._domain, interface.busy | waits, gate="interface_gate")
        for port in NEIGHBOURS:
            wiring.connect(m, wiring.flipped(self.i[port]), router.i[port])
            wiring.connect(m, router.o[port], wiring.flipped(self.o[port]))
        wiring.connect(m, interface.events, core.i)
        wiring.connect(m, core.o, interface.spikes)
        wiring.connect(m, interface.config, core.config)
        wiring.connect(m, core.response, interface.response)
        m.d.comb += [
            core.command.valid.eq(self.start),
            core.command.payload.eq(self.command),
            interface.home_dx.eq(self.home_dx),
            interface.home_dy.eq(self.home_dy),
            self.port.sent.eq(interface.sent),
            self.port.received.eq(interface.received),
            self.port.idle.eq(core.idle & ~interface.busy),
            self.port.status.pending.eq(router.pending),
            self.port.status.sending.eq(interface.o.valid & ~interface.o.ready),
            self.port.status.refusing.eq(arrived.valid & ~arrived.ready),
            self.port.status.working.eq(~core.idle),
        ]
        moved = (interface.o.valid & interface.o.ready) | (arrived.valid & arrived.ready)
        # A core that only waits for its packet to go does not move, busy as it is: the watchdog has
        # to see that.
        stalled = core.o.valid & ~core.o.ready
        m.d.comb += self.port.active.eq((~core.idle & ~stalled) | moved)
        self._probe(m, core, interface)
        return m

    @property
    def _domain(self) -> str:
        """The interface's clock."""
        return "interface" if self._params.core.clock_gating else "sync"

    def _clockless(self, m: Module, interface: NetworkInterface) -> tuple[Any, Any, Value]:
        """A Click router behind two bridges; the one outwards shares the interface's clock."""
        shape = packet_layout(self._params.packet)
        m.submodules.router = router = ClickRouter(self._params.packet, self._params.delays)
        arrivals, departures = FromLink(shape), ToLink(shape)
        m.submodules.arrivals = DomainRenamer(self._domain)(arrivals)
        m.submodules.departures = DomainRenamer(self._domain)(departures)
        wiring.connect(m, router.o[Port.LOCAL], arrivals.i)
        wiring.connect(m, arrivals.o, interface.i)
        wiring.connect(m, interface.o, departures.i)
        wiring.connect(m, departures.o, router.i[Port.LOCAL])
        # The router has no clock; its reset is the mesh's, and acts at once.
        m.d.comb += router.rst.eq(ResetSignal())
        return router, arrivals.o, arrivals.asked | ~departures.empty

    def _clocked(self, m: Module, interface: NetworkInterface) -> tuple[Any, Any, Value]:
        """A synchronous router; its clock stops by itself."""
        m.submodules.router = router = SyncRouter(
            self._params.packet, clock_gating=bool(self._params.core.clock_gating)
        )
        wiring.connect(m, router.o[Port.LOCAL], interface.i)
        wiring.connect(m, interface.o, router.i[Port.LOCAL])
        return router, router.o[Port.LOCAL], Const(0)

    def _probe(self, m: Module, core: NeuroCore, interface: NetworkInterface) -> None:
        for name in core.probe.signature.members:
            m.d.comb += self.probe[name].eq(getattr(core.probe, name))
        m.d.comb += [
            self.probe.sent.eq(interface.o.valid & interface.o.ready),
            self.probe.packet.eq(interface.o.payload),
        ]
