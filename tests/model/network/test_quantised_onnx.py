"""The golden quantised network is what ONNX Runtime computes, integer for integer."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from spikewatt.model.network.quantised import QuantisedNetwork
from spikewatt.model.params.systolic import Rounding
from tests.model.onnx_graph import onnx_run
from tests.model.quantised_networks import NetworkKind, random_inputs, random_network

CASES = 280
IMAGES = 12


def case(number: int) -> tuple[QuantisedNetwork, np.ndarray]:
    """Widths take turns: every pair of 1..8 activation bits and 2..8 weight bits occurs."""
    rng = np.random.default_rng([9, number])
    kind = NetworkKind(activation_bits=1 + number % 8, weight_bits=2 + number // 8 % 7)
    network = random_network(rng, kind, f"case {number}")
    return network, random_inputs(rng, network, IMAGES)


@pytest.mark.parametrize("first", range(0, CASES, 56))
def test_golden_is_onnx_runtime(first: int) -> None:
    for number in range(first, first + 56):
        network, x = case(number)
        golden, onnx = network.run(x), onnx_run(network, x)
        assert len(golden) == len(onnx) == len(network.layers)
        for k, (ours, theirs) in enumerate(zip(golden, onnx, strict=True)):
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{network.name}, layer {k}")


def test_cases_are_many_and_lively() -> None:
    seen: Counter[str] = Counter()
    for number in range(CASES):
        network, x = case(number)
        seen["networks"] += 1
        seen[f"{len(network.layers)} layers"] += 1
        values = x
        for layer, after in zip(network.layers, network.run(x), strict=True):
            sums = values @ layer.weights + layer.bias
            seen["biases"] += bool(layer.bias.any())
            how, values = layer.requantisation, after
            if how is None:
                continue
            scaled = [Fraction(int(s) * how.multiplier, 1 << how.shift) for s in sums.ravel()]
            ties = sum(s.denominator == 2 and 0 < s < how.clip_max for s in scaled)
            seen[f"ties, {how.rounding.name}"] += ties
            seen[f"rounded, {how.rounding.name}"] += sum(s.denominator != 1 for s in scaled)
            seen["clipped below"] += sum(s < -1 for s in scaled)
            seen["clipped above"] += sum(s > how.clip_max + 1 for s in scaled)
            seen["strictly between"] += int(((after > 0) & (after < how.clip_max)).sum())
    expected = {f"{n} layers" for n in range(1, 5)} | {"networks", "biases"}
    expected |= {f"{what}, {r.name}" for r in Rounding for what in ("ties", "rounded")}
    expected |= {"clipped below", "clipped above", "strictly between"}
    assert set(seen) == expected
    assert seen["networks"] >= 200
    assert {name: n for name, n in seen.items() if n < 50} == {}
