"""The declarations of a VCD: scopes, and names as each simulator writes them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Head", "SplitName", "Variable", "parse_head", "split_name"]

_RANGE = re.compile(r"(.*?)\s*\[\s*(-?\d+)\s*(?::\s*(-?\d+)\s*)?\]", re.DOTALL)
_SCALE = re.compile(r"(\d+)\s*([munpf]?s)")
_NO_LOGIC = frozenset(
    ("real", "realtime", "real_parameter", "shortreal", "string", "event", "parameter", "class")
)
"""Kinds of variables that are no nets: read over, and not looked at."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A declaration.

    Parameters
    ----------
    name:
        Full name, dots between levels, with the bit in brackets where it is a single one.
    stem:
        The bus that it belongs to: the name without that bit.
    width:
        Bits; 0 of what is no logic value.
    ends:
        The bus's indices of its first and last digit, if they are told.
    code:
        What its changes call it.
    """

    name: str
    stem: str
    width: int
    ends: tuple[int, int] | None
    code: bytes


@dataclass(frozen=True)
class Head:
    """All declarations, and the timescale: a number and a unit, ``None`` if it is not told."""

    timescale: str | None
    variables: tuple[Variable, ...]


SplitName = tuple[str, str, tuple[int, int] | None]
"""Name, the bus that it belongs to, and its indices of the first and the last digit, if known."""


def split_name(text: str, width: int) -> SplitName:
    r"""Name, stem and indices of a variable of which a file says ``text``.

    ``d [7:0]`` and ``d[7:0]`` are a bus; ``d[3]``, ``d [3]`` and ``\d[3]`` are one of its bits, if
    they are one bit wide, and else a word of an array.
    """
    text = text.strip().replace("\\", "")
    indexed = _RANGE.fullmatch(text)
    if indexed is None:
        return _plain(text), _plain(text), None
    stem, left = _plain(indexed[1]), int(indexed[2])
    if indexed[3] is None:
        name = f"{stem}[{left}]"
        return (name, stem, (left, left)) if width == 1 else (name, name, None)
    right = int(indexed[3])
    return stem, stem, (left, right) if abs(left - right) + 1 == width else None


def _plain(name: str) -> str:
    """A name without white space; words of an array as ``array[3]``."""
    return "".join(name.split()).replace(".[", "[")


def parse_head(text: str) -> Head:
    """Read everything up to ``$enddefinitions``, which is not in ``text``.

    Raises
    ------
    ValueError
        One line that says what is wrong.
    """
    scale, scopes, variables = None, [], []
    for command, words in _commands(text):
        if command == "$scope":
            # Without a name it is no level, but there is an $upscope for it.
            scopes.append(_plain("".join(words[1:]).replace("\\", "")))
        elif command == "$upscope":
            if not scopes:
                raise ValueError("an $upscope outside of all scopes")
            scopes.pop()
        elif command == "$var":
            variables.append(_variable(words, scopes))
        elif command == "$timescale":
            known = _SCALE.fullmatch(" ".join(words))
            if not known:
                raise ValueError(f"the timescale {' '.join(words)!r} is not one")
            scale = f"{known[1]}{known[2]}"
    return Head(scale, tuple(variables))


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each ``$command`` with its words up to ``$end``."""
    words = iter(text.split())
    for word in words:
        if not word.startswith("$"):
            raise ValueError(f"{word[:40]!r} between the declarations")
        within = []
        for other in words:
            if other == "$end":
                break
            within.append(other)
        else:
            raise ValueError(f"{word} has no $end")
        yield word, within


def _variable(words: list[str], scopes: list[str]) -> Variable:
    if len(words) < 4 or not words[1].isdecimal():
        raise ValueError(f"the declaration $var {' '.join(words)[:60]} is not whole")
    kind, size, code = words[0], int(words[1]), words[2].encode("latin-1")
    if not all(33 <= byte <= 126 for byte in code):
        raise ValueError(f"the code {words[2]!r} is not of printable characters")
    width = 0 if kind in _NO_LOGIC else size
    name, stem, ends = split_name(" ".join(words[3:]), width)
    above = "".join(f"{scope}." for scope in scopes if scope)
    return Variable(above + name, above + stem, width, ends, code)
