"""The host's end of the serial link: frames, operations, words of replies."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spikewatt.model.params.host import (
    CHECK_BYTES,
    END,
    END_METER,
    END_WAIT,
    ESCAPE,
    ESCAPE_BIT,
    FLAG,
    HOST_PROTOCOL,
    SEQUENCE_BITS,
    HostParams,
    ReplyKind,
    RequestKind,
)

__all__ = [
    "FrameReader",
    "Identification",
    "Reply",
    "end_of_operations",
    "frame",
    "identification",
    "operation",
    "parse_reply",
    "request",
]

_FLIP = 1 << ESCAPE_BIT
_ESCAPES = {byte: bytes([ESCAPE, byte ^ _FLIP]) for byte in (ESCAPE, FLAG)}
_SEQUENCES = 1 << SEQUENCE_BITS


def frame(content: bytes) -> bytes:
    """Frame with ``content``: flags, escapes, check sequence (CRC-32/ISO-HDLC)."""
    checked = content + zlib.crc32(content).to_bytes(CHECK_BYTES, "little")
    for byte, escape in _ESCAPES.items():  # the escape's own byte first
        checked = checked.replace(bytes([byte]), escape)
    return bytes([FLAG]) + checked + bytes([FLAG])


class FrameReader:
    """Finds frames in a line of bytes, whatever else comes along it.

    ``damaged`` counts what was between flags and was no frame.

    Parameters
    ----------
    longest:
        Most bytes of a frame's content; what goes on for longer is no frame.
    """

    def __init__(self, longest: int) -> None:
        self.damaged = 0
        self._longest = longest
        self._most = 2 * (longest + CHECK_BYTES)
        self._part = bytearray()
        self._begun = False

    def feed(self, line: bytes) -> Iterator[bytes]:
        """Contents of the frames that end in ``line``, in order."""
        # A flag both ends a frame and begins the next: nothing between two of them is no frame.
        *ended, rest = line.split(bytes([FLAG]))
        for piece in ended:
            whole = bytes(self._part + piece)
            self._part.clear()
            begun, self._begun = self._begun, True
            if begun and whole:
                content = _unescape(whole) if len(whole) <= self._most else None
                if content is None or len(content) > self._longest:
                    self.damaged += 1
                else:
                    yield content
        # Noise without flags must not fill memory: one byte too many is enough to know that it is
        # none.
        self._part += rest[: self._most + 1 - len(self._part)]


def _unescape(piece: bytes) -> bytes | None:
    """Content of what was between two flags; ``None`` where its check sequence is wrong."""
    first, *others = piece.split(bytes([ESCAPE]))
    # Two escapes side by side, or one at the end: no sender writes that.
    if not all(others):
        return None
    content = first + b"".join(bytes([other[0] ^ _FLIP]) + other[1:] for other in others)
    body, check = content[:-CHECK_BYTES], content[-CHECK_BYTES:]
    right = body and zlib.crc32(body).to_bytes(CHECK_BYTES, "little") == check
    return body if right else None


def operation(link: HostParams, number: int, word: int) -> bytes:
    """Send ``word`` into input ``number``."""
    return bytes([number]) + word.to_bytes(link.input_bytes[number], "little")


def end_of_operations(*, wait: bool = True, meter: bool = False) -> bytes:
    """End of a request's operations.

    Parameters
    ----------
    wait:
        The reply comes when the core is idle, not already when it accepted everything.
    meter:
        Ask for the meter too.
    """
    return bytes([(END_WAIT if wait else END) | (END_METER if meter else 0)])


def request(kind: RequestKind, sequence: int, operations: bytes = b"") -> bytes:
    """Content of a request; ``operations`` with their end, for ``RUN``."""
    return bytes([kind << SEQUENCE_BITS | sequence % _SEQUENCES]) + operations


@dataclass(frozen=True)
class Reply:
    """What a board said: ``words`` are (output, word), in order."""

    kind: ReplyKind
    sequence: int
    words: tuple[tuple[int, int], ...]


def parse_reply(link: HostParams, content: bytes) -> Reply | None:
    """Reply in a frame's content; ``None`` if it is none of this link's."""
    if not content:
        return None
    try:
        # The kind comes last in a frame: a board knows it when all its words are written.
        kind = ReplyKind(content[-1] >> SEQUENCE_BITS)
        words = tuple(_words(link.output_bytes, content[:-1]))
    except ValueError:
        return None
    return Reply(kind, content[-1] % _SEQUENCES, words)


def _words(sizes: tuple[int, ...], content: bytes) -> Iterable[tuple[int, int]]:
    at = 0
    while at < len(content):
        number = content[at]
        if number >= len(sizes) or at + 1 + sizes[number] > len(content):
            raise ValueError(number)
        yield number, int.from_bytes(content[at + 1 : at + 1 + sizes[number]], "little")
        at += 1 + sizes[number]


@dataclass(frozen=True)
class Identification:
    """What a board says of itself."""

    protocol: int
    buffer_bytes: int
    identity: int


def identification(content: bytes) -> Identification | None:
    """Identification in the content of the reply to ``OPEN``, whatever core the board carries.

    It is the reply's only record, so that it can be read before the core is known. The number of
    its stream depends on the core, and is skipped.
    """
    if len(content) < 2 or content[1] != HOST_PROTOCOL:
        return Identification(content[1], 0, 0) if len(content) > 2 else None
    if len(content) != 8:
        return None
    return Identification(HOST_PROTOCOL, 1 << content[2], int.from_bytes(content[3:7], "little"))
