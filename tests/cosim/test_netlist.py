"""Netlists mapped to FPGAs equal the golden model, tick by tick, as the RTL does."""

import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from spikewatt.base.errors import SimulationError
from spikewatt.cosim.bench.cases import JOB_VARIABLE, Case, Job
from spikewatt.cosim.mesh import NativeMesh
from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.simulate import CocotbOptions, simulate
from spikewatt.cosim.systolic import NativeSystolic
from spikewatt.model.golden.core import run
from spikewatt.model.params import CoreParams, RouterKind
from spikewatt.synth.fpga.devices import Family
from spikewatt.synth.fpga.models import with_models
from tests.cosim.agree import check_memories, check_trace
from tests.cosim.mesh_cases import check_memories as check_tiles
from tests.cosim.mesh_cases import check_run, mesh_cases
from tests.cosim.netlists import (
    NEURO,
    SYSTOLIC,
    mapped,
    mesh_params,
    netlist,
    neuro_params,
    on_fpga,
    rtl,
    systolic_params,
)
from tests.cosim.random_cores import RandomCase, random_case
from tests.cosim.systolic_builds import cases as systolic_cases
from tests.cosim.test_digits import digits
from tests.cosim.test_systolic_random import check_batch, check_tables

CASES = 6
"""Random programs of each core."""
IMAGES = 4
FEWEST_SPIKES = 40

BOTH: tuple[Family, Family] = ("ecp5", "ice40")


def cases(build: str, params: CoreParams) -> list[RandomCase]:
    return [random_case(f"{build} on an FPGA", params, number) for number in range(CASES)]


def run_cases(params: CoreParams, drawn: list[RandomCase], verilog: str | None) -> list[int]:
    """Check every tick of every case, twice; returns the cycles of each, configuration included."""
    cycles = []
    with NativeCore(params, verilog=verilog) as core:
        for case in drawn:
            core.clear()
            core.configure(case.program)
            for what in ("once", "again"):
                core.clear()
                trace = core.run(case.events)
                check_trace(f"{case.name}, {what}", trace, case.program, case.golden)
                check_memories(case.name, core, case.golden)
            cycles.append(core.cycles)
    return cycles


@pytest.mark.long
@pytest.mark.parametrize(("build", "family"), [(b, f) for b in NEURO for f in BOTH])
def test_random_cores(build: str, family: Family) -> None:
    params = neuro_params(build, family)
    drawn = cases(build, params)
    mapped_cycles = run_cases(params, drawn, netlist(params, family))
    assert mapped_cycles == run_cases(params, drawn, rtl(params))


def test_icarus(tmp_path: Path) -> None:
    """X, of which Verilator knows nothing, comes out of no cell."""
    params = neuro_params(NEURO[0], "ecp5")
    job = Job(
        params=params,
        cases=[
            Case(name=case.name, program=case.program, events=case.events, early=k == 1)
            for k, case in enumerate(cases(NEURO[0], params)[:2])
        ],
        stall=0.2,
        result=tmp_path / "result.pickle",
    )
    (tmp_path / "job.pickle").write_bytes(pickle.dumps(job))
    env = {JOB_VARIABLE: str(tmp_path / "job.pickle")}
    text, bench = netlist(params, "ecp5"), "spikewatt.cosim.bench.cases"
    simulate(text, "neuro", bench, tmp_path, CocotbOptions(simulator="icarus", env=env))
    assert len(pickle.loads(job.result.read_bytes())) == len(job.cases)


def _inverted(match: re.Match[str]) -> str:
    return f"{match[1]}{int(match[2], 16) ^ 0xFFFF:04x}"


DAMAGES: dict[str, tuple[str, Callable[[re.Match[str]], str]]] = {
    "look-up table": (r"(LUT4 #\(\s*\.INIT\(16'h)(\w{4})", _inverted),
    "port": (
        r"\.ADB5\((.*?)\),(\s*)\.ADB6\((.*?)\)",
        lambda match: f".ADB5({match[3]}),{match[2]}.ADB6({match[1]})",
    ),
    "enable": (r"\.WEA\(.*?\)", lambda match: ".WEA(1'h0)"),
    "reset": (r"\.LSR\(rst\)", lambda match: ".LSR(1'h1)"),
}
"""What is done to the middle one of the places in a netlist that match a pattern."""


@pytest.mark.long
@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_netlist_shows(what: str) -> None:
    pattern, other = DAMAGES[what]
    params = neuro_params(NEURO[0], "ecp5")
    text = mapped(params, "ecp5")
    found = list(re.finditer(pattern, text))
    chosen = found[len(found) // 2]
    damaged = text[: chosen.start()] + other(chosen) + text[chosen.end() :]
    assert damaged != text
    with pytest.raises((AssertionError, SimulationError)):
        run_cases(params, cases(NEURO[0], params), with_models(damaged, "ecp5"))


@pytest.mark.long
@pytest.mark.parametrize(
    ("family", "pattern", "other"),
    [
        ("ecp5", r"(wire same_row = ).*;", r"\g<1>1'b1;"),
        ("ice40", r"(wire same = WE && WCLKE) && .*;", r"\g<1>;"),
    ],
)
def test_noise_reaches_the_results(family: Family, pattern: str, other: str) -> None:
    """Let every read beside a write clash, and not only one of the same row: the run differs."""
    params = neuro_params(NEURO[0], family)
    text, count = re.subn(pattern, other, netlist(params, family))
    assert count == 1
    with pytest.raises((AssertionError, SimulationError)):
        run_cases(params, cases(NEURO[0], params), text)


@pytest.mark.parametrize("build", NEURO)
def test_the_cases_are_lively(build: str) -> None:
    drawn = cases(build, neuro_params(build, "ecp5"))
    assert sum(case.golden.total("spike_counts") for case in drawn) > FEWEST_SPIKES
    assert sum(len(case.golden.sent) for case in drawn) > 0


@pytest.mark.long
@pytest.mark.parametrize("family", BOTH)
def test_digits(family: Family) -> None:
    program, samples = digits()
    params = on_fpga(program.params, family)
    program, drawn, fired = replace(program, params=params), [], 0
    for number, events in enumerate(samples[:IMAGES]):
        case = RandomCase(
            name=f"image {number}", program=program, events=events, golden=run(program, events)
        )
        drawn.append(case)
        fired += case.golden.total("spike_counts")
    assert fired > 20 * IMAGES
    assert run_cases(params, drawn, netlist(params, family))


@pytest.mark.long
@pytest.mark.parametrize("family", BOTH)
def test_systolic(family: Family) -> None:
    drawn = systolic_cases(SYSTOLIC)
    with NativeSystolic(systolic_params(), verilog=netlist(systolic_params(), family)) as core:
        for case in drawn:
            core.configure(case.program)
            for k, x in enumerate(case.batches):
                check_batch(f"{case.name}, batch {k} of {len(x)}", core, case.program, x)
        check_tables(SYSTOLIC, core, drawn[-1].program)


@pytest.mark.long
@pytest.mark.parametrize("family", BOTH)
def test_mesh(family: Family) -> None:
    params = mesh_params(family)
    with NativeMesh(params, verilog=netlist(params, family)) as mesh:
        for case in mesh_cases(2, 1, 6):
            mesh.configure(case.on(RouterKind.SYNC))
            check_run(case, mesh.run(case.program.input_packets(case.spikes)), family)
            check_tiles(case, mesh, family)
