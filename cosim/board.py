"""A board that is simulated: its Verilated RTL behind two pins, reached as over a serial port."""

import ctypes
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikewatt.cosim.library import HALF_PERIOD, NativeModel, NativeOptions, pointer
from spikewatt.cosim.verilated import Trace
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.host.board import Board
from spikewatt.model.params.host import BAUD, HostParams
from spikewatt.synth.verilog import export

__all__ = ["SIMULATED_BAUD", "BoardOptions", "LineOptions", "SimulatedBoard"]

SIMULATED_BAUD = BAUD
"""Bits a second on the simulated line."""
_ROOM = 1 << 16
_PIECE, _PATIENCE = 256, 1 << 18  # bytes and cycles without a look for an interrupt


class _Geometry(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_double) for name in ("bit", "sent", "received")),
        *((name, ctypes.c_uint32) for name in ("seed", "half_period")),
    ]


@dataclass(frozen=True, kw_only=True)
class BoardOptions:
    """What a `spikewatt.hdl.host.board.Board` is built with, beside its core."""

    clocks_per_bit: int = 8
    buffer_bytes: int = 1024
    meter: bool = False


@dataclass(frozen=True, kw_only=True)
class LineOptions:
    """The line between host and board.

    Parameters
    ----------
    speed:
        How much faster than the board the host sends and listens.
    wrong_bits:
        Probabilities of a wrong bit on the way to the board, and back.
    seed:
        Of the wrong bits.
    """

    speed: float = 1.0
    wrong_bits: tuple[float, float] = (0.0, 0.0)
    seed: int = 0


PLAIN_BOARD = BoardOptions()
PLAIN_LINE = LineOptions()


class SimulatedBoard(NativeModel):
    """A `spikewatt.hdl.host.board.Board`, Verilated, in this process; reached by its two pins.

    Time is that of the simulation, at `SIMULATED_BAUD`.

    Parameters
    ----------
    core:
        What is on the board: a component, or a blueprint of ours.
    options:
        What the board is built with.
    line:
        What its line is like.
    mapped:
        Makes a netlist of the board's Verilog, to run that; it is compiled quickly and runs slower.
    trace, waveform:
        Kind of waveform, and its file.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    """

    def __init__(
        self,
        core: Any,
        options: BoardOptions = PLAIN_BOARD,
        *,
        line: LineOptions = PLAIN_LINE,
        mapped: Callable[[str], str] | None = None,
        trace: Trace = "none",
        waveform: Path | None = None,
    ) -> None:
        blueprint = Blueprint.of(Board, core, **asdict(options))
        board = blueprint.build()
        assert isinstance(board, Board)
        self.link: HostParams = board.link
        # The board's clock, so that a bit on the line takes 1 / `SIMULATED_BAUD`.
        self._frequency = options.clocks_per_bit * SIMULATED_BAUD
        verilog = export(blueprint if isinstance(core, Blueprint) else board, "board")
        bit = options.clocks_per_bit / line.speed  # of the host, in cycles of the board
        geometry = _Geometry(bit, *line.wrong_bits, line.seed, HALF_PERIOD)
        super().__init__(
            mapped(verilog) if mapped else verilog,
            "board",
            geometry,
            NativeOptions(trace=trace, waveform=waveform, optimise=mapped is None),
        )
        address, count = ctypes.c_void_p, ctypes.c_int64
        self._declare("core_write", address, ctypes.c_char_p, count)
        self._declare("core_take", address, address, count, count, address)
        self._declare("core_idle", address, count)

    @property
    def seconds(self) -> float:
        """Simulated time since power-up."""
        return self.cycles / self._frequency

    def write(self, line: bytes) -> None:
        """Send bytes; it takes their time on the line."""
        # In pieces: an interrupt is noticed between calls.
        for at in range(0, len(line), _PIECE):
            piece = line[at : at + _PIECE]
            self._lib.core_write(self._core, piece, len(piece))

    def read(self, seconds: float) -> bytes:
        """Bytes that have come, or that come together; waits so long for the first one."""
        out, got = np.empty(_ROOM, np.uint8), ctypes.c_int64()
        end = self.cycles + max(1, round(seconds * self._frequency))
        while not got.value and (left := end - self.cycles) > 0:
            patience = min(left, _PATIENCE)
            self._lib.core_take(self._core, pointer(out), _ROOM, patience, ctypes.byref(got))
        return out[: got.value].tobytes()

    def idle(self, seconds: float) -> None:
        """Let time go by."""
        self._lib.core_idle(self._core, round(seconds * self._frequency))
