"""Checks of parameters, with messages that name the parameter, its range and the value."""

from collections.abc import Iterable
from enum import IntEnum

from spikewatt.base.errors import ParameterError

__all__ = ["choice", "power_of_two", "within"]


def within(name: str, value: int, low: int, high: int) -> None:
    """Raise `ParameterError` unless the value is an integer from ``low`` to ``high``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ParameterError(f"{name} must be an integer from {low} to {high}, not {value!r}")


def power_of_two(name: str, value: int) -> None:
    """Raise `ParameterError` unless the value is a power of two."""
    if value & (value - 1):
        raise ParameterError(f"{name} must be a power of two, not {value!r}")


def choice(name: str, values: Iterable[int], kind: type[IntEnum]) -> None:
    """Raise `ParameterError` unless the values are distinct members of ``kind``, at least one."""
    if not values or len(set(values)) != len(tuple(values)):
        raise ParameterError(f"{name} must name each {kind.__name__} once, not {values!r}")
    if not all(isinstance(value, kind) for value in values):
        raise ParameterError(f"{name} must hold members of {kind.__name__}, not {values!r}")
