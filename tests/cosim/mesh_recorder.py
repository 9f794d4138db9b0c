"""Runs inside the simulator: a mesh behind its packet port, and what its tiles did."""

import random
from collections.abc import Iterable, Sequence
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from numpy.typing import NDArray

from spikewatt.cosim.bench.streams import StreamMonitor, StreamSink, StreamSource
from spikewatt.cosim.mesh import moved
from spikewatt.hdl.router.tile import tile_probe_layout
from spikewatt.model.compile.configuration import program_words
from spikewatt.model.compile.mesh.packets import control_packet, unpack, write_packets
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.params import HostCommand, MeshParams, ToHost
from spikewatt.model.run import Run

__all__ = ["PERIOD", "MeshBench", "Recorder"]

PERIOD = 10_000
"""Clock period, ps."""


class Recorder:
    """What the native runner notes, from the probes: from one `begin` to `trace`."""

    def __init__(self, dut: Any, params: MeshParams) -> None:
        self._dut, self._params = dut, params
        self._layout = tile_probe_layout(params)
        self.cycles = 0
        self.begin(0)
        cocotb.start_soon(self._watch())

    def begin(self, ticks: int) -> None:
        """Forget all; a run of so many ticks, from the cleared state, follows; 0: nothing does."""
        core, tiles = self._params.core, self._params.tiles
        self._tick, self._ticks = -2 if ticks else 0, ticks  # the clear, then tick 0
        self._spikes = np.zeros((tiles, ticks, core.neurons), np.bool_)
        self._membranes = np.zeros((tiles, ticks, core.neurons), np.int32)
        self._now = np.zeros((tiles, core.neurons), np.int32)
        self._merges, self._words = (np.zeros((tiles, ticks + 1), np.int64) for _ in range(2))
        self._updates = np.zeros((tiles, ticks + 1), np.int64)
        self._length, self._adding = np.zeros(ticks, np.int64), np.zeros(ticks + 1, np.int64)
        self._packets: list[list[tuple[int, ...]]] = [[] for _ in range(tiles)]

    def trace(
        self, host: Iterable[int], events: Sequence[NDArray[np.int64]], host_axons: int
    ) -> Run:
        """The run of ``events`` before each tick, with the packets that the host got."""
        self._end_tick()
        self._tick = self._ticks  # no more
        tiles = tuple(
            Run(
                by="RTL under cocotb",
                core=f"tile {self._params.place(tile)}",
                arrays={
                    "spikes": self._spikes[None, tile],
                    "membranes": self._membranes[None, tile],
                    "merges": self._merges[None, tile],
                    "synapse_words": self._words[None, tile, 1:],
                    "updates": self._updates[None, tile, 1:],
                    "sent": np.insert(
                        np.array(self._packets[tile], np.int64).reshape(-1, 5), 0, 0, axis=1
                    ),
                },
            )
            for tile in range(self._params.tiles)
        )
        _, _, kind, payload = unpack(self._params.packet, np.array(list(host), np.uint64))
        body = payload[kind == ToHost.SPIKE].astype(np.int64)
        axons = body & (1 << self._params.packet.axon_bits) - 1
        packets, hops = moved(self._params, events, tiles)
        return Run(
            by="RTL under cocotb",
            arrays={
                "packets": packets[None],
                "hops": hops[None],
                "host_counts": np.bincount(axons, minlength=host_axons)[None],
                "tick_cycles": self._length[None],
                "barrier": self._adding[None],
            },
            cores=tiles,
        )

    async def _watch(self) -> None:
        while True:
            await RisingEdge(self._dut.clk)
            self.cycles += 1
            if self._dut.rst.value == 1:
                continue
            if -1 <= self._tick < self._ticks:
                self._look()
            if self._dut.started.value == 1:
                self._end_tick()
                self._tick += 1

    def _end_tick(self) -> None:
        if 0 <= self._tick < self._ticks:
            self._membranes[:, self._tick] = self._now

    def _look(self) -> None:
        self._adding[self._tick + 1] += int(self._dut.adding.value)
        if self._tick >= 0:
            self._length[self._tick] += 1
        bits = str(self._dut.probe.value)[::-1]  # an unknown bit fails where it matters
        for tile in range(self._params.tiles):
            self._look_at(tile, bits[tile * self._layout.size :])

    def _look_at(self, tile: int, bits: str) -> None:
        core, at = self._params.core, self._tick

        def field(name: str, width: int, offset: int = 0) -> int:
            start = self._layout[name].offset + offset
            return int(bits[start : start + width][::-1], 2)

        self._merges[tile, at + 1] += field("merge", 1)
        self._words[tile, at + 1] += field("synapse", 1)
        if field("update", 1):
            self._updates[tile, at + 1] += 1
            first = field("group", core.group_bits) * core.lanes
            for lane in range(core.lanes):
                value = field("state", core.state_bits, lane * core.state_bits)
                value -= value >> core.state_bits - 1 << core.state_bits
                self._spikes[tile, at, first + lane] = field("spikes", 1, lane)
                self._now[tile, first + lane] = value
        if field("sent", 1):
            word = np.array([field("packet", self._params.packet.bits)], np.uint64)
            dx, dy, kind, payload = (int(value[0]) for value in unpack(self._params.packet, word))
            bits_of_axon = self._params.packet.axon_bits
            axon, delay = payload & (1 << bits_of_axon) - 1, payload >> bits_of_axon
            assert kind == ToHost.SPIKE
            self._packets[tile].append((at, axon, delay, dx, dy))


class MeshBench:
    """Drivers and monitors of the packet port, stalled at random, and the `Recorder`."""

    def __init__(self, dut: Any, params: MeshParams, *, stall: float, seed: int) -> None:
        cocotb.start_soon(Clock(dut.clk, PERIOD, "ps").start())
        self.dut, self.params = dut, params
        rng = random.Random(seed)
        dut.rst.value = 1
        self.source = StreamSource(dut, "i", dut.clk, stall=stall, rng=rng)
        self.sink = StreamSink(dut, "o", dut.clk, stall=stall, rng=rng)
        self.entering = StreamMonitor(dut, "i", dut.clk, dut.rst)
        self.leaving = StreamMonitor(dut, "o", dut.clk, dut.rst)
        self.recorder = Recorder(dut, params)

    async def reset(self, cycles: int = 4) -> None:
        """Hold the reset for some cycles; forget what was not taken yet, and what came."""
        self.dut.rst.value = 1
        self.source.abort()
        await ClockCycles(self.dut.clk, cycles)
        self.dut.rst.value = 0
        await RisingEdge(self.dut.clk)
        for port in (self.sink, self.leaving):
            port.words.clear()

    async def exchange(self, packets: Iterable[int]) -> list[int]:
        """Send packets, then ask for an answer and wait for it; returns what came before it."""
        begun = len(self.sink.words)
        (sync,) = control_packet(self.params, HostCommand.SYNC)
        sent = [*(int(packet) for packet in packets), int(sync)]
        self.source.send(sent)
        sending = cocotb.start_soon(self.source.drain())
        while not sending.done():
            await RisingEdge(self.dut.clk)
            assert self.kind(self.sink.words[-1:]) != [ToHost.STUCK], "the mesh is stuck"
        while not self.done(begun):
            await RisingEdge(self.dut.clk)
        await RisingEdge(self.dut.clk)  # the monitors have seen it too
        *came, _ = self.sink.words[begun:]
        assert self.leaving.words[begun:] == [*came, self.sink.words[-1]]
        assert self.entering.words[-len(sent) :] == sent
        return came

    def done(self, begun: int) -> bool:
        """Whether the answer is among what came since; it must be the last."""
        kinds = self.kind(self.sink.words[begun:])
        assert ToHost.STUCK not in kinds
        assert ToHost.DONE not in kinds[:-1], "something came after the answer"
        return kinds[-1:] == [ToHost.DONE]

    def kind(self, words: Iterable[int]) -> list[int]:
        """Kind of each packet."""
        return [word >> 2 * self.params.packet.hop_bits & 3 for word in words]

    async def load(self, program: MeshProgram) -> None:
        """Write every tile's tables."""
        words = [
            write_packets(self.params, tile, *program_words(each))
            for tile, each in enumerate(program.tiles)
        ]
        assert await self.exchange(np.concatenate(words).tolist()) == []
