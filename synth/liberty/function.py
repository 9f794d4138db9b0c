"""Boolean expressions as Liberty writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["Function", "parse_function"]


@dataclass(frozen=True)
class Function:
    """An expression of pins and states.

    ``tree`` is ``("pin", name)``, ``("const", 0 | 1)``, ``("not", tree)``, or ``("and" | "or" |
    "xor", tree, tree)``.
    """

    tree: tuple[Any, ...]

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names in the order of their first appearance."""
        raise NotImplementedError

    def evaluate(self, values: Mapping[str, Any], ones: Any) -> Any:
        """Value, bit by bit: ``values`` are ints or unsigned arrays, ``ones`` is all ones."""
        raise NotImplementedError

    def truth(self, order: tuple[str, ...]) -> int:
        """Truth table: bit ``i`` is the value where pin ``order[k]`` is bit ``k`` of ``i``."""
        raise NotImplementedError


def parse_function(text: str) -> Function:
    """Parse ``! ' ^ & * | +``, juxtaposition (and), parentheses, 0 and 1.

    Precedence as Liberty's: postfix and prefix inversion, then xor, then and, then or.
    """
    raise NotImplementedError
