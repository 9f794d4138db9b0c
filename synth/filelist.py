"""Lists of files, as simulators and synthesis tools take them (``-f files.f``)."""

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spikewatt.base.errors import DataError

__all__ = ["FileList", "read_file_list"]

_COMMENT = re.compile(r"//.*|/\*.*?\*/|(?:^|(?<=\s))#.*", re.MULTILINE)
_DEEPEST = 50  # lists in lists: more is one that names itself


@dataclass(frozen=True)
class FileList:
    """What a list names: files in order, folders of included files, and macros."""

    files: tuple[Path, ...] = ()
    include: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()

    def __add__(self, other: "FileList") -> "FileList":
        return FileList(
            self.files + other.files, self.include + other.include, self.defines + other.defines
        )


def read_file_list(path: Path) -> FileList:
    """Read a list: files, ``+incdir+``, ``-I``, ``+define+``, ``-D``, and ``-f``, ``-F``, ``-v``.

    Paths count from the working folder; in a list that ``-F`` names, from that list's own.
    ``$NAME`` and ``${NAME}`` are of the environment. Other options are simulators' own.

    Raises
    ------
    DataError
        A list that cannot be read; an option that would bring files that are not named.
    """
    return _read(path, Path(), 0)


def _read(path: Path, base: Path, depth: int) -> FileList:
    if depth > _DEEPEST:
        raise DataError(f"{path} is a list that names itself: take the -f out that does")
    try:
        text = _COMMENT.sub(" ", path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise DataError(f"{path} cannot be read ({reason})") from None
    try:
        words = iter([os.path.expandvars(word) for word in shlex.split(text)])
    except ValueError as error:
        raise DataError(f"{path} is no list of files ({error})") from None
    result = FileList()
    for word in words:
        result += _entry(word, words, path, base, depth)
    return result


def _entry(word: str, words: Iterator[str], path: Path, base: Path, depth: int) -> FileList:
    """What one word of a list stands for, and those that belong to it."""
    kind, value = _split(word)
    if kind in ("-f", "-F", "-v", "-I", "-D") and not value:
        value = next(words, "")
        if not value:
            raise DataError(f"{path} ends with {kind}: name what belongs to it")
    if kind in ("-f", "-F"):
        inner = base / value
        return _read(inner, inner.parent if kind == "-F" else base, depth + 1)
    if kind == "-v" or not kind:
        return FileList(files=(base / value,))
    if kind == "-I":
        return FileList(include=(base / value,))
    if kind == "+incdir+":
        return FileList(include=tuple(base / each for each in value.split("+") if each))
    if kind == "-D":
        return FileList(defines=(value,))
    if kind == "+define+":
        return FileList(defines=tuple(each for each in value.split("+") if each))
    if kind == "-y":
        raise DataError(f"{path} names a library folder ({word} ...): name its files")
    return FileList()


def _split(word: str) -> tuple[str, str]:
    """The option that a word is, and what stands behind it in the same word."""
    for option in ("+incdir+", "+define+"):
        if word.startswith(option):
            return option, word[len(option) :]
    if re.match(r"-[IDfFvy]", word):
        return word[:2], word[2:]
    return ("?", "") if word[:1] in "+-" else ("", word)
