"""Options change cycles as the formulas say, and neither a number nor an access."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import DataError
from spikewatt.cosim.systolic import NativeSystolic
from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.golden.systolic import ACCESSES, accesses, cycles, plain_cycles
from spikewatt.model.network.quantised import QuantisedLayer, QuantisedNetwork
from spikewatt.model.params.systolic import Loading, Rounding, SystolicParams, SystolicTable
from tests.cosim.systolic_builds import OPTIONS
from tests.model.quantised_networks import NetworkKind, random_inputs, random_network

BATCH = 5
ROOMY: dict[str, Any] = {
    "rows": 4,
    "columns": 3,
    "activation_bits": 4,
    "weight_bits": 4,
    "bias_bits": 12,
    "shifts": (6, 3),
    "roundings": (Rounding.HALF_UP, Rounding.HALF_EVEN),
    "layers": 4,
    "weight_words": 400,
    "bias_words": 40,
    "activation_rows": 96,
    "accumulator_rows": 64,
    "batch": 8,
}
KIND = NetworkKind(
    activation_bits=4,
    weight_bits=4,
    widest=18,
    shifts=ROOMY["shifts"],
    roundings=ROOMY["roundings"],
)
NETWORKS = [random_network(np.random.default_rng(k), KIND, f"network {k}") for k in range(10)]
COMBINATIONS: list[dict[str, Any]] = [
    {"loading": loading, **dict(zip(OPTIONS.values(), flags, strict=True))}
    for loading, flags in product(Loading, product((False, True), repeat=len(OPTIONS)))
]
QUICK = (0b101010, 0b010101)
"""Numbers of combinations that run every time; the plain array does in a test of its own."""
PLAIN = COMBINATIONS[0b100000]


def label(number: int) -> str:
    on = [name for name, value in COMBINATIONS[number].items() if value is True]
    return " ".join([COMBINATIONS[number]["loading"].name, *on])


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(k, id=label(k), marks=[] if k in QUICK else pytest.mark.long)
        for k in range(len(COMBINATIONS))
    ],
)
def test_option(number: int) -> None:
    """The same networks and inputs for all: what is compared with does not know the options."""
    params = SystolicParams(**ROOMY, **COMBINATIONS[number])
    rng = np.random.default_rng(0)
    taken = []
    with NativeSystolic(params) as core:
        for network in NETWORKS:
            program = SystolicProgram(params, network, BATCH)
            core.configure(program)
            for count in (BATCH, 1, 2):
                x = random_inputs(rng, network, count)
                rtl = core.run(program, x)
                expected = np.concatenate(network.run(x), axis=1)
                np.testing.assert_array_equal(rtl.values, expected, err_msg=network.name)
                assert rtl.cycles.tolist() == [cycles(program, count)]
                taken.append(dict(zip(ACCESSES, rtl.accesses[0].tolist(), strict=True)))
    assert taken == expected_accesses(COMBINATIONS[number]["loading"])


def expected_accesses(loading: Loading) -> list[dict[str, int]]:
    """Of every batch, by the formulas for a core without any option but how it loads."""
    params = SystolicParams(**{**ROOMY, **PLAIN, "loading": loading})
    programs = [SystolicProgram(params, network, BATCH) for network in NETWORKS]
    return [accesses(program, count) for program in programs for count in (BATCH, 1, 2)]


def test_plain_array_takes_the_published_cycles() -> None:
    """``folds * (2R + C + M - 2)`` on the RTL, between what frames a run.

    Where the inputs are in before the first weights are, a run is: 3 cycles from the command to the
    first weight in the array, the folds, the outputs, 3 to come to rest.
    """
    params = SystolicParams(**ROOMY, **PLAIN)
    assert (params.loading, params.double_buffer) == (Loading.SHIFT, False)
    with NativeSystolic(params) as core:
        for inputs, outputs, batch in product((1, 3, 4), (1, 3, 4, 7, 18), range(1, 5)):
            layer = QuantisedLayer(
                weights=np.ones((inputs, outputs), np.int64), bias=np.zeros(outputs, np.int64)
            )
            network = QuantisedNetwork(
                name="n", activation_bits=4, weight_bits=4, input_max=15, layers=(layer,)
            )
            program = SystolicProgram(params, network, batch)
            core.configure(program)
            rtl = core.run(program, np.ones((batch, inputs), np.int64))
            framed = rtl.cycles[0] - 3 - program.plans[0].tiles * batch - 3
            assert framed == plain_cycles(4, 3, batch, inputs, outputs)


def test_native_refuses_what_the_program_has_no_room_for() -> None:
    params = SystolicParams(**ROOMY, **PLAIN)
    program = SystolicProgram(params, NETWORKS[0], 2)
    inputs, top = NETWORKS[0].layers[0].inputs, NETWORKS[0].input_max
    refused: list[tuple[Any, str]] = [
        (np.zeros((3, inputs), np.int64), "a batch of at most 2 inputs, not 3"),
        (np.full((1, inputs), 16), f"inputs must be integers from 0 to {top}"),
        (np.zeros((1, inputs)), f"inputs must be integers from 0 to {top}"),
        (np.zeros((1, 0), np.int64), f"inputs must have shape (n, {inputs}), not (1, 0)"),
    ]
    with NativeSystolic(params) as core:
        core.configure(program)
        for x, message in refused:
            with pytest.raises(DataError) as error:
                core.run(program, x)
            assert str(error.value) == message
        written = program.tables()[SystolicTable.LAYERS]
        np.testing.assert_array_equal(core.read_words(SystolicTable.LAYERS), written)
