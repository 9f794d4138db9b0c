"""Each Click element alone, under stalls and delays at random, in both simulators."""

from pathlib import Path

import pytest

from spikewatt.cosim.simulate import CocotbOptions, Simulator, simulate
from tests.hdl.router.elements import verilog


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.long), pytest.param(2, marks=pytest.mark.long)]
)
@pytest.mark.parametrize("simulator", [pytest.param("verilator", marks=pytest.mark.long), "icarus"])
def test_elements(simulator: Simulator, seed: int, tmp_path: Path) -> None:
    simulate(
        verilog(simulator),
        "elements",
        "tests.hdl.router.benches.elements",
        tmp_path,
        CocotbOptions(
            simulator=simulator,
            timing=True,
            delay_seed=seed,
            env={"SEED": str(seed), "TOKENS": "150"},
        ),
    )
