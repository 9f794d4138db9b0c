"""The shipped digits network on its RTL: every tick of real images is the golden model's."""

from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.cosim.bench.cases import Case
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.simulate import Simulator
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import run
from spikewatt.model.network.file import load_network
from tests.cosim.agree import check_memories, check_trace, run_job

IMAGES = 40
DATA = resources.files("spikewatt.model") / "data"


@cache
def digits() -> tuple[Program, list[list[NDArray[np.int64]]]]:
    """The network on its smallest core, and the events of images from the whole test set."""
    with resources.as_file(DATA / "digits.swn") as path:
        network = load_network(path)
    with resources.as_file(DATA / "digits_test.npz") as path, np.load(path) as archive:
        images = archive["x"][:: len(archive["x"]) // IMAGES][:IMAGES]
    spikes = network.stimulus(images)
    program = map_network(network)
    return program, [program.input_events(sample) for sample in spikes]


def test_native() -> None:
    program, samples = digits()
    assert len(samples) == IMAGES >= 32
    fired = 0
    with NativeCore(program.params) as core:
        core.configure(program)
        for number, events in enumerate(samples):
            core.clear()
            golden = run(program, events)
            check_trace(f"image {number}", core.run(events), program, golden)
            check_memories(f"image {number}", core, golden)
            fired += golden.total("spike_counts")
    assert fired > 20 * IMAGES


@pytest.mark.timeout(180)
@pytest.mark.long
@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_cocotb(simulator: Simulator, tmp_path: Path) -> None:
    program, samples = digits()
    cases = [
        Case(name=f"image {k}", program=program, events=samples[k], early=k == 1, reset=k == 0)
        for k in range(3)
    ]
    run_job(program.params, cases, simulator, tmp_path, stall=0.1, seed=1)
