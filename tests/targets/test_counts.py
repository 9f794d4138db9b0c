"""Counts of what a target does: those of the golden model, in words that estimators know."""

import numpy as np
import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.model.compile.systolic.program import map_quantised
from spikewatt.model.compile.tap import board_params
from spikewatt.model.counts import Count, Counts
from spikewatt.model.golden.systolic import accesses
from spikewatt.model.network.quantised_pair import quantised_pair
from spikewatt.targets.board.target import BoardTarget
from spikewatt.targets.mesh import MeshTarget
from spikewatt.targets.neuro import NeuroTarget
from spikewatt.targets.systolic import SystolicTarget
from tests.model.pairs import layered

NETWORK = layered((6, 4, 12), (5,), 1, bias=6, T=3)
X = np.random.default_rng(0).integers(0, 4, (5, 6)) / 3


def test_sums_by_hand() -> None:
    rows = [Count("a", "read", 3, "x"), Count("a", "write", 2), Count("b", "read", 0, "y")]
    counts = Counts.of(2, rows)
    assert len(counts.rows) == 2  # nothing happened in the third
    assert (counts.total(), counts.total("read"), counts.total(module="a", layer="x")) == (5, 3, 3)
    assert counts.by("what") == {"read": 3, "write": 2}
    assert counts.to_json()["rows"][1] == {"module": "a", "what": "write", "count": 2, "layer": ""}


@pytest.mark.parametrize("kind", ["core", "mesh", "board"])
def test_a_spiking_target_counts_the_same_work(kind: str) -> None:
    """Whatever it runs on: additions, spikes and updates are the network's."""
    targets = {
        "core": NeuroTarget(NETWORK, lanes=4),
        "mesh": MeshTarget(NETWORK, mesh=(2, 1), lanes=4),
        "board": BoardTarget(NETWORK, params=board_params(NETWORK, lanes=4)),
    }
    spikes = NETWORK.stimulus(X)
    target = targets[kind]
    golden, counts = target.golden(spikes), target.count(spikes)
    assert counts.images == len(X)
    assert counts.total("add") == golden.total("synaptic_ops") > 0
    assert counts.total("read", "synapses") == golden.total("synapse_words") > 0
    assert counts.total("event", "input") == spikes.sum()
    assert counts.total("event", "neurons") == golden.total("spike_counts") > 0
    ticks = spikes.shape[0] * spikes.shape[1]
    assert counts.total("update") == ticks * sum(p.size for p in NETWORK.populations)
    hops = golden.total("hops") if kind == "mesh" else 0
    assert counts.total("hop") == hops
    assert (hops > 0) == (kind == "mesh")


def test_a_systolic_target_counts_its_memories() -> None:
    network = quantised_pair(NETWORK)
    program = map_quantised(network, batch=2, rows=4, columns=4)
    x = np.random.default_rng(1).integers(0, 4, (5, 6))
    counts = SystolicTarget(program).count(x)
    expected = [accesses(program, size) for size in (2, 2, 1)]
    for memory in ("weight", "activation", "accumulator"):
        reads = sum(each[f"{memory}_read"] for each in expected)
        assert counts.total("read", memory) == reads > 0
    writes = sum(each["activation_write"] for each in expected)
    assert counts.total("write", "activation") == writes
    assert counts.total("multiply", "array") == counts.total("add") == 5 * network.macs
    assert counts.total("add", layer="out") == 5 * 4 * 12


def test_a_board_is_not_priced_and_has_no_waveform() -> None:
    with pytest.raises(ParameterError, match="a board has no gates to price: price the core's"):
        BoardTarget(NETWORK, params=board_params(NETWORK, lanes=4)).price(NETWORK.stimulus(X))
