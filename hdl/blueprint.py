# amaranth: UnusedElaboratable=no
# What a blueprint builds may serve to be asked for its ports alone, its Verilog being in the cache.

"""Components that are known before they are built: a class, and what it is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np
from amaranth.lib import wiring

__all__ = ["Blueprint", "canonical"]


@dataclass(frozen=True)
class Blueprint:
    """What a component is made from; it is built when somebody has to look inside.

    Parameters
    ----------
    kind:
        Class of the component.
    arguments, options:
        What it is given: plain values, frozen dataclasses of them, and other blueprints, which are
        built first.
    """

    kind: type[wiring.Component]
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: type[wiring.Component], *arguments: Any, **options: Any) -> "Blueprint":
        """Write it as the component itself would be: ``Blueprint.of(NeuroCore, params)``."""
        # Nothing is checked here: the component's own constructor does, when it is built.
        return cls(kind, arguments, options)

    def build(self) -> wiring.Component:
        """The component."""
        return self.kind(*map(_built, self.arguments), **{k: _built(v) for k, v in self.named()})

    def named(self) -> list[tuple[str, Any]]:
        """The options in the order of their names."""
        return sorted(self.options.items())

    def key(self) -> str:
        """Text that is the same for the same component, and for no other.

        Raises
        ------
        TypeError
            An argument whose value cannot be told from another's.
        """
        return canonical(self)


def _built(value: Any) -> Any:
    return value.build() if isinstance(value, Blueprint) else value


def canonical(value: Any) -> str:
    """Text of a value, types included, that is another for every other value.

    ``repr`` would not do: a dataclass may hide fields from it, and an object that has none of its
    own shows its address, which another may have tomorrow.

    Raises
    ------
    TypeError
        A value of a kind that is not known to be nothing but its fields.
    """
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    # Exact types and not instances: a subclass of `int` may mean something else (an enum does).
    if value is None or kind in (bool, int, float, str, bytes):
        return f"{name}={value!r}"
    # NumPy's integers print their type or not by version; the value alone stays the same.
    if isinstance(value, np.integer):
        return f"{name}={int(value)}"
    if isinstance(value, Enum):
        return f"{name}.{value.name}={value.value!r}"
    if isinstance(value, type):
        return f"class {value.__module__}.{value.__qualname__}"
    if kind in (tuple, list):
        return f"{name}({','.join(map(canonical, value))})"
    if isinstance(value, Blueprint):
        named = ",".join(f"{key}={canonical(value)}" for key, value in value.named())
        return f"{canonical(value.kind)}({canonical(value.arguments)},{named})"
    if isinstance(value, dict):
        parts = sorted(f"{canonical(key)}:{canonical(one)}" for key, one in value.items())
        return f"{name}({','.join(parts)})"
    if is_dataclass(value):
        named = (f"{one.name}={canonical(getattr(value, one.name))}" for one in fields(value))
        return f"{name}({','.join(named)})"
    raise TypeError(f"no key for {value!r}: give it as plain values")
