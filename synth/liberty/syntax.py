"""Liberty's grammar: groups in groups, with attributes. Values stay text until they are asked for.

A library is megabytes of tables of which a run reads few, so one regular expression takes a whole
statement at a time and numbers are converted on demand.
"""

import math
import re
from dataclasses import dataclass, field

__all__ = ["FlawError", "Group", "numbers", "parse", "unquote"]

# Possessive quantifiers: on a broken file a pattern that tries every split would run for hours.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_COMMENT = r"/\*.*?\*/|//[^\n]*+"
_GAP = rf"(?>[\s\\]++|{_COMMENT})*+"
_BARE = rf'(?>{_COMMENT}|[^;{{}}"\n\\/]++|/|\\\s*?\n)*+'
_ARGUMENTS = rf'(?>{_COMMENT}|[^(){{}}"/]++|{_STRING}|/)*+'
_STATEMENT = re.compile(
    rf"{_GAP}(?:([A-Za-z_]\w*+){_GAP}"
    rf"(?::{_GAP}({_STRING}|{_BARE})|\(({_ARGUMENTS})\){_GAP}(\{{)?)"
    r"|(\})|;|\Z|(\S))",
    re.DOTALL,
)
_VALUE, _LIST, _OPEN, _CLOSE, _BAD = 2, 3, 4, 5, 6
_WORD = re.compile(rf'({_STRING})|([^\s,"\\]+)', re.DOTALL)
_COMMENTS = re.compile(_COMMENT, re.DOTALL)
_CONTINUED = re.compile(r"\\\s*\n")
_SPACES = str.maketrans('",\\', "   ")


class FlawError(Exception):
    """What is wrong at a place in the text: the reader adds the file and the line."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset


def unquote(raw: str) -> str:
    """Text of a value: no quotes, comments or continued lines."""
    if "/" in raw and not raw.startswith('"'):
        raw = _COMMENTS.sub(" ", raw)
    raw = raw.strip()
    if raw.startswith('"'):
        raw = raw[1:-1]
    if "\\" in raw:
        raw = _CONTINUED.sub(" ", raw).replace('\\"', '"')
    return raw.strip()


def numbers(raw: str, offset: int) -> list[float]:
    """Numbers of a list, over however many strings it is spread."""
    if "/" in raw:
        raw = _COMMENTS.sub(" ", raw)
    words = raw.translate(_SPACES).split()
    try:
        values = list(map(float, words))
    except ValueError as error:
        word = str(error).rpartition(": ")[2]
        raise FlawError(
            offset, f"{word} in a list of numbers is not a number: correct it"
        ) from None
    if not all(map(math.isfinite, values)):
        raise FlawError(offset, "a list of numbers holds an infinite one or a NaN: correct it")
    return values


@dataclass(slots=True)
class Group:
    """``kind(names) { attributes and groups }``; an attribute that is given twice counts last."""

    kind: str
    header: str
    offset: int
    end: int = 0
    """Behind its closing brace; of a group in brackets alone, 0."""
    attributes: dict[str, tuple[str, int]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """What stands in the parentheses, unquoted; a quoted name may hold several."""
        return _words(self.header)

    @property
    def name(self) -> str:
        """The first of ``names``."""
        names = self.names
        if not names:
            raise FlawError(self.offset, f"{self.kind} has no name: write {self.kind}(NAME)")
        return names[0]

    def every(self, *kinds: str) -> list["Group"]:
        """Groups of these kinds that lie directly in this one."""
        return [group for group in self.groups if group.kind in kinds]

    def text(self, attribute: str) -> str | None:
        """An attribute's value; ``None`` where it is missing or empty."""
        entry = self.attributes.get(attribute)
        return unquote(entry[0]) or None if entry else None

    def words(self, attribute: str) -> list[str]:
        """Values of a list, or of a string that holds several names."""
        entry = self.attributes.get(attribute)
        return _words(entry[0]) if entry else []

    def number(self, attribute: str) -> float | None:
        """An attribute's value as a number; ``None`` where it is missing."""
        text = self.text(attribute)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.flaw(f"{attribute} must be a number, not {text!r}", attribute)
        return value

    def flag(self, attribute: str) -> bool:
        """Whether an attribute is ``true``."""
        return (self.text(attribute) or "").lower() in ("true", "1")

    def flaw(self, reason: str, attribute: str = "") -> FlawError:
        """What is wrong with this group, or with an attribute of it."""
        entry = self.attributes.get(attribute)
        return FlawError(entry[1] if entry else self.offset, reason)


def _words(raw: str) -> list[str]:
    if "/" in raw:
        raw = _COMMENTS.sub(" ", raw)
    words: list[str] = []
    for quoted, bare in _WORD.findall(raw):
        words += unquote(quoted).replace(",", " ").split() if quoted else [bare]
    return words


def parse(text: str) -> Group:
    """Groups of a file, in a nameless one.

    Raises
    ------
    FlawError
        At the first place where the text is not Liberty.
    """
    group = Group("", "", 0)
    outer: list[Group] = []
    for match in _STATEMENT.finditer(text):
        kind = match.lastindex
        # The last group that matched says which kind of statement it was.
        if kind in (_VALUE, _LIST):
            group.attributes[match[1]] = (match[kind], match.start(1))
        elif kind == _OPEN:
            inner = Group(match[1], match[3], match.start(1))
            group.groups.append(inner)
            outer.append(group)
            group = inner
        elif kind == _CLOSE:
            if not outer:
                raise FlawError(match.start(_CLOSE), "a '}' closes no group: remove it")
            group.end = match.end(_CLOSE)
            group = outer.pop()
        elif kind == _BAD:
            raise _unreadable(text, match.start(_BAD))
    if outer:
        name = f"{group.kind}({group.header.strip()})"
        raise FlawError(
            group.offset,
            f"the file ends within {name[:60]}: it is truncated, or a '}}' is missing; fetch it"
            " again",
        )
    return group


def _unreadable(text: str, offset: int) -> FlawError:
    rest = text[offset : offset + 30].split("\n")[0]
    if text.startswith("/*", offset):
        return FlawError(offset, "a comment is never closed: add '*/'")
    if rest.startswith('"'):
        return FlawError(
            offset, f"a string is misplaced or never closed, at {rest!r}: mend the quotes"
        )
    return FlawError(
        offset, f"neither an attribute nor a group at {rest!r}: mend it, or give a Liberty file"
    )
