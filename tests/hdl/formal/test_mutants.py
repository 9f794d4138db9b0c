"""Broken elements fall, each by the assertion that is there for it."""

from functools import partial
from pathlib import Path

import pytest

from tests.hdl.formal.mutants import MUTANTS, edited
from tests.hdl.formal.prove import LONGEST, check, model


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long] * (number % 4 > 0))
        for number, name in enumerate(MUTANTS)
    ],
)
def test_mutant_is_caught(name: str, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    place = model(
        tmp_path,
        mutant.element,
        f"STEPS={LONGEST[mutant.element]}",
        *(("TIMED",) if mutant.timed else ()),
        only=mutant.caught,
        edit=partial(edited, edits=mutant.edits),
        edit_cells=partial(edited, edits=mutant.cells),
    )
    verdict = check(place, "bounded", 20)
    assert not verdict.passed
    assert verdict.names == {mutant.caught}, verdict.output
