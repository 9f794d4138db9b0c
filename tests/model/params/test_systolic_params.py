"""Systolic cores and networks that do not go together are refused, by exact message."""

from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import CapacityError, ParameterError
from spikewatt.model.compile.configuration import unpack_table
from spikewatt.model.compile.systolic.program import SystolicProgram, fit_systolic, map_quantised
from spikewatt.model.network.quantised import QuantisedLayer, QuantisedNetwork, Requantisation
from spikewatt.model.params.systolic import Loading, Rounding, SystolicParams, SystolicTable


def network(*sizes: int, bias: int = 0, how: Requantisation | None = None) -> QuantisedNetwork:
    """Layers of these sizes with all weights 3."""
    last = len(sizes) - 2
    layers = [
        QuantisedLayer(
            weights=np.full((sizes[k], sizes[k + 1]), 3),
            bias=np.full(sizes[k + 1], bias),
            requantisation=None if k == last else how or Requantisation(5, 4, 7),
        )
        for k in range(last + 1)
    ]
    return QuantisedNetwork(
        name="net", activation_bits=3, weight_bits=3, input_max=7, layers=tuple(layers)
    )


def integer(name: str, low: int, high: int, value: Any) -> tuple[dict[str, Any], str]:
    return {name: value}, f"{name} must be an integer from {low} to {high}, not {value!r}"


TOO_LARGE = (
    "2097152 rows of 512 bits of the table WEIGHTS exceed the 16777216 words that the "
    "configuration port can address"
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        integer("rows", 1, 256, 0),
        integer("rows", 1, 256, 257),
        integer("rows", 1, 256, 4.0),
        integer("columns", 1, 256, True),
        integer("layers", 1, 64, 65),
        integer("weight_words", 1, 4194304, 0),
        integer("bias_words", 1, 65536, 65537),
        integer("activation_rows", 1, 1048576, -1),
        integer("accumulator_rows", 1, 1048576, 0),
        integer("batch", 1, 4096, 4097),
        integer("activation_bits", 1, 8, 0),
        integer("activation_bits", 1, 8, 9),
        integer("weight_bits", 2, 8, 1),
        integer("weight_bits", 2, 8, 9),
        integer("accumulator_bits", 4, 40, 3),
        integer("accumulator_bits", 4, 40, 41),
        integer("bias_bits", 0, 32, -1),
        integer("bias_bits", 0, 32, 33),
        integer("multiplier_bits", 1, 24, 0),
        integer("multiplier_bits", 1, 24, 25),
        integer("tile_rows", 1, 8, 0),
        integer("tile_rows", 1, 8, 9),
        integer("tile_columns", 1, 8, 16),
        ({"tile_rows": 3}, "tile_rows must divide rows (8), not 3"),
        ({"tile_columns": 6}, "tile_columns must divide columns (8), not 6"),
        ({"shifts": ()}, "shifts must name each shift once, not ()"),
        ({"shifts": (2, 2)}, "shifts must name each shift once, not (2, 2)"),
        ({"shifts": (41,)}, "a member of shifts must be an integer from 0 to 40, not 41"),
        ({"roundings": ()}, "roundings must name each Rounding once, not ()"),
        ({"roundings": (1,)}, "roundings must hold members of Rounding, not (1,)"),
        ({"loading": 1}, "loading must be a member of Loading, not 1"),
        (
            {"columns": 64, "tile_columns": 1, "weight_words": 1 << 21},
            TOO_LARGE,
        ),
    ],
)
def test_parameters_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        SystolicParams(**change)
    assert str(error.value) == message


ROOM: dict[str, Any] = {
    "rows": 4,
    "columns": 2,
    "activation_bits": 3,
    "weight_bits": 3,
    "accumulator_bits": 9,
    "bias_bits": 5,
    "multiplier_bits": 3,
    "shifts": (4,),
    "roundings": (Rounding.HALF_UP,),
    "layers": 2,
    "weight_words": 27,
    "bias_words": 4,
    "activation_rows": 12,
    "accumulator_rows": 3,
    "batch": 3,
}
"""Just enough for 7 - 6 - 1 with biases of 9, in batches of three; `test_fit` shows that."""
NETWORK = network(7, 6, 1, bias=9)


def test_fit() -> None:
    """Every size as counted by hand for 7 - 6 - 1 on 4 x 2.

    Words: 2 of inputs; three tiles of outputs, two of which make a word of 4, so 2 words; 3 tiles
    by (4 + 3) rows and 1 tile by (4 + 2) rows of weights are 27.
    """
    params = fit_systolic(NETWORK, batch=3, rows=4, columns=2)
    expected = SystolicParams(**ROOM)
    assert params == expected
    shifted = fit_systolic(NETWORK, batch=3, rows=4, columns=2, loading=Loading.SHIFT)
    assert shifted == SystolicParams(
        **{**ROOM, "weight_words": 4 * (3 * 2 + 2), "loading": Loading.SHIFT}
    )
    wide = fit_systolic(NETWORK, batch=3, rows=2, columns=5)
    assert wide.banks == 3
    # 4 words of inputs in 2 rows, 6 outputs in 3 + 1 words in 2 rows, three vectors each.
    assert (wide.activation_rows, wide.bias_words, wide.accumulator_rows) == (12, 3, 3)
    assert wide.weight_words == 2 * 7 + 2 * 3 + 1


@pytest.mark.parametrize(
    ("name", "needed", "less"),
    [
        ("activation_bits", 3, 2),
        ("weight_bits", 3, 2),
        ("accumulator_bits", 9, 8),
        ("bias_bits", 5, 4),
        ("multiplier_bits", 3, 2),
        ("layers", 2, 1),
        ("weight_words", 27, 26),
        ("bias_words", 4, 3),
        ("activation_rows", 12, 11),
        ("accumulator_rows", 3, 2),
        ("batch", 3, 2),
    ],
)
def test_programs_refused(name: str, needed: int, less: int) -> None:
    SystolicProgram(SystolicParams(**ROOM), NETWORK, 3)
    with pytest.raises(CapacityError) as error:
        SystolicProgram(SystolicParams(**{**ROOM, name: less}), NETWORK, 3)
    message = f"network 'net' needs {name} = {needed}, and this core has {less}"
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (Requantisation(5, 3, 7), "shift 3 is not built into this core: (4,)"),
        (
            Requantisation(5, 4, 7, Rounding.FLOOR),
            "rounding FLOOR is not built into this core: HALF_UP",
        ),
    ],
)
def test_datapath_refused(how: Requantisation, message: str) -> None:
    params = SystolicParams(**ROOM)
    with pytest.raises(ParameterError) as error:
        SystolicProgram(params, network(7, 6, 1, how=how), 3)
    assert str(error.value) == f"network 'net', layer 0: {message}"


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"rows": 300}, ParameterError, "rows must be an integer from 1 to 256, not 300"),
        ({"rows": 4, "tile_rows": 3}, ParameterError, "tile_rows must divide rows (4), not 3"),
        ({"batch": 5000}, ParameterError, "batch must be an integer from 1 to 4096, not 5000"),
        ({"batch": 0}, ParameterError, "batch must be an integer from 1 to 4096, not 0"),
    ],
)
def test_fits_refused(options: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as error:
        map_quantised(NETWORK, **options)
    assert str(error.value) == message


def test_no_core_is_large_enough() -> None:
    with pytest.raises(CapacityError) as error:
        fit_systolic(network(*[1] * 66), rows=1, columns=1)
    expected = "network 'net' fits no core: layers must be an integer from 1 to 64, not 65"
    assert str(error.value) == expected


def test_tables_hold_the_network() -> None:
    """Weights and biases, padded and in order; words of SHIFT deepest first."""
    rng = np.random.default_rng(1)
    layers = (
        QuantisedLayer(
            weights=rng.integers(-4, 4, (5, 3)),
            bias=rng.integers(-9, 9, 3),
            requantisation=Requantisation(5, 4, 7),
        ),
        QuantisedLayer(weights=rng.integers(-4, 4, (3, 3)), bias=rng.integers(-9, 9, 3)),
    )
    net = QuantisedNetwork(name="n", activation_bits=3, weight_bits=3, input_max=7, layers=layers)
    program = map_quantised(net, rows=4, columns=2)
    tables = program.params.tables
    found = {key: unpack_table(tables[key], words) for key, words in program.tables().items()}
    one, two = np.zeros((5, 4), np.int64), np.zeros((3, 4), np.int64)
    one[:, :3], two[:, :3] = layers[0].weights, layers[1].weights
    expected = [one[:, :2], one[:, 2:], two[:, :2], two[:, 2:]]
    np.testing.assert_array_equal(found[SystolicTable.WEIGHTS]["weight"], np.concatenate(expected))
    biases = [[*layer.bias, 0] for layer in layers]
    np.testing.assert_array_equal(found[SystolicTable.BIASES]["bias"], np.reshape(biases, (4, 2)))
    layer = {name: values[:, 0].tolist() for name, values in found[SystolicTable.LAYERS].items()}
    assert layer["words"] == [1, 0]
    assert layer["tiles"] == [1, 1]
    assert layer["rows"] == [3, 3]
    assert layer["last_rows"] == [0, 2]
    assert layer["last_columns"] == [0, 0]
    assert layer["final"] == [0, 1]
    assert layer["source"] == [0, 2]
    assert layer["target"] == [2, 0]
    assert (layer["multiplier"][0], layer["clip_max"][0]) == (5, 7)
    shifted = map_quantised(net, rows=4, columns=2, loading=Loading.SHIFT)
    words = unpack_table(tables[SystolicTable.WEIGHTS], shifted.tables()[SystolicTable.WEIGHTS])
    padded = [np.pad(one, ((0, 3), (0, 0))), np.pad(two, ((0, 1), (0, 0)))]
    blocks = [(0, 0, 0), (0, 4, 0), (0, 0, 2), (0, 4, 2), (1, 0, 0), (1, 0, 2)]
    deepest = [padded[k][at : at + 4, c : c + 2][::-1] for k, at, c in blocks]
    np.testing.assert_array_equal(words["weight"], np.concatenate(deepest))
