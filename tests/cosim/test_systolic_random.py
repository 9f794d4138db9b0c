"""Array equals golden model equals ONNX Runtime, over random cores, networks and batches.

Cycles and memory accesses of every batch equal their formulas as well.
"""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.cosim.systolic import NativeSystolic
from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.golden.systolic import run_systolic
from spikewatt.model.params.systolic import Loading, Rounding, SystolicTable
from spikewatt.model.run import comparable, difference
from tests.cosim.systolic_builds import (
    BUILDS,
    LONG_BUILDS,
    OPTIONS,
    Build,
    SystolicCase,
    cases,
    pairs_of_options,
)
from tests.model.onnx_graph import onnx_run

FIRST = ("plain", "tall, of tiles", "wide, one row", "square, everything")
"""Those of every run; what the others vary, the tests of blocks vary too (`tests/hdl/systolic`)."""
EVERY = [
    pytest.param(name, marks=[] if name in FIRST else pytest.mark.long)
    for name in BUILDS | LONG_BUILDS
]


def check_batch(
    name: str, core: NativeSystolic, program: SystolicProgram, x: NDArray[np.int64]
) -> None:
    """Run a batch: numbers, padding, cycles and accesses."""
    rtl, golden = core.run(program, x), run_systolic(program, x)
    assert {"values", "accesses", "cycles"} <= set(comparable(rtl, golden))
    unequal = difference(rtl, golden)
    assert unequal is None, f"{name}: {unequal}"
    layers = zip(core.words, program.plans, onnx_run(program.network, x), strict=True)
    for k, (words, plan, expected) in enumerate(layers):
        used, got = plan.layer.outputs, np.moveaxis(words, 0, 1).reshape(len(x), -1)
        np.testing.assert_array_equal(got[:, :used], expected, err_msg=f"{name}: layer {k}")
        if not program.params.gate_idle:
            assert not got[:, used:].any(), f"{name}: padding of layer {k}"


def check_tables(name: str, core: NativeSystolic, program: SystolicProgram) -> None:
    """What was configured reads back; so a run leaves it as it was."""
    for key, words in program.tables().items():
        np.testing.assert_array_equal(core.read_words(key), words, err_msg=f"{name}: {key.name}")


@pytest.mark.parametrize("build", EVERY)
def test_native(build: str) -> None:
    drawn = cases(build)
    with NativeSystolic(drawn[0].program.params) as core:
        for case in drawn:
            core.configure(case.program)
            for k, x in enumerate(case.batches):
                check_batch(f"{case.name}, batch {k} of {len(x)}", core, case.program, x)
        check_tables(build, core, drawn[-1].program)


def happenings(case: SystolicCase) -> Counter[str]:
    """How often each thing that could go wrong happened in a case."""
    program = case.program
    params, seen = program.params, Counter[str]()
    seen["layers more than one"] += len(program.plans) > 1
    seen["an odd number of hidden layers"] += len(program.plans) % 2 == 0
    seen["a shorter network than the core holds"] += len(program.plans) < params.layers
    seen["a smaller batch than the core holds"] += program.batch < params.batch
    for plan in program.plans:
        last = plan.layer.outputs - (plan.tiles - 1) * params.columns
        seen["tiles of columns"] += plan.tiles > 1
        seen["columns left over"] += last < params.columns
        seen["words of inputs"] += len(plan.words) > 1
        seen["rows left over"] += len(plan.words[-1]) < plan.rows
        seen["words with a gap"] += any(len(word) < plan.rows for word in plan.words[:-1])
        seen["words narrower than the array"] += plan.rows < params.rows
        seen["biases"] += bool(plan.layer.bias.any())
        seen["weights of 0"] += int((plan.layer.weights == 0).sum())
        how = plan.layer.requantisation
        if how:
            seen[f"rounding {how.rounding.name}"] += 1
    for x in case.batches:
        seen["batches"] += 1
        seen["batches of one"] += len(x) == 1
        for plan, values in zip(program.plans, program.network.run(x), strict=True):
            how = plan.layer.requantisation
            if how:
                seen["activations of 0"] += int((values == 0).sum())
                seen["activations at the top"] += int((values == how.clip_max).sum())
                between = (values > 0) & (values < how.clip_max)
                seen["activations in between"] += int(between.sum())
    return seen


@pytest.mark.parametrize(
    ("builds", "networks", "batches"), [(BUILDS, 90, 270), (BUILDS | LONG_BUILDS, 250, 750)]
)
def test_cases_are_many_and_lively(builds: dict[str, Build], networks: int, batches: int) -> None:
    drawn = [case for name in builds for case in cases(name)]
    total: Counter[str] = Counter()
    for case in drawn:
        total += happenings(case)
    assert len(drawn) >= networks
    assert total["batches"] >= batches
    assert len(total) == 17 + len(Rounding), sorted(total)
    assert {name: n for name, n in total.items() if n < 15} == {}


def test_builds_cover_the_options() -> None:
    """Every setting beside every setting of another option; rows and columns of every relation."""
    settings = 2 * (1 + len(OPTIONS))
    assert len(Loading) == 2
    assert len(pairs_of_options(BUILDS | LONG_BUILDS)) == settings * (settings - 2) // 2
    assert len(pairs_of_options(BUILDS)) >= 0.9 * settings * (settings - 2) // 2
    programs = [cases(name)[0].program.params for name in BUILDS]
    shapes = {np.sign(params.rows - params.columns) for params in programs}
    assert shapes == {-1, 0, 1}
    assert {params.rows % params.columns != 0 for params in programs} == {True, False}
    assert {params.tile_rows > 1 for params in programs} == {True, False}
    assert any(SystolicTable.BIASES not in params.tables for params in programs)
