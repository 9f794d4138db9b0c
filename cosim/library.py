"""A Verilated design and its batched runner, as a library in this process."""

import ctypes
import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError, ToolError
from spikewatt.cosim.recording import MemoryWaveform
from spikewatt.cosim.verilated import ModelTrace, build_native

__all__ = [
    "HALF_PERIOD",
    "NativeModel",
    "NativeOptions",
    "TableModel",
    "destination",
    "pointer",
]

HALF_PERIOD = 5
"""Half a clock period in the waveform, in its time unit (1 ns)."""


@dataclass(frozen=True, kw_only=True)
class NativeOptions:
    """How a design becomes a library, and what it writes.

    Parameters
    ----------
    trace, waveform:
        Kind of waveform, and its file or the memory that keeps it.
    timing:
        The design has delays of its own.
    optimise:
        Compile for speed; without it a netlist is there in half the time.
    """

    trace: ModelTrace = "none"
    waveform: Path | MemoryWaveform | None = None
    timing: bool = False
    optimise: bool = True


PLAIN_NATIVE = NativeOptions()


class _Held(ctypes.Structure):
    """What a waveform left: its bytes if they are in memory, and the error that cut it off."""

    _fields_ = [
        ("bytes", ctypes.c_void_p),
        ("count", ctypes.c_int64),
        ("error", ctypes.c_int32),
    ]


class NativeModel:
    """A Verilated design with its batched runner, loaded into this process.

    Use it as a context manager, or ``close`` it: that ends the waveform.

    Parameters
    ----------
    verilog, top:
        The design, and its module, which is the runner's name too.
    geometry:
        What the runner wants to know.
    options:
        How it is compiled and traced.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    SimulationError
        The core is stuck.
    """

    def __init__(
        self,
        verilog: str,
        top: str,
        geometry: ctypes.Structure,
        options: NativeOptions = PLAIN_NATIVE,
    ) -> None:
        library = build_native(
            verilog,
            top=top,
            trace=options.trace,
            timing=options.timing,
            optimise=options.optimise,
        )
        try:
            self._lib = _bind(ctypes.CDLL(str(library)))
        # As where the cache was copied from a machine with another C++ library.
        except OSError as error:
            raise ToolError(
                f"cannot load {library} ({error}): delete {library.parent} to build it again"
            ) from None
        self._waveform = options.waveform
        self._core = self._lib.core_new(ctypes.byref(geometry), *destination(options.waveform))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        failure = self._end()
        if failure and error is None:  # an error within says more
            raise failure

    def close(self) -> None:
        """End the simulation and its waveform.

        Raises
        ------
        OSError
            The waveform's file could not be written.
        """
        if failure := self._end():
            raise failure

    def _end(self) -> OSError | None:
        """Free everything but the bytes of the waveform; returns what cut that off."""
        if not self._core:
            return None
        core, self._core = self._core, None  # whatever happens next, it is freed once at most
        held = _Held()
        self._lib.core_end(core, ctypes.byref(held))
        self._lib.core_free(core)
        if held.bytes:
            content = (ctypes.c_uint8 * held.count).from_address(held.bytes)
            # Every array that looks at these bytes refers to `content`.
            weakref.finalize(content, self._lib.core_release, held.bytes).atexit = False
            if isinstance(self._waveform, MemoryWaveform):
                self._waveform.content = np.frombuffer(content, np.uint8)
        path, _ = destination(self._waveform)
        return (
            OSError(held.error, os.strerror(held.error), os.fsdecode(path)) if held.error else None
        )

    def _check(self, status: int) -> None:
        if status:
            raise SimulationError(
                f"the RTL is stuck after {self.cycles} cycles: this is a defect of spikewatt"
            )

    @property
    def cycles(self) -> int:
        """Clock cycles since the beginning, reset and configuration included."""
        return self._lib.core_cycles(self._core)

    def _declare(self, name: str, *arguments: type) -> None:
        """Say what a function of this runner takes; it returns a status, 0 for success."""
        function = getattr(self._lib, name)
        function.restype, function.argtypes = ctypes.c_int, arguments


class TableModel(NativeModel):
    """A core with a configuration port; it is at rest once this is built."""

    def __init__(
        self,
        verilog: str,
        top: str,
        geometry: ctypes.Structure,
        options: NativeOptions = PLAIN_NATIVE,
    ) -> None:
        super().__init__(verilog, top, geometry, options)
        address, count = ctypes.c_void_p, ctypes.c_int64
        self._declare("core_wait", address)
        for name in ("core_configure", "core_read"):
            self._declare(name, *[address] * 3, count)
        self._check(self._lib.core_wait(self._core))

    def _configure(self, addresses: NDArray[np.uint32], words: NDArray[np.uint32]) -> None:
        """Write words uint32[n] through the configuration port."""
        count = len(addresses)
        self._check(self._lib.core_configure(self._core, pointer(addresses), pointer(words), count))

    def _read(self, addresses: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Read words uint32[n] back through the configuration port."""
        words = np.zeros(len(addresses), np.uint32)
        status = self._lib.core_read(self._core, pointer(addresses), pointer(words), len(addresses))
        self._check(status)
        return words


def pointer(array: np.ndarray) -> int:
    """Address of an array's data."""
    return array.ctypes.data


def destination(waveform: Path | MemoryWaveform | None) -> tuple[bytes, int]:
    """File of a waveform, and the bytes up to which it stays in memory, as runners take them."""
    match waveform:
        case None:
            return b"", 0
        case MemoryWaveform():
            return os.fsencode(waveform.file), waveform.room
        case Path():
            return os.fsencode(waveform), 0


def _bind(library: ctypes.CDLL) -> ctypes.CDLL:
    """Declare what every runner has."""
    pointer = ctypes.c_void_p
    for name, result, arguments in (
        ("core_new", pointer, [pointer, ctypes.c_char_p, ctypes.c_int64]),
        ("core_end", None, [pointer, pointer]),
        ("core_release", None, [pointer]),
        ("core_free", None, [pointer]),
        ("core_cycles", ctypes.c_uint64, [pointer]),
    ):
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library
