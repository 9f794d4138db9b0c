"""The RTL as a function: the Verilated core, driven in batches."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError
from spikewatt.cosim.choices import ModelTrace
from spikewatt.cosim.library import HALF_PERIOD, NativeOptions, TableModel, pointer
from spikewatt.cosim.recording import RTL, MemoryWaveform
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.codec import decode_packets, encode_events
from spikewatt.model.compile.configuration import program_words, table_addresses, unpack_table
from spikewatt.model.compile.program import Program
from spikewatt.model.params import CoreParams, HostCommand, TableId
from spikewatt.model.run import Layout, Run
from spikewatt.synth.verilog import export

__all__ = ["NativeCore"]


class _Geometry(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint32)
        for name in ("groups", "lanes", "state_bits", "half_period", "tick", "clear")
    ]


class _Record(ctypes.Structure):
    _fields_ = [
        *(
            (name, ctypes.c_void_p)
            for name in (
                "spikes",
                "membranes",
                "merges",
                "words",
                "updates",
                "cycles",
                "packets",
                "packet_tick",
            )
        ),
        ("capacity", ctypes.c_int64),
        ("sent", ctypes.c_int64),
    ]


class NativeCore(TableModel):
    """A neuromorphic core, Verilated, in this process.

    Parameters
    ----------
    params:
        The hardware; it is built on first use and cached.
    trace:
        Kind of waveform.
    waveform:
        File to write it to, or the memory that keeps it.
    verilog:
        In place of the core's own: a netlist of it; it is compiled quickly and runs slower.

    Use it as a context manager, or ``close`` it: that ends the waveform.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    SimulationError
        The core is stuck.
    """

    def __init__(
        self,
        params: CoreParams,
        *,
        trace: ModelTrace = "none",
        waveform: Path | MemoryWaveform | None = None,
        verilog: str | None = None,
    ) -> None:
        self.params = params
        self._packets = 0  # in a tick, at most
        self._layout: Layout = {}
        geometry = _Geometry(
            params.groups,
            params.lanes,
            params.state_bits,
            HALF_PERIOD,
            HostCommand.TICK,
            HostCommand.CLEAR,
        )
        super().__init__(
            verilog or export(Blueprint.of(NeuroCore, params), "neuro"),
            "neuro",
            geometry,
            NativeOptions(trace=trace, waveform=waveform, optimise=not verilog),
        )
        address = ctypes.c_void_p
        self._declare("core_clear", address)
        self._declare("core_run", address, ctypes.c_int64, *[address] * 3)

    def configure(self, program: Program) -> None:
        """Load a program through the configuration port."""
        addresses, words = program_words(program)
        self._packets = int(program.fanout_count.sum())
        self._layout = program.layout
        self._configure(addresses, words)

    def clear(self) -> None:
        """Give the command CLEAR: state and scheduler to 0, t to -1."""
        self._check(self._lib.core_clear(self._core))

    def read_table(self, key: TableId, rows: range | None = None) -> dict[str, NDArray[np.int64]]:
        """Read a table, or some of its rows, through the configuration port.

        Returns
        -------
        int64[rows, count] for each field.
        """
        table = self.params.tables[key]
        chosen = table_addresses(table)
        if rows is not None:
            chosen = chosen[rows.start : rows.stop]
        words = self._read(np.ascontiguousarray(chosen.ravel()))
        return unpack_table(table, words.reshape(-1, table.chunks))

    def run(self, events: Sequence[NDArray[np.int64]]) -> Run:
        """Run ``len(events)`` ticks; ``events[k]`` int64[n, 2] (axon, delay) come before tick k.

        The run has one sample.
        """
        params, ticks = self.params, len(events)
        # Events of all ticks lie in one array, so that one call runs them all: a call for each
        # event would take longer than the simulation.
        offsets = np.cumsum([0, *(len(e) for e in events)], dtype=np.int64)
        flat = np.concatenate(events) if ticks else np.zeros((0, 2), np.int64)
        payloads = encode_events(params, flat).astype(np.uint32)
        # No tick sends more than all lists together: the runner writes into memory of ours, and
        # counts on beyond it, so that an overflow is told and not written.
        # A neuron fires once a tick at most, and then sends all of its list.
        room = self._packets * max(ticks, 1)
        out = {
            "spikes": np.zeros((ticks, params.neurons), np.bool_),
            "membranes": np.zeros((ticks, params.neurons), np.int32),
            "merges": np.zeros(ticks + 1, np.int64),
            **{name: np.zeros(ticks, np.int64) for name in ("words", "updates", "cycles")},
            "packets": np.zeros(room, np.uint64),
            "packet_tick": np.zeros(room, np.int64),
        }
        pointers = {name: pointer(array) for name, array in out.items()}
        record = _Record(**pointers, capacity=len(out["packets"]), sent=0)
        status = self._lib.core_run(
            self._core, ticks, pointer(offsets), pointer(payloads), ctypes.byref(record)
        )
        self._check(status)
        if record.sent > room:
            raise SimulationError(
                f"{record.sent} packets in {ticks} ticks, more than every neuron's list together"
            )
        packets = decode_packets(params, out["packets"][: record.sent])
        sent = np.insert(packets, 0, out["packet_tick"][: record.sent], axis=1)
        return Run(
            by=RTL,
            arrays={
                "spikes": out["spikes"][None],
                "membranes": out["membranes"][None],
                "spike_counts": out["spikes"].sum(axis=0)[None],
                "merges": out["merges"][None],
                "synapse_words": out["words"][None],
                "updates": out["updates"][None],
                "tick_cycles": out["cycles"][None],
                "sent": np.insert(sent, 0, 0, axis=1),
            },
            layout=self._layout,
        )
