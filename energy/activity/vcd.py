"""VCD as two-state simulators write it, scanned in compiled code.

Three quarters of the time of reading our own waveforms through pywellen went into a Python object
for each change. This reader knows less: what it does not expect (X and Z, real numbers, a body of
another form) it refuses by returning nothing, and the file is read by one that knows all.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.jit import numba

__all__ = ["Declared", "TwoStateVcd", "scan_two_state"]

_END = b"$enddefinitions $end\n"
_SCALE = re.compile(rb"\$timescale\s+(\d+)\s*([munpf]?s)\s+\$end")
LARGEST = 1 << 30
"""Bytes: what is scanned is in memory as a whole, and half as much again beside it."""
_LONGEST_CODE = 3
_BASE = 95  # printable characters, and 0 for none, so that no code is the beginning of another

Declared = tuple[str, int, int]
"""Full name with dots, width, and number of a signal."""


class TwoStateVcd:
    """A VCD file in which every bit is 0 or 1.

    Parameters
    ----------
    timescale:
        As the file has it: number and unit.
    declared:
        Every name.
    """

    def __init__(
        self, timescale: str, declared: list[Declared], first: NDArray[np.int64],
        times: NDArray[np.int64], words: NDArray[np.int64], values: NDArray[np.uint64],
    ) -> None:  # fmt: skip
        self.timescale, self.declared = timescale, declared
        self._first, self._times, self._words, self._values = first, times, words, values

    def changes(self, number: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Times int64[k] and values uint64[k, words] of a signal, in the order of the file."""
        begin, end = self._first[number : number + 2]
        size = max(1, -(-width // 64))
        values = self._values[self._words[number] : self._words[number] + size * (end - begin)]
        return self._times[begin:end], values.reshape(-1, size)


def scan_two_state(path: Path) -> TwoStateVcd | None:
    """Read a file; nothing if it is not of the expected form, down to the last byte."""
    if path.stat().st_size > LARGEST:
        return None
    data = path.read_bytes()
    head, mark, _ = data.partition(_END)
    scale = _SCALE.search(head)
    if not mark or scale is None:
        return None
    codes: dict[bytes, tuple[int, int]] = {}
    try:
        declared = list(_declared(head, codes))
    except (IndexError, ValueError):
        return None
    if any(width < 0 for _, width, _ in declared):
        return None
    table = np.full(_BASE**_LONGEST_CODE, -1, np.int32)
    widths = np.zeros(len(codes), np.int64)
    for code, (number, width) in codes.items():
        if len(code) > _LONGEST_CODE:
            return None
        table[_number(code)] = number
        widths[number] = width
    body = np.frombuffer(data, np.uint8)[len(head) + len(mark) :]
    counts = np.zeros(len(codes), np.int64)
    none = np.zeros(0, np.int64)
    if not _scan(body, table, widths, counts, none, none, none, np.zeros(0, np.uint64), False):
        return None
    sizes = np.maximum(1, -(-widths // 64))
    first, words = np.zeros(len(codes) + 1, np.int64), np.zeros(len(codes) + 1, np.int64)
    np.cumsum(counts, out=first[1:])
    np.cumsum(counts * sizes, out=words[1:])
    times, values = np.zeros(first[-1], np.int64), np.zeros(words[-1], np.uint64)
    _scan(body, table, widths, np.zeros_like(counts), first, words, times, values, True)
    timescale = f"{scale[1].decode()}{scale[2].decode()}"
    return TwoStateVcd(timescale, declared, first, times, words, values)


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
                plain &= name.count("[") == 1
                # A bit goes by its bus's name, as elsewhere; a field of an element does not.
                if words[5:] == ["$end"] and name.endswith("]"):
                    name = name.partition("[")[0]
            yield ".".join((*scopes, name)), width if plain else -1, number


def _number(code: bytes) -> int:
    """Place of a code in the table."""
    place = 0
    for byte in code:
        place = place * _BASE + byte - 32
    return place


@numba.njit(cache=True)
def _scan(body, table, widths, counts, first, words, times, values, keep):
    """Go through the changes, and count them, or keep them; whether all is as expected.

    ``first`` and ``words`` say where the times and the values of each signal begin.
    """
    now, at, end = np.int64(0), 0, body.shape[0]
    while at < end:
        kind = body[at]
        at += 1
        if kind == 10:  # an empty line
            continue
        if kind == 35:  # "#": a time
            then, digits = np.int64(0), 0
            while at < end and 48 <= body[at] <= 57:
                then = then * 10 + (body[at] - 48)
                digits += 1
                at += 1
            if not digits or digits > 18 or then < now:
                return False
            now = then
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
            place, length = 0, 0
            while at < end and 33 <= body[at] <= 126 and length < 3:
                place = place * 95 + (body[at] - 32)
                length += 1
                at += 1
            number = table[place] if length else -1
            if number < 0 or stop - start > widths[number]:
                return False
            if keep:
                size = max(1, (widths[number] + 63) >> 6)
                base = words[number] + counts[number] * size
                for k in range(stop - start):
                    if body[stop - 1 - k] == 49:
                        values[base + (k >> 6)] |= np.uint64(1) << np.uint64(k & 63)
                times[first[number] + counts[number]] = now
            counts[number] += 1
        if at >= end or body[at] != 10:  # cut off, or more on the line
            return False
        at += 1
    return True
