"""The mesh as a function: Verilated, driven in batches through its packet port."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError
from spikewatt.cosim.choices import ModelTrace
from spikewatt.cosim.library import NativeModel, NativeOptions, destination, pointer
from spikewatt.cosim.recording import RTL, MemoryWaveform
from spikewatt.hdl.router.tile import tile_probe_layout
from spikewatt.model.compile.codec import decode_events
from spikewatt.model.compile.configuration import program_words, table_addresses, unpack_table
from spikewatt.model.compile.mesh.packets import (
    control_packet,
    event_packets,
    read_packets,
    reply_words,
    stuck_report,
    unpack,
    write_packets,
)
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.params import HostCommand, MeshParams, RouterKind, TableId, ToHost
from spikewatt.model.run import Layout, Run
from spikewatt.synth.verilog import export_mesh

__all__ = ["MESH_HALF_PERIOD", "NativeMesh", "moved"]

MESH_HALF_PERIOD = {RouterKind.CLICK: 5000, RouterKind.SYNC: 5}
"""Half a clock period in the waveform, by its time unit: 1 ps where there are delays, else 1 ns."""

_MESH_STUCK = 2
_PIECE = 1 << 11
"""Packets of a configuration that are sent at once."""
_PROBED = ("update", "group", "state", "spikes", "merge", "synapse", "sent", "packet")

IntArray = NDArray[np.int64]


class _Geometry(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint32)
        for name in (
            *("tiles", "groups", "lanes", "state_bits", "half_period", "delay_seed"),
            *("stride", "update", "group", "group_bits", "state", "spikes", "merge", "synapse"),
            *("sent", "packet", "packet_bits", "kind"),
        )
    ]


class _Record(ctypes.Structure):
    _fields_ = [
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("spikes", "membranes", "merges", "words", "updates", "cycles", "adding"),
                *("packets", "packet_tick", "packet_tile"),
            )
        ),
        *((name, ctypes.c_int64) for name in ("ticks", "capacity", "sent")),
    ]


def _geometry(params: MeshParams, delay_seed: int) -> _Geometry:
    core, layout = params.core, tile_probe_layout(params)
    return _Geometry(
        tiles=params.tiles,
        groups=core.groups,
        lanes=core.lanes,
        state_bits=core.state_bits,
        half_period=MESH_HALF_PERIOD[params.router],
        delay_seed=delay_seed,
        stride=layout.size,
        group_bits=core.group_bits,
        packet_bits=params.packet.bits,
        kind=2 * params.packet.hop_bits,
        **{name: layout[name].offset for name in _PROBED},
    )


class NativeMesh(NativeModel):
    """A mesh, Verilated, in this process; all goes through its packet port.

    Parameters
    ----------
    params:
        The hardware; it is built on first use and cached.
    trace:
        Kind of waveform; `open_waveform` begins it.
    delay_seed:
        Above 0, every delay of the clockless parts is random, by this seed.
    verilog:
        In place of the mesh's own: for tests of broken ones.

    Use it as a context manager, or ``close`` it: that ends the waveform.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    SimulationError
        The mesh is stuck: the message says who waits for whom.
    """

    def __init__(
        self,
        params: MeshParams,
        *,
        trace: ModelTrace = "none",
        delay_seed: int = 0,
        verilog: str | None = None,
    ) -> None:
        self.params = params
        self._packets = 0  # in a tick, at most
        self._host_axons = 0
        self._layout: Layout = {}
        super().__init__(
            verilog or export_mesh(params),
            "mesh",
            _geometry(params, delay_seed),
            NativeOptions(trace=trace, timing=params.router is RouterKind.CLICK),
        )
        address, count = ctypes.c_void_p, ctypes.c_int64
        self._declare("core_record", address, address)
        self._declare("core_waveform", address, ctypes.c_char_p, count)
        self._declare("core_idle", address, count)
        self._declare("core_exchange", address, address, count, address, count, address)

    def open_waveform(self, waveform: Path | MemoryWaveform) -> None:
        """Begin the waveform here, with the values of all signals."""
        self._waveform = waveform
        self._check(self._lib.core_waveform(self._core, *destination(waveform)))

    def wait(self, cycles: int) -> None:
        """Let so many clock cycles pass, and offer nothing."""
        self._check(self._lib.core_idle(self._core, cycles))

    def exchange(self, packets: NDArray[np.uint64], room: int = 1 << 16) -> NDArray[np.uint64]:
        """Send packets uint64[n] and return those that come back, at most ``room``.

        It ends when every `HostCommand.SYNC` among them is answered.
        """
        sent = np.ascontiguousarray(packets, np.uint64)
        out, got = np.zeros(room, np.uint64), ctypes.c_int64()
        status = self._lib.core_exchange(
            self._core, pointer(sent), len(sent), pointer(out), room, ctypes.byref(got)
        )
        if status == _MESH_STUCK:
            report = stuck_report(self.params, out[: got.value])
            raise SimulationError(f"the mesh is stuck after {self.cycles} cycles: {report}")
        self._check(status)
        if got.value > room:
            raise SimulationError(f"{got.value} packets came back, more than the {room} expected")
        return out[: got.value]

    def configure(self, program: MeshProgram) -> None:
        """Load every tile's program through the packet port."""
        self._packets = sum(int(tile.fanout_count.sum()) for tile in program.tiles)
        self._host_axons, self._layout = program.host_axons, program.layout
        words = [
            write_packets(self.params, index, *program_words(tile))
            for index, tile in enumerate(program.tiles)
        ]
        packets = np.concatenate([*words, control_packet(self.params, HostCommand.SYNC)])
        # Python looks at signals between calls only.
        for first in range(0, len(packets), _PIECE):  # between them it can be interrupted
            self.exchange(packets[first : first + _PIECE])

    def read_table(
        self, tile: int, key: TableId, rows: range | None = None
    ) -> dict[str, NDArray[np.int64]]:
        """Read a table of a tile, or some of its rows: int64[rows, count] for each field."""
        table = self.params.core.tables[key]
        chosen = table_addresses(table)
        if rows is not None:
            chosen = chosen[rows.start : rows.stop]
        sync = control_packet(self.params, HostCommand.SYNC)
        count = self.params.packet.reply_packets
        # Answers come one at a time and in order; the SYNC behind them says that all are here.
        packets = np.concatenate([read_packets(self.params, tile, chosen.ravel()), sync])
        back = self.exchange(packets, chosen.size * count + 2)
        _, _, kind, payload = unpack(self.params.packet, back)
        words = reply_words(self.params.packet, payload[kind == ToHost.REPLY])
        return unpack_table(table, words.reshape(-1, table.chunks))

    def run(self, events: Sequence[IntArray], *, clear: bool = True) -> Run:
        """Run ``len(events)`` ticks; ``events[k]`` int64[n, 3] (tile, axon, delay) precede tick k.

        ``clear``: begin from the cleared state. The run has one sample, and a run of every tile
        in it; what a tile sent is in its own.
        """
        params, ticks = self.params, len(events)
        tick, sync = (control_packet(params, k) for k in (HostCommand.TICK, HostCommand.SYNC))
        packets = [control_packet(params, HostCommand.CLEAR)] if clear else []
        for arriving in events:
            packets += [event_packets(params, arriving), tick]
        room = self._packets * max(ticks, 1)
        arrays = self._arrays(ticks, room)
        pointers = {name: pointer(array) for name, array in arrays.items()}
        record = _Record(**pointers, ticks=ticks, capacity=room, sent=0)
        # The runner keeps the addresses and writes while `exchange` runs: the arrays must live
        # until then, and do, in `arrays`.
        self._lib.core_record(self._core, ctypes.byref(record))
        # The host gets no more than the mesh sends; two more for the answer to SYNC, and to notice
        # one too many.
        back = self.exchange(np.concatenate([*packets, sync]), room + 2)
        if record.sent > room:
            raise SimulationError(
                f"{record.sent} packets in {ticks} ticks, more than every neuron's list together"
            )
        return self._run(events, arrays, record.sent, back)

    def _arrays(self, ticks: int, room: int) -> dict[str, np.ndarray]:
        """Where the runner writes."""
        tiles, neurons = self.params.tiles, self.params.core.neurons
        return {
            "spikes": np.zeros((tiles, ticks, neurons), np.bool_),
            "membranes": np.zeros((tiles, ticks, neurons), np.int32),
            "merges": np.zeros((tiles, ticks + 1), np.int64),
            **{name: np.zeros((tiles, ticks), np.int64) for name in ("words", "updates")},
            "cycles": np.zeros(ticks, np.int64),
            "adding": np.zeros(ticks + 1, np.int64),
            "packets": np.zeros(room, np.uint64),
            **{name: np.zeros(room, np.int64) for name in ("packet_tick", "packet_tile")},
        }

    def _spikes(self, packets: NDArray[np.uint64]) -> IntArray:
        """int64[n, 4] (axon, delay, dx, dy) of packets."""
        dx, dy, _, payload = unpack(self.params.packet, packets)
        return np.column_stack([decode_events(self.params.packet, payload), dx, dy])

    def _run(
        self,
        events: Sequence[IntArray],
        arrays: dict[str, np.ndarray],
        count: int,
        back: NDArray[np.uint64],
    ) -> Run:
        spikes = self._spikes(arrays["packets"][:count])
        sent = np.concatenate([arrays["packet_tick"][:count, None], spikes], axis=1)
        sent = np.insert(sent, 0, 0, axis=1)
        tiles = [
            Run(
                by=RTL,
                core=f"tile {self.params.place(tile)}",
                arrays={
                    "spikes": arrays["spikes"][None, tile],
                    "membranes": arrays["membranes"][None, tile],
                    "spike_counts": arrays["spikes"][tile].sum(axis=0)[None],
                    "merges": arrays["merges"][None, tile],
                    "synapse_words": arrays["words"][None, tile],
                    "updates": arrays["updates"][None, tile],
                    "sent": sent[arrays["packet_tile"][:count] == tile],
                },
            )
            for tile in range(self.params.tiles)
        ]
        _, _, kind, _ = unpack(self.params.packet, back)
        # A spike to the host carries its number there in place of an axon.
        host = self._spikes(back[kind == ToHost.SPIKE])[:, 0]
        if len(host) and host.max() >= self._host_axons:
            raise SimulationError(
                f"a spike reached the host's axon {host.max()}, and it has {self._host_axons}"
            )
        packets, hops = moved(self.params, events, tiles)
        return Run(
            by=RTL,
            arrays={
                "packets": packets[None],
                "hops": hops[None],
                "host_counts": np.bincount(host, minlength=self._host_axons)[None],
                "tick_cycles": arrays["cycles"][None],
                "barrier": arrays["adding"][None],
            },
            cores=tuple(tiles),
            layout=self._layout,
        )


def moved(
    params: MeshParams, events: Sequence[IntArray], tiles: Sequence[Run]
) -> tuple[IntArray, IntArray]:
    """Packets int64[T + 1] that entered the network, and routers that they passed.

    Those of the host are counted where they are sent: the RTL takes every one of them.

    Parameters
    ----------
    events:
        int64[n, 3] (tile, axon, delay) before each tick.
    tiles:
        What each tile did.
    """
    rows = [np.zeros((0, 2), np.int64)]
    for tick, arriving in enumerate(events):
        # The host enters at tile (0, 0): x + y hops, and the router there.
        x, y = arriving[:, 0] % params.columns, arriving[:, 0] // params.columns
        rows.append(np.stack([np.full_like(x, tick), x + y + 1], axis=1))
    for index, tile in enumerate(tiles):
        _, tick, _, _, dx, dy = tile.sent.T
        # A packet to the host leaves the mesh at its edge: there is no router behind it.
        to_host = params.place(index)[1] + dy < 0
        rows.append(np.stack([tick + 1, abs(dx) + abs(dy) + ~to_host], axis=1))
    when, passed = np.concatenate(rows).T
    packets = np.bincount(when, minlength=len(events) + 1)
    hops = np.bincount(when, passed, minlength=len(events) + 1)
    return packets.astype(np.int64), hops.astype(np.int64)
