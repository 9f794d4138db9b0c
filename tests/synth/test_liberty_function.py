"""Expressions against Python's own, by truth table."""

from contextlib import suppress
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikewatt.synth.liberty.function import Function, parse_function

NAMES: tuple[str, ...] = ("A", "B", "C", "D")

# Liberty's text, and what it means in Python, worked out by hand.
CASES = {
    "A": lambda a, b, c, d: a,
    "!A": lambda a, b, c, d: not a,
    "A'": lambda a, b, c, d: not a,
    "A''": lambda a, b, c, d: a,
    "!!A'": lambda a, b, c, d: not a,
    "(A B)": lambda a, b, c, d: a and b,
    "A B C D": lambda a, b, c, d: a and b and c and d,
    "(A)(B)": lambda a, b, c, d: a and b,
    "A!B": lambda a, b, c, d: a and not b,
    "A'B'": lambda a, b, c, d: not a and not b,
    "A+B*C": lambda a, b, c, d: a or (b and c),
    "A|B&C": lambda a, b, c, d: a or (b and c),
    "A B+C D": lambda a, b, c, d: (a and b) or (c and d),
    "A^B C": lambda a, b, c, d: (a != b) and c,
    "A B^C": lambda a, b, c, d: a and (b != c),
    "A&B^C|D": lambda a, b, c, d: (a and (b != c)) or d,
    "A^B+C^D": lambda a, b, c, d: (a != b) or (c != d),
    "!A^B": lambda a, b, c, d: (not a) != b,
    "!(A^B)": lambda a, b, c, d: a == b,
    "(A+B)'": lambda a, b, c, d: not (a or b),
    "!(A+B)C": lambda a, b, c, d: not (a or b) and c,
    "!(A B)'": lambda a, b, c, d: a and b,
    "A^B^C^D": lambda a, b, c, d: (a + b + c + d) % 2,
    "0": lambda a, b, c, d: False,
    "1": lambda a, b, c, d: True,
    "A & 0 | !1": lambda a, b, c, d: False,
    "1 ^ A": lambda a, b, c, d: not a,
    " ( A *\tB ) \n": lambda a, b, c, d: a and b,
    "(A&!D)|(B&D)": lambda a, b, c, d: b if d else a,
}


@pytest.mark.parametrize(
    ("text", "verilog"),
    [
        ("!(((C1 & C2) | B) | A)", "~((C1 & C2) | B | A)"),
        ("!!A", "~(~A)"),
        ("!(!(!(A B)))", "~(~(~(A & B)))"),
        ("A'' ^ !B", "~(~A) ^ ~B"),
        ("!0 | !A", "~1'b0 | ~A"),
    ],
)
def test_inversions_of_inversions_are_verilog(text: str, verilog: str) -> None:
    """A unary operator of Verilog takes a primary: `~~A` is a syntax error for Icarus."""
    assert parse_function(text).text(invert="~", constant="1'b{}") == verilog


@pytest.mark.parametrize("text", CASES)
def test_truth_table(text):
    function = parse_function(text)
    truth = function.truth(NAMES)
    for index in range(16):
        levels = [bool(index >> k & 1) for k in range(4)]
        assert bool(truth >> index & 1) == bool(CASES[text](*levels)), (text, levels)
        values = {name: int(level) for name, level in zip(NAMES, levels, strict=True)}
        assert function.evaluate(values, 1) == truth >> index & 1
    assert truth < 1 << 16


def trees(names):
    leaves = st.sampled_from([("pin", name) for name in names] + [("const", 0), ("const", 1)])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner),
            st.tuples(st.sampled_from(["and", "or", "xor"]), inner, inner),
        ),
        max_leaves=12,
    )


def meaning(tree, levels):
    kind, *parts = tree
    if kind == "pin":
        return levels[parts[0]]
    if kind == "const":
        return bool(parts[0])
    values = [meaning(part, levels) for part in parts]
    if kind == "not":
        return not values[0]
    return {"and": all(values), "or": any(values), "xor": values[0] != values[-1]}[kind]


@given(trees(NAMES))
def test_any_tree_means_what_it_says_and_survives_its_text(tree):
    function = Function(tree)
    again = parse_function(str(function))
    verilog = function.text(invert="~", constant="1'b{}")
    for index, levels in enumerate(product((False, True), repeat=4)):
        named = dict(zip(reversed(NAMES), levels, strict=True))
        expected = meaning(tree, named)
        assert bool(function.truth(NAMES) >> index & 1) == expected
        assert bool(again.evaluate(named, True)) == expected, verilog


def test_arrays_and_words_are_evaluated_bit_by_bit():
    function = parse_function("!(A ^ B) | 0")
    a, b = np.array([0b1100, 7], np.uint64), np.array([0b1010, 7], np.uint64)
    ones = np.uint64(2**64 - 1)
    assert (function.evaluate({"A": a, "B": b}, ones) == ~(a ^ b)).all()
    assert function.evaluate({"A": 0b1100, "B": 0b1010}, 0b1111) == 0b1001


def test_inputs_come_in_the_order_of_the_text():
    assert parse_function("C & (A | !C) ^ B[3]").inputs == ("C", "A", "B[3]")
    assert parse_function('"1A" & B').inputs == ("1A", "B")
    assert parse_function("1").inputs == ()


def test_renamed_leaves_other_names():
    assert str(parse_function("A & !B ^ 1").renamed({"B": "A"})) == "A & (!A ^ 1)"


def test_a_sum_of_a_thousand_terms_is_no_recursion():
    names = [f"I{k}" for k in range(1000)]
    function = parse_function("+".join(names))
    assert function.evaluate(dict.fromkeys(names, 0) | {"I500": 1}, 1) == 1
    assert function.inputs == tuple(names)
    deep = parse_function("(" * 1500 + "A" + ")" * 1500)
    assert deep.tree == ("pin", "A")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a Boolean expression: an operand is missing at its end"),
        ("A &", "'A &' is not a Boolean expression: an operand is missing at its end"),
        ("& A", "'& A' is not a Boolean expression: '&' follows no operand"),
        ("(A", "'(A' is not a Boolean expression: a parenthesis is not closed"),
        ("A)", "'A)' is not a Boolean expression: a parenthesis closes that never opened"),
        ("A ? B", "'A ? B' is not a Boolean expression: unexpected '?'"),
        ("()", "'()' is not a Boolean expression: ')' follows no operand"),
    ],
)
def test_what_is_no_expression_is_refused(text, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the whole message is compared
        parse_function(text)
    assert str(caught.value) == message


def test_truth_wants_all_inputs():
    with pytest.raises(ValueError, match=r"order must name all inputs, and lacks \['B'\]"):
        parse_function("A & B").truth(("A",))


@given(st.text(alphabet="AB01!'^&*|+() [?\"", max_size=24))
def test_any_text_is_parsed_or_refused(text):
    with suppress(ValueError):
        function = parse_function(text)
        assert function.truth(function.inputs) < 1 << (1 << len(function.inputs))
