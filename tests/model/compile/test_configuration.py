"""Tables to configuration words and back, and the layouts that the hardware shares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikewatt.model.compile.codec import (
    decode_events,
    decode_packets,
    encode_events,
    encode_reads,
    encode_writes,
    pack_fields,
    unpack_fields,
)
from spikewatt.model.compile.configuration import (
    pack_table,
    program_tables,
    program_words,
    table_addresses,
    unpack_table,
)
from spikewatt.model.compile.program import Program
from spikewatt.model.params import CoreParams, Field, Leak, NeuronType, Table, TableId
from tests.model.builders import make_program, random_program

WINDOW_FIELDS = ("windowed", "window_first", "window_end")


@st.composite
def tables(draw: st.DrawFn) -> tuple[Table, dict[str, np.ndarray]]:
    """Any table with a content that fits its fields."""
    fields = [
        Field(f"f{i}", draw(st.integers(1, 32)), draw(st.booleans()), draw(st.integers(1, 5)))
        for i in range(draw(st.integers(1, 4)))
    ]
    rows = draw(st.integers(1, 6))
    table = Table(id=TableId.STATE, rows=rows, fields=tuple(fields))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    columns = {}
    for field in fields:
        low = -(1 << field.bits - 1) if field.signed else 0
        high = low + (1 << field.bits)
        columns[field.name] = rng.integers(low, high, (rows, field.count))
        columns[field.name][0, 0], columns[field.name][-1, -1] = low, high - 1
    return table, columns


@settings(deadline=None)
@given(case=tables())
def test_unpack_inverts_pack(case: tuple[Table, dict[str, np.ndarray]]) -> None:
    table, columns = case
    words = pack_table(table, columns)
    assert words.shape == (table.rows, table.chunks)
    assert words.dtype == np.uint32
    unpacked = unpack_table(table, words)
    assert unpacked.keys() == columns.keys()
    for name, values in columns.items():
        assert np.array_equal(unpacked[name], values), name


@settings(deadline=None)
@given(case=tables())
def test_fields_lie_side_by_side_lowest_first(case: tuple[Table, dict[str, np.ndarray]]) -> None:
    """The same words by shifting whole Python integers."""
    table, columns = case
    expected = []
    for row in range(table.rows):
        value = at = 0
        for field in table.fields:
            for item in columns[field.name][row].tolist():
                value |= item % (1 << field.bits) << at
                at += field.bits
        expected.append([value >> 32 * k & 0xFFFFFFFF for k in range(table.chunks)])
        assert at == table.bits
    assert pack_table(table, columns).tolist() == expected


def test_a_row_by_hand() -> None:
    fields = (Field("a", 4), Field("b", 3, True, 2), Field("c", 30))
    table = Table(id=TableId.FANOUT, rows=1, fields=fields)
    columns = {"a": [9], "b": [-1, 2], "c": [(1 << 29) + 1]}
    words = pack_table(table, {name: np.array([values]) for name, values in columns.items()})
    # c 100…001 | b1 010 | b0 111 | a 1001: the low word takes 22 bits of c, the high one 8
    assert words.tolist() == [[1 << 10 | 0b010_111_1001, 1 << 29 - 22]]
    assert (table.bits, table.chunks, table.chunk_bits) == (40, 2, 1)
    assert (table.address(3, 1), TableId.FANOUT) == (5 << 24 | 3 << 1 | 1, 5)


def columns_of(program: Program) -> dict[tuple[TableId, str], np.ndarray]:
    """Columns that a program must put into its tables."""
    params = program.params
    padded = 1 << (params.lanes - 1).bit_length()
    lane_of = [g * padded + lane for g in range(params.groups) for lane in range(params.lanes)]

    def spread(values: np.ndarray) -> np.ndarray:
        column = np.zeros(params.groups * padded, np.int64)
        column[lane_of] = values
        return column

    def types(name: str) -> np.ndarray:
        values = [int(getattr(kind, name)) for kind in program.types]
        return np.array(values + [0] * (params.types - len(values)))

    amounts = types("leak_amount")
    for i, kind in enumerate(program.types):
        if kind.leak is Leak.SHIFT:
            amounts[i] = params.shifts.index(kind.leak_amount)
    return {
        (TableId.ROWS, "present"): program.row_last >= program.row_first,
        (TableId.SYNAPSES, "weight"): program.synapses,
        (TableId.NEURONS, "threshold"): program.threshold,
        (TableId.NEURONS, "bias"): program.bias,
        (TableId.NEURONS, "type"): program.group_type,
        (TableId.TYPES, "leak_amount"): amounts,
        **{
            (TableId.TYPES, name): types(name)
            for name in ("leak", "reset", "compare", "silent", "refractory")
        },
        **{(TableId.TYPES, name): types(name) for name in WINDOW_FIELDS},
        (TableId.FANOUT, "start"): spread(program.fanout_start),
        (TableId.FANOUT, "count"): spread(program.fanout_count),
        **{
            (TableId.DESTINATIONS, name): getattr(program, name)
            for name in ("axon", "delay", "dx", "dy")
        },
    }


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_the_tables_hold_the_program(seed: int) -> None:
    program = random_program(seed)
    words = program_tables(program)
    layout = program.params.tables
    unpacked = {key: unpack_table(layout[key], words[key]) for key in words}
    compared = 0
    for (key, name), values in columns_of(program).items():
        if name in unpacked[key]:
            assert np.array_equal(unpacked[key][name].ravel(), values.ravel()), (key, name)
            compared += 1
        else:  # a field of no bits: nothing to say
            assert not values.any(), (key, name)
    assert compared >= 12
    rows, params = unpacked[TableId.ROWS], program.params
    word_bits = next(f.bits for f in layout[TableId.ROWS].fields if f.name == "offset")
    for axon in np.flatnonzero(rows["present"]):
        first, last = rows["first"][axon, 0], rows["last"][axon, 0]
        assert (first, last) == (program.row_first[axon], program.row_last[axon])
        base = (rows["offset"][axon, 0] + first) % (1 << word_bits)  # what the hardware adds
        assert base == program.row_base[axon]
        assert base < params.synapse_words


@pytest.mark.parametrize("seed", range(10))
def test_program_words_address_every_word_once(seed: int) -> None:
    program = random_program(seed)
    addresses, values = program_words(program)
    assert addresses.dtype == values.dtype == np.uint32
    assert len(np.unique(addresses)) == len(addresses) == len(values)
    memory = dict(zip(addresses.tolist(), values.tolist(), strict=True))
    count = 0
    for key, words in program_tables(program).items():
        table = program.params.tables[key]
        for row in range(table.rows):
            for chunk in range(table.chunks):
                assert memory[table.address(row, chunk)] == words[row, chunk]
                count += 1
        assert np.array_equal(table_addresses(table) >> 24, np.full(words.shape, key))
    assert count == len(memory)


def test_configuration_words() -> None:
    addresses, values = np.array([0xABCDEF1, 2], np.uint32), np.array([0x89ABCDEF, 3], np.uint32)
    written = encode_writes(addresses, values)
    assert written.tolist() == [0x1_ABCDEF1_89ABCDEF, 1 << 60 | 2 << 32 | 3]
    assert encode_reads(addresses).tolist() == [0xABCDEF1 << 32, 2 << 32]


@settings(deadline=None)
@given(case=tables())
def test_fields_of_one_word(case: tuple[Table, dict[str, np.ndarray]]) -> None:
    """The same words by shifting whole Python integers; values wrap to their width."""
    fields = [Field(f.name, f.bits, f.signed) for f in case[0].fields][:2]  # at most 64 bits
    values = {field.name: case[1][field.name][:, 0] for field in fields}
    words = pack_fields(fields, **values)
    for row, word in enumerate(words.tolist()):
        at = expected = 0
        for field in fields:
            expected |= int(values[field.name][row]) % (1 << field.bits) << at
            at += field.bits
        assert word == expected
    for name, column in unpack_fields(fields, words).items():
        assert np.array_equal(column, values[name]), name


def test_what_is_no_word_is_refused() -> None:
    for fields in ([Field("a", 40), Field("b", 25)], [Field("a", 4, count=2)]):
        with pytest.raises(ValueError, match="do not make one word of 64 bits"):
            pack_fields(fields, a=0, b=0)
        with pytest.raises(ValueError, match="do not make one word of 64 bits"):
            unpack_fields(fields, 0)


@given(
    axon=st.integers(0, 99), delay=st.integers(1, 15), dx=st.integers(-8, 7), dy=st.integers(-8, 7)
)
def test_packets(axon: int, delay: int, dx: int, dy: int) -> None:
    params = CoreParams(axons=100, delay_slots=16, hop_bits=4)
    payload = axon | delay << 7 | dx % 16 << 11 | dy % 16 << 15
    assert decode_packets(params, [payload]).tolist() == [[axon, delay, dx, dy]]
    event = encode_events(params, np.array([[axon, delay]]))
    assert event.tolist() == [payload % (1 << 11)]
    assert decode_events(params, event).tolist() == [[axon, delay]]


def test_a_window_is_configured_by_its_first_tick_and_its_end() -> None:
    kinds = [NeuronType(window=(3, 4)), NeuronType(), NeuronType(window=(0, 1))]
    program = make_program([[1, 1, 1]], kinds=kinds, window_bits=3)
    words = program_tables(program)[TableId.TYPES]
    columns = unpack_table(program.params.tables[TableId.TYPES], words)
    assert [columns[name].ravel().tolist() for name in WINDOW_FIELDS] == [
        [1, 0, 1],
        [3, 0, 0],
        [7, 0, 1],
    ]


def test_a_core_without_windows_has_no_field_for_them() -> None:
    fields = CoreParams().tables[TableId.TYPES].fields
    assert [field.name for field in fields] == [
        *("leak", "leak_amount", "reset", "compare", "silent", "refractory")
    ]


def test_a_shift_is_configured_by_its_place() -> None:
    kinds = [NeuronType(leak=Leak.SHIFT, leak_amount=5), NeuronType(leak=Leak.SHIFT, leak_amount=2)]
    program = make_program([[1, 1]], kinds=kinds, shifts=(2, 3, 5))
    words = program_tables(program)[TableId.TYPES]
    columns = unpack_table(program.params.tables[TableId.TYPES], words)
    assert columns["leak_amount"].ravel().tolist() == [2, 0]
