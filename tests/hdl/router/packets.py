"""Packets for a router alone, and where they must come out: written apart from the hardware."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.simulate import Simulator
from spikewatt.cosim.traffic import Passage, Traffic
from spikewatt.hdl.router.asynchronous import ClickRouter
from spikewatt.hdl.router.synchronous import SyncRouter
from spikewatt.model.params import PORTS, Delays, PacketParams, Port, RouterKind
from spikewatt.synth.click import simulation_cells
from spikewatt.synth.verilog import export

__all__ = ["LEAST", "PACKET", "check", "random_traffic", "router", "to_port"]

PACKET = PacketParams(hop_bits=5, axon_bits=16, slot_bits=5)
"""A payload that holds where a packet came in and its number; offsets that meet their ends."""
DELAYS = Delays()
LEAST = 4 * DELAYS.fire
"""A receiver takes a packet after the click that sent it has ended, whatever the delays; ps."""
EAST, WEST, NORTH, SOUTH, LOCAL = PORTS
ALLOWED: Mapping[Port, Sequence[Port]] = {
    EAST: (WEST, NORTH, SOUTH, LOCAL),
    WEST: (EAST, NORTH, SOUTH, LOCAL),
    NORTH: (SOUTH, LOCAL),
    SOUTH: (NORTH, LOCAL),
    LOCAL: (EAST, WEST, NORTH, SOUTH),
}
Words = NDArray[np.uint64]


@lru_cache
def router(kind: RouterKind, simulator: Simulator) -> str:
    """Module ``router`` with the models of its cells."""
    component = ClickRouter(PACKET, DELAYS) if kind is RouterKind.CLICK else SyncRouter(PACKET)
    dialect = "assigns" if simulator == "icarus" else "blocks"
    return simulation_cells() + export(component, "router", dialect=dialect)


def pack(
    dx: NDArray[np.int64],
    dy: NDArray[np.int64],
    kind: NDArray[np.int64],
    payload: NDArray[np.int64],
) -> Words:
    """Packets uint64[n] of their fields, lowest first: dx, dy, kind, payload."""
    hop = PACKET.hop_bits
    mask = (1 << hop) - 1
    return ((dx & mask) | (dy & mask) << hop | kind << 2 * hop | payload << (2 * hop + 2)).astype(
        np.uint64
    )


def to_port(
    source: Port, targets: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Words, Words]:
    """Packets in at ``source`` that leave at ``targets``, and what they are when they leave."""
    n, ends = len(targets), (-(1 << (PACKET.hop_bits - 1)), (1 << (PACKET.hop_bits - 1)) - 1)
    far = np.where(rng.random(n) < 0.2, ends[1], rng.integers(1, ends[1] + 1, n))
    back = np.where(rng.random(n) < 0.2, ends[0], rng.integers(ends[0], 0, n))
    turn = rng.integers(ends[0], ends[1] + 1, n)
    dx, dy = np.zeros(n, np.int64), np.zeros(n, np.int64)
    dx[targets == EAST], dx[targets == WEST] = far[targets == EAST], back[targets == WEST]
    dy[targets == SOUTH], dy[targets == NORTH] = far[targets == SOUTH], back[targets == NORTH]
    dy[dx != 0] = turn[dx != 0]
    kind, payload = rng.integers(0, 4, n), np.arange(n) << 3 | int(source)
    before = pack(dx, dy, kind, payload)
    return before, pack(dx - np.sign(dx), np.where(dx == 0, dy - np.sign(dy), dy), kind, payload)


def random_traffic(
    packets: int, spacing: int, stall: float, seed: int
) -> tuple[Traffic, Mapping[tuple[Port, Port], Words]]:
    """``packets`` into every port; and what must leave, by the ports in and out.

    One packet every ``spacing`` ps in the mean; a sink waits with probability ``stall`` for up to
    20 ns longer than it must.
    """
    rng = np.random.default_rng(seed)
    times, words, pauses = [], [], []
    expected: dict[tuple[Port, Port], Words] = {}
    for port in PORTS:
        targets = rng.choice(ALLOWED[port], packets)
        before, after = to_port(port, targets, rng)
        for target in PORTS:
            expected[port, target] = after[targets == target]
        times.append(np.cumsum(rng.exponential(spacing, packets)).astype(np.int64))
        words.append(before)
        stalled = rng.random(5 * packets) < stall
        pauses.append(LEAST + stalled * rng.integers(0, 20_000, 5 * packets))
    return Traffic(times, words, pauses), expected


def check(passage: Passage, expected: Mapping[tuple[Port, Port], Words]) -> None:
    """Every packet came once, where it should, as it should, in the order of its pair of ports."""
    for target in PORTS:
        came = passage.sinks[target].words
        origin = came >> np.uint64(2 * PACKET.hop_bits + 2) & np.uint64(7)
        assert (origin < len(PORTS)).all()
        for source in PORTS:
            np.testing.assert_array_equal(
                came[origin == source],
                expected[source, target],
                err_msg=f"from {source.name} to {target.name}",
            )
