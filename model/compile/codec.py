"""Fields of events, packets and configuration words, to integers and back.

The layouts stand with the parameters (`Field`); this is the one place that shifts and masks, for
every way in: the port, packets of a mesh, the native runner, the serial line.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.model.params import CONFIG_FIELDS, CoreParams, Field, TableId

__all__ = [
    "decode_events",
    "decode_packets",
    "encode_events",
    "encode_reads",
    "encode_writes",
    "pack_fields",
    "unpack_fields",
]

IntArray = NDArray[np.int64]
Words = NDArray[np.uint64]

_WORD_BITS = 64


class _CarriesEvents(Protocol):
    """Parameters of a core, or of a mesh's packets: either tells how wide an event's fields are."""

    @property
    def event_fields(self) -> tuple[Field, ...]: ...


def pack_fields(fields: Sequence[Field], **columns: ArrayLike) -> Words:
    """Words uint64[n] of fields int[n], lowest first; values wrap to their field's width.

    Raises
    ------
    ValueError
        Fields of more than 64 bits together, or of several values each.
    """
    _check(fields)
    shape = np.broadcast_shapes(*(np.shape(columns[field.name]) for field in fields))
    words, at = np.zeros(shape, np.uint64), 0
    for field in fields:
        # Through int64, so that a negative value becomes its two's complement before the mask.
        value = np.asarray(columns[field.name]).astype(np.int64).astype(np.uint64)
        words |= (value & np.uint64((1 << field.bits) - 1)) << np.uint64(at)
        at += field.bits
    return words


def unpack_fields(fields: Sequence[Field], words: ArrayLike) -> dict[str, IntArray]:
    """Inverse of `pack_fields`: int64[n] by the name of each field."""
    _check(fields)
    raw, at, columns = np.asarray(words, np.uint64), 0, {}
    for field in fields:
        value = (raw >> np.uint64(at) & np.uint64((1 << field.bits) - 1)).astype(np.int64)
        if field.signed:
            value -= value >> field.bits - 1 << field.bits
        columns[field.name] = value
        at += field.bits
    return columns


def _check(fields: Sequence[Field]) -> None:
    if sum(field.bits for field in fields) > _WORD_BITS or any(f.count != 1 for f in fields):
        raise ValueError(f"{[field.name for field in fields]} do not make one word of 64 bits")


def encode_events(params: _CarriesEvents, events: IntArray) -> Words:
    """Payloads uint64[n] of events int64[n, 2] (axon, delay)."""
    return pack_fields(params.event_fields, axon=events[:, 0], delay=events[:, 1])


def decode_events(params: _CarriesEvents, payloads: ArrayLike) -> IntArray:
    """Events int64[n, 2] (axon, delay) of payloads."""
    columns = unpack_fields(params.event_fields, payloads)
    return np.stack([columns["axon"], columns["delay"]], axis=-1)


def decode_packets(params: CoreParams, payloads: ArrayLike) -> IntArray:
    """Packets int64[n, 4] (axon, delay, dx, dy) that a core sent: rows of its destination lists."""
    columns = unpack_fields(params.tables[TableId.DESTINATIONS].fields, payloads)
    zeros = np.zeros(np.shape(payloads), np.int64)  # a core of its own has no offsets
    return np.stack([columns.get(name, zeros) for name in ("axon", "delay", "dx", "dy")], axis=-1)


def encode_writes(addresses: ArrayLike, values: ArrayLike) -> Words:
    """Payloads uint64[n] of the configuration stream that write words uint32[n] at addresses."""
    return pack_fields(CONFIG_FIELDS, data=values, address=addresses, write=1)


def encode_reads(addresses: ArrayLike) -> Words:
    """Payloads uint64[n] of the configuration stream that read the words at addresses."""
    return pack_fields(CONFIG_FIELDS, data=0, address=addresses, write=0)
