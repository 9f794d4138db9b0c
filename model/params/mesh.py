"""Parameters of a mesh of cores: packets, routers, tiles; models and hardware both read them."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from spikewatt.base.errors import ParameterError
from spikewatt.model.params.checks import within
from spikewatt.model.params.core import CoreParams
from spikewatt.model.params.tables import (
    CONFIG_ADDRESS_BITS,
    CONFIG_DATA_BITS,
    Field,
    bits_for,
)

__all__ = [
    "CONFIG_WORD_BITS",
    "MESH_LIMIT",
    "PORTS",
    "Delays",
    "HostCommand",
    "MeshParams",
    "PacketParams",
    "Port",
    "RouterKind",
    "ToHost",
    "ToTile",
]

MESH_LIMIT = 64
"""Most tiles of a mesh."""

CONFIG_WORD_BITS = CONFIG_DATA_BITS + CONFIG_ADDRESS_BITS + 1
"""Bits of a configuration word: data, address, write, lowest first."""

_STATUS_BITS = 8  # what a tile says of itself when the mesh is stuck


class RouterKind(StrEnum):
    """How a mesh moves packets."""

    CLICK = "click"
    """Clockless: two-phase bundled data."""
    SYNC = "sync"
    """Clocked, with queues."""


class Port(IntEnum):
    """Ports of a router. East is +x, south is +y; (0, 0) is the north-west corner."""

    EAST = 0
    WEST = 1
    NORTH = 2
    SOUTH = 3
    LOCAL = 4


PORTS = tuple(Port)


class ToTile(IntEnum):
    """Kind of a packet on its way into the mesh."""

    SPIKE = 0
    """A spike: axon and delay."""
    SHIFT = 1
    """Some bits of a configuration word, highest first, for the tile's word register."""
    EXECUTE = 2
    """The last bits of a word: the tile does what it says."""
    CONTROL = 3
    """For the edge itself: a `HostCommand`."""


class ToHost(IntEnum):
    """Kind of a packet on its way out of the mesh."""

    SPIKE = 0
    """A spike of a neuron that has the host among its destinations."""
    DONE = 1
    """Answer to `HostCommand.SYNC`: all that was asked for has happened."""
    STUCK = 2
    """The mesh is stuck; one packet from each tile tells what it waits for."""
    REPLY = 3
    """Some bits of an answer to a read, lowest first."""


class HostCommand(IntEnum):
    """What the host asks of a core at rest, or of a mesh once all is quiet."""

    TICK = 0
    """Work through the next tick."""
    CLEAR = 1
    """State and scheduler to 0, t to -1."""
    SYNC = 2
    """Of a mesh only: answer when all that was asked for has happened."""


@dataclass(frozen=True, kw_only=True)
class PacketParams:
    """Fields of a packet; by default those of TrueNorth, 32 bits in all.

    TrueNorth's packet has dx and dy of 9 bits, an axon of 8, a delay of 4 and two bits for
    debugging (Akopyan et al., IEEE Trans. CAD 34 (2015) 1537); ours has a kind in their place.

    Parameters
    ----------
    hop_bits:
        Width of the signed offsets (dx, dy), 1 to 10.
    axon_bits, slot_bits:
        Width of a spike's axon and delay, 1 to 16 and 1 to 6.
    """

    hop_bits: int = 9
    axon_bits: int = 8
    slot_bits: int = 4

    def __post_init__(self) -> None:
        within("hop_bits", self.hop_bits, 1, 10)
        within("axon_bits", self.axon_bits, 1, 16)
        within("slot_bits", self.slot_bits, 1, 6)

    @classmethod
    def of(cls, core: CoreParams) -> "PacketParams":
        """The packet that holds what a core sends."""
        return cls(hop_bits=core.hop_bits, axon_bits=core.axon_bits, slot_bits=core.slot_bits)

    @property
    def payload_bits(self) -> int:
        """Bits that reach the destination, beside the kind: axon, then delay, of a spike."""
        return max(self.axon_bits + self.slot_bits, _STATUS_BITS)

    @property
    def bits(self) -> int:
        """Width of a packet: dx, dy, kind, payload, lowest first."""
        return 2 * self.hop_bits + 2 + self.payload_bits

    @property
    def fields(self) -> tuple[Field, ...]:
        """A packet as it passes the routers."""
        return (
            Field("dx", self.hop_bits, signed=True),
            Field("dy", self.hop_bits, signed=True),
            Field("kind", 2),
            Field("payload", self.payload_bits),
        )

    @property
    def event_fields(self) -> tuple[Field, ...]:
        """Payload of a spike's packet."""
        return Field("axon", self.axon_bits), Field("delay", self.slot_bits)

    @property
    def word_packets(self) -> int:
        """Packets of a configuration word."""
        return -(-CONFIG_WORD_BITS // self.payload_bits)

    @property
    def reply_packets(self) -> int:
        """Packets of an answer."""
        return -(-CONFIG_DATA_BITS // self.payload_bits)


@dataclass(frozen=True, kw_only=True)
class Delays:
    """Delays of the elements of a clockless router, ps, each 1 to 100 000.

    The defaults are for the built-in 45 nm library: there every datum is in time with at least
    100 ps to spare, with wires too (`spikewatt.energy.delays.bundling`, docs/energy.md).

    Parameters
    ----------
    fire:
        Of the buffer between a stage's fire condition and its registers' clock: as wide as the
        click. At least as long as a merge takes to choose its data after a grant.
    link:
        Matched delay of a request whose data come straight from a register.
    route:
        Matched delay of a request whose data pass the routing logic.
    mutex:
        From request to grant of a mutual-exclusion element.
    """

    fire: int = 200
    link: int = 220
    route: int = 560
    mutex: int = 140

    def __post_init__(self) -> None:
        for name in ("fire", "link", "route", "mutex"):
            within(f"delay {name}", getattr(self, name), 1, 100_000)
        for name in ("fire", "mutex"):
            if (value := getattr(self, name)) >= min(self.link, self.route):
                raise ParameterError(
                    f"delay {name} must be shorter than link and route "
                    f"({self.link} and {self.route} ps), not {value!r}"
                )


@dataclass(frozen=True, kw_only=True)
class MeshParams:
    """A mesh of equal tiles, each a core and a router.

    Parameters
    ----------
    columns, rows:
        Tiles side by side and one above the other, 1 to 64 in all.
    core:
        The core of every tile.
    router:
        How packets move.
    delays:
        Of a clockless router's elements.
    watchdog_bits:
        The mesh counts as stuck after ``2 ** watchdog_bits`` cycles in which it waits for a tick's
        end and nothing moves; 4 to 24, and ``4 * (tiles + 1)`` cycles at least: the barrier itself
        takes up to three quarters of that.
    """

    columns: int
    rows: int
    core: CoreParams
    router: RouterKind = RouterKind.CLICK
    delays: Delays = field(default_factory=Delays)
    watchdog_bits: int = 12

    def __post_init__(self) -> None:
        within("columns", self.columns, 1, MESH_LIMIT)
        within("rows", self.rows, 1, MESH_LIMIT)
        within("columns x rows", self.tiles, 1, MESH_LIMIT)
        within("watchdog_bits", self.watchdog_bits, 4, 24)
        if self.watchdog_bits < (least := bits_for(4 * (self.tiles + 1))):
            raise ParameterError(
                f"watchdog_bits must be at least {least} for {self.tiles} tiles, "
                f"not {self.watchdog_bits!r}"
            )
        needed = 1 + bits_for(max(self.columns, self.rows))
        # Offsets are signed, and the host is a step beyond the first row.
        if self.core.hop_bits < needed:
            raise ParameterError(
                f"hop_bits of the core must be at least {needed} for a {self.columns}x{self.rows} "
                f"mesh, not {self.core.hop_bits}"
            )

    @property
    def tiles(self) -> int:
        """Number of tiles; tile ``y * columns + x`` is at (x, y)."""
        return self.columns * self.rows

    @property
    def packet(self) -> PacketParams:
        """The packet that the core's destinations need."""
        return PacketParams.of(self.core)

    @property
    def count_bits(self) -> int:
        """Width of the counts of packets: more than can be on their way at once, twice over.

        A router holds at most 4 packets in each of its 5 ports, and a tile's bridges 2.
        """
        return 2 + bits_for(24 * self.tiles + 8)

    def place(self, tile: int) -> tuple[int, int]:
        """(x, y) of a tile."""
        return tile % self.columns, tile // self.columns

    def host_offset(self, tile: int) -> tuple[int, int]:
        """(dx, dy) from a tile to the host, which is north of (0, 0)."""
        x, y = self.place(tile)
        return -x, -(y + 1)
