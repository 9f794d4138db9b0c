"""Waveforms: names, and the changes of one signal at a time.

FST and VCD come through pywellen; ``vcdvcd`` is a second, independent reader of VCD.
"""

import contextlib
import itertools
import os
import sys
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pywellen import Waveform as _Wellen  # pyright: ignore[reportAttributeAccessIssue]  # no stubs
from vcdvcd import VCDVCD

from spikewatt.base.errors import WaveformError
from spikewatt.base.files import make_temporary, remove_temporary
from spikewatt.energy.activity.fst import check_fst
from spikewatt.energy.activity.vcd import TwoStateVcd, read_two_state, scan_two_state

__all__ = ["Changes", "Reader", "Signal", "Waveform", "open_vcd", "open_waveform"]

Reader = Literal["wellen", "vcdvcd", "two-state"]
BLOCK = 1 << 16
"""Changes that are Python objects at a time."""
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15}


@dataclass(frozen=True)
class Signal:
    """A signal under its first name; ``identity`` is the same for all names of one signal."""

    name: str
    width: int
    identity: str
    handle: Any


@dataclass(frozen=True)
class Changes:
    """What a signal did.

    Parameters
    ----------
    times:
        int64[k], ticks of the waveform, ascending: one for each time with a change.
    values:
        uint64[k, words], the value from then on; unknown bits are 0.
    unknown:
        uint64[k, words], bits that are X or Z; ``None`` if none ever is.
    """

    times: NDArray[np.int64]
    values: NDArray[np.uint64]
    unknown: NDArray[np.uint64] | None


class Waveform:
    """An open waveform.

    Parameters
    ----------
    path:
        Its file.
    tick_s:
        Length of a tick, s.
    signals:
        All signals, by full name (dots between levels, no backslashes); a name that is there twice
        for different signals is in ``ambiguous``.
    """

    def __init__(self, path: Path, tick_s: float, found: Iterator[Signal]) -> None:
        self.path, self.tick_s = path, tick_s
        self.signals: dict[str, Signal] = {}
        self.ambiguous: set[str] = set()
        for signal in found:
            first = self.signals.setdefault(signal.name, signal)
            if first.identity != signal.identity:
                self.ambiguous.add(signal.name)

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last time, in ticks, that the file itself names, where that is easy to see.

        Nothing need change at either.
        """
        return _file_span(self.path)

    def changes(self, signal: Signal) -> Changes:
        """All changes of a signal."""
        times, values, unknown = [], [], []
        for pairs in self._blocks(signal):
            try:
                times.append(np.fromiter((pair[0] for pair in pairs), np.int64, len(pairs)))
            except OverflowError as error:
                raise _unreadable(self.path, error) from None
            known, vague = _pack([pair[1] for pair in pairs], signal.width)
            values.append(known)
            unknown.append(vague)
        if not times:
            empty = np.zeros((0, _words(signal.width)), np.uint64)
            return Changes(np.zeros(0, np.int64), empty, None)
        at_times, to_values = np.concatenate(times), np.concatenate(values)
        doubt = None
        if any(part is not None for part in unknown):
            parts = zip(unknown, values, strict=True)
            doubt = np.concatenate([np.zeros_like(v) if u is None else u for u, v in parts])
        if (at_times[1:] < at_times[:-1]).any():
            raise WaveformError(f"{self.path} goes back in time: write it again")
        last = np.append(at_times[1:] != at_times[:-1], True)
        if not last.all():  # several changes at one time: the last one counts
            at_times, to_values = at_times[last], to_values[last]
            doubt = None if doubt is None else doubt[last]
        return Changes(at_times, to_values, doubt)

    def _blocks(self, signal: Signal) -> Iterator[list[tuple[int, Any]]]:
        """Time and value of every change, ``BLOCK`` of them at a time."""
        raise NotImplementedError


def _words(width: int) -> int:
    return max(1, -(-width // 64))


def _pack(values: list[Any], width: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64] | None]:
    """Values (ints, or strings of 0, 1, x, z) as words, least significant first."""
    words = _words(width)
    if set(map(type, values)) == {int}:
        if words == 1:
            return np.array(values, np.uint64)[:, None], None
        data = b"".join(value.to_bytes(8 * words, "little") for value in values)
        return np.frombuffer(data, np.uint64).reshape(-1, words), None
    known, unknown = [], []
    for value in values:
        text = format(value, "b") if isinstance(value, int) else str(value)
        digits = text.lower()
        # A value may be written shorter: its first digit, if that is x or z, goes on to the left.
        if len(digits) < width:
            digits = (digits[0] if digits[:1] in ("x", "z") else "0") * (
                width - len(digits)
            ) + digits
        if set(digits) - set("01xzhluw-"):
            raise WaveformError(
                f"a signal of {width} bits has the value {text!r}: not a logic value"
            )
        high = digits.replace("h", "1").replace("l", "0")
        known.append(int("".join("1" if d == "1" else "0" for d in high) or "0", 2))
        unknown.append(int("".join("0" if d in "01" else "1" for d in high) or "0", 2))
    plain, _ = _pack(known, width)
    return (plain, None) if not any(unknown) else (plain, _pack(unknown, width)[0])


def _clean(name: str) -> str:
    """Name without the backslashes of escaped identifiers; words of an array as ``array[3]``."""
    return name.replace("\\", "").replace(" ", "").replace(".[", "[")


class _WellenWaveform(Waveform):
    def __init__(self, path: Path) -> None:
        check_fst(path)
        with _panicking(path):
            wave = _Wellen(str(path))
            scale = str(wave.timescale)
            variables = [_wellen_signal(variable) for variable in wave.all_vars()]
        self._wave = wave
        super().__init__(path, _tick(scale, path), iter(variables))

    def _blocks(self, signal: Signal) -> Iterator[list[tuple[int, Any]]]:
        with _panicking(self.path):
            changes = iter(signal.handle.signal)
        while True:
            with _panicking(self.path):
                pairs = list(itertools.islice(changes, BLOCK))
            if not pairs:
                return
            yield pairs


@contextlib.contextmanager
def _panicking(path: Path) -> Iterator[None]:
    """Make errors of ours of pywellen's panics and of what it only prints."""
    with tempfile.TemporaryFile() as printed:
        try:
            with _printing_to(printed.fileno()):
                yield
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        except BaseException as error:
            raise _unreadable(path, error) from None
        printed.seek(0)
        if b"time decreased" in printed.read():
            raise WaveformError(f"{path} goes back in time: write it again")


@contextlib.contextmanager
def _printing_to(file: int) -> Iterator[None]:
    """Standard output and standard error go to ``file``, even those of Rust."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError):  # which whoever prints next will meet
            stream.flush()
    kept = {}
    for stream in (1, 2):
        with contextlib.suppress(OSError):  # it may be closed
            kept[stream] = os.dup(stream)
            os.dup2(file, stream)
    try:
        yield
    finally:
        for stream, to in kept.items():
            os.dup2(to, stream)
            os.close(to)


def _wellen_signal(variable: Any) -> Signal:
    return Signal(
        _clean(variable.full_name), variable.length or 1, str(variable.signal_id), variable
    )


class _TwoStateWaveform(Waveform):
    """VCD of a simulator that knows only 0 and 1."""

    def __init__(self, path: Path, vcd: TwoStateVcd) -> None:
        self._vcd = vcd
        signals = (
            Signal(_clean(name), width, str(number), number) for name, width, number in vcd.declared
        )
        super().__init__(path, _tick(vcd.timescale, path), signals)

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last time, in ticks, that the file names."""
        return self._vcd.span

    def changes(self, signal: Signal) -> Changes:
        """All changes of a signal."""
        times, values = self._vcd.changes(signal.handle, signal.width)
        last = np.append(times[1:] != times[:-1], True)[: len(times)]
        if not last.all():  # several changes at one time: the last one counts
            times, values = times[last], values[last]
        return Changes(times, values, None)


class _VcdvcdWaveform(Waveform):
    def __init__(self, path: Path) -> None:
        try:
            text = path.read_text()
            if "$enddefinitions" not in text:  # vcdvcd would look for it for ever
                raise ValueError("it has no $enddefinitions")
            vcd = VCDVCD(vcd_string=text)
            signals = list(_vcdvcd_signals(vcd))
        except Exception as error:
            raise _unreadable(path, error) from None
        tick = float(vcd.timescale["timescale"]) if "timescale" in vcd.timescale else 1e-9
        super().__init__(path, tick, iter(signals))

    def _blocks(self, signal: Signal) -> Iterator[list[tuple[int, Any]]]:
        if pairs := signal.handle.tv:
            yield pairs


def _vcdvcd_signals(vcd: Any) -> Iterator[Signal]:
    for name, identity in vcd.references_to_ids.items():
        signal = vcd.data[identity]
        stem = name.rpartition("[")[0] if name.endswith("]") and int(signal.size) > 1 else name
        yield Signal(_clean(stem), int(signal.size), identity, signal)


def _unreadable(path: Path, error: BaseException) -> WaveformError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return WaveformError(f"{path} is not a whole FST or VCD waveform ({reason}): write it again")


def _tick(scale: str, path: Path) -> float:
    digits = "".join(c for c in scale if c.isdigit())
    unit = scale[len(digits) :].strip()
    if unit not in _SECONDS:
        raise WaveformError(f"{path} has the timescale {scale!r}, which is not one")
    return float(digits or 1) * _SECONDS[unit]


def open_waveform(path: Path | str, reader: Reader = "wellen") -> Waveform:
    """Open an FST or VCD file.

    Raises
    ------
    WaveformError
        The file is missing, empty, cut off or not a waveform.
    """
    path = Path(path)
    if not path.is_file():
        raise WaveformError(f"{path} is not a file: give the FST or VCD that the simulation wrote")
    if not path.stat().st_size:
        raise WaveformError(f"{path} is empty: the simulation wrote no waveform")
    wave = _open(path, reader)
    if not wave.signals:
        raise WaveformError(f"{path} holds no signal: write it again")
    return wave


def open_vcd(content: NDArray[np.uint8], name: Path) -> Waveform:
    """Open the VCD of a simulator that knows only 0 and 1, whose bytes are in memory.

    Parameters
    ----------
    name:
        What messages call it.

    Raises
    ------
    WaveformError
        It is not a waveform.
    """
    if (vcd := scan_two_state(content)) is not None:
        return _TwoStateWaveform(name, vcd)
    folder = make_temporary()  # the reader that knows all forms wants a file, as long as it reads
    content.tofile(folder / name.name)
    wave = open_waveform(folder / name.name)
    weakref.finalize(wave, remove_temporary, folder)
    return wave


def _open(path: Path, reader: Reader) -> Waveform:
    if reader == "vcdvcd":
        return _VcdvcdWaveform(path)
    if reader == "two-state" and (vcd := read_two_state(path)) is not None:
        return _TwoStateWaveform(path, vcd)
    return _WellenWaveform(path)


def _file_span(path: Path) -> tuple[int, int] | None:
    """First and last time (ticks) that the file itself names, where that is easy to see."""
    with path.open("rb") as file:
        head = file.read(25)
        # FST: a header block (kind 0) of 329 bytes that begins with both times.
        if len(head) == 25 and head[0] == 0 and int.from_bytes(head[1:9], "big") == 329:
            return int.from_bytes(head[9:17], "big"), int.from_bytes(head[17:25], "big")
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        first = None
        for line in file:
            if line.startswith(b"#") and line[1:].strip().isdigit():
                first = int(line[1:])
                break
        if first is None:
            return None
        # The last time stands near the end; how near depends on how much changed then.
        reach = 1 << 16
        while True:
            file.seek(max(0, size - reach))
            stamps = [line[1:].strip() for line in file.read().split(b"\n")[1:] if line[:1] == b"#"]
            stamps = [stamp for stamp in stamps if stamp.isdigit()]
            if stamps:
                return first, max(first, int(stamps[-1]))
            if reach >= size:
                return None
            reach *= 16
