"""Windows, on examples small enough to work out by hand; membranes have 8 bits."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import NetworkError, ParameterError
from spikewatt.model.compile.program import InputPort
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.core import run
from spikewatt.model.golden.reference import run_reference
from spikewatt.model.network.file import load_network, save_network
from spikewatt.model.network.graph import Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import Compare, CoreParams, NeuronType, Reset
from tests.model.builders import at, flatten, make_program, membranes, spikes
from tests.model.forging import forge, refusal


def kind(first: int, ticks: int, **more: Any) -> NeuronType:
    return NeuronType(**{"reset": Reset.SUBTRACT, "window": (first, ticks), **more})


BAD = [
    ({"window": [1, 2]}, "window must be two integers, (first, ticks), not [1, 2]"),
    ({"window": (1,)}, "window must be two integers, (first, ticks), not (1,)"),
    (
        {"window": (-1, 2)},
        "window's first tick must be an integer from 0 to 4094, not -1",
    ),
    (
        {"window": (True, 2)},
        "window's first tick must be an integer from 0 to 4094, not True",
    ),
    ({"window": (0, 0)}, "window's ticks must be an integer from 1 to 4095, not 0"),
    ({"window": (0, 2.0)}, "window's ticks must be an integer from 1 to 4095, not 2.0"),
    (
        {"window": (4000, 96)},
        "window's end (first + ticks) must be an integer from 1 to 4095, not 4096",
    ),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_windows(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        NeuronType(**change)
    assert str(caught.value) == message


def test_windows_that_a_core_lacks() -> None:
    with pytest.raises(ParameterError) as caught:
        CoreParams().check_type(NeuronType(window=(0, 1)))
    assert str(caught.value) == "a window is not built into this core: its window_bits is 0"
    core = CoreParams(window_bits=3)
    core.check_type(NeuronType(window=(3, 4)))
    with pytest.raises(ParameterError) as caught:
        core.check_type(NeuronType(window=(3, 5)))
    assert str(caught.value) == (
        "window's end (first + ticks) must be an integer from 0 to 7, not 8"
    )


def test_a_neuron_fires_within_its_window_only() -> None:
    program = make_program([[60]], kinds=[kind(2, 3)], threshold=10, window_bits=3)
    trace = run(program, [at((0, 1))] + [at()] * 7)
    assert spikes(trace) == [0, 0, 1, 1, 1, 0, 0, 0]
    assert membranes(trace) == [60, 60, 50, 40, 30, 30, 30, 30]


def test_a_bias_comes_in_tick_0_only() -> None:
    kinds = [kind(1, 1, silent=True), NeuronType(silent=True)]
    program = make_program(np.zeros((1, 2)), kinds=kinds, bias=[5, 5], window_bits=2)
    trace = run(program, [at()] * 3)
    assert (membranes(trace, 0), membranes(trace, 1)) == ([5, 5, 5], [5, 10, 15])


@pytest.mark.parametrize(
    ("threshold", "compare", "v", "after"),
    [
        (4, Compare.GREATER_EQUAL, 1, 1),
        (4, Compare.GREATER_EQUAL, 2, -2),
        (5, Compare.GREATER_EQUAL, 2, 2),
        (5, Compare.GREATER_EQUAL, 3, -2),
        (4, Compare.GREATER, 2, 2),
        (4, Compare.GREATER, 3, -1),
        (5, Compare.GREATER, 3, 3),
        (5, Compare.GREATER, 4, -1),
        (1, Compare.GREATER_EQUAL, 0, 0),
        (1, Compare.GREATER_EQUAL, 1, 0),
        (127, Compare.GREATER_EQUAL, 63, 63),
        (127, Compare.GREATER_EQUAL, 64, -63),
    ],
)
def test_half_the_threshold_is_compared_and_all_of_it_subtracted(
    threshold: int, compare: Compare, v: int, after: int
) -> None:
    program = make_program(
        [[v]], kinds=[kind(0, 1, compare=compare)], threshold=threshold, window_bits=1
    )
    assert membranes(run(program, [at((0, 1))])) == [after]


def test_the_fast_run_knows_the_tick() -> None:
    """A run far longer than the counter: no window opens a second time."""
    program = make_program(
        [[5, 5]],
        kinds=[kind(0, 7), kind(1, 6)],
        threshold=10,
        bias=3,
        window_bits=3,
        inputs=(InputPort(0, 1),),
    )
    trace = run_batch(program, np.ones((2, 20, 1), np.bool_))
    assert np.flatnonzero(trace.spikes[1, :, 0]).tolist() == [0, 2, 4, 6]
    assert np.flatnonzero(trace.spikes[1, :, 1]).tolist() == [1, 2, 4, 6]
    assert trace.membranes[1, -1].tolist() == [8 - 40 + 95, 8 - 40 + 95]


def small(**change: Any) -> Network:
    """One windowed neuron; half its real-valued threshold is exact."""
    population = Population(
        name="p",
        neuron=kind(1, 2),
        threshold=np.array([3]),
        bias=np.array([1]),
        threshold_float=np.array([3.0]),
        bias_float=np.array([0.75]),
    )
    link = Connection(
        source="input",
        target="p",
        weights=np.array([[1]]),
        weight_bits=2,
        weights_float=np.array([[1.0]]),
    )
    network = Network(
        name="small",
        encoder=Encoder(inputs=1, timesteps=5),
        populations=(population,),
        connections=(link,),
        readout=Readout(population="p", kind="membrane"),
    )
    return replace(network, **change)


def test_the_real_valued_network_has_windows_too() -> None:
    short = replace(small().populations[0], neuron=kind(1, 1))
    network, shown = small(populations=(short,)), np.ones((1, 5, 1), np.bool_)
    counted = replace(network, readout=Readout(population="p", kind="count"))
    # 1.75 is above 1.5, but tick 0 is closed; 2.75 fires below 3; 5 inputs in all
    run = run_reference(network, shown)
    assert counted.readout.scores(run).tolist() == [[1]]
    assert network.readout.scores(run).tolist() == [[5.75 - 3.0]]
    assert run.spikes[0, :, 0].tolist() == [False, True, False, False, False]


def manifest_of(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("network.json"))


def test_a_file_holds_windows(tmp_path: Path) -> None:
    save_network(small(), tmp_path / "n.swn")
    loaded = load_network(tmp_path / "n.swn")
    assert flatten(loaded) == flatten(small())
    assert loaded.populations[0].neuron.window == (1, 2)
    assert manifest_of(tmp_path / "n.swn")["populations"][0]["neuron"]["window"] == [1, 2]


def test_a_file_without_windows_does_not_speak_of_them(tmp_path: Path) -> None:
    population = replace(small().populations[0], neuron=NeuronType())
    save_network(small(populations=(population,)), tmp_path / "n.swn")
    manifest = manifest_of(tmp_path / "n.swn")
    assert set(manifest["populations"][0]["neuron"]) == {
        *("leak", "leak_amount", "reset", "compare", "refractory", "silent")
    }
    forge(tmp_path / "n.swn", lambda m, arrays: m["populations"][0]["neuron"].update(window=None))
    assert load_network(tmp_path / "n.swn").populations[0].neuron.window is None


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("all", "window must be two integers, (first, ticks), not 'all'"),
        (3, "window must be two integers, (first, ticks), not 3"),
        ([], "window must be two integers, (first, ticks), not ()"),
        ([1, 2, 3], "window must be two integers, (first, ticks), not (1, 2, 3)"),
        ({"first": 1}, "window must be two integers, (first, ticks), not {'first': 1}"),
        ([1.0, 2], "window's first tick must be an integer from 0 to 4094, not 1.0"),
        ([[1], 2], "window's first tick must be an integer from 0 to 4094, not [1]"),
        ([0, "2"], "window's ticks must be an integer from 1 to 4095, not '2'"),
        ([-1, 2], "window's first tick must be an integer from 0 to 4094, not -1"),
        ([1, 0], "window's ticks must be an integer from 1 to 4095, not 0"),
        ([4000, 96], "window's end (first + ticks) must be an integer from 1 to 4095, not 4096"),
        ([1 << 80, 2], f"window's first tick must be an integer from 0 to 4094, not {1 << 80}"),
    ],
)
def test_a_forged_window_is_named(tmp_path: Path, window: Any, message: str) -> None:
    save_network(small(), tmp_path / "n.swn")
    forge(tmp_path / "n.swn", lambda m, arrays: m["populations"][0]["neuron"].update(window=window))
    assert refusal(tmp_path / "n.swn").startswith(f"malformed network file ({message}")
    with pytest.raises(NetworkError):
        load_network(tmp_path / "n.swn")
