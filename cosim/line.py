"""A serial line that loses, adds and changes bytes, stops, and repeats itself."""

from dataclasses import dataclass

import numpy as np

from spikewatt.cosim.board import SimulatedBoard

__all__ = ["Faults", "FaultyLine"]


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Probabilities of what goes wrong.

    ``change``, ``lose``, ``add``: of each byte, to be another one, to vanish, to be followed by
    one that nobody sent. ``cut``, ``stall``, ``repeat``: of each piece that is written or read, to
    end early, to come late, to come twice. ``dead_after``: bytes sent after which none arrives.
    """

    change: float = 0.0
    lose: float = 0.0
    add: float = 0.0
    cut: float = 0.0
    stall: float = 0.0
    repeat: float = 0.0
    dead_after: int | None = None


class FaultyLine:
    """The line to a simulated board, with faults in both directions.

    Parameters
    ----------
    board:
        Behind the line.
    faults:
        What goes wrong on the way there and back.
    seed:
        Of the faults.
    """

    def __init__(self, board: SimulatedBoard, faults: Faults, *, seed: int) -> None:
        self.count = 0
        """Faults until now."""
        self._board, self._faults = board, faults
        self._rng = np.random.default_rng(seed)
        self._late = b""
        self._sent = 0

    @property
    def seconds(self) -> float:
        """The simulation's clock."""
        return self._board.seconds

    def write(self, line: bytes) -> None:
        """Send bytes, or what becomes of them."""
        self._sent += len(line)
        if self._faults.dead_after is not None and self._sent > self._faults.dead_after:
            return
        if self._happens(self._faults.stall):
            # Longer than a host waits for an answer, at times.
            self._board.idle(self._rng.uniform(0, 0.4))
        self._board.write(self._damaged(line))

    def read(self, seconds: float) -> bytes:
        """Bytes that have come, or what has become of them."""
        # What came late comes alone: a reader that got it with the next piece would never see a
        # gap.
        late, self._late = self._late, b""
        if late:
            return late
        come = self._damaged(self._board.read(seconds))
        if self._happens(self._faults.stall) and come:
            at = int(self._rng.integers(len(come)))
            come, self._late = come[:at], come[at:]
            self._board.idle(self._rng.uniform(0, 0.4))
        return come

    def close(self) -> None:
        """Let the board go."""
        self._board.close()

    def _happens(self, probability: float) -> bool:
        happens = bool(probability and self._rng.random() < probability)
        self.count += happens
        return happens

    def _damaged(self, line: bytes) -> bytes:
        faults = self._faults
        if not line:
            return line
        out = bytearray()
        for byte in line:
            if self._happens(faults.lose):
                continue
            out.append(self._any() if self._happens(faults.change) else byte)
            if self._happens(faults.add):
                out.append(self._any())
        if self._happens(faults.cut):
            del out[int(self._rng.integers(len(out) + 1)) :]
        return bytes(out * 2 if self._happens(faults.repeat) else out)

    def _any(self) -> int:
        """Any byte, a flag or an escape one time in eight each."""
        drawn = int(self._rng.integers(256))
        return {0: 0x7E, 1: 0x7D}.get(int(self._rng.integers(8)), drawn)
