"""Boolean expressions as Liberty writes them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

__all__ = ["Function", "parse_function"]

_TOKEN = re.compile(r'\s*(?:([A-Za-z_$][\w$.\[\]]*)|"([^"]+)"|(0|1)|([!\'^&*|+()])|(\S))')
_RANK = {"or": 1, "and": 2, "xor": 3, "not": 4}
_INFIX = {"^": "xor", "&": "and", "*": "and", "|": "or", "+": "or"}
_SIGN = {"xor": "^", "and": "&", "or": "|"}
_LONGEST = 4096  # tokens: no cell comes near, and a broken file must not exhaust the interpreter


@dataclass(frozen=True)
class Function:
    """An expression of pins and states.

    ``tree`` is ``("pin", name)``, ``("const", 0 | 1)``, ``("not", tree)``, or ``("and" | "or" |
    "xor", tree, tree)``.
    """

    tree: tuple[Any, ...]

    @cached_property
    def _postfix(self) -> tuple[tuple[str, Any], ...]:
        """``tree`` as operations on a stack: a long sum is a deep tree, too deep to recurse."""
        # The root first, then its right operand: read backwards that is postfix.
        backwards: list[tuple[str, Any]] = []
        pending = [self.tree]
        while pending:
            kind, *operands = pending.pop()
            if kind in ("pin", "const"):
                backwards.append((kind, operands[0]))
            else:
                backwards.append((kind, None))
                pending.extend(operands)
        return tuple(reversed(backwards))

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names in the order of their first appearance."""
        return tuple(dict.fromkeys(name for kind, name in self._postfix if kind == "pin"))

    def evaluate(self, values: Mapping[str, Any], ones: Any) -> Any:
        """Value, bit by bit: ``values`` are ints or unsigned arrays, ``ones`` is all ones."""
        return self._fold(
            lambda name: values[name],
            lambda bit: ones if bit else ones ^ ones,
            {
                "not": lambda a: a ^ ones,
                "and": lambda a, b: a & b,
                "or": lambda a, b: a | b,
                "xor": lambda a, b: a ^ b,
            },
        )

    def truth(self, order: tuple[str, ...]) -> int:
        """Truth table: bit ``i`` is the value where pin ``order[k]`` is bit ``k`` of ``i``."""
        if missing := set(self.inputs) - set(order):
            raise ValueError(f"order must name all inputs, and lacks {sorted(missing)}")
        ones = (1 << (1 << len(order))) - 1
        # Input k alternates in runs of 2^k: ones // (2^(2^k) + 1) has ones in the lower half.
        columns = {name: ones ^ ones // ((1 << (1 << k)) + 1) for k, name in enumerate(order)}
        return self.evaluate(columns, ones)

    def renamed(self, names: Mapping[str, str]) -> "Function":
        """The same function of other names; a name that ``names`` does not hold stays."""
        return Function(
            self._fold(
                lambda name: ("pin", names.get(name, name)),
                lambda bit: ("const", bit),
                {
                    "not": lambda a: ("not", a),
                    "and": lambda a, b: ("and", a, b),
                    "or": lambda a, b: ("or", a, b),
                    "xor": lambda a, b: ("xor", a, b),
                },
            )
        )

    def text(
        self, name: Callable[[str], str] = str, invert: str = "!", constant: str = "{}"
    ) -> str:
        """The expression with ``invert & ^ |``, each pin as ``name`` writes it, and constants.

        Operands of another operator stand in parentheses, so it reads the same in Liberty and in
        Verilog, whose ``^`` binds less than ``&``; an inverted one too, if it is inverted again,
        for ``~~a`` is no Verilog.
        """

        def infix(kind: str) -> Callable[..., tuple[str, str]]:
            def join(a: tuple[str, str], b: tuple[str, str]) -> tuple[str, str]:
                a, b = ((text, "" if inner == "not" else inner) for text, inner in (a, b))
                return f"{enclose(a, kind)} {_SIGN[kind]} {enclose(b, kind)}", kind

            return join

        def enclose(operand: tuple[str, str], kind: str) -> str:
            return operand[0] if operand[1] in (kind, "") else f"({operand[0]})"

        def negate(a: tuple[str, str]) -> tuple[str, str]:
            return invert + enclose(a, ""), "not"

        operations = {kind: infix(kind) for kind in _SIGN}
        operations["not"] = negate
        return self._fold(
            lambda pin: (name(pin), ""), lambda bit: (constant.format(bit), ""), operations
        )[0]

    def __str__(self) -> str:
        return self.text()

    def _fold(
        self,
        pin: Callable[[str], Any],
        const: Callable[[int], Any],
        operations: Mapping[str, Callable[..., Any]],
    ) -> Any:
        stack: list[Any] = []
        for kind, operand in self._postfix:
            if kind == "pin":
                stack.append(pin(operand))
            elif kind == "const":
                stack.append(const(operand))
            elif kind == "not":
                stack.append(operations[kind](stack.pop()))
            else:
                b, a = stack.pop(), stack.pop()
                stack.append(operations[kind](a, b))
        return stack.pop()


@lru_cache(maxsize=1 << 14)  # libraries repeat the same conditions thousands of times
def parse_function(text: str) -> Function:
    """Parse ``! ' ^ & * | +``, juxtaposition (and), parentheses, 0 and 1.

    Precedence as Liberty's: postfix and prefix inversion, then xor, then and, then or.

    Raises
    ------
    ValueError
        With what is wrong and where, when ``text`` is no expression.
    """
    return _Parser(text).parse()


class _Parser:
    """Operator precedence with explicit stacks: operands made so far, operators that wait."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.trees: list[tuple[Any, ...]] = []
        self.waiting: list[str] = []

    def parse(self) -> Function:
        complete = False  # whether what was read so far ends in an operand
        for count, token in enumerate(_TOKEN.finditer(self.text)):
            name, quoted, constant, sign, other = token.groups()
            if other or count > _LONGEST:
                raise self.wrong("unexpected " + repr(other) if other else "too long")
            starts = bool(name or quoted or constant or sign in ("!", "("))
            # Two operands side by side are an AND.
            if starts and complete:
                self.operator("and")
                complete = False
            if starts:
                complete = self.operand(name or quoted, constant, sign)
            elif not complete:
                raise self.wrong(f"{sign!r} follows no operand")
            else:
                complete = self.after_operand(sign)
        if not complete:
            raise self.wrong("an operand is missing at its end")
        while self.waiting:
            if self.waiting[-1] == "(":
                raise self.wrong("a parenthesis is not closed")
            self.reduce()
        return Function(self.trees.pop())

    def operand(self, name: str | None, constant: str | None, sign: str | None) -> bool:
        if name:
            self.trees.append(("pin", name))
        elif constant:
            self.trees.append(("const", int(constant)))
        else:
            self.waiting.append("not" if sign == "!" else "(")
        return bool(name or constant)

    def after_operand(self, sign: str) -> bool:
        if sign == "'":
            self.trees.append(("not", self.trees.pop()))
            return True
        if sign == ")":
            while self.waiting and self.waiting[-1] != "(":
                self.reduce()
            if not self.waiting:
                raise self.wrong("a parenthesis closes that never opened")
            self.waiting.pop()
            return True
        self.operator(_INFIX[sign])
        return False

    def operator(self, kind: str) -> None:
        # Parentheses have no rank, so that nothing is reduced across them.
        while self.waiting and _RANK.get(self.waiting[-1], 0) >= _RANK[kind]:
            self.reduce()
        self.waiting.append(kind)

    def reduce(self) -> None:
        kind = self.waiting.pop()
        operands = [self.trees.pop() for _ in range(1 if kind == "not" else 2)]
        self.trees.append((kind, *reversed(operands)))

    def wrong(self, reason: str) -> ValueError:
        shown = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return ValueError(f"{shown!r} is not a Boolean expression: {reason}")
