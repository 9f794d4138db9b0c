"""Clocks of a mesh run only where there is work, and a packet costs what is said of it."""

import pickle
from pathlib import Path

import pytest

from spikewatt.cosim.simulate import CocotbOptions, simulate
from spikewatt.model.params import RouterKind
from spikewatt.synth.verilog import export_mesh
from tests.cosim.mesh_cases import mesh_case, small_mesh


@pytest.mark.parametrize("delay_seed", [0, pytest.param(3, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "router", [pytest.param(RouterKind.CLICK, marks=pytest.mark.long), RouterKind.SYNC]
)
def test_sleep(router: RouterKind, delay_seed: int, tmp_path: Path) -> None:
    (tmp_path / "program.pickle").write_bytes(pickle.dumps(mesh_case(2, 1, 0).program))
    env = {"ROUTER": router, "PROGRAM": str(tmp_path / "program.pickle")}
    simulate(
        export_mesh(small_mesh(2, 1, router), dialect="assigns"),
        "mesh",
        "tests.cosim.benches.mesh_sleep",
        tmp_path,
        CocotbOptions(simulator="icarus", timing=True, delay_seed=delay_seed, env=env),
    )
