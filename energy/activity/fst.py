"""A look at the blocks of an FST file: whether their sizes can be, and the names with indices.

A damaged size makes a reader ask for more memory than there is, which ends the process; and
pywellen tells no index of a bus. Layout of the blocks: GTKWave's ``fstapi.c``, which defined the
format.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from spikewatt.base.errors import WaveformError

__all__ = ["FstVariable", "check_fst", "declared"]

_HEADER, _GEOMETRY, _HIERARCHIES, _VALUES = 0, 3, (4, 6, 7), (1, 5, 8)
_GZIPPED, _LZ4 = 4, 6
_SCOPE, _UP, _ATTRIBUTE, _ATTRIBUTE_END = 254, 255, 252, 253
_RATIO = 1100
"""No block is packed better: 1,032 is the most that zlib can do."""


def _blocks(file: BinaryIO, size: int) -> Iterator[tuple[int, int, int] | None]:
    """Kind, begin and end of each block; ``None`` where there is no whole block."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(9)
        length = int.from_bytes(head[1:], "big")
        if len(head) < 9 or length < 8 or at + 1 + length > size:
            yield None
            return
        yield head[0], at, at + 1 + length
        at += 1 + length


def _numbers(file: BinaryIO, at: int, count: int) -> list[int]:
    file.seek(at)
    data = file.read(8 * count)
    return [int.from_bytes(data[8 * k : 8 * k + 8], "big") for k in range(count)]


def _whole(file: BinaryIO, kind: int, begin: int, end: int) -> bool:
    """Whether the sizes that a block names can be."""
    most = _RATIO * (end - begin)
    if kind in _VALUES:  # their sizes stand at the end of the block
        unpacked, packed, items = _numbers(file, end - 24, 3)
        return packed <= end - begin and unpacked <= most and items <= unpacked
    if kind == _GEOMETRY:
        unpacked, items = _numbers(file, begin + 9, 2)
        return unpacked <= most and items <= unpacked
    if kind in _HIERARCHIES:
        return _numbers(file, begin + 9, 1)[0] <= most
    return True


def check_fst(path: Path) -> None:
    """Refuse an FST file that is cut off or whose blocks name impossible sizes.

    Files of other kinds pass.

    Raises
    ------
    WaveformError
        The file is damaged.
    """
    with path.open("rb") as file:
        head = file.read(9)
        # 329: the length of every header, by which a file is known to be FST.
        if len(head) < 9 or head[0] != _HEADER or int.from_bytes(head[1:], "big") != 329:
            return
        for block in _blocks(file, path.stat().st_size):
            if block is None or not _whole(file, *block):
                raise WaveformError(
                    f"{path} is not a whole FST waveform (a damaged block): write it again"
                )


@dataclass(frozen=True, slots=True)
class FstVariable:
    """A declaration: its scopes with dots, what the file says of its name, and its width."""

    scope: str
    text: str
    width: int


def declared(path: Path) -> list[FstVariable] | None:
    """All declarations in their order, or nothing where they are not of a form that is known."""
    try:
        text = _hierarchy(path)
        return None if text is None else list(_variables(text))
    except (IndexError, ValueError, OSError, EOFError, zlib.error):
        return None  # the names without indices that pywellen gives have to do


def _hierarchy(path: Path) -> bytes | None:
    """The block of declarations, unpacked."""
    with path.open("rb") as file:
        for block in _blocks(file, path.stat().st_size):
            if block is None or block[0] not in _HIERARCHIES:
                continue
            kind, begin, end = block
            size, once = _numbers(file, begin + 9, 2)
            file.seek(begin + 17)
            packed = file.read(end - begin - 17)
            if kind == _GZIPPED:
                return gzip.decompress(packed)
            if kind == _LZ4:
                return _unpack(packed, size)
            return _unpack(_unpack(packed[8:], once), size)
    return None


def _unpack(data: bytes, size: int) -> bytes:
    """LZ4's block format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md."""
    out, at = bytearray(), 0

    def length(nibble: int) -> int:
        """A length of four bits, of which 15 says that more follows, as 255 does then."""
        nonlocal at
        if nibble < 15:
            return nibble
        total, more = nibble, 255
        while more == 255:
            more = data[at]
            at += 1
            total += more
        return total

    while at < len(data):
        token = data[at]
        at += 1
        literals = length(token >> 4)
        out += data[at : at + literals]
        at += literals
        if at >= len(data):
            break
        offset = data[at] | data[at + 1] << 8
        at += 2
        copied = length(token & 15) + 4
        if not 0 < offset <= len(out) or len(out) + copied > size:
            raise ValueError("not LZ4")
        begin = len(out) - offset
        while copied:  # what is copied may go on with itself
            part = out[begin : begin + copied]
            out += part
            copied -= len(part)
    if len(out) != size:
        raise ValueError("not LZ4")
    return bytes(out)


def _variables(text: bytes) -> Iterator[FstVariable]:
    """Go through scopes and variables; attributes say nothing of names."""
    at, scopes = 0, []

    def word() -> str:
        nonlocal at
        end = text.index(b"\0", at)
        found, at = text[at:end].decode("utf-8", "replace"), end + 1
        return found

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = text[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(text):
        kind = text[at]
        at += 1
        if kind == _SCOPE:
            at += 1
            scopes.append(word())
            word()
        elif kind == _UP:
            scopes.pop()
        elif kind == _ATTRIBUTE:
            at += 2
            word()
            number()
        elif kind != _ATTRIBUTE_END:
            at += 1
            name, width = word(), number()
            number()
            yield FstVariable(".".join(filter(None, scopes)), name, width)
