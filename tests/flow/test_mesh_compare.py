"""``spikewatt compare --mesh``: the spiking side on a mesh, the other as it always is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikewatt.flow.compare.bounds import bound, measure_glitches
from spikewatt.flow.compare.run import sides
from spikewatt.model.compile.mesh.mapping import MeshFit, map_mesh
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.file import save_network
from tests.flow.command import Cli, assert_one_line
from tests.flow.small_comparison import near
from tests.flow.small_mesh import LANES, MESH, NETWORK, X, Y, ran

IMAGES = 2
FIGURES = ("mesh", "router", "packets", "hops", "barrier_cycles")
QUICK = ("--lanes", LANES, "--array", "4x4", "--no-refine", "--no-glitches", "--images", IMAGES)
CATEGORIES = ["clock", "control", "datapath", "sram", "router", "leakage"]


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    save_network(NETWORK, tmp_path / "net.swn")
    np.savez(tmp_path / "data.npz", x=X, y=Y)


def compared(cli: Cli, *words: object) -> dict[str, Any]:
    run = cli("compare", "net.swn", "--data", "data.npz", *QUICK, *words, "--json")
    assert (run.returncode, run.stderr) == (0, "")
    return json.loads(run.stdout)


@pytest.mark.long
@pytest.mark.parametrize("router", ["click", "sync"])
def test_json_and_files(cli: Cli, tmp_path: Path, router: str) -> None:
    """An equal of the network on one mesh; the network as it is on the other."""
    rival = ("--rival", "net.swn") if router == "click" else ()
    report = compared(cli, "--mesh", MESH, "--router", router, "--out", "out", *rival)

    neuro, _ = sides(NETWORK, X, rival=NETWORK if rival else None)
    chosen, _ = sides(NETWORK, X[:IMAGES], rival=NETWORK if rival else None)
    program = map_mesh(neuro.network, MeshFit(mesh=(2, 1), lanes=LANES), placement="search")
    golden = run_mesh(program, chosen.spikes)
    found = {name: report[name] for name in FIGURES}
    barrier = found.pop("barrier_cycles")
    # Two sums over the host and two tiles before every tick, and more where packets are late.
    assert 2 * (2 + 1) <= barrier / (IMAGES * chosen.spikes.shape[1]) < 20
    assert found == {
        "mesh": MESH,
        "router": router,
        "packets": golden.packets.sum(),
        "hops": golden.hops.sum(),
    }
    label = f"4 lanes, mesh 2x1, {router} router"
    assert report["rests_on"]["neuro_core"] == report["neuro"]["label"] == label
    assert report["neuro"]["bit_exact"] is True
    assert report["neuro"]["accuracy"] == (neuro.classes == Y).mean()
    assert list(report["neuro"]["by_category"]) == CATEGORIES
    assert near(sum(report["neuro"]["by_category"].values()), _joules(report["neuro"]))
    assert near(report["ratio"]["mean"], _joules(report["neuro"]) / _joules(report["systolic"]))
    assert report["kind"] == ("equal accuracy" if rival else "equal function")
    (variant,) = report["neuro"]["variants"]
    for name in FIGURES:
        assert variant[name] == report[name]
        assert report["systolic"][name] is None
    assert "router" not in report["systolic"]["by_category"]
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == report
    head = (tmp_path / "out" / "variants.csv").read_text().splitlines()[0]
    assert "router_j" in head.split(",")


def _joules(side: dict[str, Any]) -> float:
    return side["energy_per_inference_j"]


def test_sweep_is_for_one_core(cli: Cli) -> None:
    run = cli("compare", "net.swn", "--sweep-rate", "0.1:0.3:2", "--mesh", MESH)
    assert_one_line(run, "--sweep-rate is for one core: leave --mesh out")


@pytest.mark.long
def test_glitches_of_a_clockless_mesh() -> None:
    """The clicks come from the waveform; the gates between them are simulated with delays."""
    price = ran("click").energy
    factor = measure_glitches(price)
    assert factor is not None
    assert 1 < factor < 3
    names = [one.name for one in bound(price, price, (factor, factor)).scenarios]
    assert names[-1] == "glitches"
    known = bound(price, price, (None, factor))
    assert "glitches" not in [one.name for one in known.scenarios]
    assert known.figures().glitch_factor == {"neuro": None, "systolic": factor}
