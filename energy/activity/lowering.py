"""Boolean functions of cells as steps of a few kinds, each one pass over bits in time.

A step takes up to four operands, each plain or inverted, and writes one row, plain or inverted.
With inversions everywhere twelve kinds cover, by De Morgan, nearly every cell of a library; other
functions become several steps over rows of their own.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

from spikewatt.energy.activity.kernels import Kind
from spikewatt.synth.liberty.function import Function

__all__ = ["Lowering", "RowLiteral", "Step"]


_MEANING: Mapping[Kind, Callable[..., int]] = {
    Kind.BUF: lambda a: a,
    Kind.AND2: lambda a, b: a & b,
    Kind.XOR2: lambda a, b: a ^ b,
    Kind.AND3: lambda a, b, c: a & b & c,
    Kind.XOR3: lambda a, b, c: a ^ b ^ c,
    Kind.MUX: lambda a, b, c: (a & b) | (~a & c),
    Kind.MAJ: lambda a, b, c: (a & b) | (a & c) | (b & c),
    Kind.AO21: lambda a, b, c: (a & b) | c,
    Kind.AND4: lambda a, b, c, d: a & b & c & d,
    Kind.AO22: lambda a, b, c, d: (a & b) | (c & d),
    Kind.AO211: lambda a, b, c, d: (a & b) | c | d,
    Kind.AO31: lambda a, b, c, d: (a & b & c) | d,
}
ARITY = {kind: meaning.__code__.co_argcount for kind, meaning in _MEANING.items()}

Pattern = tuple[Kind, tuple[int, ...], int, bool]
"""Kind, operand of each position, inversions of the positions (bits), inversion of the result."""


def _variables(arity: int) -> tuple[int, ...]:
    """Truth table of each variable alone."""
    return tuple(sum(1 << row for row in range(1 << arity) if row >> k & 1) for k in range(arity))


@cache
def _patterns(arity: int) -> Mapping[int, Pattern]:
    """Step for each truth table of ``arity`` variables that one step can compute."""
    patterns: dict[int, Pattern] = {}
    variables, ones = _variables(arity), (1 << (1 << arity)) - 1
    for kind, meaning in _MEANING.items():
        if ARITY[kind] != arity:
            continue
        for inverted in range(1 << arity):
            for order in itertools.permutations(range(arity)):
                operands = [
                    variables[k] ^ (ones if inverted >> at & 1 else 0) for at, k in enumerate(order)
                ]
                table = meaning(*operands) & ones
                patterns.setdefault(table, (kind, order, inverted, False))
                patterns.setdefault(table ^ ones, (kind, order, inverted, True))
    return patterns


@dataclass(frozen=True, slots=True)
class RowLiteral:
    """A row, plain or inverted."""

    row: int
    inverted: bool = False

    def __invert__(self) -> "RowLiteral":
        return RowLiteral(self.row, not self.inverted)

    # What dataclasses do by themselves takes ten times as long, and a netlist has 100,000 of these.
    def __reduce__(self) -> tuple[type["RowLiteral"], tuple[int, bool]]:
        return RowLiteral, (self.row, self.inverted)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: ``out`` takes the kind's value of the operands, inverted where said."""

    kind: IntEnum
    operands: tuple[RowLiteral, ...]
    out: int
    inverted: bool

    def __reduce__(self) -> tuple[type["Step"], tuple[object, ...]]:  # as above
        return Step, (self.kind, self.operands, self.out, self.inverted)


class Lowering:
    """Collects steps; rows beyond those of the nets are made as they are needed.

    Parameters
    ----------
    rows:
        Number of rows already in use; rows 0 and 1 are the constants.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.steps: list[Step] = []

    def new_row(self) -> int:
        """A row that is no net's."""
        self.rows += 1
        return self.rows - 1

    def both(self, a: RowLiteral, b: RowLiteral) -> RowLiteral:
        """Whether both are 1."""
        out = self.new_row()
        self.steps.append(Step(Kind.AND2, (a, b), out, inverted=False))
        return RowLiteral(out)

    def literal(self, function: Function, pins: Mapping[str, RowLiteral]) -> RowLiteral:
        """Where the value of ``function`` is; steps and rows are added if it needs any."""
        if (direct := _direct(function.tree, pins)) is not None:
            return direct
        out = self.new_row()
        self.into(out, function, pins)
        return RowLiteral(out)

    def into(self, out: int, function: Function, pins: Mapping[str, RowLiteral]) -> None:
        """Add the steps that write ``function`` of ``pins`` to row ``out``."""
        # Rows 0 and 1 are constants; what depends on them is decided now.
        names = tuple(name for name in function.inputs if pins[name].row > 1)
        if len(names) <= 4:  # as many operands as a step has
            order = tuple(function.inputs)
            table = _restrict(function, order, names, pins)
            if self._one_step(out, table, [pins[name] for name in names]):
                return
        self._tree(function.tree, pins, out)

    def _one_step(self, out: int, table: int, operands: list[RowLiteral]) -> bool:
        """Add one step for a truth table over ``operands``, if one is enough."""
        table, operands = _needed(table, operands)
        arity = len(operands)
        if not arity:
            self.steps.append(Step(Kind.BUF, (RowLiteral(table & 1),), out, inverted=False))
            return True
        pattern = _patterns(arity).get(table)
        if pattern is None:
            return False
        kind, order, inverted, result = pattern
        # The pattern's position `at` takes the operand order[at].
        chosen = tuple(
            ~operands[k] if inverted >> at & 1 else operands[k] for at, k in enumerate(order)
        )
        self.steps.append(Step(kind, chosen, out, result))
        return True

    def _tree(self, tree: tuple[Any, ...], pins: Mapping[str, RowLiteral], out: int) -> None:
        """Add steps for an expression, one for each operator."""
        operator, *children = tree
        if operator == "not":
            operands = [self._operand(children[0], pins)]
            self.steps.append(Step(Kind.BUF, tuple(operands), out, inverted=True))
            return
        a, b = (self._operand(child, pins) for child in children)
        if operator == "xor":
            self.steps.append(Step(Kind.XOR2, (a, b), out, inverted=False))
        elif operator == "and":
            self.steps.append(Step(Kind.AND2, (a, b), out, inverted=False))
        else:  # or, by De Morgan
            self.steps.append(Step(Kind.AND2, (~a, ~b), out, inverted=True))

    def _operand(self, tree: tuple[Any, ...], pins: Mapping[str, RowLiteral]) -> RowLiteral:
        return self.literal(Function(tree), pins)


def _direct(tree: tuple[Any, ...], pins: Mapping[str, RowLiteral]) -> RowLiteral | None:
    """RowLiteral of an expression that needs no step."""
    if tree[0] == "pin":
        return pins[tree[1]]
    if tree[0] == "const":
        return RowLiteral(tree[1])
    if tree[0] == "not":
        inner = _direct(tree[1], pins)
        return None if inner is None else ~inner
    return None


def _restrict(
    function: Function,
    order: tuple[str, ...],
    names: tuple[str, ...],
    pins: Mapping[str, RowLiteral],
) -> int:
    """Truth table over ``names``, with constant pins at their value."""
    variables = dict(zip(names, _variables(len(names)), strict=True))
    ones = (1 << (1 << len(names))) - 1
    for name in order:
        if name not in variables:
            value = pins[name].row ^ pins[name].inverted
            variables[name] = ones if value else 0
    return function.evaluate(variables, ones) & ones


def _needed(table: int, operands: list[RowLiteral]) -> tuple[int, list[RowLiteral]]:
    """The same without operands that do not matter, or that come twice."""
    while True:  # from the start after every change, for it may have made others needless
        arity = len(operands)
        for k in range(arity):
            low, high = _cofactor(table, arity, k, 0), _cofactor(table, arity, k, 1)
            if low == high:
                table, operands = low, operands[:k] + operands[k + 1 :]
                break
            twin = next((j for j in range(k) if operands[j].row == operands[k].row), None)
            if twin is not None:
                same = operands[twin].inverted == operands[k].inverted
                table = _merge(table, arity, twin, k, same=same)
                operands = operands[:k] + operands[k + 1 :]
                break
        else:
            return table, operands


def _cofactor(table: int, arity: int, k: int, value: int) -> int:
    """Truth table over the other operands with operand ``k`` at ``value``."""
    out = 0
    for row in range(1 << (arity - 1)):
        # Bit k is put in between: what lies above it moves up by one.
        full = (row & ((1 << k) - 1)) | (value << k) | (row >> k << (k + 1))
        out |= (table >> full & 1) << row
    return out


def _merge(table: int, arity: int, j: int, k: int, *, same: bool) -> int:
    """Truth table over the other operands with operand ``k`` bound to ``j`` (``j < k``)."""
    out = 0
    for row in range(1 << (arity - 1)):
        value = (row >> j & 1) ^ (not same)
        full = (row & ((1 << k) - 1)) | (value << k) | (row >> k << (k + 1))
        out |= (table >> full & 1) << row
    return out
