"""The RTL as a function: the Verilated core, driven in batches."""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.trace import RtlTrace
from spikewatt.cosim.verilated import Trace, build_native
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.configuration import (
    program_words,
    table_addresses,
    unpack_packet,
    unpack_table,
)
from spikewatt.model.errors import SimulationError, ToolError
from spikewatt.model.params import CoreParams, TableId
from spikewatt.model.program import Program
from spikewatt.synth.verilog import export

__all__ = ["NativeCore"]

HALF_PERIOD = 5
"""Half a clock period in the waveform, in its time unit (1 ns)."""


class _Geometry(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint32) for name in ("groups", "lanes", "state_bits", "half_period")
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


class NativeCore:
    """A neuromorphic core, Verilated, in this process.

    Parameters
    ----------
    params:
        The hardware; it is built on first use and cached.
    trace:
        Kind of waveform.
    waveform:
        File to write it to.

    Use it as a context manager, or ``close`` it: that ends the waveform.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    SimulationError
        The core is stuck.
    """

    def __init__(
        self, params: CoreParams, *, trace: Trace = "none", waveform: Path | None = None
    ) -> None:
        self.params = params
        library = build_native(export(NeuroCore(params), "neuro"), trace=trace)
        try:
            self._lib = _bind(ctypes.CDLL(str(library)))
        except OSError as error:
            raise ToolError(
                f"cannot load {library} ({error}): delete {library.parent} to build it again"
            ) from None
        geometry = _Geometry(params.groups, params.lanes, params.state_bits, HALF_PERIOD)
        path = str(waveform).encode() if waveform else b""
        self._packets = 0  # in a tick, at most
        self._core = self._lib.core_new(ctypes.byref(geometry), path)
        self._check(self._lib.core_wait(self._core))

    def __enter__(self) -> "NativeCore":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the simulation and its waveform."""
        if self._core:
            self._lib.core_free(self._core)
            self._core = None

    def _check(self, status: int) -> None:
        if status:
            raise SimulationError(
                f"the RTL is stuck after {self.cycles} cycles: this is a defect of spikewatt"
            )

    @property
    def cycles(self) -> int:
        """Clock cycles since the beginning, reset and configuration included."""
        return self._lib.core_cycles(self._core)

    def configure(self, program: Program) -> None:
        """Load a program through the configuration port."""
        addresses, words = program_words(program)
        self._packets = int(program.fanout_count.sum())
        self._check(
            self._lib.core_configure(
                self._core, _pointer(addresses), _pointer(words), len(addresses)
            )
        )

    def clear(self) -> None:
        """Give the command CLEAR: state and scheduler to 0, t to -1."""
        self._check(self._lib.core_clear(self._core))

    def read_table(self, key: TableId) -> dict[str, NDArray[np.int64]]:
        """Read a table back through the configuration port: int64[rows, count] a field."""
        table = self.params.tables[key]
        addresses = np.ascontiguousarray(table_addresses(table).ravel())
        words = np.zeros(len(addresses), np.uint32)
        self._check(
            self._lib.core_read(self._core, _pointer(addresses), _pointer(words), len(addresses))
        )
        return unpack_table(table, words.reshape(table.rows, table.chunks))

    def run(self, events: Sequence[NDArray[np.int64]]) -> RtlTrace:
        """Run ``len(events)`` ticks; ``events[k]`` int64[n, 2] (axon, delay) come before tick k."""
        params, ticks = self.params, len(events)
        offsets = np.cumsum([0, *(len(e) for e in events)], dtype=np.int64)
        flat = np.concatenate(events) if ticks else np.zeros((0, 2), np.int64)
        payloads = (flat[:, 0] | flat[:, 1] << params.axon_bits).astype(np.uint32)
        room = self._packets * max(ticks, 1)
        out = {
            "spikes": np.zeros((ticks, params.neurons), np.bool_),
            "membranes": np.zeros((ticks, params.neurons), np.int32),
            "merges": np.zeros(ticks + 1, np.int64),
            **{name: np.zeros(ticks, np.int64) for name in ("words", "updates", "cycles")},
            "packets": np.zeros(room, np.uint64),
            "packet_tick": np.zeros(room, np.int64),
        }
        pointers = {name: _pointer(array) for name, array in out.items()}
        record = _Record(**pointers, capacity=len(out["packets"]), sent=0)
        status = self._lib.core_run(
            self._core, ticks, _pointer(offsets), _pointer(payloads), ctypes.byref(record)
        )
        self._check(status)
        if record.sent > room:
            raise SimulationError(
                f"{record.sent} packets in {ticks} ticks, more than every neuron's list together"
            )
        packets = [
            (int(tick), *unpack_packet(params, int(payload)))
            for tick, payload in zip(
                out["packet_tick"][: record.sent], out["packets"][: record.sent], strict=True
            )
        ]
        return RtlTrace(
            spikes=out["spikes"],
            membranes=out["membranes"],
            merges=out["merges"],
            synapse_words=out["words"],
            updates=out["updates"],
            cycles=out["cycles"],
            packets=np.array(packets, np.int64).reshape(-1, 5),
        )


def _pointer(array: np.ndarray) -> int:
    return array.ctypes.data


def _bind(library: ctypes.CDLL) -> ctypes.CDLL:
    """Declare the signatures of the runner's functions."""
    pointer, count, status = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
    for name, result, arguments in (
        ("core_new", pointer, [pointer, ctypes.c_char_p]),
        ("core_free", None, [pointer]),
        ("core_cycles", ctypes.c_uint64, [pointer]),
        ("core_wait", status, [pointer]),
        ("core_clear", status, [pointer]),
        ("core_configure", status, [pointer, pointer, pointer, count]),
        ("core_read", status, [pointer, pointer, pointer, count]),
        ("core_run", status, [pointer, count, pointer, pointer, pointer]),
    ):
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library
