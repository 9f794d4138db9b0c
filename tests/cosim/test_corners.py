"""Corner cases by name: each is met, and the RTL agrees with the golden model in it."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from spikewatt.cosim.bench.cases import Case
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.simulate import Simulator
from spikewatt.model.golden.core import run
from spikewatt.model.params import NeuronType
from tests.cosim.agree import check_memories, check_trace, run_job
from tests.cosim.builds import BUILDS
from tests.cosim.corners_of_neurons import NEURON_CORNERS
from tests.cosim.corners_of_spikes import SPIKE_CORNERS
from tests.cosim.random_cores import random_case
from tests.cosim.small_core import CORE, make_program

CORNERS = {**NEURON_CORNERS, **SPIKE_CORNERS}


@pytest.fixture(scope="module")
def core() -> Iterator[NativeCore]:
    with NativeCore(CORE) as built:
        yield built


@pytest.mark.parametrize("name", CORNERS)
def test_native(name: str, core: NativeCore) -> None:
    corner = CORNERS[name]
    golden = run(corner.program, corner.events)
    assert corner.met(golden)
    core.clear()
    core.configure(corner.program)
    rtl = core.run(corner.events)
    check_trace(name, rtl, corner.program, golden)
    check_memories(name, core, golden)


@pytest.mark.parametrize("end", [-1, 1], ids=["lowest", "highest"])
def test_every_summand_at_its_end(end: int) -> None:
    """Membrane, sum and bias are equally wide, and all three at the same end of their range."""
    params = BUILDS["equal widths"]
    assert params.state_bits == params.accumulator_bits == params.bias_bits
    low, high = params.membrane_range
    ends = {-1: (-64, low), 1: (63, high)}
    weight, limit = ends[end]
    program = dataclasses.replace(
        random_case("equal widths", params, 0).program,
        types=(NeuronType(silent=True),),
        group_type=np.zeros(params.groups, np.int64),
        bias=np.full(params.neurons, limit),
        synapses=np.full((params.synapse_words, params.lanes), weight),
        row_first=np.zeros(2, np.int64),
        row_last=np.full(2, params.groups - 1),
        row_base=np.zeros(2, np.int64),
    )
    events = [np.array([(0, 1), (1, 1)], np.int64)] * 3
    golden = run(program, events)
    assert abs(limit + 2 * weight + limit) > 2 * high
    assert (golden.membranes == limit).all()
    with NativeCore(params) as core:
        core.configure(program)
        check_trace("ends", core.run(events), program, golden)


def test_destination_lists_that_neurons_share(core: NativeCore) -> None:
    """More packets in a tick than the destination memory has entries: none is lost."""
    row = [(axon % 11, 1, 1, axon % 4) for axon in range(CORE.destinations)]
    program = dataclasses.replace(
        make_program(weights={0: 60}, threshold=50, fanout={0: row}),
        fanout_start=np.zeros(CORE.neurons, np.int64),
        fanout_count=np.full(CORE.neurons, CORE.destinations),
    )
    events = [np.array([(0, 1)], np.int64)]
    golden = run(program, events)
    assert len(golden.sent) == CORE.neurons * CORE.destinations
    core.clear()
    core.configure(program)
    check_trace("shared lists", core.run(events), program, golden)


@pytest.mark.timeout(120)
@pytest.mark.long
@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_cocotb(simulator: Simulator, tmp_path: Path) -> None:
    """All corners in a row: what one leaves behind is the next one's trouble."""
    jobs = [
        Case(name=name, program=c.program, events=c.events, early=k % 2 == 0, reset=k % 4 == 0)
        for k, (name, c) in enumerate(CORNERS.items())
    ]
    run_job(CORE, jobs, simulator, tmp_path, stall=0.3, seed=7)
