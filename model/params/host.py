"""The serial link between a host and a core on a board: constants that both ends read.

Frames are those of RFC 1662 (PPP in HDLC-like framing, asynchronous): a flag on both sides, the
escape before every byte that is a flag or an escape, the escaped byte with bit 5 inverted, and the
32-bit check sequence of its appendix C.3 at the end, lowest byte first.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from spikewatt.model.params.checks import power_of_two, within
from spikewatt.model.params.core import CoreParams
from spikewatt.model.params.tables import CONFIG_ADDRESS_BITS, CONFIG_DATA_BITS, TableId

__all__ = [
    "BAUD",
    "CHECK_BYTES",
    "CHECK_POLYNOMIAL",
    "CHECK_RESIDUE",
    "END",
    "END_METER",
    "END_WAIT",
    "ESCAPE",
    "ESCAPE_BIT",
    "FLAG",
    "HOST_PROTOCOL",
    "SEQUENCE_BITS",
    "HostParams",
    "ReplyKind",
    "RequestKind",
    "core_identity",
    "neuro_link",
]

FLAG = 0x7E
"""Begins and ends a frame (RFC 1662, section 4.1)."""
ESCAPE = 0x7D
"""The next byte stands for itself with `ESCAPE_BIT` inverted (RFC 1662, section 4.2)."""
ESCAPE_BIT = 5
"""Bit that an escape inverts."""

CHECK_POLYNOMIAL = 0xEDB88320
"""CRC-32/ISO-HDLC, reflected; register and output start and end inverted (RFC 1662, C.3)."""
CHECK_RESIDUE = 0xDEBB20E3
"""What the register holds after a frame with the right check sequence (RFC 1662, C.3)."""
CHECK_BYTES = 4
"""Length of the check sequence."""

BAUD = 1_000_000
"""Bits per second on the line, unless another speed is named."""
HOST_PROTOCOL = 1
"""Version of the link, which a board tells."""

SEQUENCE_BITS = 5
"""Width of a frame's number; its kind takes the rest of the byte."""


class RequestKind(IntEnum):
    """What a frame to the board asks; 0 is none, so that a line of zeros asks nothing."""

    RUN = 1
    """Carry out the operations, once."""
    OPEN = 2
    """Reset the core, say who you are; the frame carries no operations."""


class ReplyKind(IntEnum):
    """What a frame from the board says; no reply looks like a request that came back."""

    DONE = 4
    """All operations were accepted, the core is idle, and all that it had to say is here."""
    MORE = 5
    """All operations were accepted; the core is at work, or has more to say: ask again."""
    CUT = 6
    """The reply is full and operations are left, which were dropped: the host asked too much."""


END = 0x80
"""Ends the operations of a frame; a number with this bit unset is that of a stream."""
END_WAIT = 0x81
"""Ends the operations; the reply waits until the core is idle."""
END_METER = 0x02
"""Bit of an end: count the cycles in which the core was not idle, into the reply, from 0 again."""

_HIDDEN = ("clock_gating", "fabric")  # parameters that nobody outside sees
_SETS = ("leaks", "resets", "compares")  # their order makes no difference
_METER_BITS = 32
_LEAST, _MOST = 64, 4096


def core_identity(params: Any) -> int:
    """Number of 32 bits for a core: a hash of all parameters that its host can tell apart.

    Parameters
    ----------
    params:
        Dataclass of a core's parameters; its name says which kind of core.
    """

    def visible(value: Any) -> Any:
        if isinstance(value, Mapping):
            seen = {k: visible(v) for k, v in value.items() if k not in _HIDDEN}
            return {k: sorted(v) if k in _SETS else v for k, v in seen.items()}
        return [visible(v) for v in value] if isinstance(value, tuple | list) else value

    fields = visible(dataclasses.asdict(params))
    # Sorted: the order in which a dataclass lists its fields names no other core.
    text = json.dumps([type(params).__name__, fields], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


@dataclass(frozen=True, kw_only=True)
class HostParams:
    """What a board's end of the link is built for.

    Parameters
    ----------
    inputs, outputs:
        Widths in bits of the streams into and out of the core, by name; an operation names an
        input by its place here, a word of a reply its output.
    identity:
        The core's, from `core_identity`.
    buffer_bytes:
        Memory for each direction: a request's operations with their end and check sequence take no
        more, nor do a reply's words with its kind. A power of two from 64 to 4096, and at least
        four times the longest word of a reply.
    meter:
        Count the core's busy cycles.

    Raises
    ------
    ParameterError
        Names the parameter, its range and the value.
    """

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    identity: int
    buffer_bytes: int = 1024
    meter: bool = False

    def __post_init__(self) -> None:
        within("inputs", len(self.inputs), 1, 64)
        within("outputs", len(self.outputs), 1, 64)
        least = max(_LEAST, 4 * self.margin)
        within("buffer_bytes", self.buffer_bytes, least, _MOST)
        power_of_two("buffer_bytes", self.buffer_bytes)

    @property
    def input_bytes(self) -> tuple[int, ...]:
        """Bytes of a word of each input."""
        return tuple(-(-bits // 8) for bits in self.inputs.values())

    @property
    def output_bytes(self) -> tuple[int, ...]:
        """Bytes of a word of each output; behind them those of the identity and of the meter."""
        meter = (_METER_BITS // 8,) if self.meter else ()
        return (
            *(-(-bits // 8) for bits in self.outputs.values()),
            len(self.identification),
            *meter,
        )

    @property
    def identification(self) -> bytes:
        """What the board says of itself: protocol, log2 of the buffer, identity."""
        size = self.buffer_bytes.bit_length() - 1
        return bytes([HOST_PROTOCOL, size]) + self.identity.to_bytes(4, "little")

    @property
    def margin(self) -> int:
        """Bytes at the end of a reply's buffer in which no word begins: a power of two.

        The word that began just before, with its stream's number, and the reply's kind fit in.
        """
        # A word with its number in front.
        most = max(*self.output_bytes, _METER_BITS // 8) + 1
        return 1 << (2 * most).bit_length()


def neuro_link(params: CoreParams, *, buffer_bytes: int = 1024, meter: bool = False) -> HostParams:
    """Return the link of a `spikewatt.hdl.neuro.core.NeuroCore`."""
    return HostParams(
        inputs={
            "i": params.axon_bits + params.slot_bits,
            "command": 1,
            "config": CONFIG_DATA_BITS + CONFIG_ADDRESS_BITS + 1,
        },
        outputs={
            "o": params.tables[TableId.DESTINATIONS].bits,
            "response": CONFIG_DATA_BITS,
        },
        identity=core_identity(params),
        buffer_bytes=buffer_bytes,
        meter=meter,
    )
