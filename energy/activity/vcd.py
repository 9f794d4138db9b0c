"""VCD as two-state simulators write it, scanned in compiled code.

Three quarters of the time of reading our own waveforms through pywellen went into a Python object
for each change. This reader knows less: what it does not expect (X and Z, real numbers, a body of
another form) it refuses by returning nothing, and the file is read by one that knows all.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.jit import numba

__all__ = ["Declared", "TwoStateVcd", "read_two_state", "scan_two_state"]

_END = b"$enddefinitions $end\n"
_SCALE = re.compile(rb"\$timescale\s+(\d+)\s*([munpf]?s)\s+\$end")
LARGEST = 1 << 30
"""Bytes: what is scanned is in memory as a whole, and half as much again beside it."""
_LONGEST_CODE = 3
_BASE = 95  # printable characters, and 0 for none, so that no code is the beginning of another

Declared = tuple[str, int, int]
"""Full name with dots, width, and number of a signal."""


Bytes = NDArray[np.uint8]


class _Codes(NamedTuple):
    """Signals by their codes.

    Parameters
    ----------
    number:
        int32[95³], number of the signal of each code; -1: nobody's.
    widths:
        int64[signals].
    """

    number: NDArray[np.int32]
    widths: NDArray[np.int64]


class _Changes(NamedTuple):
    """All changes, those of a signal together.

    Parameters
    ----------
    first, words:
        int64[signals + 1], where the times and the values of each signal begin.
    times:
        int64[changes].
    values:
        uint64[words], as many words for each change as the signal's width takes.
    """

    first: NDArray[np.int64]
    words: NDArray[np.int64]
    times: NDArray[np.int64]
    values: NDArray[np.uint64]

    @classmethod
    def room(cls, counts: NDArray[np.int64], widths: NDArray[np.int64]) -> Self:
        """Room for so many changes of each signal."""
        first, words = np.zeros(len(counts) + 1, np.int64), np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=first[1:])
        np.cumsum(counts * np.maximum(1, -(-widths // 64)), out=words[1:])
        return cls(first, words, np.zeros(first[-1], np.int64), np.zeros(words[-1], np.uint64))


class TwoStateVcd:
    """A VCD in which every bit is 0 or 1.

    Parameters
    ----------
    timescale:
        As the file has it: number and unit.
    declared:
        Every name.
    changes:
        What the signals did.
    span:
        The first and the last time that the file names; ``None`` if it names none.
    """

    def __init__(
        self,
        timescale: str,
        declared: list[Declared],
        changes: _Changes,
        span: tuple[int, int] | None,
    ) -> None:
        self.timescale, self.declared, self.span = timescale, declared, span
        self._changes = changes

    def changes(self, number: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Times int64[k] and values uint64[k, words] of a signal, in the order of the file."""
        begin, end = self._changes.first[number : number + 2]
        size = max(1, -(-width // 64))
        at = self._changes.words[number]
        values = self._changes.values[at : at + size * (end - begin)]
        return self._changes.times[begin:end], values.reshape(-1, size)


def read_two_state(path: Path) -> TwoStateVcd | None:
    """Read a file as `scan_two_state` does; nothing if it is too large to be in memory."""
    if path.stat().st_size > LARGEST:
        return None
    return scan_two_state(np.fromfile(path, np.uint8))


def scan_two_state(data: Bytes) -> TwoStateVcd | None:
    """Read a VCD; nothing if it is not of the expected form, down to the last byte."""
    head, body = _split(data)
    scale = _SCALE.search(head)
    if scale is None:
        return None
    numbers: dict[bytes, tuple[int, int]] = {}
    try:
        declared = list(_declared(head, numbers))
    except (IndexError, ValueError):
        return None
    if any(width < 0 for _, width, _ in declared):
        return None
    codes = _Codes(np.full(_BASE**_LONGEST_CODE, -1, np.int32), np.zeros(len(numbers), np.int64))
    for code, (number, width) in numbers.items():
        if len(code) > _LONGEST_CODE:
            return None
        codes.number[_number(code)] = number
        codes.widths[number] = width
    counts, span = np.zeros(len(numbers), np.int64), np.full(2, -1)
    # How much room each signal takes is known once all is read: so the text is read twice.
    no_room = _Changes.room(counts, codes.widths)
    if not _scan(body, codes, counts, no_room, span, False):
        return None
    changes = _Changes.room(counts, codes.widths)
    _scan(body, codes, np.zeros_like(counts), changes, span, True)
    return TwoStateVcd(
        timescale=f"{scale[1].decode()}{scale[2].decode()}",
        declared=declared,
        changes=changes,
        span=None if span[0] < 0 else (int(span[0]), int(span[1])),
    )


def _split(data: Bytes) -> tuple[bytes, Bytes]:
    """Declarations and changes; neither if the former have no end."""
    size = 1 << 18
    while True:
        head = data[:size].tobytes()
        if (at := head.find(_END)) >= 0:
            return head[:at], data[at + len(_END) :]
        if size >= len(data):
            return b"", data[:0]
        size *= 2


def _declared(head: bytes, codes: dict[bytes, tuple[int, int]]) -> Iterator[Declared]:
    """Every declaration; one that cannot be has a width of -1."""
    scopes: list[str] = []
    for line in head.decode("latin-1").splitlines():
        words = line.split()
        if words[:1] == ["$scope"]:
            scopes.append(words[2])
        elif words[:1] == ["$upscope"]:
            scopes.pop()
        elif words[:1] == ["$var"]:
            width, code, name = int(words[2]), words[3].encode("latin-1"), words[4]
            number, known = codes.setdefault(code, (len(codes), width))
            plain = words[1] in ("wire", "reg") and known == width > 0
            if "[" in name:
                plain &= "][" not in name  # readers differ in what they call it
                # A bit goes by its bus's name, as elsewhere; a field of an element does not.
                if words[5:] == ["$end"] and name.endswith("]"):
                    name = name.rpartition("[")[0]
            yield ".".join((*scopes, name)), width if plain else -1, number


def _number(code: bytes) -> int:
    """Place of a code in the table."""
    place = 0
    for byte in code:
        place = place * _BASE + byte - 32
    return place


@numba.njit(cache=True)
def _read_time(body, at):
    """The number from ``at`` on, -1 if there is none or it is too large; and where it ends."""
    time, begin = np.int64(0), at
    while at < body.shape[0] and 48 <= body[at] <= 57:
        time = time * 10 + (body[at] - 48)
        at += 1
    # 18 digits are below 2^63; more may have gone beyond, and came to any number.
    return (time if 0 < at - begin <= 18 else np.int64(-1)), at


@numba.njit(cache=True)
def _read_code(body, at, codes):
    """The signal of the code from ``at`` on, -1 if nobody's; and where it ends."""
    place, begin = 0, at
    while at < body.shape[0] and 33 <= body[at] <= 126 and at - begin < 3:
        place = place * 95 + (body[at] - 32)
        at += 1
    return (codes.number[place] if at > begin else np.int32(-1)), at


@numba.njit(cache=True)
def _scan(body, codes, counts, changes, span, keep):
    """Go through the changes, and count them, or keep them; whether all is as expected."""
    now, at, end = np.int64(0), 0, body.shape[0]
    while at < end:
        kind = body[at]
        at += 1
        # Bytes are numbers here: 10 ends a line, 48 and 49 are the digits 0 and 1.
        if kind == 10:
            continue
        if kind == 35:  # "#": a time
            time, at = _read_time(body, at)
            if time < now:
                return False
            now = time
            if span[0] < 0:
                span[0] = now
            span[1] = now
        else:
            start = at
            if kind == 98:  # "b": bits, most significant first
                while at < end and 48 <= body[at] <= 49:
                    at += 1
                stop = at
                if stop == start or at >= end or body[at] != 32:
                    return False
                at += 1
            elif 48 <= kind <= 49:
                start, stop = at - 1, at
            else:
                return False
            number, at = _read_code(body, at, codes)
            if number < 0 or stop - start > codes.widths[number]:
                return False
            if keep:
                size = max(1, (codes.widths[number] + 63) >> 6)
                base = changes.words[number] + counts[number] * size
                # A value may be written shorter than it is wide: from its last digit on.
                for k in range(stop - start):
                    if body[stop - 1 - k] == 49:
                        changes.values[base + (k >> 6)] |= np.uint64(1) << np.uint64(k & 63)
                changes.times[changes.first[number] + counts[number]] = now
            counts[number] += 1
        if at >= end or body[at] != 10:  # cut off, or more on the line
            return False
        at += 1
    return True
