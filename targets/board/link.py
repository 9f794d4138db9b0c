"""Requests to a board, each carried out exactly once whatever the line does."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from spikewatt.base.interrupts import check_interrupts
from spikewatt.model.compile.host import (
    FrameReader,
    Identification,
    Reply,
    end_of_operations,
    frame,
    identification,
    parse_reply,
    request,
)
from spikewatt.model.params.host import (
    HOST_PROTOCOL,
    SEQUENCE_BITS,
    HostParams,
    ReplyKind,
    RequestKind,
)
from spikewatt.targets.board.transport import BoardError, Transport

__all__ = ["LATENCY", "BoardLink", "LineTiming", "Traffic"]

T = TypeVar("T")
_SEQUENCES = 1 << SEQUENCE_BITS
LATENCY = 0.05
"""Seconds that a serial port of a computer may keep bytes back, on both ways together."""
_LONGEST_WAIT = 100
_NO_ANSWER = (
    "no answer: is the bitstream loaded, and does the board's baud rate (--baud) match this one?"
)


@dataclass(kw_only=True)
class Traffic:
    """What went over the line: bytes, requests, how many of them again, and damaged frames."""

    sent: int = 0
    received: int = 0
    requests: int = 0
    repeats: int = 0
    damaged: int = 0


@dataclass(frozen=True)
class LineTiming:
    """How fast a line is, and how patient its host.

    Parameters
    ----------
    baud:
        Bits a second, from which follows how long a reply may take.
    latency:
        Seconds between the last bit of a request and the first one of its reply, at most.
    attempts:
        How often a request is sent before the line counts as cut.
    """

    baud: int
    latency: float = LATENCY
    attempts: int = 10

    def first_wait(self, size: int) -> float:
        """Seconds to wait for an answer where so many bytes go there and back.

        A byte takes ten bits on a serial line: a start bit, eight of data, a stop bit.
        """
        return self.latency + 10 * size / self.baud

    def next_wait(self, wait: float) -> float:
        """Twice as long as the wait before, up to a hundred times the latency.

        A wait that was longer than that, for a long reply on a slow line, never gets shorter.
        """
        return min(2 * wait, max(wait, _LONGEST_WAIT * self.latency))


class BoardLink:
    """A host's end of the link to a board.

    One request is on its way at a time. It is sent again until its reply comes; the board carries
    it out once.

    Parameters
    ----------
    transport:
        The line.
    link:
        What the board should carry.
    timing:
        How long to wait for a reply, and how often to ask.
    sequence:
        Number of the request before the first one; any by default, so that it is hardly ever one
        whose reply is still on its way.
    describe:
        Words about a core of another identity, for the error message.

    Raises
    ------
    BoardError
        No answer, or one from another core.
    """

    def __init__(
        self,
        transport: Transport,
        link: HostParams,
        timing: LineTiming,
        *,
        sequence: int | None = None,
        describe: Callable[[int], str] = lambda identity: "",
    ) -> None:
        self.traffic = Traffic()
        self._line, self._link, self._timing = transport, link, timing
        self._describe = describe
        self._reader = FrameReader(link.buffer_bytes)
        self._sequence = secrets.randbelow(_SEQUENCES) if sequence is None else sequence
        self.room = link.buffer_bytes
        self._open()

    def run(self, operations: bytes, *, meter: bool = False) -> list[tuple[int, int]]:
        """Carry operations out and wait until the core is idle; returns (output, word), in order.

        Raises
        ------
        BoardError
            The line is cut, or the operations have more to say than a reply can hold.
        """
        words: list[tuple[int, int]] = []
        while True:
            end = end_of_operations(meter=meter)
            reply = self._ask(RequestKind.RUN, operations + end, self._reply)
            words += reply.words
            if reply.kind is ReplyKind.DONE:
                return words
            if reply.kind is ReplyKind.CUT:
                raise BoardError("the board has no room for a reply: this is a defect of spikewatt")
            # The board has carried them out: what it still has to say is asked for with none.
            operations = b""

    def _open(self) -> None:
        """Reset the core, and look who it is."""
        greeting = self._ask(RequestKind.OPEN, b"", self._greeting, attempts=5)
        if greeting.protocol != HOST_PROTOCOL:
            raise BoardError(
                f"the board speaks version {greeting.protocol} of the protocol, and this spikewatt "
                f"{HOST_PROTOCOL}: load a bitstream made by this version"
            )
        if greeting.identity != self._link.identity:
            raise BoardError(
                f"the board carries another core ({greeting.identity:08x}"
                f"{self._describe(greeting.identity)}), not the one that this network is laid out "
                f"for ({self._link.identity:08x}): load its bitstream, or give the sizes of the "
                f"board's core"
            )
        self.room = min(self.room, greeting.buffer_bytes)

    def _greeting(self, content: bytes) -> Identification | None:
        kind, sequence = content[-1] >> SEQUENCE_BITS, content[-1] % _SEQUENCES
        right = kind == ReplyKind.DONE and sequence == self._sequence
        return identification(content) if right else None

    def _reply(self, content: bytes) -> Reply | None:
        reply = parse_reply(self._link, content)
        return reply if reply and reply.sequence == self._sequence else None

    def _ask(
        self,
        kind: RequestKind,
        operations: bytes,
        understand: Callable[[bytes], T | None],
        *,
        attempts: int | None = None,
    ) -> T:
        """Send a request until an answer to it comes."""
        # A new number for each request, the same for each repetition: so the board knows which is
        # which, and carries none out twice.
        self._sequence = (self._sequence + 1) % _SEQUENCES
        line = frame(request(kind, self._sequence, operations))
        longest = 2 * (self._link.buffer_bytes + 8)  # of a reply, were all of it escaped
        wait = self._timing.first_wait(len(line) + longest)
        self.traffic.requests += 1
        for attempt in range(attempts or self._timing.attempts):
            check_interrupts()
            self.traffic.repeats += attempt > 0
            self.traffic.sent += len(line)
            self._line.write(line)
            if (answer := self._listen(wait, understand)) is not None:
                return answer
            wait = self._timing.next_wait(wait)
        raise BoardError(_NO_ANSWER if kind is RequestKind.OPEN else "the line to the board is cut")

    def _listen(self, seconds: float, understand: Callable[[bytes], T | None]) -> T | None:
        """Wait for a frame that makes sense; whatever else comes is left aside."""
        deadline = self._line.seconds + seconds
        while (left := deadline - self._line.seconds) > 0:
            come = self._line.read(left)
            self.traffic.received += len(come)
            answers = [understand(content) for content in self._reader.feed(come)]
            self.traffic.damaged = self._reader.damaged
            for answer in answers:
                if answer is not None:
                    return answer
        return None
