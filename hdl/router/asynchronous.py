"""The clockless router."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.router.click import Demux, Merge
from spikewatt.hdl.router.link import Link, packet_layout
from spikewatt.hdl.router.routing import TARGETS, route, sources, trimmed
from spikewatt.model.params import PORTS, Delays, PacketParams, Port

__all__ = ["ClickRouter", "clicks_of"]


def clicks_of(out: Port) -> int:
    """Clicks of a packet that passes a router and leaves at ``out``: a register for each."""
    return 1 + (len(sources(out)) - 1).bit_length()


class ClickRouter(wiring.Component):
    """Five ports, X then Y, no clock: where no packet is, nothing moves.

    A packet is held by the demultiplexer of the port where it comes in, then by the merges of the
    one where it leaves: one merge of two ports to the east and west, a tree of them elsewhere. A
    packet that waits holds up those behind it and is never dropped. Order is kept for each pair of
    ports.

    Parameters
    ----------
    packet : PacketParams
    delays : Delays

    Members
    -------
    i : array of In(Link), o : array of Out(Link)
        By `Port`.
    rst : In(1)
        Empties it.
    pending : Out(5)
        Links out of here whose receiver has not taken its packet yet.
    """

    i: Any
    o: Any
    rst: Signal
    pending: Signal

    def __init__(self, packet: PacketParams, delays: Delays) -> None:
        self._shape, self._delays = packet_layout(packet), delays
        link = Link(self._shape)
        super().__init__(
            {
                "i": In(link).array(len(PORTS)),
                "o": Out(link).array(len(PORTS)),
                "rst": In(1),
                "pending": Out(len(PORTS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A demultiplexer for each port in, a tree of merges for each port out."""
        m = Module()
        inputs: dict[Port, Demux] = {}
        for port, targets in TARGETS.items():
            inputs[port] = demux = Demux(
                self._shape, len(targets), partial(route, port), self._delays
            )
            self._add(m, f"from_{port.name.lower()}", demux)
            wiring.connect(m, wiring.flipped(self.i[port]), demux.i)
        for port in PORTS:
            links = [
                self._trimmed(m, port, source, inputs[source].o[TARGETS[source].index(port)])
                for source in sources(port)
            ]
            merged = self._merged(m, f"to_{port.name.lower()}", links)
            wiring.connect(m, merged, wiring.flipped(self.o[port]))
            # Read when the mesh is stuck, from wires: no packet has to pass for it.
            m.d.comb += self.pending[port].eq(self.o[port].req ^ self.o[port].ack)
        return m

    def _add(self, m: Module, name: str, element: Any) -> None:
        m.submodules[name] = element
        m.d.comb += element.rst.eq(self.rst)

    def _trimmed(self, m: Module, port: Port, source: Port, link: Any) -> Any:
        """The same link, without the offsets that nobody behind ``port`` needs."""
        short: Any = Link(self._shape).create(path=(f"{source.name}_to_{port.name}".lower(),))
        m.d.comb += [
            short.req.eq(link.req),
            short.data.eq(trimmed(port, link.data)),
            link.ack.eq(short.ack),
        ]
        return short

    def _merged(self, m: Module, name: str, links: Sequence[Any]) -> Any:
        """One link of several, by a balanced tree."""
        if len(links) == 1:
            return links[0]
        # Two or four ports meet at a port out: the tree is even, and each merge fair, so that no
        # port waits longer than another.
        half = len(links) // 2
        merge = Merge(self._shape, self._delays)
        self._add(m, name, merge)
        wiring.connect(m, self._merged(m, f"{name}_a", links[:half]), merge.a)
        wiring.connect(m, self._merged(m, f"{name}_b", links[half:]), merge.b)
        return merge.o
