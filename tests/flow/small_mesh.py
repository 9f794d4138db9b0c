"""One small network on a mesh of two tiles, run and priced once for all tests of a process."""

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from spikewatt.flow.run import run
from spikewatt.model.network.graph import Network
from spikewatt.targets.mesh import MeshTarget
from spikewatt.targets.price import PricedRun
from tests.model.pairs import layered

__all__ = [
    "EACH_ROUTER",
    "LANES",
    "MESH",
    "NETWORK",
    "PRICED",
    "ROUTERS",
    "MeshRun",
    "X",
    "Y",
    "ran",
]

NETWORK: Network = layered((6, 4, 12), (5,), 1, bias=6, T=3)
"""Two groups of four lanes to a tile: the readout is on both."""
X: NDArray[np.float64] = np.random.default_rng(0).integers(0, 4, (7, 6)) / 3
Y: NDArray[np.int64] = np.arange(7) % 12
MESH, LANES, PRICED = "2x1", 4, 4
ROUTERS = ("click", "sync")
EACH_ROUTER = [pytest.param("click", marks=pytest.mark.long), "sync"]
"""Parameters of a test: the clockless mesh takes half a minute to build and to price."""


@dataclass(frozen=True)
class MeshRun:
    """What a run said, its joules, the sizes of the files that it left, and ``report.json``."""

    report: dict[str, Any]
    energy: PricedRun
    ledger: str
    files: dict[str, int]
    written: str


@lru_cache
def ran(router: str) -> MeshRun:
    """Seven samples, four of them priced, with a waveform: one build serves both."""
    kept: list[PricedRun] = []

    price = MeshTarget.price

    def keep(*words: Any) -> PricedRun:
        kept.append(price(*words))
        return kept[-1]

    with (
        tempfile.TemporaryDirectory(prefix="spikewatt-") as name,
        patch.object(MeshTarget, "price", keep),
    ):
        out = Path(name) / "out"
        report = run(
            NETWORK,
            X,
            Y,
            mesh=MESH,
            lanes=LANES,
            router=router,
            trace="vcd",
            energy=PRICED,
            out=out,
        )
        assert report.bit_exact, report.difference
        files = {path.name: path.stat().st_size for path in out.iterdir()}
        written = (out / "report.json").read_text()
    console = Console(width=120)
    with console.capture() as shown:
        console.print(report.ledger())
    return MeshRun(report.to_json(), kept[0], shown.get(), files, written)
