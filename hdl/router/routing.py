"""X, then Y: where a packet goes from a router, and from where it may come."""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Cat, Const, Mux, Value
from amaranth.lib import data

from spikewatt.model.params import Port

__all__ = ["TARGETS", "arriving", "route", "sources", "trimmed"]

# No turn from Y to X, so no cycle of links that wait for each other (Dally and Seitz, IEEE
# Transactions on Computers C-36 (1987) 547).
TARGETS: Mapping[Port, tuple[Port, ...]] = {
    Port.EAST: (Port.WEST, Port.NORTH, Port.SOUTH, Port.LOCAL),
    Port.WEST: (Port.EAST, Port.NORTH, Port.SOUTH, Port.LOCAL),
    Port.NORTH: (Port.SOUTH, Port.LOCAL),
    Port.SOUTH: (Port.NORTH, Port.LOCAL),
    Port.LOCAL: (Port.EAST, Port.WEST, Port.NORTH, Port.SOUTH),
}
"""Where a packet that came in at a port may leave; it never turns from Y to X, nor back."""


def sources(port: Port) -> tuple[Port, ...]:
    """Where packets that leave at a port came in."""
    return tuple(source for source in TARGETS if port in TARGETS[source])


def _step(offset: Value, down: Value | None, up: Value | None) -> Value:
    """An offset counted down to 0 by one: ``down`` if it is positive, ``up`` if negative."""
    stepped = offset
    if down is not None:
        stepped = Mux(down, offset - 1, stepped)
    if up is not None:
        stepped = Mux(up, offset + 1, stepped)
    # It counts towards 0, and so never leaves its width.
    return stepped[: len(offset)]


def route(came: Port, packet: Any) -> tuple[list[Value], Value]:
    """One hot, which of ``TARGETS[came]`` a packet leaves at, and the packet with its new offset.

    East is taken while dx > 0, west while dx < 0, then south while dy > 0 and north while dy < 0.
    What cannot be is not built: a packet that comes in from the east goes on to the west or has
    dx = 0, one from the north has dx = 0 and goes on to the south.
    """
    packet = data.View(packet.shape(), arriving(came, packet))
    dx, dy = Value.cast(packet.dx), Value.cast(packet.dy)
    turns_left = came in (Port.EAST, Port.WEST, Port.LOCAL)
    # Y is looked at only where X is done.
    straight = ~dx.any() if turns_left else Const(1)
    leaves = {
        Port.EAST: dx.any() & ~dx[-1],
        Port.WEST: dx[-1],
        Port.SOUTH: straight & dy.any() & ~dy[-1],
        Port.NORTH: straight & dy[-1],
        Port.LOCAL: straight & ~dy.any(),
    }
    allowed = {port: leaves[port] for port in TARGETS[came]}
    left = {
        "dx": _step(dx, allowed.get(Port.EAST), allowed.get(Port.WEST)),
        "dy": _step(dy, allowed.get(Port.SOUTH), allowed.get(Port.NORTH)),
    }
    return list(allowed.values()), _with(packet, left)


def trimmed(port: Port, packet: Any) -> Value:
    """A packet that leaves at a port, with the offsets that have come to 0 as constants.

    No register is built for them from there on: to the north and south there is no dx any more, and
    a tile needs no offset at all.
    """
    gone = {Port.NORTH: ("dx",), Port.SOUTH: ("dx",), Port.LOCAL: ("dx", "dy")}.get(port, ())
    return _with(packet, {name: Const(0, len(Value.cast(packet[name]))) for name in gone})


def arriving(port: Port, packet: Any) -> Value:
    """A packet that came in at a port, with the offset that is 0 there as a constant."""
    return trimmed(port, packet) if port in (Port.NORTH, Port.SOUTH) else Value.cast(packet)


def _with(packet: Any, changed: Mapping[str, Value]) -> Value:
    """A packet with some fields replaced."""
    names = packet.shape().members
    return Cat(*(changed.get(name, Value.cast(packet[name])) for name in names))
