"""The shipped network does on the shipped images what the README promises."""

import hashlib
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.encoder import encode
from spikewatt.model.network.file import load_network
from spikewatt.model.network.graph import Network

DATA = files("spikewatt.model") / "data"


@pytest.fixture(scope="module")
def network() -> Network:
    return load_network(str(DATA / "digits.swn"))


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    with np.load(str(DATA / "digits_test.npz")) as data:
        return data["x"], data["y"]


def test_the_images(images: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = images
    assert (x.shape, y.shape) == ((360, 64), (360,))
    assert (int(x.min()), int(x.max())) == (0, 16)
    counts = np.bincount(y, minlength=10)
    assert len(counts) == 10
    assert counts.min() >= 30  # stratified: every digit is there
    assert len(np.unique(x, axis=0)) == 360


def test_the_network(network: Network) -> None:
    assert network.encoder.inputs == 64
    assert network.encoder.timesteps == 15
    assert [p.size for p in network.populations] == [128, 10]
    assert {c.weight_bits for c in network.connections} == {8}
    assert network.population(network.readout.population).neuron.silent


def test_the_float_reference_is_on_board(network: Network) -> None:
    """Integer weights are the float ones, scaled so that the largest is 127, and rounded."""
    assert network.has_floats
    for link in network.connections:
        assert link.weights_float is not None
        scale = 127 / np.abs(link.weights_float).max()
        error = np.abs(link.weights_float * scale - link.weights)
        assert error.max() <= 0.5 + 1e-4  # floats are stored in single precision
        assert error.max() > 0.4  # and are no copies of the integers


def test_accuracy_and_spike_rate(network: Network, images: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = images
    spikes = encode(x, network.encoder)
    program = map_network(network)
    trace = run_batch(program, network.stimulus(x))
    assert trace.membranes.shape[1] == network.ticks
    assert np.mean(network.readout.classes(trace) == y) >= 0.975
    hidden = trace.spikes[:, : network.encoder.timesteps, program.neurons_of["hidden"]]
    assert hidden.any(axis=(0, 1)).mean() > 0.5  # the hidden layer takes part
    total = spikes.sum() + hidden.sum()
    assert total / (spikes.size + hidden.size) <= 0.064


def test_what_is_shipped_is_small() -> None:
    sizes = {name: (DATA / name).read_bytes() for name in ("digits.swn", "digits_test.npz")}
    assert all(len(data) < 100_000 for data in sizes.values())
    with zipfile.ZipFile(str(DATA / "digits.swn")) as archive:
        assert "network.json" in archive.namelist()


def test_shipped_files_are_the_ones_that_training_wrote() -> None:
    folder = Path(__file__).resolve().parents[3]
    readme = (folder / "examples" / "digits" / "README.md").read_text()
    for name in ("digits.swn", "digits_test.npz"):
        digest = hashlib.sha256((folder / "model" / "data" / name).read_bytes()).hexdigest()
        assert f"{digest}  {name}\n" in readme
