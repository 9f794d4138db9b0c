"""Blueprints: the same text for the same component, and another for every other."""

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
import pytest

from spikewatt.hdl.blueprint import Blueprint, canonical
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.hdl.sram import Sram
from spikewatt.model.params import CoreParams


class Small(IntEnum):
    ONE = 1


class Word(StrEnum):
    ONE = "1"


@dataclass(frozen=True)
class Secret:
    """Hides from `repr` what decides."""

    shown: int
    hidden: int = field(default=0, repr=False)


VALUES = [
    None, 0, 1, True, 1.0, "1", b"1", np.int64(1), (1,), [1], (1, 1), ((1,), 1), (1, (1,)), "(1,)",
    ("a", "b"), ("a,b",), ("a","b,"), {"a": 1}, {"a": "1"}, {1: 1}, {}, Small.ONE, Small, Word.ONE,
    Secret(1), Secret(1, 1), Secret(2), Blueprint.of(Sram, rows=4, bits=2),
    Blueprint.of(Sram, rows=2, bits=4), Blueprint.of(NeuroCore, 1), Blueprint.of(NeuroCore, a=1),
    Blueprint.of(NeuroCore, Blueprint.of(Sram, rows=2, bits=4)),
]  # fmt: skip


def test_no_two_values_have_one_text() -> None:
    texts = [canonical(value) for value in VALUES]
    assert len(set(texts)) == len(VALUES)


def test_equal_values_have_one_text() -> None:
    def make() -> Blueprint:
        params = CoreParams(neurons=8, axons=8, lanes=4)
        return Blueprint.of(NeuroCore, params, b=(1, 2), a={"x": 1, "y": 2})

    one, other = make(), make()
    assert one is not other
    assert one.key() == other.key()
    assert Blueprint.of(Sram, rows=1, bits=2).key() == Blueprint.of(Sram, bits=2, rows=1).key()


def test_every_parameter_of_a_core_counts() -> None:
    params = CoreParams(neurons=8, axons=8, lanes=4)
    changed = [
        replace(params, **{name: value})
        for name, value in (("neurons", 16), ("lanes", 8), ("leaks", params.leaks[:1]))
        if getattr(params, name) != value
    ]
    keys = {Blueprint.of(NeuroCore, one).key() for one in (params, *changed)}
    assert len(keys) == len(changed) + 1 > 2


@pytest.mark.parametrize("value", [object(), lambda: None, {1}, np.zeros(1), (1, object())])
def test_a_value_that_cannot_be_told_from_others_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r"no key for .*: give it as plain values"):
        canonical(value)


def test_blueprints_inside_are_built_first() -> None:
    built: Any = Blueprint.of(Sram, rows=4, bits=3).build()
    built._MustUse__silence = True  # it is not used: that is the point
    assert isinstance(built, Sram)
    assert built.bits == 3
