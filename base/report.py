"""What commands report, as data: one place that writes JSON, and its schema from the types.

A report is a frozen dataclass. msgspec reads its annotations: it makes the JSON, the JSON schema,
and takes JSON back with every field checked, without a line for each field. (pydantic does that
too, at ten times the size and two to three times the start-up.)
"""

import json
from abc import ABC, abstractmethod
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any, TypeVar

import msgspec

__all__ = ["Report", "Reported", "from_json", "json_schema", "json_text", "plain"]

Kind = TypeVar("Kind")


def plain(value: Any) -> Any:
    """A report, or anything within one, as what JSON knows: dicts, lists, text, numbers."""
    return _listed(msgspec.to_builtins(value, str_keys=True, enc_hook=_encoded))


def _listed(value: Any) -> Any:
    """The same with lists for tuples, so that a report equals what its JSON is read back as."""
    if isinstance(value, dict):
        return {name: _listed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value


def _encoded(value: Any) -> Any:
    """What msgspec does not know: paths, and NumPy's scalars and arrays."""
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a report cannot hold a {type(value).__name__}")


def json_text(value: Any) -> str:
    """A report as JSON text, as every command prints and writes it."""
    return json.dumps(plain(value), indent=1)  # msgspec's own writes no indented text


def json_schema(kind: Any) -> dict[str, Any]:
    """JSON schema of a type of reports."""
    return msgspec.json.schema(kind, schema_hook=_schema)


def _schema(kind: type) -> dict[str, Any]:
    if issubclass(kind, PurePath):
        return {"type": "string"}
    raise NotImplementedError(f"a report cannot hold a {kind.__name__}")


def from_json(value: Any, kind: type[Kind]) -> Kind:
    """A report from its JSON, every field checked.

    Raises
    ------
    msgspec.ValidationError
        Names the field that is missing, or of another type.
    """
    report = msgspec.convert(value, kind, dec_hook=lambda wanted, given: wanted(given))
    _set_defaults(report)
    return report


def _set_defaults(value: Any) -> None:
    """Give every dataclass within a value the defaults of the fields that the JSON left out.

    msgspec leaves them to the class, where attributes find them and `plain` does not: a report
    that came back without its ``schema`` would be written without it.
    """
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _set_defaults(item)
    elif is_dataclass(value):
        for field in fields(value):
            held = getattr(value, field.name)
            # Around `frozen`: nobody else has the object yet.
            object.__setattr__(value, field.name, held)
            _set_defaults(held)


class Reported(ABC):
    """Base of results that are more than data, and have a report of what is data in them."""

    @abstractmethod
    def report(self) -> "Report":
        """All figures, as a report."""

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return self.report().to_json()

    def to_text(self) -> str:
        """The report as JSON text."""
        return self.report().to_text()


class Report:
    """Base of reports: frozen dataclasses whose fields are those of the JSON."""

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return plain(self)

    def to_text(self) -> str:
        """The report as JSON text."""
        return json_text(self)
