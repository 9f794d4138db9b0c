"""RTL meshes equal the golden model, whatever the delays of the clockless routers."""

from collections import Counter
from typing import Any

import pytest

from spikewatt.cosim.mesh import NativeMesh
from spikewatt.model.params import RouterKind
from tests.cosim.mesh_cases import (
    MeshCase,
    check_memories,
    check_run,
    happenings,
    joined,
    mesh_cases,
    small_mesh,
)

CASES = {(2, 1): 28, (1, 2): 14, (2, 2): 8, (3, 2): 6, (3, 3): 6}
"""Networks of each mesh (columns, rows)."""
SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 5))]
"""Delay assignments; 0 is that of the parameters."""
LONG = {(1, 2), (3, 2), (3, 3)}
"""Clockless, the last two take more than a minute to build; `test_mesh_port` has them without."""


def check_case(case: MeshCase, mesh: NativeMesh, what: str) -> None:
    """From the cleared state, whole; then once more in two parts; and what is left in the end."""
    mesh.configure(case.on(mesh.params.router))
    events = case.program.input_packets(case.spikes)
    check_run(case, mesh.run(events), what)
    half = len(events) // 2
    parts = mesh.run(events[:half]), mesh.run(events[half:], clear=False)
    check_run(case, joined(*parts), f"{what}, in two parts")
    check_memories(case, mesh, what)


def shapes(long: set[tuple[int, int]]) -> list[Any]:
    """Parameters of a test: each mesh, those in ``long`` so marked."""
    marks = {shape: pytest.mark.long if shape in long else () for shape in CASES}
    return [pytest.param(c, r, marks=mark, id=f"{c}x{r}") for (c, r), mark in marks.items()]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("columns", "rows"), shapes(LONG))
def test_click(columns: int, rows: int, seed: int) -> None:
    with NativeMesh(small_mesh(columns, rows, RouterKind.CLICK), delay_seed=seed) as mesh:
        for case in mesh_cases(columns, rows, CASES[columns, rows]):
            check_case(case, mesh, f"delays {seed}")


@pytest.mark.parametrize(("columns", "rows"), shapes({(1, 2), (3, 2)}))
def test_sync(columns: int, rows: int) -> None:
    with NativeMesh(small_mesh(columns, rows, RouterKind.SYNC)) as mesh:
        for case in mesh_cases(columns, rows, CASES[columns, rows]):
            check_case(case, mesh, "clocked")


def test_the_cases_reach_everything() -> None:
    """Equality over cases in which nothing happens would prove nothing."""
    seen: Counter[str] = Counter()
    for (columns, rows), count in CASES.items():
        found = sum((happenings(case) for case in mesh_cases(columns, rows, count)), Counter())
        assert found["spikes"] > 100
        assert found["packets"] > 100
        assert found["to the host"] > 10
        seen += found
    assert len(seen) == 17, seen
    assert min(seen.values()) >= 20, seen
    assert sum(CASES[shape] for shape in CASES if shape not in LONG) >= 36
