"""Every function becomes steps that compute it, in both engines."""

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikewatt.energy.activity.kernels import Kind
from spikewatt.energy.activity.lowering import Lowering, RowLiteral, Step
from spikewatt.energy.activity.program import compile_program
from spikewatt.energy.activity.replay import Engine, Prepared, ReplayOptions, prepare, replay
from spikewatt.synth.liberty.function import Function, parse_function
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.technology.library import default_library_path
from tests.energy.small_library import build
from tests.energy.small_waves import write_vcd
from tests.synth.liberty_files import osu

ENGINES: tuple[Engine, ...] = ("numba", "numpy")

PINS = tuple("abcd")
INPUTS, SAMPLES = 7, 1500
Bits = NDArray[np.uint8]


def given_bits() -> Bits:
    """uint8[9, samples]: the constants, then inputs as random as can be."""
    noise = np.random.default_rng(0).integers(0, 2, (INPUTS, SAMPLES), np.uint8)
    noise[:, 1] = 1 - noise[:, 0]  # every one changes at the first occasion
    return np.concatenate([np.zeros((1, SAMPLES)), np.ones((1, SAMPLES)), noise]).astype(np.uint8)


GIVEN = given_bits()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Nothing but inputs and their waveform, one sample each ns."""
    names = [f"i{k}" for k in range(INPUTS)]
    histories = [[(t, str(bit)) for t, bit in enumerate(row.tolist())] for row in GIVEN[2:]]
    signals = {f"t.{name}": (1, row) for name, row in zip(names, histories, strict=True)}
    path = write_vcd(tmp_path_factory.mktemp("noise") / "a.vcd", signals)
    netlist = build({}, names)
    return prepare(netlist, read_liberty(default_library_path()), path, "t")


def run(
    prepared: Prepared, steps: Sequence[Step], rows: int, engine: Engine
) -> list[tuple[int, int]]:
    """Toggles and samples at 1 of each row; the last sample lasts no time."""
    more = tuple((f"r{row}",) for row in range(2 + INPUTS, rows))
    netlist = replace(prepared.netlist, names=prepared.netlist.names + more)
    elements = replace(prepared.elements, steps=tuple(steps), rows=rows)
    shown = dict.fromkeys(prepared.matches.roots, True)
    program = compile_program(netlist, elements, shown, ())
    this = replace(prepared, netlist=netlist, elements=elements, program=program)
    found = replay(this, ReplayOptions(engine=engine))
    high = np.rint(found.high_s / 1e-9).astype(int)
    return list(zip(found.totals.tolist(), high.tolist(), strict=True))


def counts(bits: Bits) -> tuple[int, int]:
    return int(np.count_nonzero(bits[1:] != bits[:-1])), int(bits[:-1].sum())


def value(literal: RowLiteral) -> Bits:
    return GIVEN[literal.row] ^ np.uint8(literal.inverted)


def evaluate(function: Function, pins: Mapping[str, RowLiteral]) -> Bits:
    return function.evaluate({n: value(p) for n, p in pins.items()}, np.ones(SAMPLES, np.uint8))


def same(prepared: Prepared, cases: Sequence[tuple[Function, Mapping[str, RowLiteral]]]) -> None:
    """Lower all functions into one program; both engines give what ``Function.evaluate`` does."""
    lowering = Lowering(2 + INPUTS)
    outs = []
    for function, pins in cases:
        outs.append(lowering.new_row())
        lowering.into(outs[-1], function, pins)
    for engine in ENGINES:
        found = run(prepared, lowering.steps, lowering.rows, engine)
        for out, (function, pins) in zip(outs, cases, strict=True):
            assert found[out] == counts(evaluate(function, pins)), (engine, str(function), pins)


def minterms(table: int, names: Sequence[str]) -> Function:
    """Sum of products of a truth table."""
    terms = [
        " ".join(name if row >> k & 1 else f"!{name}" for k, name in enumerate(names))
        for row in range(1 << len(names))
        if table >> row & 1
    ]
    return parse_function("+".join(f"({term})" for term in terms) if terms else "0")


@pytest.mark.parametrize("arity", [1, 2, 3])
def test_every_function_of_three_inputs(prepared: Prepared, arity: int) -> None:
    names = PINS[:arity]
    pins = {name: RowLiteral(2 + k) for k, name in enumerate(names)}
    same(
        prepared,
        [(minterms(table, names), pins) for table in range(1 << (1 << arity))],
    )


def test_functions_of_four_inputs(prepared: Prepared) -> None:
    source = random.Random(4)
    tables = [source.getrandbits(16) for _ in range(400)]
    pins = {name: RowLiteral(2 + k) for k, name in enumerate(PINS)}
    same(prepared, [(minterms(table, PINS), pins) for table in tables])


def test_every_kind_in_every_inversion_and_order(prepared: Prepared) -> None:
    """One step each, all 16 inversions and 24 orders, inverted results and plain ones."""
    meanings = {
        Kind.BUF: "a",
        Kind.AND2: "a b",
        Kind.AND3: "a b c",
        Kind.AND4: "a b c d",
        Kind.XOR2: "a ^ b",
        Kind.XOR3: "a ^ b ^ c",
        Kind.MUX: "(a b) + (!a c)",
        Kind.MAJ: "(a b) + (a c) + (b c)",
        Kind.AO21: "(a b) + c",
        Kind.AO22: "(a b) + (c d)",
        Kind.AO211: "(a b) + c + d",
        Kind.AO31: "(a b c) + d",
    }
    assert set(meanings) == set(Kind)
    for kind, text in meanings.items():
        function = parse_function(text)
        names = sorted(function.inputs)
        steps = []
        for order in itertools.permutations(range(len(names))):
            for bits, result in itertools.product(range(1 << len(names)), (False, True)):
                operands = tuple(
                    RowLiteral(2 + k, bool(bits >> at & 1)) for at, k in enumerate(order)
                )
                steps.append(Step(kind, operands, 2 + INPUTS + len(steps), result))
        for engine in ENGINES:
            found = run(prepared, steps, 2 + INPUTS + len(steps), engine)
            for step in steps:
                bits = evaluate(function, dict(zip(names, step.operands, strict=True)))
                expected = counts(bits ^ np.uint8(step.inverted))
                assert found[step.out] == expected, (engine, kind.name, step)
        # and the lowering finds that kind
        lowering = Lowering(8)
        lowering.into(7, function, {name: RowLiteral(2 + k) for k, name in enumerate(names)})
        assert len(lowering.steps) == 1, kind.name


def test_functions_that_are_one_step() -> None:
    pins = {name: RowLiteral(2 + k) for k, name in enumerate(PINS)}
    for text, steps in {
        "!(a + b)": 1,
        "!((a b) + c)": 1,
        "!((a + b) (c + d))": 1,
        "(a !b) + (!a b)": 1,
        "!(!a !b !c !d)": 1,
        "(a + !a) b": 1,
        "a !a": 1,
        "(a + b) (a + c) (b + d)": 4,
    }.items():
        lowering = Lowering(8)
        lowering.into(7, parse_function(text), pins)
        assert len(lowering.steps) <= steps, text


trees = st.recursive(
    st.one_of(
        st.sampled_from([("pin", name) for name in "abcdefg"]),
        st.sampled_from([("const", 0), ("const", 1)]),
    ),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or", "xor"]), inner, inner),
    ),
    max_leaves=24,
)
literals = st.builds(RowLiteral, st.integers(0, 8), st.booleans())


@settings(max_examples=150, deadline=None)
@given(tree=trees, pins=st.lists(literals, min_size=7, max_size=7))
def test_any_expression_on_any_rows(prepared: Prepared, tree: Any, pins: list[RowLiteral]) -> None:
    """Constants and the same row on several pins, inverted or not, among them."""
    same(prepared, [(Function(tree), dict(zip("abcdefg", pins, strict=True)))])


@settings(max_examples=100, deadline=None)
@given(tree=trees, pins=st.lists(literals, min_size=7, max_size=7))
def test_literals(prepared: Prepared, tree: Any, pins: list[RowLiteral]) -> None:
    """``literal`` says where the value is, which may be an input or a constant, inverted."""
    lowering, names = Lowering(2 + INPUTS), dict(zip("abcdefg", pins, strict=True))
    found = lowering.literal(Function(tree), names)
    expected = evaluate(Function(tree), names)
    if found.row < 2 + INPUTS:
        assert not lowering.steps
        assert (value(found) == expected).all()
        return
    for engine in ENGINES:
        rows = run(prepared, lowering.steps, lowering.rows, engine)
        assert rows[found.row] == counts(expected ^ np.uint8(found.inverted))


def of_library(library: Library) -> list[tuple[Function, dict[str, RowLiteral]]]:
    cases = []
    for cell in library.cells.values():
        functions = [pin.function for pin in cell.pins.values() if pin.function]
        names = sorted({name for function in functions for name in function.inputs})
        pins = {name: RowLiteral(2 + k) for k, name in enumerate(names)}
        cases += [(function, pins) for function in functions]
    return cases


@pytest.mark.parametrize("name", ["built-in", "osu018"])
def test_every_cell(prepared: Prepared, name: str) -> None:
    path: Path = default_library_path() if name == "built-in" else osu("018")
    cases = of_library(read_liberty(path))
    assert len(cases) > 30
    same(prepared, cases)
    single = 0
    for function, pins in cases:
        lowering = Lowering(20)
        lowering.into(19, function, pins)
        single += len(lowering.steps) == 1
    assert single >= 0.9 * len(cases), "twelve kinds cover nearly every cell"
