"""Text of a file that may be gzipped, or of bytes in memory, from its beginning."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_gzipped", "open_bytes", "open_text"]


def is_gzipped(path: Path) -> bool:
    """Whether a file is gzipped, by its content."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_text(path: Path) -> Any:
    """Open a file, unpacked if it is gzipped."""
    return gzip.open(path, "rb") if is_gzipped(path) else path.open("rb", buffering=0)


class _Bytes:
    """Bytes in memory, read as a file is."""

    def __init__(self, content: NDArray[np.uint8]) -> None:
        self._content, self._at = content, 0

    def read(self, size: int) -> bytes:
        part = self._content[self._at : self._at + size].tobytes()
        self._at += len(part)
        return part

    def readinto(self, room: memoryview) -> int:
        part = self._content[self._at : self._at + len(room)]
        np.frombuffer(room, np.uint8)[: len(part)] = part
        self._at += len(part)
        return len(part)

    def seek(self, place: int) -> None:
        self._at = place

    def close(self) -> None:
        """Nothing is open."""


def open_bytes(content: NDArray[np.uint8]) -> Any:
    """Bytes in memory as a file."""
    return _Bytes(content)
