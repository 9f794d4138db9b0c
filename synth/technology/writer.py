"""Liberty text: groups, attributes and tables."""

from collections.abc import Callable, Iterable

from spikewatt.synth.technology import table

__all__ = ["attribute", "group", "indented", "lookup", "number"]


def number(value: float) -> str:
    """Four significant digits: far beyond what the figures are worth."""
    return f"{value:.4g}"


def indented(lines: Iterable[str]) -> list[str]:
    """Lines one level deeper."""
    return [f"  {line}" for line in lines]


def attribute(name: str, value: str) -> str:
    """``name : value;``."""
    return f"{name} : {value};"


def group(head: str, body: Iterable[str]) -> list[str]:
    """``head { body }``."""
    return [f"{head} {{", *indented(body), "}"]


def lookup(kind: str, drive: int, value: Callable[[float, float], float]) -> list[str]:
    """A table of ``value(slew in ps, load in fF)`` over the common axes, for a drive strength."""
    rows = [
        '"' + ", ".join(number(value(slew, load * drive)) for load in table.LOADS) + '"'
        for slew in table.SLEWS
    ]
    body = [*(f"{row}, \\" for row in rows[:-1]), rows[-1]]
    return group(f"{kind} (x{drive})", ["values ( \\", *indented(body), ");"])
