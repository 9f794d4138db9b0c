"""A look at the blocks of an FST file before a reader trusts their sizes.

A damaged size makes a reader ask for more memory than there is, which ends the process. Layout of
the blocks: GTKWave's ``fstapi.c``, which defined the format.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from spikewatt.base.errors import WaveformError

__all__ = ["check_fst"]

_HEADER, _GEOMETRY, _HIERARCHIES, _VALUES = 0, 3, (4, 6, 7), (1, 5, 8)
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
