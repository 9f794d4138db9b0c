"""What goes through a router in ``hops.py``: packets one at a time, way by way, and all at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.harness import PERIOD
from spikewatt.hdl.router.routing import TARGETS
from spikewatt.model.params import PORTS, PacketParams, Port

__all__ = ["ALL", "LOADED", "PACKET", "PAYLOADS", "WAYS", "Part", "parts", "words"]

PACKET = PacketParams()
GAP = 6 * PERIOD  # ps from a packet to the next one: all has come to rest
IDLE = 200 * PERIOD  # ps without a packet
START = 20 * PERIOD + PERIOD // 4  # ps; reset has ended, and no clock edge is near
LOAD = 0.03  # packets per ns and port, where they come at random
X, Y = (Port.EAST, Port.WEST), (Port.NORTH, Port.SOUTH)
ALLOWED = [(source, target) for source in PORTS for target in TARGETS[source]]
WAYS = {
    "straight, east or west": [(a, b) for a, b in ALLOWED if a in X and b in X],
    "straight, north or south": [(a, b) for a, b in ALLOWED if a in Y and b in Y],
    "turn": [(a, b) for a, b in ALLOWED if a in X and b in Y],
    "to the tile": [(a, b) for a, b in ALLOWED if b is Port.LOCAL],
    "from the tile": [(a, b) for a, b in ALLOWED if a is Port.LOCAL],
}
ALL, LOADED = "all of these", "all of these, half load"
PAYLOADS = ("random", "spikes")


@dataclass(frozen=True)
class Part:
    """One part of a run: ``pairs`` of ports, int64[packets, 2], offered at ``times``, ps."""

    name: str
    payload: str
    begin: int
    end: int
    times: NDArray[np.int64]
    pairs: NDArray[np.int64]


def words(pairs: NDArray[np.int64], payload: str, rng: np.random.Generator) -> NDArray[np.uint64]:
    """Packets uint64[n] for pairs of ports; whatever the way leaves open is ``random``.

    ``spikes``: at most 4 routers to go in x and in y, any axon, a delay of 1.
    """
    count, spikes = len(pairs), payload == "spikes"
    most = 4 if spikes else (1 << (PACKET.hop_bits - 1)) - 1
    sign = {Port.EAST: (1, 0), Port.WEST: (-1, 0), Port.SOUTH: (0, 1), Port.NORTH: (0, -1)}
    signs = np.array([sign.get(port, (0, 0)) for port in PORTS])[pairs[:, 1]]
    hops = signs * rng.integers(1, most + 1, (count, 2))
    hops[:, 1] += (signs[:, 0] != 0) * rng.integers(-most, most + 1, count)  # dy is still to come
    kind = 0 if spikes else rng.integers(0, 4, count)
    axon = rng.integers(0, 1 << PACKET.axon_bits, count)
    slot = 1 if spikes else rng.integers(0, 1 << PACKET.slot_bits, count)
    hop, mask = PACKET.hop_bits, (1 << PACKET.hop_bits) - 1
    carried = kind | axon << 2 | slot << (2 + PACKET.axon_bits)
    return ((hops[:, 0] & mask) | (hops[:, 1] & mask) << hop | carried << 2 * hop).astype(np.uint64)


def parts(count: int, rng: np.random.Generator) -> list[Part]:
    """``count`` packets each way; all ways in three parts of equal length; all at half load."""
    found = [Part("idle", "", START, START + IDLE, np.array([], np.int64), _pairs([]))]
    for payload in PAYLOADS:
        runs = [(name, pairs, count, count) for name, pairs in WAYS.items()]
        runs += [(ALL, ALLOWED, count // 4, count), (ALL, ALLOWED, count // 2, count)]
        for name, pairs, packets, room in [*runs, (ALL, ALLOWED, count, count)]:
            now = found[-1].end
            slots = np.sort(rng.choice(room, packets, replace=False))
            chosen = _pairs(pairs)[rng.integers(0, len(pairs), packets)]
            found.append(
                Part(name, payload, now, now + room * GAP, now + PERIOD + slots * GAP, chosen)
            )
        now = found[-1].end
        each = [np.cumsum(rng.exponential(1000 / LOAD, count)).astype(np.int64) for _ in PORTS]
        chosen = np.concatenate(
            [_pairs([(p, t) for t in rng.choice(TARGETS[p], count)]) for p in PORTS]
        )
        end = now + max(int(times[-1]) for times in each) + 50 * PERIOD
        found.append(
            Part(
                LOADED,
                payload,
                now,
                end - (end - START) % PERIOD,
                now + PERIOD + np.concatenate(each),
                chosen,
            )
        )
    return found


def _pairs(pairs: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array(pairs, np.int64).reshape(-1, 2)
