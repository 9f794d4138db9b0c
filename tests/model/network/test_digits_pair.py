"""The shipped networks of the fair pair do what examples/digits/README.md says of them."""

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.encoder import encode
from spikewatt.model.network.file import load_network
from spikewatt.model.network.graph import INPUT, Network
from spikewatt.model.network.readout import Readout
from spikewatt.model.params import Compare, Leak, Reset

DATA = files("spikewatt.model") / "data"
README = Path(__file__).resolve().parents[3] / "examples" / "digits" / "README.md"


@dataclass(frozen=True)
class Case:
    """A file, its sizes, and how many of the 360 images it reads right, as a QNN and every tick."""

    name: str
    timesteps: int
    hidden: int
    weight_bits: int
    theta: int
    right: int
    every_tick: int


CASES = (
    Case("digits_t3", 3, 128, 8, 64, 352, 352),
    Case("digits_t7", 7, 128, 8, 64, 358, 358),
    Case("digits_t15", 15, 128, 8, 64, 356, 355),
    Case("digits_qnn", 15, 60, 2, 5, 355, 354),
)
LEAKY_RIGHT = 354
"""Of `digits.swn`, on the same images (test_digits.py)."""


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="module")
def network(case: Case) -> Network:
    return load_network(str(DATA / f"{case.name}.swn"))


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    with np.load(str(DATA / "digits_test.npz")) as data:
        return data["x"], data["y"]


def rational(network: Network, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hidden activations and scores as the network means them: a quotient, rounded half up."""
    first, second = (link.weights for link in network.connections)
    theta = int(network.population("hidden").threshold[0])
    acc = np.array([[int(v) for v in row] for row in counts.astype(np.int64) @ first], object)
    top = network.encoder.timesteps
    rounded = [[(Fraction(a, theta) + Fraction(1, 2)).__floor__() for a in row] for row in acc]
    y = np.clip(np.array(rounded, np.int64), 0, top)
    return y, y @ second


def test_sizes(case: Case, network: Network) -> None:
    assert network.name == case.name
    assert (network.encoder.timesteps, network.drain_ticks) == (case.timesteps, 1)
    assert (network.encoder.gain, network.encoder.low, network.encoder.high) == (1.0, 0.0, 16.0)
    assert [(p.name, p.size) for p in network.populations] == [
        ("hidden", case.hidden),
        ("output", 10),
    ]
    links = [(c.source, c.target, c.weight_bits, c.delay) for c in network.connections]
    assert links == [
        (INPUT, "hidden", case.weight_bits, 1),
        ("hidden", "output", case.weight_bits, 1),
    ]
    assert (network.readout.population, network.readout.kind) == ("output", "membrane")


def test_neurons_integrate_and_reset_by_subtraction(case: Case, network: Network) -> None:
    hidden, output = network.populations
    for population in (hidden, output):
        neuron, bias = population.neuron, population.bias
        assert (neuron.leak, neuron.reset, neuron.refractory) == (Leak.NONE, Reset.SUBTRACT, 0)
        assert neuron.compare is Compare.GREATER_EQUAL
        assert bias is not None
        assert not bias.any()
    assert (hidden.neuron.silent, output.neuron.silent) == (False, True)
    assert set(hidden.threshold.tolist()) == {case.theta}


def test_floats_are_what_the_integers_were_rounded_from(case: Case, network: Network) -> None:
    """One step of a hidden weight is a threshold's ``1 / theta``; what is out of range is cut."""
    assert network.has_floats
    link = network.connections[0]
    assert link.weights_float is not None
    low, high = -(1 << case.weight_bits - 1), (1 << case.weight_bits - 1) - 1
    steps = np.clip(link.weights_float * case.theta, low, high)
    error = np.abs(steps - link.weights)
    assert 0.4 < error.max() <= 0.5 + 1e-4


def test_encoder_counts_round_half_up(network: Network) -> None:
    """Pixel ``x`` of 0..16 sends ``floor(T x / 16 + 1/2)`` spikes."""
    pixels = np.repeat(np.arange(17)[:, None], 64, axis=1)
    counts = encode(pixels, network.encoder).sum(axis=1)
    t = network.encoder.timesteps
    assert counts[:, 0].tolist() == [(2 * t * x + 16) // 32 for x in range(17)]


def test_accuracy_of_the_quantised_network(
    case: Case, network: Network, images: tuple[np.ndarray, np.ndarray]
) -> None:
    x, y = images
    _, scores = rational(network, encode(x, network.encoder).sum(axis=1))
    assert int((Readout.decide(scores) == y).sum()) == case.right


def test_the_cheapest_is_as_accurate_as_the_leaky_network() -> None:
    assert next(case.right for case in CASES if case.name == "digits_qnn") >= LEAKY_RIGHT


def test_no_membrane_can_saturate(network: Network) -> None:
    """Worst inputs over the whole domain: every excitatory, or every inhibitory, spike of T."""
    top = (1 << network.state_bits - 1) - 1
    t = network.encoder.timesteps
    for link in network.connections:
        target = network.population(link.target)
        positive = t * np.maximum(link.weights, 0).sum(axis=0) + target.threshold
        negative = t * np.maximum(-link.weights, 0).sum(axis=0)
        assert max(positive.max(), negative.max()) <= top


def test_every_tick_run(
    case: Case, network: Network, images: tuple[np.ndarray, np.ndarray]
) -> None:
    """Fired every tick it is another function than the quantised one, and nearly as accurate."""
    x, y = images
    spikes = encode(x, network.encoder)
    counts, _ = rational(network, spikes.sum(axis=1))
    program = map_network(network)
    trace = run_batch(program, network.stimulus(x))
    scores = network.readout.scores(trace)
    assert int((Readout.decide(scores) == y).sum()) == case.every_tick
    fired = trace.spikes[:, : case.timesteps, program.neurons_of["hidden"]].sum(axis=1)
    assert 0 < np.mean(fired != counts) < 0.2
    weights = network.connections[1].weights
    np.testing.assert_array_equal(scores, fired @ weights)  # the drain tick leaves nothing behind


def test_shipped_files_are_the_ones_that_training_wrote(case: Case) -> None:
    digest = hashlib.sha256((DATA / f"{case.name}.swn").read_bytes()).hexdigest()
    assert f"{digest}  {case.name}.swn\n" in README.read_text()
