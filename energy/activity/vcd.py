"""VCD of any simulator, read in blocks: the changes of the signals that are asked for.

The text is never in memory as a whole. What is kept of a change is less than its text, and beyond
a limit goes to a temporary file.
"""

import gzip
import io
import tempfile
import weakref
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.vcd_head import Head, parse_head
from spikewatt.energy.activity.vcd_scan import (
    DIRECT,
    HELD,
    NOBODY,
    SHORT,
    Codes,
    Fault,
    Found,
    State,
    decode,
    hash_place,
    place_of,
    scan,
    sort,
)

__all__ = ["Vcd"]

BLOCK = 1 << 22
"""Bytes of text at a time: they stay in the processor's cache."""
RECORDS = 1 << 22
"""Changes that are sorted by signal at a time."""
MEMORY = 1 << 28
"""Bytes of sorted changes that stay in memory before a temporary file takes them."""
_PADDING = 16  # what is read eight bytes at a time may be read beyond its end
_HEAD_END = b"$enddefinitions"

Bits = NDArray[np.uint64]
Open = Callable[[], Any]
"""Opens the text from its beginning: something with ``readinto``."""


class _Text:
    """The text in blocks; each begins with what was left of the one before."""

    def __init__(self, file: Any, begin: int) -> None:
        self._file = file
        self._file.seek(begin)
        self._room: Any = np.zeros(BLOCK + _PADDING, np.uint8)
        self.block = self._room[:0]
        self.begin = begin
        """Place of the block in the text."""
        self.ended = False
        self.advance(0)

    def advance(self, used: int) -> None:
        """Drop ``used`` bytes of the block, and read as many as there is room for."""
        left = len(self.block) - used
        if not used and left + _PADDING == len(self._room):  # an item is longer than a block
            self._room = np.concatenate([self._room, np.zeros_like(self._room)])
        self._room[:left] = self._room[used : used + left].copy()
        self.begin += used
        room = memoryview(self._room)[left : len(self._room) - _PADDING]
        got = self._file.readinto(room)
        self.ended = not got
        self.block = self._room[: left + got]

    def scanned(self) -> tuple[NDArray[np.uint8], int]:
        """The block with its padding, and its last byte of white space, 0 if there is none."""
        tail = np.flatnonzero(self.block[-4096:] <= 32)
        if not len(tail):
            tail = np.flatnonzero(self.block <= 32)
            return self._room, int(tail[-1]) if len(tail) else 0
        return self._room, max(0, len(self.block) - 4096) + int(tail[-1])


@dataclass(frozen=True)
class _Segment:
    """Sorted changes of all signals: where they are, and where those of each signal begin.

    All words come before all records.
    """

    place: int
    """In the file; -1 if in memory."""
    data: NDArray[np.uint8]
    starts: NDArray[np.int32]


class _Store:
    """Sorted changes, in memory or, past a limit, in a file."""

    def __init__(self, widths: NDArray[np.int64]) -> None:
        self.widths = widths
        self.stamps: list[NDArray[np.int64]] = []
        self._segments: list[_Segment] = []
        self._held = 0
        self._file: Any = None

    def add(self, found: Found, state: NDArray[np.int64]) -> None:
        """Take what was found, sorted, and leave room for more."""
        count, used = int(state[State.RECORDS]), int(state[State.WORDS])
        fresh = int(state[State.STAMPS] - state[State.BASE])
        self.stamps.append(found.stamps[:fresh].copy())
        if count:
            data = np.empty(8 * used + 4 * count, np.uint8)
            words, records = data[: 8 * used].view(np.uint64), data[8 * used :].view(np.uint32)
            starts = np.zeros((2, len(self.widths) + 1), np.int32)
            sort(found, count, self.widths, starts, records, words)
            self._keep(data, starts)
        found.counts[:], found.vague[:] = 0, 0
        state[[State.RECORDS, State.WORDS]] = 0
        state[State.BASE] = state[State.STAMPS]

    def _keep(self, data: NDArray[np.uint8], starts: NDArray[np.int32]) -> None:
        if self._held + len(data) <= MEMORY:
            self._held += len(data)
            self._segments.append(_Segment(-1, data, starts))
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the store
            weakref.finalize(self, self._file.close)
        place = self._file.seek(0, io.SEEK_END)
        self._file.write(data)
        # A view of nothing would keep all of the data.
        self._segments.append(_Segment(place, np.empty(0, np.uint8), starts))

    def of(self, signal: int) -> tuple[NDArray[np.uint32], Bits]:
        """Records and words of a signal."""
        records, words = [], []
        for part in self._segments:
            first, last = part.starts[0, signal : signal + 2].tolist()
            if first == last:
                continue
            low, high = part.starts[1, signal : signal + 2].tolist()
            behind = 8 * int(part.starts[1, -1])
            words.append(self._read(part, 8 * low, 8 * high).view(np.uint64))
            records.append(self._read(part, behind + 4 * first, behind + 4 * last).view(np.uint32))
        if not records:
            return np.zeros(0, np.uint32), np.zeros(0, np.uint64)
        return np.concatenate(records), np.concatenate(words)

    def _read(self, part: _Segment, begin: int, end: int) -> NDArray[np.uint8]:
        if part.place < 0:
            return part.data[begin:end]
        self._file.seek(part.place + begin)
        return np.frombuffer(self._file.read(end - begin), np.uint8)


class Vcd:
    """A VCD whose declarations are read; its changes are when they are asked for.

    Parameters
    ----------
    path:
        What messages call it.
    source:
        Opens its text.

    Raises
    ------
    WaveformError
        Its declarations are not whole.
    """

    def __init__(self, path: Path, source: Open) -> None:
        self.path, self._source = path, source
        self.head, self._body = self._read_head()
        numbers: dict[bytes, int] = {}
        widths: list[int] = []
        for variable in self.head.variables:
            number = numbers.setdefault(variable.code, len(numbers))
            if number == len(widths):
                widths.append(0)
            # Names of one code are one signal; each sees the lowest bits of it.
            widths[number] = max(widths[number], variable.width)
        self.numbers = numbers
        """Number of the signal of each code."""
        self._widths = np.array(widths, np.int64)
        self._kept: dict[int, tuple[_Store, int]] = {}
        self._span: tuple[int, int] | None = None
        self._scanned = False

    def _read_head(self) -> tuple[Head, int]:
        """Declarations, and where the changes begin."""
        text, size = b"", 1 << 16
        with self._reading() as file:
            while True:
                more = file.read(size)
                searched = max(0, len(text) - 64)
                text, size = text + more, 2 * size
                if not text.lstrip()[:1] == b"$" or not more:
                    raise WaveformError(_not_whole(self.path, "it has no $enddefinitions"))
                at = text.find(_HEAD_END, searched)
                end = text.find(b"$end", at + len(_HEAD_END)) if at >= 0 else -1
                if 0 <= at < end:
                    break
        try:
            return parse_head(text[:at].decode("latin-1")), end + 4
        except ValueError as error:
            raise WaveformError(_not_whole(self.path, str(error))) from None

    def _reading(self) -> "_Reading":
        return _Reading(self.path, self._source)

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last time, in ticks, that the file names."""
        if not self._scanned:
            self.load(())
        return self._span

    def load(self, numbers: Collection[int]) -> None:
        """Read the changes of so many signals, in one pass over the file.

        Raises
        ------
        WaveformError
            One line that says in which line of the file what is wrong.
        """
        wanted = sorted({number for number in numbers if number not in self._kept})
        if self._scanned and not wanted:
            return
        store = _Store(self._widths[wanted])
        self._pass(self._codes(wanted), store)
        self._kept |= {number: (store, at) for at, number in enumerate(wanted)}

    def changes(self, number: int, width: int) -> tuple[NDArray[np.int64], Bits, Bits | None]:
        """Times int64[k], values and unknown bits uint64[k, words] of the lowest bits of a signal.

        One for each time with a change: the last one counts.
        """
        if number not in self._kept:
            self.load([number] if self._kept else np.flatnonzero(self._widths).tolist())
        store, at = self._kept[number]
        if len(store.stamps) != 1:
            store.stamps[:] = [np.concatenate([*store.stamps, np.zeros(0, np.int64)])]
        records, words = store.of(at)
        return decode(records, words, int(self._widths[number]), width, store.stamps[0])

    def _codes(self, wanted: list[int]) -> Codes:
        signals = np.full(len(self._widths), HELD, np.int32)
        signals[wanted] = np.arange(len(wanted))
        direct = np.full(DIRECT, NOBODY, np.int32)
        places = {place_of(code): (code, number) for code, number in self.numbers.items()}
        if len(places) < len(self.numbers):  # once in 2^63 pairs
            raise WaveformError(f"{self.path} has two codes of one hash: write it again")
        long = sum(len(code) > SHORT for code in self.numbers)
        size = 1 << max(4, (4 * long).bit_length())
        keys, slots = np.zeros(size, np.uint64), np.full(size, NOBODY, np.int32)
        for place, (code, number) in places.items():
            if len(code) <= SHORT:
                direct[place] = signals[number]
                continue
            at = hash_place(np.uint64(place), size - 1)
            while keys[at]:
                at = (at + 1) & (size - 1)
            keys[at], slots[at] = place, signals[number]
        return Codes(direct, keys, slots, np.append(self._widths[wanted], 0))

    def _pass(self, codes: Codes, store: _Store) -> None:
        """Go through the changes once."""
        state = np.zeros(len(State), np.int64)
        state[State.FIRST] = -1
        found = _room(codes.widths)
        with self._reading() as file:
            text = _Text(file, self._body)
            while not text.ended:
                block, limit = text.scanned()
                at = int(scan(block, 0, limit, codes, state, found))
                while (fault := int(state[State.FAULT])) == Fault.FULL:
                    store.add(found, state)
                    at = int(scan(block, at, limit, codes, state, found))
                if fault:
                    self._refuse(Fault(fault), text.begin + int(state[State.PLACE]))
                text.advance(at)
            self._check_end(text, state)
        store.add(found, state)
        first = int(state[State.FIRST])
        self._span = None if first < 0 else (first, int(state[State.LAST]))
        self._scanned = True

    def _check_end(self, text: _Text, state: NDArray[np.int64]) -> None:
        left = text.block.tobytes().split()
        if (left and left != [b"$end"]) or (state[State.PASSING] and not left):
            line = self._line(text.begin)
            raise WaveformError(
                f"{self.path}, line {line}: the file ends within an item: the simulation was cut "
                "off; write it again, or take that item out"
            )

    def _refuse(self, fault: Fault, place: int) -> NoReturn:
        line, words = self._line(place), self._words(place)
        if fault == Fault.BACKWARDS:
            raise WaveformError(f"{self.path}, line {line}: goes back in time: write it again")
        why = _WHY[fault].format(*words)
        raise WaveformError(f"{self.path}, line {line}: {why}")

    def _line(self, place: int) -> int:
        """The line of a byte of the text, which is at an item or the white space before it."""
        line, seen = 1, 0
        with self._reading() as file:
            while seen < place:
                part = file.read(min(BLOCK, place - seen))
                if not part:
                    break
                line += part.count(b"\n")
                seen += len(part)
            # What is at the place may begin with white space.
            rest = file.read(4096)
        return line + rest[: len(rest) - len(rest.lstrip())].count(b"\n")

    def _words(self, place: int) -> tuple[str, str]:
        """The two words of the text from a byte on."""
        with self._reading() as file:
            seen = 0
            while seen < place and (part := file.read(min(BLOCK, place - seen))):
                seen += len(part)
            words = file.read(4096).decode("latin-1").split()
        first, second, *_ = (ascii(word)[1:-1][:40] for word in (*words, "", ""))
        return first, second


_WHY = {
    Fault.TIME: "{0} is not a time",
    Fault.TOO_LATE: "the time {0} is beyond 2^63 ticks: write it with a coarser timescale",
    Fault.UNDECLARED: "the change {0} {1} is of a signal that is not declared",
    Fault.TOO_WIDE: "the value {0} is wider than its signal {1}",
    Fault.NO_LOGIC: "{0} {1} is no value of a signal of bits",
    Fault.COMMAND: "{0} is not expected among changes",
    Fault.PORTS: "{0} is of an extended VCD: write it with $dumpvars in place of $dumpports",
    Fault.TOKEN: "{0} is not a change",
    Fault.TOO_MANY_TIMES: "more than 2^30 times with changes: write a shorter waveform",
}


def _room(widths: NDArray[np.int64]) -> Found:
    largest = int(np.max((widths + 63) // 64, initial=1))
    signals, words = len(widths) - 1, max(RECORDS, 4 * largest)
    return Found(
        signal=np.empty(RECORDS, np.int32),
        record=np.empty(RECORDS, np.uint32),
        words=np.empty(words, np.uint64),
        stamps=np.empty(RECORDS, np.int64),
        counts=np.zeros(signals, np.int64),
        vague=np.zeros(signals, np.int64),
    )


class _Reading:
    """The text, opened; what goes wrong in reading it is an error of ours."""

    def __init__(self, path: Path, source: Open) -> None:
        self._path, self._source = path, source
        self._file: Any = None

    def __enter__(self) -> Any:
        try:
            self._file = self._source()
        except OSError as error:
            raise WaveformError(f"{self._path} cannot be read ({error.strerror})") from None
        return self._file

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._file.close()
        if isinstance(error, (EOFError, gzip.BadGzipFile, zlib.error)):
            raise WaveformError(_not_whole(self._path, f"gzip: {error}")) from None


def _not_whole(path: Path, why: str) -> str:
    return f"{path} is not a whole FST or VCD waveform ({why}): write it again"
