"""The digits on a mesh of cores that are too small to hold them alone."""

from functools import lru_cache

import pytest

from spikewatt.base.errors import CapacityError
from spikewatt.flow.report import RunReport
from spikewatt.flow.run import load_digits, run
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.mesh.mapping import MeshFit, map_mesh
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.params import RouterKind

IMAGES, LANES = 4, 2
NETWORK, X, Y = load_digits()
NEURONS = sum(population.size for population in NETWORK.populations)
SAME = (
    *("images", "ticks", "accuracy", "spikes", "spike_rate", "synaptic_ops", "predictions"),
    *("network", "simulator", "bit_exact", "difference"),
)
"""What does not depend on where a neuron is."""


@lru_cache
def single() -> RunReport:
    return run(NETWORK, X[:IMAGES], Y[:IMAGES])


@pytest.mark.parametrize(
    "router", [RouterKind.SYNC, pytest.param(RouterKind.CLICK, marks=pytest.mark.long)]
)
def test_digits(router: RouterKind) -> None:
    """The answers of one core, from four of which none could give them."""
    program = map_mesh(
        NETWORK, MeshFit(mesh=(2, 2), lanes=LANES, router=router), placement="search"
    )
    with pytest.raises(CapacityError, match="and this core has 36: choose a core with neurons"):
        map_network(NETWORK, program.params.core)
    golden = run_mesh(program, NETWORK.stimulus(X[:IMAGES]))

    report = run(NETWORK, X[:IMAGES], Y[:IMAGES], mesh="2x2", lanes=LANES, router=router.value)

    assert report.bit_exact, report.difference
    assert (report.core["neurons"], NEURONS) == (36, 138)
    assert {n: getattr(report, n) for n in SAME} == {n: getattr(single(), n) for n in SAME}
    assert set(report.accuracy.values()) == {1.0}
    assert (report.mesh, report.router) == ("2x2", router.value)
    assert report.packets == golden.packets.sum() > IMAGES * 300
    assert report.hops == golden.hops.sum() == golden.traffic.sum()
    assert report.synapse_words == sum(tile.synapse_words.sum() for tile in golden.cores)
    # Two sums over the host and four tiles, before every tick.
    assert report.barrier_cycles is not None
    assert 2 * (4 + 1) * report.ticks <= report.barrier_cycles < 0.2 * report.cycles


def test_one_core_has_no_mesh() -> None:
    report = single().to_json()
    for name in ("mesh", "router", "packets", "hops", "barrier_cycles"):
        assert report[name] is None
