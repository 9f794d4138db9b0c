"""Host side of the configuration port: tables to words of 32 bits, and back."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.program import Program
from spikewatt.model.params import (
    CONFIG_DATA_BITS,
    CoreParams,
    Leak,
    Table,
    TableId,
    bits_for,
)

__all__ = [
    "pack_table",
    "program_tables",
    "program_words",
    "scheduler_bits",
    "table_addresses",
    "unpack_table",
]

Columns = dict[str, NDArray[np.int64]]


def pack_table(table: Table, columns: Columns) -> NDArray[np.uint32]:
    """Rows of a table as configuration words.

    Parameters
    ----------
    columns:
        For each field int[rows] or int[rows, count]; values wrap to the field's width.

    Returns
    -------
    uint32[rows, chunks], lowest chunk first.
    """
    # A bit a byte, lowest first: value after value, field after field, as the RTL slices a row.
    bits = np.zeros((table.rows, table.chunks * CONFIG_DATA_BITS), np.uint8)
    at = 0
    for field in table.fields:
        values = np.asarray(columns[field.name], np.int64).reshape(table.rows, field.count, 1)
        planes = (values >> np.arange(field.bits)) & 1
        width = field.bits * field.count
        bits[:, at : at + width] = planes.reshape(table.rows, width)
        at += width
    return np.packbits(bits, axis=1, bitorder="little").view("<u4").astype(np.uint32)


def unpack_table(table: Table, words: NDArray[np.uint32]) -> Columns:
    """Inverse of `pack_table`: ``uint32[rows, chunks]`` to int64[rows, count] for each field."""
    raw = np.ascontiguousarray(words, "<u4").view(np.uint8).reshape(len(words), -1)
    bits = np.unpackbits(raw, axis=1, bitorder="little").astype(np.int64)
    columns, at = {}, 0
    for field in table.fields:
        width = field.bits * field.count
        planes = bits[:, at : at + width].reshape(len(words), field.count, field.bits)
        values = (planes << np.arange(field.bits)).sum(axis=2)
        if field.signed:
            values -= (values >> field.bits - 1) << field.bits
        columns[field.name] = values
        at += width
    return columns


def table_addresses(table: Table) -> NDArray[np.uint32]:
    """Configuration addresses uint32[rows, chunks] of a table."""
    rows = np.arange(table.rows, dtype=np.uint32)[:, None] << np.uint32(table.chunk_bits)
    return np.uint32(table.address(0)) | rows | np.arange(table.chunks, dtype=np.uint32)[None, :]


def _padded(params: CoreParams, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Values of neurons, laid out with the lane padded to a power of two."""
    # Group and lane side by side are the address: no multiplication by a number of lanes that may
    # be no power of two.
    padded = np.zeros((params.groups, 1 << bits_for(params.lanes)), np.int64)
    padded[:, : params.lanes] = values.reshape(params.groups, params.lanes)
    return padded.ravel()


def _types(program: Program) -> Columns:
    params = program.params
    names = (
        *("leak", "leak_amount", "reset", "compare", "silent", "refractory"),
        *("windowed", "window_first", "window_end"),
    )
    columns = {name: np.zeros(params.types, np.int64) for name in names}
    for index, kind in enumerate(program.types):
        for name in names:
            columns[name][index] = int(getattr(kind, name))
        if kind.leak is Leak.SHIFT:
            # The shifter is a multiplexer of the shifts that are built: the table holds which of
            # them.
            columns["leak_amount"][index] = params.shifts.index(kind.leak_amount)
    return columns


def program_tables(program: Program) -> dict[TableId, NDArray[np.uint32]]:
    """Configuration words uint32[rows, chunks] of every table that a program fills.

    The state and the scheduler are not among them: the core clears both itself.
    """
    params, tables = program.params, program.params.tables
    present = program.row_first <= program.row_last
    columns: dict[TableId, Columns] = {
        TableId.ROWS: {
            # So that a group's word is `offset + group`: one addition in the core, not two. Where
            # it is negative it wraps, and the sum wraps back.
            "offset": program.row_base - program.row_first,
            "first": program.row_first,
            "last": program.row_last,
            "present": present.astype(np.int64),
        },
        TableId.SYNAPSES: {"weight": program.synapses},
        TableId.NEURONS: {
            "threshold": program.threshold,
            "bias": program.bias,
            "type": program.group_type,
        },
        TableId.TYPES: _types(program),
        TableId.FANOUT: {
            "start": _padded(params, program.fanout_start),
            "count": _padded(params, program.fanout_count),
        },
        TableId.DESTINATIONS: {
            name: getattr(program, name) for name in ("axon", "delay", "dx", "dy")
        },
    }
    return {key: pack_table(tables[key], value) for key, value in columns.items()}


def program_words(program: Program) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Addresses and values, uint32[n] each, that load a program."""
    tables = program_tables(program)
    addresses = [table_addresses(program.params.tables[key]).ravel() for key in tables]
    return np.concatenate(addresses), np.concatenate([words.ravel() for words in tables.values()])


def scheduler_bits(
    params: CoreParams, columns: Mapping[str, NDArray[np.int64]]
) -> NDArray[np.bool_]:
    """Scheduler as read back: bool[D, words * scheduler_bits], padding behind the last axon."""
    # Row `word * D + slot`: the slot is the lower part of the address.
    words = columns["spikes"][:, 0].reshape(params.scheduler_words, params.delay_slots).T
    bits = (words[:, :, None] >> np.arange(params.scheduler_bits)) & 1
    return bits.reshape(params.delay_slots, -1).astype(np.bool_)
