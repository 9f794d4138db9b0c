"""Faults in blocks of hardware: a piece of a module's text changed, and the test that notices."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

__all__ = ["Mutant", "Row", "every_mutant", "expect_red"]

RED = (AssertionError, LookupError, ValueError)
"""What a bench raises: it compares, looks up what it is told, and puts words together.

An error of another kind says that the mutant is no hardware, and not that a test noticed it.
"""


Row = tuple[ModuleType, str, str, Callable[[], None]]
"""A mutant as its table has it."""


class Mutant(NamedTuple):
    """``old``, which stands once in the text of ``module``, becomes ``new``; ``test`` fails."""

    module: ModuleType
    old: str
    new: str
    test: Callable[[], None]

    @property
    def name(self) -> str:
        """Name of the test, by what changes."""
        return f"{self.module.__name__.rsplit('.', 1)[1]}: {self.old} -> {self.new}"


def every_mutant(rows: Sequence[Row], *, quick: int) -> pytest.MarkDecorator:
    """Parametrise a test by a table of mutants; one of ``quick`` runs outside of the long tests."""
    mutants = [Mutant(*row) for row in rows]
    return pytest.mark.parametrize(
        "mutant",
        [
            pytest.param(mutant, marks=[pytest.mark.long] * (number % quick > 0), id=mutant.name)
            for number, mutant in enumerate(mutants)
        ],
    )


def expect_red(
    monkeypatch: pytest.MonkeyPatch, mutant: Mutant, users: Sequence[ModuleType]
) -> None:
    """Let ``users`` build the changed hardware, and expect that the mutant's test fails.

    The text occurs once: a change of one of several places would say nothing of the others.
    """
    module, old, new, test = mutant
    assert module.__file__ is not None
    text = Path(module.__file__).read_text()
    assert text.count(old) == 1, f"{text.count(old)} times in {module.__name__}: {old!r}"
    names: dict[str, Any] = {"__name__": module.__name__}
    exec(compile(text.replace(old, new), f"mutant of {module.__file__}", "exec"), names)
    for user in users:
        for name in module.__all__:
            if hasattr(user, name):
                monkeypatch.setattr(user, name, names[name])
    with pytest.raises(RED):
        test()
