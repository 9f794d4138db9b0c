"""Packets of the host, and what a stuck mesh says, field by field."""

import numpy as np
import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.model.compile.mesh.packets import (
    TileStatus,
    control_packet,
    event_packets,
    pack,
    read_packets,
    reply_words,
    stuck_report,
    unpack,
    unpack_status,
    write_packets,
)
from spikewatt.model.params import (
    CONFIG_WORD_BITS,
    CoreParams,
    HostCommand,
    MeshParams,
    PacketParams,
    Port,
    ToHost,
    ToTile,
)

FORMATS = [
    PacketParams(hop_bits=1, axon_bits=1, slot_bits=1),
    PacketParams(hop_bits=3, axon_bits=5, slot_bits=3),
    PacketParams(hop_bits=4, axon_bits=7, slot_bits=2),
    PacketParams(),
    PacketParams(hop_bits=10, axon_bits=16, slot_bits=6),
]
SENDING = "tile (1, 1) waits for its router to take a packet"
FORMAT_IDS = [f"payload of {packet.payload_bits}" for packet in FORMATS]


def mesh(packet: PacketParams) -> MeshParams:
    """Three columns and two rows, as far as offsets reach, with such packets."""
    columns, rows = (3, 2) if packet.hop_bits > 2 else (1, 1)
    axons, slots = 1 << packet.axon_bits, 1 << packet.slot_bits
    core = CoreParams(axons=axons, delay_slots=slots, hop_bits=packet.hop_bits, synapse_words=8)
    return MeshParams(columns=columns, rows=rows, core=core)


def fields(packet: PacketParams, word: int) -> tuple[int, int, int, int]:
    """The layout of a packet, written out once more: dx, dy, kind, payload."""
    hop = packet.hop_bits
    dx, dy = word % 2**hop, word // 2**hop % 2**hop
    dx, dy = (offset - 2**hop if offset >= 2 ** (hop - 1) else offset for offset in (dx, dy))
    return dx, dy, word // 4**hop % 4, word // 4**hop // 4


@pytest.mark.parametrize("packet", FORMATS, ids=FORMAT_IDS)
def test_fields(packet: PacketParams) -> None:
    rng = np.random.default_rng(5)
    half = 1 << packet.hop_bits - 1
    dx, dy = rng.integers(-half, half, (2, 200))
    payload = rng.integers(0, 1 << packet.payload_bits, 200).astype(np.uint64)
    for kind in range(4):
        packets = pack(packet, dx, dy, kind, payload)
        assert int(packets.max()) < 1 << packet.bits
        expected = zip(dx.tolist(), dy.tolist(), [kind] * 200, payload.tolist(), strict=True)
        assert [fields(packet, word) for word in packets.tolist()] == list(expected)
        for got, value in zip(unpack(packet, packets), (dx, dy, kind, payload), strict=True):
            np.testing.assert_array_equal(got, value)


@pytest.mark.parametrize("packet", FORMATS, ids=FORMAT_IDS)
def test_events_and_controls(packet: PacketParams) -> None:
    params = mesh(packet)
    rng = np.random.default_rng(6)
    events = rng.integers(0, [params.tiles, 1 << packet.axon_bits, 1 << packet.slot_bits], (100, 3))
    for (tile, axon, delay), word in zip(events, event_packets(params, events), strict=True):
        place = tile % params.columns, tile // params.columns
        payload = axon + delay * 2**packet.axon_bits
        assert fields(packet, int(word)) == (*place, ToTile.SPIKE, payload)
    for what in HostCommand:
        (word,) = control_packet(params, what)
        assert fields(packet, int(word)) == (0, 0, ToTile.CONTROL, what)


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("packet", FORMATS, ids=FORMAT_IDS)
def test_words(packet: PacketParams, write: bool) -> None:
    """Highest bits first, the last packet executes; together they are the word of the core."""
    params, count = mesh(packet), packet.word_packets
    assert (count - 1) * packet.payload_bits < CONFIG_WORD_BITS <= count * packet.payload_bits
    rng = np.random.default_rng(7)
    addresses = rng.integers(0, 1 << 28, 20, np.uint32)
    values = rng.integers(0, 1 << 32, 20, np.uint32)
    for tile in range(params.tiles):
        packets = (
            write_packets(params, tile, addresses, values)
            if write
            else read_packets(params, tile, addresses)
        )
        each = packets.reshape(20, count).tolist()
        for words, address, value in zip(each, addresses.tolist(), values.tolist(), strict=True):
            parts = [fields(packet, word) for word in words]
            assert {part[:2] for part in parts} == {params.place(tile)}
            kinds = [part[2] for part in parts]
            assert kinds == [ToTile.SHIFT] * (count - 1) + [ToTile.EXECUTE]
            whole = 0
            for *_, payload in parts:
                whole = whole << packet.payload_bits | payload
            assert whole == address << 32 | (1 << 60 | value if write else 0)


@pytest.mark.parametrize("packet", FORMATS, ids=FORMAT_IDS)
def test_answers(packet: PacketParams) -> None:
    words = np.random.default_rng(8).integers(0, 1 << 32, 50, np.uint32)
    count, bits = packet.reply_packets, packet.payload_bits
    assert (count - 1) * bits < 32 <= count * bits
    low_first = [int(word) >> k * bits & 2**bits - 1 for word in words for k in range(count)]
    np.testing.assert_array_equal(reply_words(packet, np.array(low_first, np.uint64)), words)


def stuck(params: MeshParams, *said: tuple[int, int, int]) -> str:
    """Report of tiles (x, y) that say a status."""
    x, y, status = np.array(said, np.int64).T
    packets = pack(params.packet, x, y, ToHost.STUCK, status.astype(np.uint64))
    return stuck_report(params, packets)


def test_status() -> None:
    for payload in range(256):
        status = unpack_status(payload)
        bits = [port in status.pending for port in Port]
        bits += [status.sending, status.refusing, status.working]
        assert sum(bit << at for at, bit in enumerate(bits)) == payload
    assert unpack_status(0b10100110) == TileStatus(
        pending=(Port.WEST, Port.NORTH), sending=True, refusing=False, working=True
    )


def test_who_waits_for_whom() -> None:
    params = mesh(PacketParams(hop_bits=3, axon_bits=5, slot_bits=3))
    for x, y, port, whom in (
        (0, 0, Port.EAST, "the router of tile (1, 0)"),
        (1, 0, Port.EAST, "the router of tile (2, 0)"),
        (2, 1, Port.WEST, "the router of tile (1, 1)"),
        (2, 0, Port.SOUTH, "the router of tile (2, 1)"),
        (1, 1, Port.NORTH, "the router of tile (1, 0)"),
        (0, 0, Port.NORTH, "the host"),
        (0, 1, Port.NORTH, "the router of tile (0, 0)"),
        (2, 1, Port.LOCAL, "its own tile"),
        (2, 0, Port.EAST, "(3, 0), where no tile is,"),
        (1, 0, Port.NORTH, "(1, -1), where no tile is,"),
        (0, 1, Port.WEST, "(-1, 1), where no tile is,"),
        (0, 1, Port.SOUTH, "(0, 2), where no tile is,"),
    ):
        expected = f"the router of tile ({x}, {y}) waits for {whom} to take a packet"
        assert stuck(params, (x, y, 1 << port)) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0b00100000, SENDING),
        (0b01000000, "tile (1, 1) waits for its core, and takes no packet"),
        (0b10000000, "the core of tile (1, 1) is at work"),
        (0b11000000, "tile (1, 1) waits for its core, which is at work, and takes no packet"),
        (
            0b01100000,
            f"{SENDING}; tile (1, 1) takes no packet before its answer is sent",
        ),
        (0b10100000, f"{SENDING}; the core of tile (1, 1) is at work"),
    ],
)
def test_what_a_tile_waits_for(status: int, expected: str) -> None:
    params = mesh(PacketParams(hop_bits=3, axon_bits=5, slot_bits=3))
    assert stuck(params, (0, 0, 0), (1, 1, status), (2, 1, 0)) == expected


def test_reports_of_several_tiles_and_of_none() -> None:
    params = mesh(PacketParams(hop_bits=3, axon_bits=5, slot_bits=3))
    both = stuck(params, (1, 0, 1 << Port.SOUTH), (1, 1, 1 << Port.LOCAL))
    assert both == (
        "the router of tile (1, 0) waits for the router of tile (1, 1) to take a packet; "
        "the router of tile (1, 1) waits for its own tile to take a packet"
    )
    nobody = "no tile waits for another: a packet is lost, or the host's next is not let in"
    assert stuck(params, (0, 0, 0), (1, 0, 0)) == nobody
    # Packets of other kinds, which came before, say nothing of this.
    others = pack(
        params.packet,
        np.zeros(3, np.int64),
        np.zeros(3, np.int64),
        ToHost.SPIKE,
        np.full(3, 255, np.uint64),
    )
    assert stuck_report(params, others) == nobody


@pytest.mark.parametrize(("columns", "rows", "least"), [(3, 2, 5), (3, 3, 6), (8, 8, 9)])
def test_the_watchdog_outlasts_the_barrier(columns: int, rows: int, least: int) -> None:
    core = CoreParams(hop_bits=5)
    MeshParams(columns=columns, rows=rows, core=core, watchdog_bits=least)
    message = (
        rf"^watchdog_bits must be at least {least} for {columns * rows} tiles, not {least - 1}$"
    )
    with pytest.raises(ParameterError, match=message):
        MeshParams(columns=columns, rows=rows, core=core, watchdog_bits=least - 1)
