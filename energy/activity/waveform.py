"""Waveforms: names, and the changes of one signal at a time.

FST and VCD come through pywellen; ``vcdvcd`` is a second, independent reader of VCD.
"""

import contextlib
import functools
import itertools
import os
import shutil
import sys
import tempfile
import weakref
import zlib
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pywellen import Waveform as _Wellen  # pyright: ignore[reportAttributeAccessIssue]  # no stubs
from vcdvcd import VCDVCD

from spikewatt.base.errors import WaveformError
from spikewatt.base.files import make_temporary, remove_temporary
from spikewatt.energy.activity.fst import FstVariable, check_fst, declared
from spikewatt.energy.activity.texts import is_gzipped, open_bytes, open_text
from spikewatt.energy.activity.vcd import Vcd
from spikewatt.energy.activity.vcd_head import SplitName, split_name

__all__ = ["Changes", "Reader", "Signal", "Waveform", "open_vcd", "open_waveform"]

Reader = Literal["own", "wellen", "vcdvcd"]
BLOCK = 1 << 16
"""Changes that are Python objects at a time."""
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15}


@dataclass(frozen=True)
class Signal:
    """A signal under one of its names.

    Parameters
    ----------
    name:
        Full name: dots between levels, no backslashes; that of a single bit ends with its index.
    width:
        Bits.
    identity:
        The same for all names of one signal.
    handle:
        What its reader knows it by.
    stem:
        Full name of the bus that it is a part of, or all.
    ends:
        Indices of its first and its last bit in that bus, if they are known.
    """

    name: str
    width: int
    identity: str
    handle: Any
    stem: str = ""
    ends: tuple[int, int] | None = None

    def place(self, index: int) -> int | None:
        """Which of its bits has an index of the bus."""
        if self.ends is None or not min(self.ends) <= index <= max(self.ends):
            return None
        return abs(index - self.ends[1])


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
        All signals, by full name (dots between levels, no backslashes).
    parts:
        Those of each bus whose indices are known, by the name of the bus.
    ambiguous:
        Names that are there twice, for different signals that are not parts of one bus.
    """

    def __init__(self, path: Path, tick_s: float, found: Iterator[Signal]) -> None:
        self.path, self.tick_s = path, tick_s
        self.signals: dict[str, Signal] = {}
        self.parts: dict[str, list[Signal]] = {}
        self.ambiguous: set[str] = set()
        for signal in found:
            first = self.signals.setdefault(signal.name, signal)
            if first.identity != signal.identity and not _apart(first, signal):
                self.ambiguous.add(signal.name)
            if signal.ends is not None:
                self.parts.setdefault(signal.stem, []).append(signal)

        self._by_dots: dict[str, str] | None = None

    def known(self, name: str) -> str:
        """The name by which a signal or bus is known here, where ``name`` is as good as it.

        Flattened designs have slashes within names, where others have levels.
        """
        if name in self.signals or name in self.parts:
            return name
        if self._by_dots is None:
            slashed = (full for full in (*self.signals, *self.parts) if "/" in full)
            self._by_dots = {full.replace("/", "."): full for full in slashed}
        dotted = name.replace("/", ".")
        if dotted in self.signals or dotted in self.parts:
            return dotted
        return self._by_dots.get(dotted, name)

    def load(self, signals: Iterable[Signal]) -> None:
        """Say which signals' changes will be asked for, before the first of them is."""

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last time, in ticks, that the file itself names; nothing need change then."""
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


def _apart(one: Signal, other: Signal) -> bool:
    """Whether both are parts of one bus that have no index in common."""
    if one.ends is None or other.ends is None:
        return False
    return max(one.ends) < min(other.ends) or max(other.ends) < min(one.ends)


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
    def __init__(self, path: Path, name: Path | None = None) -> None:
        check_fst(path)
        with _panicking(path):
            wave = _Wellen(str(path))
            scale = str(wave.timescale)
            variables = list(wave.all_vars())
        names = _fst_names(path, variables)
        signals = (
            Signal(name, variable.length, str(variable.signal_id), variable, stem, ends)
            for variable, (name, stem, ends) in zip(variables, names, strict=True)
            if _is_logic(variable)
        )
        self._wave, self._file = wave, path
        super().__init__(name or path, _tick(scale, path), signals)

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last time, in ticks, that the file itself names."""
        span = _file_span(self._file)
        if span is not None and max(span) >= 1 << 63:
            raise WaveformError(f"{self.path} has a time beyond 2^63 ticks: write it again")
        return span

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


def _is_logic(variable: Any) -> bool:
    """Whether a variable is a net: no number, text, event or parameter."""
    return bool(variable.length) and variable.var_type not in ("Event", "Parameter", "String")


def _fst_names(path: Path, variables: Sequence[Any]) -> list[SplitName]:
    """Name, bus and indices of each of pywellen's variables.

    It tells no index, and makes one variable of bits that follow one another, of which the one with
    the lowest index is the lowest. So the indices come from the file's own declarations.
    """
    plain = [_clean(variable.full_name).lstrip(".") for variable in variables]
    unknown: list[SplitName] = [(name, name, None) for name in plain]
    # In the order of the file within a scope, not among scopes, some of which are opened twice.
    queues: dict[str, deque[FstVariable]] = defaultdict(deque)
    for told in declared(path) or ():
        queues[_clean(told.scope)].append(told)
    names: list[SplitName] = []
    for variable, name in zip(variables, plain, strict=True):
        scope = _clean(variable.full_name[: -len(variable.name)].rstrip("."))
        queue = queues.get(scope) or queues.get(name.rpartition(".")[0]) or deque()
        if not queue:
            return unknown
        first, size = queue.popleft(), variable.length or 1
        above = f"{first.scope}." if first.scope else ""
        leaf, stem, ends = split_name(first.text, first.width)
        if size > first.width == 1 and ends is not None:
            bits = [ends[0]]
            while queue and len(bits) < size and (index := _index(queue.popleft())) is not None:
                bits.append(index)
            if sorted(bits) != list(range(min(bits), min(bits) + size)):
                return unknown
            leaf, ends = stem, (max(bits), min(bits))
        if _clean(above + stem) != name and _clean(above + leaf) != name:
            return unknown
        names.append((_clean(above + leaf), _clean(above + stem), ends))
    return names


def _index(variable: FstVariable) -> int | None:
    """Index of a bit that is declared by itself."""
    ends = split_name(variable.text, variable.width)[2]
    return None if ends is None else ends[0]


class _VcdWaveform(Waveform):
    """VCD by our own reader."""

    def __init__(self, path: Path, vcd: Vcd, tick_s: float | None) -> None:
        self._vcd = vcd
        signals = (
            Signal(
                variable.name,
                variable.width,
                str(number := vcd.numbers[variable.code]),
                number,
                variable.stem,
                variable.ends,
            )
            for variable in vcd.head.variables
            if variable.width
        )
        super().__init__(path, _given_tick(vcd.head.timescale, path, tick_s), signals)

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last time, in ticks, that the file names."""
        return self._vcd.span

    def load(self, signals: Iterable[Signal]) -> None:
        """Read the changes of these signals in one pass over the file."""
        self._vcd.load({signal.handle for signal in signals})

    def changes(self, signal: Signal) -> Changes:
        """All changes of a signal."""
        return Changes(*self._vcd.changes(signal.handle, signal.width))


def _given_tick(scale: str | None, path: Path, tick_s: float | None) -> float:
    """Seconds of a tick: as the file says, or else as the user does."""
    if scale is not None:
        return _tick(scale, path)
    if tick_s is None:
        raise WaveformError(
            f"{path} has no $timescale: say how long a tick is with --timescale 1ns "
            "(OpenSTA takes 1 s)"
        )
    return tick_s


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


def open_waveform(
    path: Path | str, reader: Reader = "own", *, tick_s: float | None = None
) -> Waveform:
    """Open an FST or VCD file, also a gzipped one; what it is is told by its content.

    Parameters
    ----------
    reader:
        ``own`` reads VCD itself; the others are there to be compared with.
    tick_s:
        Seconds of a tick, for a VCD that does not tell.

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
    wave = _open(path, reader, tick_s)
    if not wave.signals:
        raise WaveformError(f"{path} holds no signal: write it again")
    return wave


def open_vcd(content: NDArray[np.uint8], name: Path) -> Waveform:
    """Open a VCD whose bytes are in memory.

    Parameters
    ----------
    name:
        What messages call it.

    Raises
    ------
    WaveformError
        It is not a waveform.
    """
    return _VcdWaveform(name, Vcd(name, functools.partial(open_bytes, content)), None)


def _open(path: Path, reader: Reader, tick_s: float | None) -> Waveform:
    if reader == "vcdvcd":
        return _VcdvcdWaveform(path)
    try:
        with open_text(path) as file:
            head = file.read(9)
    except (EOFError, OSError, zlib.error) as error:
        raise _unreadable(path, error) from None
    if reader == "own" and not _is_binary(head):
        return _VcdWaveform(path, Vcd(path, functools.partial(open_text, path)), tick_s)
    if not is_gzipped(path):
        return _WellenWaveform(path)
    folder = make_temporary()  # pywellen wants an unpacked file, as long as it reads
    wave = _WellenWaveform(_unpacked(path, folder), path)
    weakref.finalize(wave, remove_temporary, folder)
    return wave


def _is_binary(head: bytes) -> bool:
    """Whether a file that begins so is FST (its header, or a packed one) or GHDL's GHW."""
    return head[:1] in (b"\x00", b"\xfe") or head.startswith(b"GHDLwave")


def _unpacked(path: Path, folder: Path) -> Path:
    out = folder / path.stem
    try:
        with open_text(path) as packed, out.open("wb") as file:
            shutil.copyfileobj(packed, file)
    except (EOFError, OSError, zlib.error) as error:
        remove_temporary(folder)
        raise _unreadable(path, error) from None
    return out


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
