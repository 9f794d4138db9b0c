"""Reports: what goes to JSON comes back, and what is not a report's is refused by name."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import pytest

from spikewatt.base.report import Report, from_json, json_schema, plain


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something within a report."""

    share: float | None


@dataclass(frozen=True, kw_only=True)
class Whole(Report):
    """A report."""

    name: str
    file: Path
    parts: dict[str, Part]


WHOLE = Whole(name="x", file=Path("a/b"), parts={"one": Part(share=0.5), "two": Part(share=None)})


def test_json_and_back() -> None:
    data = WHOLE.to_json()
    assert data == {
        "name": "x",
        "file": "a/b",
        "parts": {"one": {"share": 0.5}, "two": {"share": None}},
    }
    assert list(data) == ["name", "file", "parts"]  # in the order of the fields
    assert from_json(data, Whole) == WHOLE


@dataclass(frozen=True, kw_only=True)
class Versioned(Report):
    """A report of a version, with one like it within."""

    schema: Literal["test/1"] = "test/1"
    note: str | None = None
    whole: Whole | None = None
    within: "tuple[Versioned, ...]" = ()
    named: "dict[str, Versioned]" = field(default_factory=dict)


def test_defaults_come_back() -> None:
    """What JSON leaves out is a field like any other, at any depth: it is written again."""
    part = {"schema": "test/1", "note": None, "whole": None, "within": [], "named": {}}
    report = from_json({"within": [{}], "named": {"a": {"note": "x"}}}, Versioned)
    whole = {**part, "within": [part], "named": {"a": {**part, "note": "x"}}}
    assert report.to_json() == whole == json.loads(report.to_text())
    with pytest.raises(msgspec.ValidationError, match="schema"):
        from_json({"schema": "test/2"}, Versioned)


def test_numpy_is_data() -> None:
    assert plain({1: np.float64(0.5), "n": np.int64(3), "a": np.arange(2)}) == {
        "1": 0.5,
        "n": 3,
        "a": [0, 1],
    }
    with pytest.raises(TypeError, match="a report cannot hold a complex"):
        plain(1j)


def test_a_wrong_field_is_named() -> None:
    data = WHOLE.to_json()
    data["parts"]["two"]["share"] = "half"
    with pytest.raises(msgspec.ValidationError, match=r"parts\[...\]\.share"):
        from_json(data, Whole)
    with pytest.raises(msgspec.ValidationError, match="missing required field `name`"):
        from_json({"file": "a", "parts": {}}, Whole)


def test_schema() -> None:
    schema = json_schema(Whole)["$defs"]
    assert schema["Whole"]["required"] == ["name", "file", "parts"]
    assert schema["Whole"]["properties"]["file"] == {"type": "string"}
    share = schema["Part"]["properties"]["share"]
    assert share == {"anyOf": [{"type": "number"}, {"type": "null"}]}
