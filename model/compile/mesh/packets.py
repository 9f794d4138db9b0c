"""Host side of the packet port: what is sent to a mesh and what comes back, as integers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.codec import (
    encode_events,
    encode_reads,
    encode_writes,
    pack_fields,
    unpack_fields,
)
from spikewatt.model.params import (
    CONFIG_DATA_BITS,
    PORTS,
    HostCommand,
    MeshParams,
    PacketParams,
    Port,
    ToHost,
    ToTile,
)

__all__ = [
    "TileStatus",
    "control_packet",
    "event_packets",
    "pack",
    "read_packets",
    "reply_words",
    "stuck_report",
    "unpack",
    "unpack_status",
    "write_packets",
]

Packets = NDArray[np.uint64]
IntArray = NDArray[np.int64]


def pack(
    params: PacketParams, dx: IntArray, dy: IntArray, kind: int, payload: NDArray[np.uint64]
) -> Packets:
    """Packets uint64[n] of their fields; offsets wrap to their width."""
    return pack_fields(params.fields, dx=dx, dy=dy, kind=kind, payload=payload)


def unpack(params: PacketParams, packets: Packets) -> tuple[IntArray, IntArray, IntArray, Packets]:
    """Fields of packets: dx, dy, kind (int64[n] each), payload (uint64[n])."""
    fields = unpack_fields(params.fields, packets)
    return fields["dx"], fields["dy"], fields["kind"], fields["payload"].astype(np.uint64)


def event_packets(params: MeshParams, events: IntArray) -> Packets:
    """Spikes for tiles: packets of events int64[n, 3] (tile, axon, delay)."""
    tile = events[:, 0]
    x, y = tile % params.columns, tile // params.columns
    return pack(params.packet, x, y, ToTile.SPIKE, encode_events(params.packet, events[:, 1:]))


def control_packet(params: MeshParams, command: HostCommand) -> Packets:
    """One packet for the edge."""
    zero = np.zeros(1, np.int64)
    return pack(params.packet, zero, zero, ToTile.CONTROL, np.array([command], np.uint64))


def _words(params: MeshParams, tile: int, words: NDArray[np.uint64]) -> Packets:
    """Packets of configuration words for a tile: the highest bits first, the last one executes."""
    packet, count = params.packet, params.packet.word_packets
    # The tile shifts them into its word register: what came first ends highest.
    places = np.arange(count - 1, -1, -1, dtype=np.uint64) * np.uint64(packet.payload_bits)
    mask = np.uint64((1 << packet.payload_bits) - 1)
    payload = (words[:, None] >> places) & mask
    x, y = np.array(params.place(tile), np.int64)[:, None]
    packets = pack(packet, x, y, ToTile.SHIFT, payload)
    packets[:, -1:] = pack(packet, x, y, ToTile.EXECUTE, payload[:, -1:])
    return packets.ravel()


def write_packets(
    params: MeshParams, tile: int, addresses: NDArray[np.uint32], values: NDArray[np.uint32]
) -> Packets:
    """Packets that write words uint32[n] at addresses uint32[n] of a tile's tables."""
    return _words(params, tile, encode_writes(addresses, values))


def read_packets(params: MeshParams, tile: int, addresses: NDArray[np.uint32]) -> Packets:
    """Packets that read the words at addresses uint32[n]; wait for each answer."""
    return _words(params, tile, encode_reads(addresses))


def reply_words(params: PacketParams, payloads: Packets) -> NDArray[np.uint32]:
    """Words uint32[n] of the payloads uint64[n * reply_packets] of answers, in order."""
    count = params.reply_packets
    places = np.arange(count, dtype=np.uint64) * np.uint64(params.payload_bits)
    # Disjoint bits: their sum is their union.
    whole = (payloads.reshape(-1, count) << places).sum(axis=1, dtype=np.uint64)
    return (whole & np.uint64((1 << CONFIG_DATA_BITS) - 1)).astype(np.uint32)


@dataclass(frozen=True)
class TileStatus:
    """What a tile of a stuck mesh says of itself.

    ``pending``: ports at which a packet waits for the next router, or for the tile. ``sending``: it
    has a packet that its own router does not take. ``refusing``: it does not take a packet that
    has arrived. ``working``: its core is in the middle of something.
    """

    pending: tuple[Port, ...]
    sending: bool
    refusing: bool
    working: bool


def unpack_status(payload: int) -> TileStatus:
    """Status of a tile from the payload of a ``ToHost.STUCK`` packet."""
    count = len(PORTS)
    return TileStatus(
        pending=tuple(port for port in PORTS if payload >> port & 1),
        sending=bool(payload >> count & 1),
        refusing=bool(payload >> count + 1 & 1),
        working=bool(payload >> count + 2 & 1),
    )


def stuck_report(params: MeshParams, packets: Packets) -> str:
    """Who waits for whom, in one line, from the packets ``ToHost.STUCK`` of a stuck mesh."""
    dx, dy, kind, payload = unpack(params.packet, packets)
    lines = []
    for x, y, command, status in zip(dx, dy, kind, payload, strict=True):
        if command == ToHost.STUCK:
            lines += _waits(params, int(x), int(y), unpack_status(int(status)))
    if not lines:
        lines = ["no tile waits for another: a packet is lost, or the host's next is not let in"]
    return "; ".join(lines)


def _waits(params: MeshParams, x: int, y: int, status: TileStatus) -> list[str]:
    """What one tile waits for."""
    tile = f"tile ({x}, {y})"
    waits = [f"the router of {tile} waits for {_whom(params, x, y, p)}" for p in status.pending]
    if status.sending:
        waits.append(f"{tile} waits for its router to take a packet")
    if status.refusing and status.sending and not status.working:
        waits.append(f"{tile} takes no packet before its answer is sent")
    elif status.refusing:
        busy = ", which is at work" if status.working else ""
        waits.append(f"{tile} waits for its core{busy}, and takes no packet")
    elif status.working:
        waits.append(f"the core of {tile} is at work")
    return waits


def _whom(params: MeshParams, x: int, y: int, port: Port) -> str:
    """What is behind a port."""
    if port is Port.LOCAL:
        return "its own tile to take a packet"
    step_x, step_y = {Port.EAST: (1, 0), Port.WEST: (-1, 0), Port.NORTH: (0, -1)}.get(port, (0, 1))
    x, y = x + step_x, y + step_y
    if (x, y) == (0, -1):
        return "the host to take a packet"
    if 0 <= x < params.columns and 0 <= y < params.rows:
        return f"the router of tile ({x}, {y}) to take a packet"
    return f"({x}, {y}), where no tile is, to take a packet"
