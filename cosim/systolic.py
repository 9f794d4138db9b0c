"""The systolic core as a function: Verilated, driven in batches."""

import ctypes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError
from spikewatt.cosim.choices import ModelTrace
from spikewatt.cosim.library import HALF_PERIOD, NativeOptions, TableModel, pointer
from spikewatt.cosim.recording import RTL, MemoryWaveform
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.model.compile.configuration import table_addresses
from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.golden.systolic import ACCESSES, systolic_layout
from spikewatt.model.params.systolic import SystolicParams, SystolicTable
from spikewatt.model.run import Run
from spikewatt.synth.verilog import export

__all__ = ["NativeSystolic", "pack_words"]

IntArray = NDArray[np.int64]


class _Geometry(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint32)
        for name in ("columns", "sum_bits", "activation_bits", "input_words", "half_period")
    ]


class _Record(ctypes.Structure):
    _fields_ = [
        ("results", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p),
        ("accesses", ctypes.c_int64 * len(ACCESSES)),
        *(
            (name, ctypes.c_int64)
            for name in ("result_room", "output_room", "result_count", "output_count")
        ),
    ]


def pack_words(words: IntArray, bits: int) -> NDArray[np.uint32]:
    """Rows of values int64[n, k] of ``bits`` bits as uint32[n, m], lowest first, m even."""
    count, values = words.shape
    room = -(-values * bits // 64) * 64
    planes = np.zeros((count, room), np.uint8)
    planes[:, : values * bits] = (words[:, :, None] >> np.arange(bits) & 1).reshape(count, -1)
    packed = np.packbits(planes, axis=1, bitorder="little").view("<u4")
    return np.ascontiguousarray(packed, np.uint32)


class NativeSystolic(TableModel):
    """A systolic core, Verilated, in this process.

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

    Attributes
    ----------
    words:
        Of each layer in the last batch, int64[tiles, n, columns] as the core wrote them, padding
        columns included: requantised words, and the last layer's accumulators.

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
        params: SystolicParams,
        *,
        trace: ModelTrace = "none",
        waveform: Path | MemoryWaveform | None = None,
        verilog: str | None = None,
    ) -> None:
        self.params = params
        self.words: list[IntArray] = []
        words = 2 * -(-params.rows * params.activation_bits // 64)
        geometry = _Geometry(
            params.columns, params.accumulator_bits, params.activation_bits, words, HALF_PERIOD
        )
        super().__init__(
            verilog or export(Blueprint.of(SystolicCore, params), "systolic"),
            "systolic",
            geometry,
            NativeOptions(trace=trace, waveform=waveform, optimise=not verilog),
        )
        address, count = ctypes.c_void_p, ctypes.c_int64
        self._declare("core_run", address, ctypes.c_int, address, count, address)

    def configure(self, program: SystolicProgram) -> None:
        """Load a program through the configuration port."""
        self._configure(*program.config_words())

    def read_words(self, key: SystolicTable) -> NDArray[np.uint32]:
        """Read a table through the configuration port: uint32[rows, chunks]."""
        addresses = table_addresses(self.params.tables[key])
        return self._read(addresses.ravel()).reshape(addresses.shape)

    def run(self, program: SystolicProgram, x: IntArray) -> Run:
        """Run inputs int[n, inputs] as one batch; ``program`` is the one that is loaded.

        Returns
        -------
        Run
            Values without what lies in padding columns; `words` has that too.
        """
        start, batch = self.cycles, len(x)
        accesses = self._run_words(program, x)
        layers = [
            np.moveaxis(words, 0, 1).reshape(batch, -1)[:, : plan.layer.outputs]
            for plan, words in zip(program.plans[:-1], self.words[:-1], strict=True)
        ]
        layers.append(program.outputs(self.words[-1], batch))
        return Run(
            by=RTL,
            arrays={
                "values": np.concatenate(layers, axis=1),
                "accesses": np.array([accesses], np.int64),
                "starts": np.array([start]),
                "cycles": np.array([self.cycles - start]),
                "images": np.array([batch]),
            },
            layout=systolic_layout(program.network),
        )

    def _run_words(self, program: SystolicProgram, x: IntArray) -> list[int]:
        """Run a batch, and keep its `words`; returns the counts of ``ACCESSES``."""
        columns, batch = self.params.columns, len(x)
        words = pack_words(program.input_words(x), self.params.activation_bits)
        room = sum(plan.tiles for plan in program.plans[:-1]) * batch
        results = np.zeros((room, columns), np.uint8)
        outputs = np.zeros((program.plans[-1].tiles * batch, columns), np.int64)
        record = _Record(
            results=pointer(results),
            outputs=pointer(outputs),
            result_room=len(results),
            output_room=len(outputs),
        )
        self._check(
            self._lib.core_run(self._core, batch, pointer(words), len(words), ctypes.byref(record))
        )
        for name, count, expected in (
            ("results", record.result_count, len(results)),
            ("outputs", record.output_count, len(outputs)),
        ):
            if count != expected:
                raise SimulationError(f"the RTL gave {count} {name}, not {expected}")
        # Words come layer after layer, tile after tile, and within a tile one for each vector.
        ends = np.cumsum([plan.tiles * batch for plan in program.plans[:-1]])
        layers = [*np.split(results.astype(np.int64), ends)[:-1], outputs]
        self.words = [layer.reshape(-1, batch, columns) for layer in layers]
        return list(record.accesses)
