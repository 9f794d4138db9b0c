"""Slack of the data of two clockless routers side by side: a table of ``docs/energy.md``.

The routers stand as in a mesh: east of the one is west of the other, and each has the two bridges
of a tile at its local port. `check_bundling` times the gates as mapped; nothing is simulated.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from amaranth.hdl import Module, ResetSignal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.energy.delays.bundling import Bundle, check_bundling
from spikewatt.energy.pricing.options import Wires
from spikewatt.hdl.router.asynchronous import ClickRouter
from spikewatt.hdl.router.bridges import FromLink, ToLink
from spikewatt.hdl.router.link import Link, packet_layout
from spikewatt.model.params import Delays, PacketParams, Port
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.verilog import export
from spikewatt.targets.price import typical_wires

PACKET = PacketParams()
JOINED = (Port.EAST, Port.WEST)
"""The port of the first router and of the second one at which they meet."""


class Pair(wiring.Component):
    """Two routers with their bridges.

    Members
    -------
    i, o : arrays of Link
        Ports that do not meet: six of the ten, first router first, in the order of `Port`.
    arrivals, departures : arrays of stream
        Of each router's tile.
    """

    i: Any
    o: Any
    arrivals: Any
    departures: Any

    def __init__(self, delays: Delays) -> None:
        self._delays, self._shape = delays, packet_layout(PACKET)
        link, words = Link(self._shape), stream.Signature(self._shape)
        super().__init__(
            {
                "i": In(link).array(6),
                "o": Out(link).array(6),
                "arrivals": Out(words).array(2),
                "departures": In(words).array(2),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Join the routers, and bring out what is left."""
        m = Module()
        routers = [ClickRouter(PACKET, self._delays) for _ in range(2)]
        free = iter(range(6))
        for number, router in enumerate(routers):
            m.submodules[f"router{number}"] = router
            m.d.comb += router.rst.eq(ResetSignal())
            m.submodules[f"arrivals{number}"] = arrivals = FromLink(self._shape)
            m.submodules[f"departures{number}"] = departures = ToLink(self._shape)
            wiring.connect(m, router.o[Port.LOCAL], arrivals.i)
            wiring.connect(m, arrivals.o, wiring.flipped(self.arrivals[number]))
            wiring.connect(m, wiring.flipped(self.departures[number]), departures.i)
            wiring.connect(m, departures.o, router.i[Port.LOCAL])
            for port in (Port.EAST, Port.WEST, Port.NORTH, Port.SOUTH):
                if port is not JOINED[number]:
                    index = next(free)
                    wiring.connect(m, wiring.flipped(self.i[index]), router.i[port])
                    wiring.connect(m, router.o[port], wiring.flipped(self.o[index]))
        east, west = JOINED
        wiring.connect(m, routers[0].o[east], routers[1].i[west])
        wiring.connect(m, routers[1].o[west], routers[0].i[east])
        return m


def tightest(delays: Delays, library_path: Path, wires: float) -> Iterator[tuple[str, Bundle]]:
    """The tightest bundle of each kind of control path; ``wires``: times `typical_wires`."""
    library = read_liberty(library_path)
    mapped = synthesise(export(Pair(delays), "pair"), "pair", library_path)
    netlist = read_netlist(mapped.netlist, library, top="pair")
    added = typical_wires(mapped, wires) if wires else Wires()
    yield from check_bundling(netlist, library, wires=added).worst().items()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print slack and longest data path of each kind of control path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--liberty", type=Path, default=default_library_path())
    parser.add_argument("--wires", type=float, default=0.0, help="times typical_wires")
    for name in ("fire", "link", "route", "mutex"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Delays(), name), help="ps")
    given = parser.parse_args(arguments)
    delays = Delays(fire=given.fire, link=given.link, route=given.route, mutex=given.mutex)
    for through, bundle in tightest(delays, given.liberty, given.wires):
        print(
            f"{through:<24} slack {bundle.slack_s * 1e12:7.0f} ps, "
            f"data {bundle.data_s * 1e12:6.0f} ps, to {bundle.register}"
        )


if __name__ == "__main__":
    main()
