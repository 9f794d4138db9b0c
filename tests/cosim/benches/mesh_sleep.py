"""Runs inside the simulator: what a packet costs the clocks of the tiles that it meets."""

import os
import pickle
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, RisingEdge

from spikewatt.model.compile.mesh.packets import control_packet, event_packets, read_packets
from spikewatt.model.params import HostCommand, RouterKind, TableId
from tests.cosim.mesh_cases import small_mesh
from tests.cosim.mesh_recorder import MeshBench

TILES = ("tile_0_0", "tile_1_0")


class Clocks:
    """Counts rising edges of the clocks that stop, by tile and part."""

    def __init__(self, dut: Any) -> None:
        self.edges: Counter[str] = Counter()
        for tile in TILES:
            instance = getattr(dut, tile)
            cocotb.start_soon(self._count(f"{tile} interface", instance.interface_clk))
            cocotb.start_soon(self._count(f"{tile} core", instance.core.logic.core_clk))
        cocotb.start_soon(self._count("edge", dut.edge_clk))

    async def _count(self, name: str, clock: Any) -> None:
        while True:
            await RisingEdge(clock)
            self.edges[name] += 1


class Sleepers:
    """A mesh at rest, and its clocks."""

    def __init__(self, dut: Any) -> None:
        self.router = RouterKind(os.environ["ROUTER"])
        self.params = small_mesh(len(TILES), 1, self.router)
        self.bench = MeshBench(dut, self.params, stall=0.0, seed=1)
        self._dut = dut

    async def start(self) -> None:
        """Come to rest after a program was loaded."""
        await self.bench.reset()
        await self.bench.load(pickle.loads(Path(os.environ["PROGRAM"]).read_bytes()))
        await ClockCycles(self._dut.clk, 30)
        self.clocks = Clocks(self._dut)

    async def edges(self, packets: Iterable[int] = ()) -> dict[str, int]:
        """Edges until all is at rest again after packets were sent: those that are not 0."""
        self.clocks.edges.clear()
        self.bench.source.send(int(packet) for packet in packets)
        await self.bench.source.drain()
        await ClockCycles(self._dut.clk, 120)
        return dict(self.clocks.edges)


async def started(dut: Any) -> Sleepers:
    """A mesh at rest."""
    sleepers = Sleepers(dut)
    await sleepers.start()
    return sleepers


@cocotb.test()
async def at_rest_no_clock_runs(dut: Any) -> None:
    """Not that of the edge either."""
    sleepers = await started(dut)
    assert await sleepers.edges() == {}


@cocotb.test()
async def a_spike_wakes_its_tile_alone(dut: Any) -> None:
    """Three edges of the interface for a clockless router, one for a clocked; two of the core."""
    sleepers = await started(dut)
    cost = 3 if sleepers.router is RouterKind.CLICK else 1
    for tile, name in enumerate(TILES):
        event = event_packets(sleepers.params, np.array([(tile, 3, 1)]))
        expected = {"edge": cost, f"{name} interface": cost, f"{name} core": 2}
        assert await sleepers.edges(event) == expected


@cocotb.test()
async def a_stream_of_spikes_costs_no_less_than_one_by_one(dut: Any) -> None:
    """Nothing else wakes up meanwhile; what waits for the core keeps the interface awake."""
    sleepers = await started(dut)
    events = np.array([(1, axon, 1) for axon in range(10)])
    edges = await sleepers.edges(event_packets(sleepers.params, events))
    assert set(edges) == {"edge", "tile_1_0 interface", "tile_1_0 core"}
    assert edges["tile_1_0 core"] == 20
    if sleepers.router is RouterKind.CLICK:
        assert edges["edge"] == edges["tile_1_0 interface"] == 30
    else:
        assert 10 <= edges["edge"] <= edges["tile_1_0 interface"] <= 20


@cocotb.test()
async def an_answer_costs_the_same_on_its_way_out(dut: Any) -> None:
    """A word comes in packets and its answer leaves in packets; the core takes two more edges."""
    sleepers = await started(dut)
    packet = sleepers.params.packet
    cost = 3 if sleepers.router is RouterKind.CLICK else 1
    passing = cost * (packet.word_packets + packet.reply_packets)
    address = sleepers.params.core.tables[TableId.SYNAPSES].address(0)
    for tile, name in enumerate(TILES):
        read = read_packets(sleepers.params, tile, np.array([address], np.uint32))
        assert await sleepers.edges(read) == {
            "edge": passing,
            f"{name} interface": passing + 2,
            f"{name} core": 3,
        }


@cocotb.test()
async def a_tick_wakes_cores_and_no_interface(dut: Any) -> None:
    """Where nothing is sent; the barrier and the command are the edge's."""
    sleepers = await started(dut)
    edges = await sleepers.edges(control_packet(sleepers.params, HostCommand.CLEAR))
    assert set(edges) == {"edge", "tile_0_0 core", "tile_1_0 core"}
    # It finds the control, adds up twice, obeys at the end of that; then the watchdog goes back.
    assert edges["edge"] == 1 + 2 * (len(TILES) + 1) + 1
