"""RTL meshes equal the golden model, whatever the delays of the clockless routers."""

from collections import Counter

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
FEW = {(2, 1): 4, (2, 2): 2}
"""Those that run every time."""
SEEDS = range(5)
"""Delay assignments; 0 is that of the parameters."""
LARGE = {(3, 2), (3, 3)}
"""Clockless, they take more than a minute to build; `test_mesh_port` has them without."""


def check_case(case: MeshCase, mesh: NativeMesh, what: str) -> None:
    """From the cleared state, whole; then once more in two parts; and what is left in the end."""
    mesh.configure(case.on(mesh.params.router))
    events = case.program.input_packets(case.spikes)
    check_run(case, mesh.run(events), what)
    half = len(events) // 2
    parts = mesh.run(events[:half]), mesh.run(events[half:], clear=False)
    check_run(case, joined(*parts), f"{what}, in two parts")
    check_memories(case, mesh, what)


def label(shape: tuple[int, int]) -> str:
    return f"{shape[0]}x{shape[1]}"


def check_mesh(router: RouterKind, shape: tuple[int, int], count: int, seed: int = 0) -> None:
    """The first ``count`` networks of a mesh."""
    with NativeMesh(small_mesh(*shape, router), delay_seed=seed) as mesh:
        for case in mesh_cases(*shape, count):
            check_case(case, mesh, f"delays {seed}")


@pytest.mark.parametrize("shape", [(2, 1), pytest.param((2, 2), marks=pytest.mark.long)], ids=label)
def test_click(shape: tuple[int, int]) -> None:
    """With the delays of the parameters, and with others."""
    for seed in (0, 1):
        check_mesh(RouterKind.CLICK, shape, FEW[shape] // 2, seed)


@pytest.mark.parametrize("shape", [(2, 1)], ids=label)
def test_sync(shape: tuple[int, int]) -> None:
    check_mesh(RouterKind.SYNC, shape, FEW[shape])


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", CASES, ids=label)
def test_every_click(shape: tuple[int, int], seed: int) -> None:
    check_mesh(RouterKind.CLICK, shape, CASES[shape], seed)


@pytest.mark.long
@pytest.mark.parametrize("shape", CASES, ids=label)
def test_every_sync(shape: tuple[int, int]) -> None:
    check_mesh(RouterKind.SYNC, shape, CASES[shape])


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
    assert sum(CASES[shape] for shape in CASES if shape not in LARGE) >= 50
