"""Configuration map: the tables of a core, and how their rows are laid out."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

from spikewatt.model.params.neuron import LEAK_BITS, RESET_BITS

if TYPE_CHECKING:
    from spikewatt.model.params.core import CoreParams

__all__ = [
    "CONFIG_ADDRESS_BITS",
    "CONFIG_DATA_BITS",
    "CONFIG_FIELDS",
    "CONFIG_TABLE_SHIFT",
    "Field",
    "Table",
    "TableId",
    "bits_for",
    "core_tables",
]

CONFIG_DATA_BITS = 32
"""Width of a configuration value."""
CONFIG_ADDRESS_BITS = 28
"""Width of a configuration address: table, row and chunk."""
CONFIG_TABLE_SHIFT = 24
"""Address bit at which the table's number begins."""


def bits_for(count: int) -> int:
    """Bits that number ``count`` things: ``ceil(log2(count))``."""
    return (count - 1).bit_length() if count > 1 else 0


class TableId(IntEnum):
    """Number of a table in the configuration map."""

    ROWS = 0
    SYNAPSES = 1
    NEURONS = 2
    TYPES = 3
    STATE = 4
    FANOUT = 5
    DESTINATIONS = 6
    SCHEDULER = 7


@dataclass(frozen=True)
class Field:
    """A named run of bits in a table's row; ``count`` of them side by side, lowest first."""

    name: str
    bits: int
    signed: bool = False
    count: int = 1


CONFIG_FIELDS = (
    Field("data", CONFIG_DATA_BITS),
    Field("address", CONFIG_ADDRESS_BITS),
    Field("write", 1),
)
"""Payload of the configuration stream."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Geometry of one memory as the configuration port sees it."""

    id: IntEnum
    rows: int
    fields: tuple[Field, ...]

    @cached_property
    def bits(self) -> int:
        """Width of a row."""
        return sum(field.bits * field.count for field in self.fields)

    @property
    def chunks(self) -> int:
        """Configuration words in a row."""
        return max(1, -(-self.bits // CONFIG_DATA_BITS))

    @property
    def chunk_bits(self) -> int:
        """Address bits that choose the chunk."""
        return bits_for(self.chunks)

    def address(self, row: int, chunk: int = 0) -> int:
        """Configuration address of a chunk of a row."""
        return self.id << CONFIG_TABLE_SHIFT | row << self.chunk_bits | chunk


def field(name: str, bits: int, signed: bool = False, count: int = 1) -> list[Field]:
    """Return a field, or nothing where it is 0 bits wide."""
    return [Field(name, bits, signed, count)] if bits else []


def core_tables(params: "CoreParams") -> dict[TableId, Table]:
    """Every table the configuration port of a core reaches."""
    lanes, groups = params.lanes, params.groups
    word_bits = max(1, bits_for(params.synapse_words))
    entry_bits = max(1, bits_for(params.destinations))
    type_bits = bits_for(params.types)

    layout: dict[TableId, tuple[int, list[Field]]] = {
        TableId.ROWS: (
            params.axons,
            field("offset", word_bits)
            + field("first", params.group_bits)
            + field("last", params.group_bits)
            + field("present", 1),
        ),
        TableId.SYNAPSES: (
            params.synapse_words,
            field("weight", params.weight_bits, params.weight_bits > 1, lanes),
        ),
        TableId.NEURONS: (
            groups,
            # Never negative: the sign is not stored.
            field("threshold", params.state_bits - 1, count=lanes)
            + field("bias", params.bias_bits, True, lanes)
            + field("type", type_bits),
        ),
        TableId.TYPES: (
            params.types,
            field("leak", LEAK_BITS)
            + field("leak_amount", params.leak_amount_bits)
            + field("reset", RESET_BITS)
            + field("compare", 1)
            + field("silent", 1)
            + field("refractory", params.refractory_bits)
            + field("windowed", min(params.window_bits, 1))
            + field("window_first", params.window_bits)
            + field("window_end", params.window_bits),
        ),
        TableId.STATE: (
            groups,
            field("membrane", params.state_bits, True, lanes)
            + field("refractory", params.refractory_bits, count=lanes),
        ),
        TableId.FANOUT: (
            # A row a neuron; group and lane are the address, padded where lanes are no power of
            # two.
            groups << bits_for(lanes),
            field("start", entry_bits) + field("count", bits_for(params.destinations + 1)),
        ),
        TableId.DESTINATIONS: (
            params.destinations,
            field("axon", params.axon_bits)
            + field("delay", params.slot_bits)
            + field("dx", params.hop_bits, True)
            + field("dy", params.hop_bits, True),
        ),
        TableId.SCHEDULER: (
            # Word, then slot: as many rows as both together can name.
            params.scheduler_words << params.slot_bits,
            field("spikes", params.scheduler_bits),
        ),
    }
    return {
        key: Table(id=key, rows=rows, fields=tuple(fields))
        for key, (rows, fields) in layout.items()
    }
