"""A file whose checksum fits and whose content does not: the message names what is wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spikewatt.model.network.file import load_network
from spikewatt.model.network.graph import Network
from tests.model.builders import flatten
from tests.model.forging import array_name, forge, refusal


def test_forging_nothing_loads(saved: Path, small_network: Network) -> None:
    forge(saved, lambda manifest, arrays: None)
    assert flatten(load_network(saved)) == flatten(small_network)


MANIFESTS = [
    (lambda m: m.update(version=2), "format version 2 is newer than this spikewatt reads (1): "),
    (lambda m: m.update(version=0), "unknown format version 0"),
    (lambda m: m.update(version="1"), "unknown format version '1'"),
    (lambda m: m.update(version=1.0), "unknown format version 1.0"),
    (lambda m: m.update(version=True), "unknown format version True"),
    (lambda m: m.update(format="other"), "not a network file: network.json does not say 'spikew"),
    (lambda m: m["encoder"].update(kind="ttfs"), "encoder 'ttfs' is not one this spikewatt knows"),
    (lambda m: m["encoder"].update(gain=2.0), "encoder gain must be in (0, 1], not 2.0"),
    (lambda m: m["encoder"].update(high=float("nan")), "encoder range must be finite and low < "),
    (lambda m: m["encoder"].update(low=float("-inf")), "encoder range must be finite and low < "),
    (lambda m: m["encoder"].update(timesteps=1e3), "encoder timesteps must be an integer from 1"),
    (lambda m: m["encoder"].update(timesteps=True), "encoder timesteps must be an integer from 1"),
    (lambda m: m["encoder"].update(extra=1), "malformed network file ("),
    (lambda m: m["encoder"].pop("kind"), "malformed network file ('kind')"),
    (lambda m: m["readout"].update(kind="mean"), "readout kind must be 'membrane' or 'count', not"),
    (lambda m: m["readout"].update(population="x"), "readout: there is no population 'x'"),
    (lambda m: m["readout"].update(population=[]), "malformed network file ("),
    (lambda m: m.update(state_bits=33), "state_bits must be an integer from 4 to 32, not 33"),
    (lambda m: m.update(state_bits=9), "population 'h': threshold 300 exceeds the 9-bit membrane"),
    (lambda m: m.update(state_bits=None), "state_bits must be an integer from 4 to 32, not None"),
    (lambda m: m.update(drain_ticks=-1), "drain_ticks must be an integer from 0 to 4096, not -1"),
    (lambda m: m.update(drain_ticks=False), "drain_ticks must be an integer from 0 to 4096, not"),
    (lambda m: m.update(name=5), "name must be text, not 5"),
    (lambda m: m.update(metadata=[1]), "metadata must be a mapping, not [1]"),
    (lambda m: m.update(populations=[]), "a network needs at least one population"),
    (lambda m: m.update(populations={"a": 1}), "malformed network file ("),
    (lambda m: m.update(populations=3), "malformed network file ("),
    (lambda m: m.pop("connections"), "malformed network file ('connections')"),
    (lambda m: m["populations"].append(m["populations"][1]), "population names must be unique"),
    (
        lambda m: m["populations"][0].update(name="input"),
        "population 'input': the name is reserved",
    ),
    (lambda m: m["populations"][0].update(name=5), "population name must be text, not 5"),
    (
        lambda m: m["populations"][0].update(threshold=None),
        "population 'h': threshold must be a ve",
    ),
    (lambda m: m["populations"][0].update(threshold="no"), "malformed network file ('no')"),
    (lambda m: m["populations"][0]["neuron"].update(leak="exp"), "malformed network file ('EXP')"),
    (lambda m: m["populations"][0]["neuron"].update(leak=1), "malformed network file ("),
    (
        lambda m: m["populations"][0]["neuron"].update(refractory=256),
        "malformed network file (refr",
    ),
    (
        lambda m: m["populations"][0]["neuron"].update(silent=1),
        "malformed network file (silent mus",
    ),
    (lambda m: m["connections"][0].update(kind="conv2d"), "connection kind 'conv2d' is not one th"),
    (lambda m: m["connections"][0].update(source="x"), "connection x -> h: there is no population"),
    (lambda m: m["connections"][0].update(target="input"), "connection input -> input: the input "),
    (lambda m: m["connections"][0].update(delay=0), "connection input -> h: delay must be an int"),
    (lambda m: m["connections"][0].update(delay=64), "connection input -> h: delay must be an int"),
    (
        lambda m: m["connections"][0].update(weight_bits=3),
        "connection input -> h: weights must lie",
    ),
    (
        lambda m: m["connections"][0].update(weight_bits=10),
        "connection input -> h: weight_bits mus",
    ),
    (lambda m: m["connections"][0].update(weight_bits=True), "connection input -> h: weight_bits "),
    (
        lambda m: m["connections"][0].update(weights=None),
        "connection input -> h: weights must be a",
    ),
    (lambda m: m["connections"][0].pop("delay"), "malformed network file ('delay')"),
    (
        lambda m: m["connections"][2].update(source="o"),
        "connection o -> o: weights must have shape",
    ),
]


@pytest.mark.parametrize(("change", "message"), MANIFESTS)
def test_a_manifest_that_is_wrong(saved: Path, change: Callable, message: str) -> None:
    forge(saved, lambda manifest, arrays: change(manifest))
    assert refusal(saved).startswith(message)


WEIGHTS = ("connections", 0, "weights")
LAST = ("connections", 2, "weights")
FLOATS = ("connections", 0, "weights_float")
THRESHOLD = ("populations", 0, "threshold")
ARRAYS = [
    (
        ("connections", 2, "weights"),
        np.zeros((2, 3), np.int8),
        "connection h -> o: weights must have shape (3, 2), not (2, 3)",
    ),
    (
        WEIGHTS,
        np.zeros((2, 3), np.float32),
        "connection input -> h: weights must hold integers, no",
    ),
    (
        WEIGHTS,
        np.full((2, 3), 8, np.int8),
        "connection input -> h: weights must lie in -8..7, not ",
    ),
    (
        WEIGHTS,
        np.zeros((2, 3, 1), np.int8),
        "connection input -> h: weights must be a matrix, not ",
    ),
    (
        WEIGHTS,
        np.array({"pickled": 1}),
        "malformed network file (Object arrays cannot be loaded wh",
    ),
    (
        WEIGHTS,
        np.array([[None] * 3] * 2),
        "malformed network file (Object arrays cannot be loaded ",
    ),
    (WEIGHTS, np.full((2, 3), "a"), "connection input -> h: weights must hold integers, not <U1"),
    (
        ("connections", 1, "weights"),
        np.full((3, 3), -1, np.int8),
        "connection h -> h: weights must",
    ),
    (
        FLOATS,
        np.full((2, 3), np.nan, np.float32),
        "connection input -> h: weights_float must be fi",
    ),
    (
        FLOATS,
        np.full((2, 3), np.inf, np.float64),
        "connection input -> h: weights_float must be fi",
    ),
    (
        FLOATS,
        np.zeros(6, np.float32),
        "connection input -> h: weights_float must have shape (2, 3)",
    ),
    (
        FLOATS,
        np.full((2, 3), "a"),
        "connection input -> h: weights_float must hold numbers, not <U1",
    ),
    (
        FLOATS,
        np.ones((2, 3), complex),
        "connection input -> h: weights_float must hold numbers, not",
    ),
    (
        THRESHOLD,
        np.array([-1, 0, 0], np.int8),
        "population 'h': threshold must lie in 0..2147483647",
    ),
    (
        THRESHOLD,
        np.array(3, np.int8),
        "population 'h': threshold must be a vector of 1 to 65536 va",
    ),
    (
        THRESHOLD,
        np.zeros(0, np.int8),
        "population 'h': threshold must be a vector of 1 to 65536 va",
    ),
    (
        THRESHOLD,
        np.full(3, 1 << 31, np.int64),
        "population 'h': threshold must lie in 0..214748364",
    ),
    (THRESHOLD, np.zeros(2, np.int8), "population 'h': bias must have shape (2,), not (3,)"),
    (
        ("populations", 0, "bias"),
        np.zeros(3, bool),
        "population 'h': bias must hold integers, not ",
    ),
]


@pytest.mark.parametrize(("keys", "array", "message"), ARRAYS)
def test_an_array_that_is_wrong(saved: Path, keys: tuple, array: np.ndarray, message: str) -> None:
    name = array_name(saved, *keys)
    forge(saved, lambda manifest, arrays: arrays.update({name: array}))
    assert refusal(saved).startswith(message)


def test_a_missing_array_is_named(saved: Path) -> None:
    name = array_name(saved, *WEIGHTS)
    forge(saved, lambda manifest, arrays: arrays.pop(name))
    assert refusal(saved) == f"malformed network file ('{name}')"
