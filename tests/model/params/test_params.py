"""Parameters, programs and networks that are refused, by exact message."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikewatt.base.errors import NetworkError, ParameterError
from spikewatt.model.network.graph import Connection, Population
from spikewatt.model.params import (
    Compare,
    CoreParams,
    Leak,
    NeuronType,
    Reset,
    TableId,
    bits_for,
)
from tests.model.builders import make_program

PARAMETERS = [
    ({"neurons": 0}, "neurons must be an integer from 1 to 65536, not 0"),
    ({"neurons": True}, "neurons must be an integer from 1 to 65536, not True"),
    ({"axons": 65537}, "axons must be an integer from 1 to 65536, not 65537"),
    ({"axons": 4.0}, "axons must be an integer from 1 to 65536, not 4.0"),
    ({"weight_bits": 0}, "weight_bits must be an integer from 1 to 9, not 0"),
    ({"weight_bits": 10}, "weight_bits must be an integer from 1 to 9, not 10"),
    ({"state_bits": 3}, "state_bits must be an integer from 4 to 32, not 3"),
    ({"state_bits": 33}, "state_bits must be an integer from 4 to 32, not 33"),
    ({"bias_bits": -1}, "bias_bits must be an integer from 0 to 32, not -1"),
    ({"bias_bits": 33}, "bias_bits must be an integer from 0 to 32, not 33"),
    ({"lanes": 0}, "lanes must be an integer from 1 to 64, not 0"),
    ({"lanes": 65}, "lanes must be an integer from 1 to 64, not 65"),
    ({"lanes": 7}, "lanes must divide neurons (256), not 7"),
    ({"delay_slots": 1}, "delay_slots must be an integer from 2 to 64, not 1"),
    ({"delay_slots": 12}, "delay_slots must be a power of two, not 12"),
    ({"delay_slots": 128}, "delay_slots must be an integer from 2 to 64, not 128"),
    ({"scheduler_bits": -1}, "scheduler_bits must be an integer from 1 to 64, not -1"),
    ({"scheduler_bits": 24}, "scheduler_bits must be a power of two, not 24"),
    ({"synapse_words": 1 << 21}, "synapse_words must be an integer from 1 to 1048576, not 2097152"),
    ({"destinations": -1}, "destinations must be an integer from 1 to 1048576, not -1"),
    ({"refractory_bits": 9}, "refractory_bits must be an integer from 0 to 8, not 9"),
    ({"window_bits": -1}, "window_bits must be an integer from 0 to 12, not -1"),
    ({"window_bits": 13}, "window_bits must be an integer from 0 to 12, not 13"),
    ({"types": 0}, "types must be an integer from 1 to 16, not 0"),
    ({"hop_bits": 0}, "hop_bits must be an integer from 1 to 10, not 0"),
    ({"leaks": ()}, "leaks must name each Leak once, not ()"),
    (
        {"resets": (Reset.ZERO, Reset.ZERO)},
        "resets must name each Reset once, not (<Reset.ZERO: 0>, <Reset.ZERO: 0>)",
    ),
    ({"compares": (0,)}, "compares must hold members of Compare, not (0,)"),
    ({"shifts": ()}, "shifts must not be empty when leaks hold Leak.SHIFT"),
    ({"shifts": (16,)}, "shifts must be an integer from 1 to 15, not 16"),
    (
        {"neurons": 1 << 16, "lanes": 1, "axons": 1 << 16},
        "synapse_words must be an integer from 1 to 1048576, not 4294967296",
    ),
]


@pytest.mark.parametrize(("change", "message"), PARAMETERS)
def test_bad_parameters(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        CoreParams(**change)
    assert str(caught.value) == message


def test_sizes_that_follow_from_others() -> None:
    params = CoreParams(neurons=24, axons=33, lanes=8, delay_slots=4, scheduler_bits=32)
    assert (params.groups, params.group_bits, params.axon_bits, params.slot_bits) == (3, 2, 6, 2)
    assert (params.synapse_words, params.destinations) == (99, 24)
    assert (params.scheduler_words, params.tables[TableId.SCHEDULER].rows) == (2, 8)
    assert params.membrane_range == (-32768, 32767)


def test_bits_for_counts_things() -> None:
    assert [bits_for(n) for n in (0, 1, 2, 3, 4, 5, 8, 9)] == [0, 0, 1, 2, 2, 3, 3, 4]


@given(weight_bits=st.integers(1, 9), axons=st.integers(1, 1 << 16))
def test_the_accumulator_holds_every_sum(weight_bits: int, axons: int) -> None:
    params = CoreParams(weight_bits=weight_bits, axons=axons, synapse_words=1)
    low, high = (
        (0, 1) if weight_bits == 1 else (-(1 << weight_bits - 1), (1 << weight_bits - 1) - 1)
    )
    half = 1 << params.accumulator_bits - 1
    assert -half <= axons * low
    assert axons * high < half


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"leak_amount": -1}, "leak_amount must be an integer from 0 to 2147483647, not -1"),
        ({"leak_amount": 0.5}, "leak_amount must be an integer from 0 to 2147483647, not 0.5"),
        ({"refractory": 256}, "refractory must be an integer from 0 to 255, not 256"),
        ({"silent": 1}, "silent must be true or false, not 1"),
    ],
)
def test_bad_types(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        NeuronType(**change)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (NeuronType(leak_amount=1), "leak_amount of NONE must be an integer from 0 to 0, not 1"),
        (
            NeuronType(leak=Leak.SUBTRACT, leak_amount=32768),
            "leak_amount of SUBTRACT must be an integer from 0 to 32767, not 32768",
        ),
        (
            NeuronType(leak=Leak.MULTIPLY, leak_amount=4096),
            "leak_amount of MULTIPLY must be an integer from 0 to 4095, not 4096",
        ),
        (
            NeuronType(leak=Leak.SHIFT, leak_amount=9),
            "leak shift 9 is not built into this core: (1, 2, 3, 4, 5, 6, 7, 8)",
        ),
        (NeuronType(refractory=16), "refractory must be an integer from 0 to 15, not 16"),
    ],
)
def test_types_that_a_core_lacks(kind: NeuronType, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        CoreParams().check_type(kind)
    assert str(caught.value) == message


PROGRAMS = [
    ("threshold", np.zeros(3, np.int64), "threshold must have shape (2,), not (3,)"),
    ("threshold", np.array([0, 128]), "threshold must lie in 0..127, not 0..128"),
    ("threshold", np.array([-1, 0]), "threshold must lie in 0..127, not -1..0"),
    ("bias", np.array([-129, 0]), "bias must lie in -128..127, not -129..0"),
    ("synapses", np.full((6, 1), 256), "synapses must lie in -256..255, not 256..256"),
    ("group_type", np.array([0, 2]), "group_type must lie in 0..1, not 0..2"),
    ("axon", np.array([3]), "axon must lie in 0..2, not 3..3"),
    ("delay", np.array([0]), "delay must lie in 1..3, not 0..0"),
    ("delay", np.array([4]), "delay must lie in 1..3, not 4..4"),
    ("dx", np.array([16]), "dx must lie in -16..15, not 16..16"),
    ("dy", np.array([-17]), "dy must lie in -16..15, not -17..-17"),
    ("fanout_count", np.array([2, 0]), "fanout end must lie in 0..1, not 1..2"),
    ("row_first", np.array([1, 0, 0]), "row_first must not fall from one axon to the next"),
    (
        "row_last",
        np.array([1, 2, 1]),
        "a synapse row reaches outside the groups or the synapse SRAM",
    ),
    (
        "row_base",
        np.array([0, 2, 5]),
        "a synapse row reaches outside the groups or the synapse SRAM",
    ),
    (
        "row_base",
        np.array([-1, 2, 4]),
        "a synapse row reaches outside the groups or the synapse SR",
    ),
]


@pytest.mark.parametrize(("name", "value", "message"), PROGRAMS)
def test_bad_programs(name: str, value: np.ndarray, message: str) -> None:
    program = make_program(np.zeros((3, 2)), sends={0: [(2, 1, 0, 0)]})
    with pytest.raises(ParameterError) as caught:
        replace(program, **{name: value})
    assert str(caught.value).startswith(message)


def test_an_axon_without_synapses_may_stand_anywhere() -> None:
    program = make_program([[1, 2], [3, 4], [5, 6]])
    absent = replace(program, row_first=np.array([1, 0, 1]), row_last=np.array([1, -1, 1]))
    assert absent.matrix.tolist() == [[0, 1], [0, 0], [0, 5]]
    assert absent.row_words.tolist() == [1, 0, 1]


def population(**change: Any) -> Population:
    return Population(
        **({"name": "p", "neuron": NeuronType(), "threshold": np.zeros(2, int)} | change)
    )


def connection(**change: Any) -> Connection:
    return Connection(**({"source": "a", "target": "b", "weights": np.zeros((2, 3), int)} | change))


PARTS = [
    (population, {"name": ""}, "population '': the name is reserved or empty"),
    (population, {"threshold": [0.5]}, "population 'p': threshold must hold integers, not float64"),
    (population, {"bias": [1]}, "population 'p': bias must have shape (2,), not (1,)"),
    (
        population,
        {"bias": [0, 1 << 31]},
        "population 'p': bias must lie in -2147483648..2147483647, not 0..2147483648",
    ),
    (
        connection,
        {"weights": [1, 2]},
        "connection a -> b: weights must be a matrix, not of shape (2,)",
    ),
    (
        connection,
        {"weights": [[2]], "weight_bits": 1},
        "connection a -> b: weights must lie in 0..1, not 2..2",
    ),
    (
        connection,
        {"weights": [[-129]]},
        "connection a -> b: weights must lie in -128..127, not -129..-129",
    ),
    (
        connection,
        {"delay": 1.0},
        "connection a -> b: delay must be an integer from 1 to 63 ticks, not 1.0",
    ),
]


@pytest.mark.parametrize(("make", "change", "message"), PARTS)
def test_bad_parts_of_a_network(make: Callable, change: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        make(**change)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kind", "factor"),
    [
        (NeuronType(), 1.0),
        (NeuronType(leak=Leak.SHIFT, leak_amount=3), 0.875),
        (NeuronType(leak=Leak.MULTIPLY, leak_amount=1024), 0.25),
        (NeuronType(compare=Compare.GREATER), 1.0),
    ],
)
def test_leak_of_the_real_valued_network(kind: NeuronType, factor: float) -> None:
    assert population(neuron=kind).leak_float == factor
