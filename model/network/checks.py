"""Checks that networks and their files share."""

from typing import Any

from spikewatt.base.errors import NetworkError

__all__ = ["is_integer", "require"]


def require(condition: bool, message: str) -> None:
    """Raise a `NetworkError` with the message unless the condition holds."""
    if not condition:
        raise NetworkError(message)


def is_integer(value: Any, low: int, high: int) -> bool:
    """Whether a value is a plain integer from ``low`` to ``high``; ``True`` is none."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
