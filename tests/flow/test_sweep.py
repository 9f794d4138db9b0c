"""Joules against spikes and neurons, on real RTL; lines, rates, and networks cut down."""

import csv
import io
import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from spikewatt.base.errors import NetworkError, ParameterError
from spikewatt.base.report import from_json
from spikewatt.flow.compare.sweep import Line, Sweep, SweepReport, parse_rates, sweep, trimmed
from spikewatt.flow.compare.variants import NeuroVariant, SystolicVariant
from spikewatt.model.network.pair import spiking_pair
from spikewatt.model.network.quantised_pair import quantised_pair
from tests.flow.small_comparison import NETWORK, leaky, near
from tests.model.pairs import domain, layered


@pytest.fixture(scope="module")
def found() -> Sweep:
    """Three rates and four sizes, on the cores of the small comparison."""
    return sweep(
        NETWORK,
        (0.1, 0.5, 0.9),
        neuro=NeuroVariant(4),
        systolic=SystolicVariant(4, 4, 2),
        images=4,
    )


def test_spikes_cost_the_spiking_core(found: Sweep) -> None:
    spikes = [point.spikes for point in found.rates]
    assert spikes == sorted(spikes)
    assert spikes[-1] > 2 * spikes[0]
    line = found.lines()["neuro_against_spikes"]
    assert line.slope_j > 0
    assert line.intercept_j > 0
    assert line.r2 is not None
    assert line.r2 > 0.97
    assert all(a.neuro_j < b.neuro_j for a, b in pairwise(found.rates))


def test_spikes_hardly_matter_to_the_array(found: Sweep) -> None:
    swing = found.swing()
    assert 1 < swing["systolic"] < 1.2 < swing["neuro"]
    lines = found.lines()
    # Per spike, and in proportion to what each takes at rest.
    ours, theirs = (lines[f"{core}_against_spikes"] for core in ("neuro", "systolic"))
    assert abs(theirs.slope_j) / theirs.intercept_j < 0.2 * ours.slope_j / ours.intercept_j


def test_neurons_cost_both(found: Sweep) -> None:
    assert [point.neurons for point in found.sizes] == [2 + 4, 4 + 4, 6 + 4, 8 + 4]
    assert found.sizes[-1] == found.rates[1]
    assert {point.rate for point in found.sizes} == {0.5}
    for core in ("neuro", "systolic"):
        assert found.lines()[f"{core}_against_neurons"].slope_j > 0


def test_inputs_by_hand(found: Sweep) -> None:
    """Spikes and operations of a point, from its random numbers."""
    draws = np.random.default_rng(0).random((4, 3, 6))
    for point in found.rates:
        counts = (draws < point.rate).sum(1)
        hidden = quantised_pair(NETWORK).run(counts)[0]
        assert near(point.spikes, (counts.sum() + hidden.sum()) / 4)
        assert near(point.synaptic_ops, (8 * counts.sum() + 4 * hidden.sum()) / 4)


def test_json_and_csv(found: Sweep) -> None:
    report = json.loads(found.to_text())
    from_json(report, SweepReport)  # every field is there, and of its type
    assert report["schema"] == "spikewatt.sweep/1"
    assert (report["mode"], report["batch"], report["images"]) == ("window", 2, 4)
    assert [point["rate"] for point in report["rates"]] == [0.1, 0.5, 0.9]
    assert set(report["lines"]) == {
        f"{core}_against_{what}" for core in ("neuro", "systolic") for what in ("spikes", "neurons")
    }
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [row.pop("sweep") for row in rows] == ["rate"] * 3 + ["neurons"] * 4
    told = [*report["rates"], *report["sizes"]]
    assert [{k: float(v) for k, v in row.items()} for row in rows] == told


def test_line_by_hand() -> None:
    line = Line.through([0, 1, 2, 3], [1e-9, 3e-9, 5e-9, 7e-9])
    assert near(line.slope_j, 2e-9)
    assert near(line.intercept_j, 1e-9)
    assert line.r2 is not None
    assert near(line.r2, 1)
    bent = Line.through([0, 1, 2], [0, 3e-9, 0])
    assert abs(bent.slope_j) < 1e-20
    assert near(bent.intercept_j, 1e-9)
    assert bent.r2 is not None
    assert abs(bent.r2) < 1e-9
    assert Line.through([0, 1], [2e-9, 2e-9]).r2 is None
    # One count is no line.
    assert Line.through([5, 5], [1e-9, 3e-9]) == Line(0.0, 2e-9, None)


def test_rates() -> None:
    np.testing.assert_allclose(parse_rates("0.1:0.3:3"), [0.1, 0.2, 0.3])
    assert len(parse_rates("0.01:1:100")) == 100


@pytest.mark.parametrize(
    "text",
    [
        *("", "0.1", "0.1:0.3", "0.1:0.3:1", "0.1:0.3:101", "0.1:0.3:2.5", "0.1:0.3:8:9", "a:b:c"),
        *("0:0.3:8", "0.3:0.1:8", "0.2:0.2:3", "0.1:1.1:8", "-1:-0.5:3", "nan:1:8", "0.1:nan:8"),
    ],
)
def test_bad_rates(text: str) -> None:
    message = (
        "--sweep-rate must be first:last:points like 0.01:0.3:8, with rates above 0 and up to 1 "
        f"and 2 to 100 points, not {text!r}"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        parse_rates(text)


def test_trimmed_is_the_network_without_the_others() -> None:
    """What the first neurons do does not change; the next layer lacks what the others sent."""
    network = layered((3, 5, 4, 2), (4, 6), 7, bias=5, T=3)
    counts = domain(3, 3)
    whole, small = quantised_pair(network), quantised_pair(trimmed(network, 3))
    assert [layer.outputs for layer in small.layers] == [3, 4, 2]
    np.testing.assert_array_equal(small.run(counts)[0], whole.run(counts)[0][:, :3])
    np.testing.assert_array_equal(small.layers[1].weights, whole.layers[1].weights[:3])
    np.testing.assert_array_equal(small.layers[2].weights, whole.layers[2].weights)
    np.testing.assert_array_equal(small.layers[1].bias, whole.layers[1].bias)
    assert spiking_pair(trimmed(network, 1)).populations[0].size == 1


def test_trimmed_keeps_real_values_in_step() -> None:
    network = layered((3, 5, 2), (4,), 7, T=3)
    hidden, out = network.populations
    first, second = network.connections
    network = replace(
        network,
        populations=(replace(hidden, threshold_float=np.arange(5.0) + 1), out),
        connections=(
            replace(first, weights_float=first.weights / 8),
            replace(second, weights_float=second.weights / 8),
        ),
    )
    small = trimmed(network, 2)
    threshold = small.populations[0].threshold_float
    assert threshold is not None
    np.testing.assert_array_equal(threshold, [1, 2])
    for link in small.connections:
        assert link.weights_float is not None
        np.testing.assert_array_equal(link.weights_float, link.weights / 8)


def test_nothing_to_sweep() -> None:
    with pytest.raises(
        NetworkError, match=r"^network 'chain' has no hidden population: nothing to sweep$"
    ):
        sweep(layered((6, 4), (), 1), (0.1, 0.2))
    with pytest.raises(NetworkError, match=r"^population 'h1' leaks"):
        sweep(leaky(), (0.1, 0.2))
