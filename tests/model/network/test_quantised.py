"""Requantisation is rational arithmetic and divides exactly; what networks are refused."""

from dataclasses import replace
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import DataError, NetworkError
from spikewatt.model.network.quantised import (
    QuantisedLayer,
    QuantisedNetwork,
    Requantisation,
    divider,
    requantise,
)
from spikewatt.model.params.systolic import Rounding


def rational(accumulator: int, how: Requantisation) -> int:
    """Round as the definition says, without a shift or a mask."""
    exact = Fraction(accumulator * how.multiplier, 2**how.shift)
    rounded = {
        Rounding.FLOOR: floor(exact),
        Rounding.HALF_UP: floor(exact + Fraction(1, 2)),
        Rounding.HALF_EVEN: round(exact),  # of a Fraction: exact, half to even
    }[how.rounding]
    return min(max(rounded, 0), how.clip_max)


@pytest.mark.parametrize("rounding", Rounding)
def test_requantise_is_rational_arithmetic(rounding: Rounding) -> None:
    rng = np.random.default_rng(rounding)
    ties = negative = 0
    for case in range(300):
        shift = int(rng.integers(0, 41))
        multiplier = int(rng.integers(1, 1 << int(rng.integers(1, 25))))
        how = Requantisation(multiplier, shift, int(rng.integers(0, 256)), rounding)
        near = np.array([(k << shift) // multiplier for k in (0, 1, how.clip_max)])
        around = (near[:, None] + np.arange(-3, 4)).ravel()
        halves = (np.arange(-5, 6) * 2 + 1 << max(shift - 1, 0)) // multiplier
        wide = rng.integers(-(1 << 39), 1 << 39, 20)
        values = np.concatenate([around, halves, wide, [-(1 << 39), (1 << 39) - 1]])
        values = values.clip(-(1 << 39), (1 << 39) - 1)
        expected = [rational(int(value), how) for value in values]
        np.testing.assert_array_equal(requantise(values, how), expected, err_msg=f"{case}: {how}")
        scaled = [Fraction(int(v) * multiplier, 2**shift) for v in values]
        ties += sum(s.denominator == 2 for s in scaled)
        negative += sum(-1 < s < 0 for s in scaled)
    assert ties > 500
    assert negative > 100


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        (Rounding.FLOOR, [0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3]),
        (Rounding.HALF_UP, [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3]),
        (Rounding.HALF_EVEN, [0, 0, 0, 0, 0, 1, 2, 2, 2, 3, 3]),
    ],
)
def test_halves(rounding: Rounding, expected: list[int]) -> None:
    halves = np.arange(-3, 8)
    np.testing.assert_array_equal(requantise(halves, Requantisation(1, 1, 3, rounding)), expected)


def divided(threshold: int, clip_max: int) -> tuple[np.ndarray, np.ndarray]:
    """Every accumulator from far below 0 to far above the last step, and what it gives."""
    reach = (clip_max + 2) * threshold
    accumulators = np.arange(-reach, reach + 1)
    return accumulators, ((accumulators + threshold // 2) // threshold).clip(0, clip_max)


def proven(threshold: int, clip_max: int) -> Requantisation:
    """The divider, which is equal to the division over the whole range."""
    how = divider(threshold, clip_max)
    assert (how.clip_max, how.rounding) == (clip_max, Rounding.HALF_UP)
    accumulators, expected = divided(threshold, clip_max)
    np.testing.assert_array_equal(requantise(accumulators, how), expected, err_msg=str(how))
    # Both sides only rise; so what holds at the ends of the range holds beyond them.
    ends = np.array([-(1 << 38), (1 << 38) - 1])
    np.testing.assert_array_equal(requantise(ends, how), [0, clip_max])
    return how


def test_divider_small_thresholds() -> None:
    """Every threshold up to 64, and every number of steps up to 32 or of a width's end."""
    for threshold in range(1, 65):
        for clip_max in (*range(1, 33), 63, 127, 254, 255):
            proven(threshold, clip_max)


def test_divider_large_thresholds() -> None:
    rng = np.random.default_rng(5)
    for threshold in (*rng.integers(65, 3001, 60).tolist(), 2047, 2048, 2049, 3000):
        for clip_max in (1, 2, 3, 7, 15, 31, 255, int(rng.integers(1, 256))):
            proven(threshold, clip_max)


def test_divider_is_the_cheapest() -> None:
    """No smaller shift has a multiplier, and no smaller multiplier of that shift divides."""
    for threshold in (*range(1, 14), 37, 64, 100):
        for clip_max in (1, 3, 7, 15):
            how = divider(threshold, clip_max)
            accumulators, expected = divided(threshold, clip_max)
            cheaper = [
                Requantisation(multiplier, shift, clip_max)
                for shift in range(how.shift + 1)
                for multiplier in range(1, (1 << shift) + 2)
                if (shift, multiplier) < (how.shift, how.multiplier)
            ]
            for other in cheaper:
                assert not np.array_equal(requantise(accumulators, other), expected), other


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (divider, (0, 3), "threshold must be an integer of at least 1, not 0"),
        (divider, (7, 0), "clip_max must be an integer of at least 1, not 0"),
        (divider, (2.5, 3), "threshold must be an integer of at least 1, not 2.5"),
        (divider, (1 << 41, 1), "no shift of at most 40 bits divides by 2199023255552"),
        (
            Requantisation,
            (0, 3, 7),
            "multiplier must be an integer from 1 to 16777215, not 0",
        ),
        (
            Requantisation,
            (1 << 24, 3, 7),
            "multiplier must be an integer from 1 to 16777215, not 16777216",
        ),
        (
            Requantisation,
            (True, 3, 7),
            "multiplier must be an integer from 1 to 16777215, not True",
        ),
        (Requantisation, (3, -1, 7), "shift must be an integer from 0 to 40, not -1"),
        (Requantisation, (3, 41, 7), "shift must be an integer from 0 to 40, not 41"),
        (Requantisation, (3, 1, -1), "clip_max must be an integer from 0 to 255, not -1"),
        (Requantisation, (3, 1, 256), "clip_max must be an integer from 0 to 255, not 256"),
        (Requantisation, (3, 1, 7.0), "clip_max must be an integer from 0 to 255, not 7.0"),
        (
            Requantisation,
            (3, 1, 7, 1),
            "rounding must be a member of Rounding, not 1",
        ),
    ],
)
def test_requantisations_refused(make: Any, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(NetworkError) as error:
        make(*arguments)
    assert str(error.value) == message


def layer(inputs: int, outputs: int, how: Requantisation | None = None) -> QuantisedLayer:
    return QuantisedLayer(
        weights=np.ones((inputs, outputs), np.int64),
        bias=np.zeros(outputs, np.int64),
        requantisation=how,
    )


HOW = Requantisation(3, 2, 7)
GOOD: dict[str, Any] = {
    "name": "n",
    "activation_bits": 3,
    "weight_bits": 4,
    "input_max": 5,
    "layers": (layer(4, 3, HOW), layer(3, 2)),
}


def changed(**change: Any) -> QuantisedNetwork:
    values: dict[str, Any] = {**GOOD, **change}
    return QuantisedNetwork(**values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"layers": (replace(layer(4, 3, HOW), name="layer 2"), layer(3, 2))},
            "names of layers must be unique, not ['layer 2', 'layer 2']",
        ),
        ({"activation_bits": 0}, "0 activation bits, not 1..8"),
        ({"activation_bits": 9}, "9 activation bits, not 1..8"),
        ({"activation_bits": 3.0}, "3.0 activation bits, not 1..8"),
        ({"weight_bits": 1}, "1 weight bits, not 2..8"),
        ({"weight_bits": 9}, "9 weight bits, not 2..8"),
        ({"input_max": 0}, "input_max must be 1..7, not 0"),
        ({"input_max": 8}, "input_max must be 1..7, not 8"),
        ({"input_max": 2.0}, "input_max must be 1..7, not 2.0"),
        ({"layers": ()}, "it needs at least one layer"),
        ({"layers": (layer(4, 0, HOW), layer(0, 2))}, "layer 0 is empty"),
        (
            {"layers": (replace(layer(4, 2), weights=np.ones(4, np.int64)),)},
            "layer 0 is empty",
        ),
        (
            {"layers": (replace(layer(4, 2), weights=np.ones((4, 2))),)},
            "layer 0: weights must be signed integers, not float64",
        ),
        (
            {"layers": (replace(layer(4, 2), bias=np.ones(2)),)},
            "layer 0: bias must be signed integers, not float64",
        ),
        (
            {"layers": (replace(layer(4, 2), bias=np.zeros(3, np.int64)),)},
            "layer 0: bias must have shape (2,), not (3,)",
        ),
        (
            {"layers": (replace(layer(4, 2), weights=np.full((4, 2), 8)),)},
            "layer 0: weights must lie in -8..7",
        ),
        (
            {"layers": (replace(layer(4, 2), weights=np.full((4, 2), -9)),)},
            "layer 0: weights must lie in -8..7",
        ),
        ({"layers": (layer(4, 3), layer(3, 2))}, "layer 0 needs to be requantised"),
        ({"layers": (layer(4, 3, HOW),)}, "layer 0 must not be requantised"),
        (
            {"layers": (layer(4, 3, Requantisation(1, 0, 8)), layer(3, 2))},
            "layer 0: clip_max exceeds the 3-bit activation",
        ),
        (
            {"layers": (layer(4, 3, HOW), layer(4, 2))},
            "layer 1 takes 4 inputs, the one before gives 3",
        ),
    ],
)
def test_networks_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(NetworkError) as error:
        changed(**change)
    assert str(error.value) == f"quantised network 'n': {message}"


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros(4, np.int64), "inputs must have shape (n, 4), not (4,)"),
        (np.zeros((2, 3), np.int64), "inputs must have shape (n, 4), not (2, 3)"),
        (np.zeros((0, 4), np.int64), "inputs must have shape (n, 4), not (0, 4)"),
        (np.ones((2, 4)), "inputs must be integers from 0 to 5"),
        (np.ones((2, 4), bool), "inputs must be integers from 0 to 5"),
        (np.full((2, 4), -1), "inputs must be integers from 0 to 5"),
        (np.full((2, 4), 6), "inputs must be integers from 0 to 5"),
    ],
)
def test_inputs_refused(x: Any, message: str) -> None:
    with pytest.raises(DataError) as error:
        changed().run(x)
    assert str(error.value) == message


def test_accumulator_bits_are_reached_and_enough() -> None:
    """The width holds the extreme sums, and one bit less does not hold them all."""
    for weight, inputs, bias in (
        (7, 4, 0),
        (-8, 4, 0),
        (-8, 2, -48),
        (-8, 9, 3),
        (7, 5, -200),
        (-1, 1, 0),
    ):
        one = replace(
            layer(inputs, 2),
            weights=np.full((inputs, 2), weight),
            bias=np.full(2, bias),
        )
        network = changed(layers=(one,))
        half = 1 << network.accumulator_bits - 1
        (lowest, highest) = network.accumulator_range
        assert lowest == min(0, 5 * inputs * min(weight, 0) + min(bias, 0))
        assert highest == max(0, 5 * inputs * max(weight, 0) + max(bias, 0))
        assert -half <= lowest <= highest < half
        assert network.accumulator_bits == 4 or not -half // 2 <= lowest <= highest < half // 2
        assert network.macs == 2 * inputs


def test_accumulators_of_hidden_layers_follow_from_what_enters_them() -> None:
    """Activations of a hidden layer go up to the clip of the one before, not to ``input_max``."""
    last = replace(layer(3, 2), weights=np.full((3, 2), 7))
    for clip_max in (0, 1, 7):
        first = layer(4, 3, Requantisation(3, 2, clip_max))
        network = changed(layers=(first, last), input_max=2)
        assert network.accumulator_range == (0, max(2 * 4, clip_max * 3 * 7))
