"""Every state of a mesh's links at once: whether packets that wait can all be stuck."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.router.link import packet_layout
from spikewatt.hdl.router.routing import TARGETS, route
from spikewatt.model.params import PORTS, PacketParams, Port
from tests.hdl.formal.dependencies import STEP

__all__ = ["Standstill"]

_BACK = {
    Port.EAST: Port.WEST,
    Port.WEST: Port.EAST,
    Port.NORTH: Port.SOUTH,
    Port.SOUTH: Port.NORTH,
}


class Standstill(wiring.Component):
    """Links into the routers of a mesh, each empty or with any packet that may be there.

    A packet may be on a link if it is for a tile of the mesh or the host, and nearer to it than
    where it came from; a tile sends none to itself. Each link is one place here: what a router
    holds inside is left out.

    Parameters
    ----------
    waiting:
        ``tile`` or ``host``: it takes no packet while its own waits.

    Members
    -------
    full : In, packets : In
        Of all links.
    legal : Out(1)
        All packets may be where they are.
    lost : Out(1)
        One of them has not just one way on, or one to where it may not be.
    stuck : Out(1)
        There are packets, and each waits for a full link.
    """

    full: Signal
    packets: Signal
    legal: Signal
    lost: Signal
    stuck: Signal

    def __init__(self, columns: int, rows: int, *, waiting: str = "") -> None:
        self._columns, self._rows, self._waiting = columns, rows, waiting
        self._layout = packet_layout(PacketParams(hop_bits=4, axon_bits=1, slot_bits=1))
        self._links = [
            (x, y, came)
            for y in range(rows)
            for x in range(columns)
            for came in PORTS
            if came is Port.LOCAL or self._is_link(x, y, came)
        ]
        ports = {"full": In(len(self._links)), "packets": In(8 * len(self._links))}
        super().__init__({**ports, "legal": Out(1), "lost": Out(1), "stuck": Out(1)})

    @property
    def links(self) -> int:
        """Number of links."""
        return len(self._links)

    def _is_link(self, x: int, y: int, came: Port) -> bool:
        return self._is_tile(x + STEP[came][0], y + STEP[came][1]) or (x, y, came) == (
            0,
            0,
            Port.WEST,
        )

    def _is_tile(self, x: int, y: int) -> bool:
        return 0 <= x < self._columns and 0 <= y < self._rows

    def _may_be(self, x: int, y: int, came: Port, dx: Value, dy: Value) -> Value:
        """Whether a packet may come in there."""
        goal_x, goal_y = dx + x, dy + y
        in_mesh = (goal_x >= 0) & (goal_x < self._columns) & (goal_y >= 0) & (goal_y < self._rows)
        nearer = {
            Port.EAST: dx <= 0,
            Port.WEST: dx >= 0,
            Port.NORTH: (dx == 0) & (dy >= 0),
            Port.SOUTH: (dx == 0) & (dy <= 0),
            Port.LOCAL: (dx != 0) | (dy != 0),
        }
        return (in_mesh | ((goal_x == 0) & (goal_y == -1))) & nearer[came]

    def elaborate(self, platform: object) -> Module:
        """Look at every link alone, then at all."""
        m = Module()
        legal, lost, held = [], [], []
        for at, (x, y, came) in enumerate(self._links):
            full = self.full[at]
            packet = data.View(self._layout, Signal(self._layout.size, name=f"packet_{at}"))
            offsets = self.packets.word_select(at, 8)
            m.d.comb += [packet.dx.eq(offsets[:4]), packet.dy.eq(offsets[4:])]
            chosen, leaving = route(came, packet)
            after = data.View(self._layout, Signal(self._layout.size, name=f"after_{at}"))
            m.d.comb += Value.cast(after).eq(leaving)
            fine, waits = [], []
            for port, taken in zip(TARGETS[came], chosen, strict=True):
                arrives, blocked = self._beyond(x, y, port, after)
                fine.append(taken & arrives)
                waits.append(taken & blocked)
            one = sum(taken for taken in chosen) == 1
            legal.append(~full | self._may_be(x, y, came, packet.dx, packet.dy))
            lost.append(full & ~(one & Cat(*fine).any()))
            held.append(~full | Cat(*waits).any())
        m.d.comb += [
            self.legal.eq(Cat(*legal).all()),
            self.lost.eq(Cat(*lost).any()),
            self.stuck.eq(self.full.any() & Cat(*held).all()),
        ]
        return m

    def _beyond(self, x: int, y: int, port: Port, after: data.View) -> tuple[Value, Value]:
        """Of a packet that leaves there: whether it may be where it comes, whether it waits."""
        if port is Port.LOCAL:
            waits = self.full[self._links.index((x, y, port))] & (self._waiting == "tile")
            return (after.dx == 0) & (after.dy == 0), waits
        if (x, y, port) == (0, 0, Port.NORTH):
            waits = self.full[self._links.index((0, 0, Port.WEST))] & (self._waiting == "host")
            return (after.dx == 0) & (after.dy == 0), waits
        beyond = (x + STEP[port][0], y + STEP[port][1], _BACK[port])
        if not self._is_tile(*beyond[:2]):
            return Const(0), Const(1)
        blocked = self.full[self._links.index(beyond)]
        return self._may_be(*beyond, after.dx, after.dy), blocked
