"""Verilog and SystemVerilog sources with all that they name, in one folder for yosys.

The yosys from pip sees its own folder only. So every file that is included, or that a string names
(a memory image, maybe through a parameter), is brought there, whatever folder it lies in.
"""

import gzip
import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from spikewatt.base.errors import DataError, ParameterError
from spikewatt.synth.yosys import has_slang

__all__ = [
    "DEFAULT",
    "DesignFiles",
    "Frontend",
    "FrontendChoice",
    "Source",
    "SourceOptions",
    "read_sources",
]

Frontend = Literal["verilog", "slang"]
"""What reads sources: yosys's own reader, or slang in yosys, which knows all of SystemVerilog."""
FrontendChoice = Literal["auto", "verilog", "slang"]

_INCLUDE = re.compile(r'(`include\s*")([^"\n]+)(")')
_STRING = re.compile(r'(")([^"\\\n]+)(")')
_DEFINE = re.compile(r"[A-Za-z_]\w*(=[^\s;#]*)?")
_PARAMETER = re.compile(r"([A-Za-z_]\w*)=(\S[^;#\n]*)")
_NUMBER = re.compile(r"-?\d+|\d*'s?[bodhBODH][0-9a-fA-FxXzZ_]+")
_TAKEN = {"stubs.v", "library.lib", "netlist.v", "netlist.json", "script.ys", "click-cells.v"}
"""Names that synthesis itself writes."""
_ARGUMENTS = "slang.f"


@dataclass(frozen=True)
class Source:
    """A file for yosys, by its name in the folder where yosys runs."""

    name: str
    text: str

    def write(self, folder: Path) -> None:
        """Put the file into a folder."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text)


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How sources are read.

    Parameters
    ----------
    include:
        Folders in which included files are looked for, behind that of the file that includes them.
    defines:
        Macros, ``NAME`` or ``NAME=VALUE``.
    parameters:
        Parameters of the top module, ``NAME=VALUE``; a value that is no number is a string.
    frontend:
        What reads them: ``auto`` takes slang where there is a file ``.sv`` and yosys has slang.

    Raises
    ------
    ParameterError
        A macro or a parameter that is not written so.
    """

    include: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    frontend: FrontendChoice = "auto"

    def __post_init__(self) -> None:
        for text in self.defines:
            if not _DEFINE.fullmatch(text):
                raise ParameterError(f"a macro is NAME or NAME=VALUE without spaces, not {text!r}")
        for text in self.parameters:
            if not _PARAMETER.fullmatch(text):
                raise ParameterError(f"a parameter is NAME=VALUE, not {text!r}")


DEFAULT = SourceOptions()


@dataclass(frozen=True)
class DesignFiles:
    """The files of a design.

    ``read``: names of those that are read; the others are named by these.
    """

    files: tuple[Source, ...]
    read: tuple[str, ...]
    options: SourceOptions = field(default=DEFAULT)

    @property
    def frontends(self) -> tuple[Frontend, ...]:
        """What may read them, the best first."""
        chosen = self.options.frontend
        if chosen != "auto":
            return (chosen,)
        return ("slang", "verilog") if self.systemverilog and has_slang() else ("verilog",)

    @property
    def systemverilog(self) -> bool:
        """Whether one of them says that it is SystemVerilog."""
        return any(name.endswith(".sv") for name in self.read)

    @property
    def content(self) -> list[str]:
        """All that a build cache needs to know of them."""
        files = [part for file in self.files for part in (file.name, file.text)]
        return [*files, *self.options.defines, *self.options.parameters]

    def write(self, folder: Path) -> None:
        """Put the files into a folder."""
        for file in self.files:
            file.write(folder)
        lines = [f"-D{_quoted(text)}" for text in self.options.defines]
        lines += [f"-G{_quoted(text)}" for text in self.options.parameters]
        (folder / _ARGUMENTS).write_text("\n".join([*lines, ""]))

    def reading(self, top: str, frontend: Frontend = "verilog") -> str:
        """Commands of yosys that read the files."""
        if frontend == "slang":
            # As one unit: what one file defines, those behind it have. One thread: what pip brings
            # as WebAssembly has no more.
            return (
                "read_slang --threads 1 --single-unit --best-effort-hierarchy "
                f"--top {top} -f {_ARGUMENTS} {' '.join(self.read)}"
            )
        lines = [f"verilog_defines -D{text}" for text in self.options.defines]
        lines += [
            f"read_verilog {'-sv ' if name.endswith('.sv') else ''}{name}" for name in self.read
        ]
        return "\n".join(lines)

    def elaborating(self, top: str, frontend: Frontend = "verilog") -> str:
        """Command of yosys that makes the hierarchy below ``top``, with its parameters."""
        chosen = [_PARAMETER.fullmatch(text) for text in self.options.parameters]
        values = [f" -chparam {m[1]} {_constant(m[2])}" for m in chosen if m is not None]
        # slang has had them already.
        return f"hierarchy -check -top {top}{''.join(values) if frontend == 'verilog' else ''}"


def _constant(value: str) -> str:
    """A parameter's value as yosys takes it: a string as its bytes."""
    if _NUMBER.fullmatch(value):
        return value
    data = value.strip('"').encode()
    return f"{8 * len(data)}'h{data.hex()}"


def _quoted(text: str) -> str:
    """A word of slang's command file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def read_sources(
    design: str | Path | Sequence[Path], options: SourceOptions = DEFAULT
) -> DesignFiles:
    """Read the sources of a design: its text, or its files and the files that they name.

    Raises
    ------
    DataError
        A file that cannot be read.
    ParameterError
        A parameter that no source has.
    """
    if isinstance(design, str):  # it names no files: there is no folder that they would be in
        return DesignFiles((Source("design.v", design),), ("design.v",), options)
    files = _Files(options)
    paths = [design] if isinstance(design, Path) else list(design)
    read = [files.add(path) for path in paths]
    parameters: list[str] = []
    for text in options.parameters:
        name, _, value = text.partition("=")
        if not any(re.search(rf"\b{name}\b", files.texts[each]) for each in read):
            raise ParameterError(f"no source has a parameter {name}: leave -G {text} out")
        renamed = files.name_strings('"' + value.strip('"') + '"', Path())
        parameters.append(text if _NUMBER.fullmatch(value) else f"{name}={renamed}")
    sources = tuple(Source(name, text) for name, text in files.texts.items())
    return DesignFiles(sources, tuple(read), replace(options, parameters=tuple(parameters)))


class _Files:
    """Files by the names that they get in yosys's folder."""

    def __init__(self, options: SourceOptions) -> None:
        self._include = options.include
        self._names: dict[Path, str] = {}
        self.texts: dict[str, str] = {}

    def add(self, path: Path) -> str:
        """Take a file in; the name that it gets."""
        name, text = self._free(path.name), _read(path)
        self._names[path.resolve()] = name
        self.texts[name] = ""  # taken, before the files that it includes ask for names
        text = self._with_includes(text, path.parent)
        self.texts[name] = self.name_strings(text, path.parent)
        return name

    def _free(self, name: str) -> str:
        wanted = re.sub(r"[^\w.]", "_", name)
        taken = _TAKEN | self.texts.keys()
        names = (wanted if not n else f"source{n}_{wanted}" for n in range(len(taken) + 1))
        return next(name for name in names if name not in taken)

    def _with_includes(self, text: str, folder: Path) -> str:
        """The text with the names that included files get."""

        def rename(match: re.Match[str]) -> str:
            path = self._found(match[2], folder)
            if path is None:  # yosys says where a file is missing
                return match[0]
            return match[1] + (self._names.get(path.resolve()) or self.add(path)) + match[3]

        return _INCLUDE.sub(rename, text)

    def name_strings(self, text: str, folder: Path) -> str:
        """The text with the names that files get which it names in strings."""

        def rename(match: re.Match[str]) -> str:
            path = None if match[2] in self.texts else self._found(match[2], folder)
            if path is None:
                return match[0]
            known = self._names.get(path.resolve())
            if known is None and (text := _text(path)) is not None:
                # A plain name stays, for elsewhere it may be made of parts.
                place = PurePosixPath(match[2])
                plain = not place.is_absolute() and ".." not in place.parts
                known = match[2] if plain else self._free(path.name)
                self._names[path.resolve()] = known
                self.texts[known] = text
            return match[1] + (known or match[2]) + match[3]

        return _STRING.sub(rename, text)

    def _found(self, name: str, folder: Path) -> Path | None:
        """Where a file lies that is named in one of ``folder``."""
        for place in (folder, *self._include, Path()):
            path = place / name
            try:
                if path.is_file():
                    return path
            except OSError:  # a text that is no name of a file, by its length for one
                return None
        return None


def _read(path: Path) -> str:
    try:
        text = _text(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from None
    if text is None:
        raise DataError(f"{path} is not Verilog: it is not text")
    return text


def _text(path: Path) -> str | None:
    """What a text holds, compressed by gzip or not; ``None`` of any other file."""
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError, zlib.error):
            data = gzip.decompress(data)
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")  # names and units in comments
