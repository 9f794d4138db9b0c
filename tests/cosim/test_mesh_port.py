"""A mesh behind its packet port, event-driven: unknown values, races, a host that stalls."""

import ast
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from spikewatt.cosim.simulate import CocotbOptions, simulate
from spikewatt.model.params import RouterKind
from spikewatt.synth.verilog import export_mesh
from tests.cosim.mesh_cases import MeshJob, mesh_cases, small_mesh

BENCH = Path(__file__).parent / "benches" / "mesh.py"
TESTS = (
    "runs_equal_the_golden_model",
    "a_host_that_takes_nothing_for_long_is_no_reason_to_be_stuck",
    "every_table_reads_back_what_was_written",
    "a_read_in_the_middle_of_a_run_waits_for_the_barrier",
    "spikes_go_in_as_they_come",
    "answers_wait_for_the_host",
    "a_reset_in_the_middle_leaves_nothing",
)
WATCHDOG_BITS = {(1, 1): 4, (2, 1): 4, (2, 2): 5, (3, 2): 5, (3, 3): 6}
"""The least: shorter than a tick, and than what a host stalls."""


def run(
    shape: tuple[int, int],
    router: RouterKind,
    folder: Path,
    *,
    stall: float,
    seed: int,
    cases: int,
    only: str = "",
    **core: int,
) -> None:
    """Run the bench, or one test of it, on a mesh (columns, rows) with its first cases."""
    params = replace(small_mesh(*shape, router, **core), watchdog_bits=WATCHDOG_BITS[shape])
    work = [case.work for case in mesh_cases(*shape, cases)]
    job = MeshJob(params=params, cases=work, stall=stall, seed=seed)
    (folder / "job.pickle").write_bytes(pickle.dumps(job))
    env = {
        "MESH_JOB": str(folder / "job.pickle"),
        "COCOTB_TEST_FILTER": rf"\.{only}" if only else "",
    }
    simulate(
        export_mesh(params, dialect="assigns"),
        "mesh",
        "tests.cosim.benches.mesh",
        folder,
        CocotbOptions(simulator="icarus", timing=True, delay_seed=seed, env=env),
    )


@pytest.mark.parametrize(
    ("shape", "stall", "seed", "cases"),
    [
        pytest.param((2, 1), 0.0, 0, 6, marks=pytest.mark.long),
        ((2, 1), 0.5, 1, 2),
        pytest.param((2, 2), 0.6, 2, 5, marks=pytest.mark.long),
    ],
    ids=["2x1", "2x1 with pauses", "2x2 with longer pauses"],
)
@pytest.mark.parametrize(
    "router", [RouterKind.CLICK, pytest.param(RouterKind.SYNC, marks=pytest.mark.long)]
)
def test_port(
    shape: tuple[int, int], stall: float, seed: int, cases: int, router: RouterKind, tmp_path: Path
) -> None:
    run(shape, router, tmp_path, stall=stall, seed=seed, cases=cases)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(3, 2), (3, 3)], ids=["3x2", "3x3"])
def test_large(shape: tuple[int, int], seed: int, tmp_path: Path) -> None:
    """Verilator takes a minute and more to build these, for fewer cycles in a second."""
    run(shape, RouterKind.CLICK, tmp_path, stall=0.1 * seed, seed=seed, cases=2, only=TESTS[0])


@pytest.mark.parametrize(
    ("bits", "axons", "slots", "router"),
    [
        pytest.param(9, 32, 16, RouterKind.CLICK, marks=pytest.mark.long),
        pytest.param(11, 128, 16, RouterKind.SYNC, marks=pytest.mark.long),
        pytest.param(13, 100, 64, RouterKind.CLICK, marks=pytest.mark.long),
        pytest.param(16, 1024, 64, RouterKind.SYNC, marks=pytest.mark.long),
        pytest.param(19, 5000, 64, RouterKind.CLICK, marks=pytest.mark.long),
    ],
)
def test_payload(bits: int, axons: int, slots: int, router: RouterKind, tmp_path: Path) -> None:
    """Tables reach the core and come back in packets of any width; the other tests have 8 bits."""
    core = {"axons": axons, "delay_slots": slots, "scheduler_bits": 32}
    assert small_mesh(1, 1, router, **core).packet.payload_bits == bits
    run((1, 1), router, tmp_path, stall=0.2, seed=bits, cases=0, only=TESTS[2], **core)


def test_every_test_of_the_bench_is_known() -> None:
    written = [
        function.name
        for function in ast.parse(BENCH.read_text()).body
        if isinstance(function, ast.AsyncFunctionDef) and function.decorator_list
    ]
    assert tuple(written) == TESTS
