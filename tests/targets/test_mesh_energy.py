"""Joules of a run on a mesh, added up by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.energy.pricing.ledger import TERMS
from spikewatt.energy.pricing.priced_activity import PricedActivity
from spikewatt.model.compile.mesh.mapping import MeshFit, map_mesh
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.encoder import encode
from spikewatt.model.params import RouterKind
from spikewatt.model.params.tables import CONFIG_ADDRESS_BITS, CONFIG_DATA_BITS
from spikewatt.model.run import Run
from spikewatt.targets.mesh_network import NetworkEnergy
from spikewatt.targets.price import PricedRun
from tests.flow.small_comparison import near
from tests.flow.small_mesh import EACH_ROUTER, LANES, NETWORK, PRICED, ROUTERS, X, ran

DYNAMIC = [k for k, term in enumerate(TERMS) if term != "leakage"]
TILES = ("tile_0_0", "tile_1_0")
SIGNALS = ("data", "payload", "req", "ack", "valid", "ready")
LINKS = (
    ("tile_0_0.o__0", "tile_1_0.i__1"),
    ("tile_1_0.o__1", "tile_0_0.i__0"),
    ("tile_0_0.o__2", "exit.i", "edge.exit"),
    ("tile_0_0.i__1", "entry.o", "edge.entry"),
)
"""East and west between the tiles, to the host, and from it: names of the ends of each."""


@pytest.fixture(params=EACH_ROUTER, scope="module")
def router(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def energy(router: str) -> PricedRun:
    return ran(router).energy


@pytest.fixture
def report(router: str) -> dict[str, Any]:
    return ran(router).report["energy"]


def between(energy: PricedRun) -> NetworkEnergy:
    """What the network of the mesh takes."""
    assert isinstance(energy.between, NetworkEnergy)
    return energy.between


def program(router: str) -> MeshProgram:
    return map_mesh(
        NETWORK, MeshFit(mesh=(2, 1), lanes=LANES, router=RouterKind(router)), placement="search"
    )


def part_of(path: str) -> str:
    """Which part of the mesh a module belongs to; ``""`` for what is between them."""
    words = path.split(".")
    if words[0] in TILES:
        own = words[1] if len(words) > 1 else ""
        return {"": "", "router": "routers", "core": "cores"}.get(own, "interfaces")
    return {"": "", "edge": "edge", "edge_gate": "edge"}.get(words[0], "interfaces")


def sums(estimate: PricedActivity, terms: list[int]) -> dict[str, float]:
    """J of each part in the window."""
    found: dict[str, float] = {}
    ledger = estimate.ledger
    for path, joules in zip(ledger.modules, ledger.joules.sum((0, 2)), strict=True):
        part = part_of(path)
        found[part] = found.get(part, 0.0) + float(joules[terms].sum())
    return found


def toggles(estimate: PricedActivity, chosen: Callable[[tuple[str, ...]], bool]) -> float:
    """Of all nets whose names are chosen."""
    nets = [k for k, names in enumerate(estimate.netlist.names) if chosen(tuple(names))]
    return float(estimate.toggles[:, nets].sum())


def golden(router: str) -> Run:
    """The samples that are priced, by the golden model."""
    return run_mesh(program(router), NETWORK.stimulus(X[:PRICED]))


def readout_hops(router: str) -> int:
    """Routers that the packets of one readout pass, from the format of words and answers."""
    mesh = program(router)
    payload = max(mesh.params.core.axon_bits + mesh.params.core.slot_bits, 8)
    asked = -(-(CONFIG_DATA_BITS + CONFIG_ADDRESS_BITS + 1) // payload)
    answered = -(-CONFIG_DATA_BITS // payload)
    words = -(-LANES * NETWORK.state_bits // CONFIG_DATA_BITS)
    tiles = [piece.tile for piece in mesh.neurons_of["out"]]
    assert set(tiles) == {0, 1}
    groups = dict.fromkeys(tiles, 0)
    for piece in mesh.neurons_of["out"]:
        assert piece.neurons.start % LANES == 0
        assert len(piece.neurons) % LANES == 0
        groups[piece.tile] += len(piece.neurons) // LANES
    assert sum(groups.values()) == 3
    return sum(n * words * (asked + answered) * (tile + 1) for tile, n in groups.items())


def test_views_add_up(report: dict[str, Any]) -> None:
    """By category, by module, by part: the same joules."""
    whole = report["per_image_j"]
    assert "router" in report["by_category"]
    assert near(sum(report["by_category"].values()), whole)
    assert near(sum(report["by_module"].values()), whole)
    parts: dict[str, float] = {}
    for path, joules in report["by_module"].items():
        parts[part_of(path)] = parts.get(part_of(path), 0.0) + joules
    between = parts.pop("")
    assert 0 < between < 0.02 * whole
    assert parts.keys() == report["network"]["parts_j"].keys()
    for name, joules in report["network"]["parts_j"].items():
        assert near(joules, parts[name]), name


def test_window(energy: PricedRun, report: dict[str, Any]) -> None:
    """It begins where the rest ends, and the samples' cycles fill it."""
    edges, period = energy.estimate.activity.edges_s, energy.period_s
    assert near(period, 1e-8)
    assert len(edges) == PRICED + 1
    assert near(edges[0], between(energy).idle.ledger.edges_s[-1], 1e-12)
    assert near(report["duration_s"] / period, energy.cycles.sum())


def test_routers_and_interfaces_are_a_category(energy: PricedRun, report: dict[str, Any]) -> None:
    """All that toggles in them, and nothing else."""
    dynamic = sums(energy.estimate, DYNAMIC)
    moved = (dynamic["routers"] + dynamic["interfaces"]) / PRICED
    assert near(report["by_category"]["router"], moved)


def test_packets_and_hops(router: str, energy: PricedRun, report: dict[str, Any]) -> None:
    """Spikes by the golden model, and each readout by its packets."""
    trace, network = golden(router), report["network"]
    assert network["router"] == router
    assert network["packets"] == between(energy).packets == trace.packets.sum()
    assert network["hops"] == trace.hops.sum() + PRICED * readout_hops(router)


def test_spikes_and_operations(router: str, report: dict[str, Any]) -> None:
    """Of the inputs and of the neurons of all tiles."""
    trace = golden(router)
    spikes = int(encode(X[:PRICED], NETWORK.encoder).sum())
    assert spikes > 0
    spikes += sum(int(tile.spikes.sum()) for tile in trace.cores)
    operations = [int(tile.synaptic_ops.sum()) for tile in trace.cores]
    assert min(operations) > 0
    assert near(report["per_spike_j"], report["total_j"] / spikes)
    assert near(report["per_synaptic_op"]["all_in_j"], report["total_j"] / sum(operations))


@pytest.mark.long
def test_hops_are_requests_in_the_waveform() -> None:
    """Every packet leaves every clockless router by one toggle of one request."""
    energy = ran("click").energy
    ports = {f"{tile}.o__{port}__req" for tile in TILES for port in range(5)}
    asked = toggles(energy.estimate, lambda names: bool(ports & set(names)))
    assert asked == between(energy).hops > 0


def test_energy_per_flit_hop(energy: PricedRun, report: dict[str, Any]) -> None:
    dynamic, network = sums(energy.estimate, DYNAMIC), report["network"]
    assert near(network["per_flit_hop_j"], dynamic["routers"] / network["hops"])
    per_packet = dynamic["interfaces"] / network["packets"]
    assert near(network["interface_per_packet_j"], per_packet)
    wires = network["link_wires_j"] * network["hops"]
    moved = dynamic["routers"] + dynamic["interfaces"] + wires
    assert near(network["per_spike_delivered_j"], moved / network["packets"])
    assert 1e-14 < network["per_flit_hop_j"] < 5e-12


def test_link_wires(energy: PricedRun, report: dict[str, Any]) -> None:
    """0.2 fF/µm over the side of a square tile, at 0.9 V, for the nets from tile to tile."""
    area = sum(report["area_um2"][name] for name in ("logic", "memory"))
    pitch = (area / 2) ** 0.5
    assert near(report["network"]["tile_pitch_um"], pitch)

    def linking(names: tuple[str, ...]) -> bool:
        ends = {name.partition("[")[0] for name in names}
        return any(
            sum(f"{end}__{signal}" in ends for end in link) >= 2
            for link in LINKS
            for signal in SIGNALS
        )

    joules = 0.5 * 0.2e-15 * pitch * 0.9**2 * toggles(energy.estimate, linking)
    assert near(report["network"]["link_wires_j"], joules / report["network"]["hops"])


def idle(energy: PricedRun, terms: list[int]) -> dict[str, float]:
    """W of each part at rest."""
    edges: NDArray[np.float64] = between(energy).idle.ledger.edges_s
    found = sums(between(energy).idle, terms)
    del found[""]
    return {part: joules / (edges[-1] - edges[0]) for part, joules in found.items()}


def test_rest(energy: PricedRun, report: dict[str, Any]) -> None:
    """The power of a mesh of which nothing is asked."""
    network = report["network"]
    every, leaks = list(range(len(TERMS))), [TERMS.index("leakage")]
    for name, terms in (("idle_w", every), ("idle_leakage_w", leaks)):
        power = idle(energy, terms)
        assert power.keys() == network[name].keys()
        for part, watts in power.items():
            assert near(network[name][part], watts), (name, part)
    window = between(energy).idle.ledger.duration_s / report["clock_period_s"]
    assert near(window, 192)  # the last three quarters of 256 cycles
    # Cores sleep: the clock reaches their gates, and no flip-flop of theirs.
    assert 1 < network["idle_w"]["cores"] / network["idle_leakage_w"]["cores"] < 1.02


@pytest.mark.long
def test_clockless_routers_rest() -> None:
    """No net of them toggles: what they take is what they leak, to the last bit."""
    found = ran("click").report["energy"]["network"]
    assert found["idle_w"]["routers"] == found["idle_leakage_w"]["routers"] > 0
    other = ran("sync").report["energy"]["network"]
    assert other["idle_w"]["routers"] > other["idle_leakage_w"]["routers"]
    estimate = between(ran("click").energy).idle
    inside = toggles(estimate, lambda names: any(".router." in name for name in names))
    assert inside == 0


@pytest.mark.long
def test_both_routers_move_the_same() -> None:
    """But for the time that it takes."""
    first, second = (ran(name).report for name in ROUTERS)
    for name in ("packets", "hops", "predictions", "synaptic_ops", "merges", "spikes"):
        assert first[name] == second[name]
    assert first["energy"]["network"]["hops"] == second["energy"]["network"]["hops"]
    assert first["cycles"] != second["cycles"]
