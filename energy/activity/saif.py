"""SAIF 2.0 (backward): how long each net was at 0, 1 and X, and how often it toggled.

IEEE 1801-2018, annex I, describes the format.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

from spikewatt.base.errors import WaveformError
from spikewatt.base.files import Outputs
from spikewatt.energy.activity.texts import open_text

__all__ = ["Counts", "Saif", "is_saif", "read_saif", "write_saif"]

Counts = tuple[int, int, int, int]
"""Ticks at 0, at 1 and at X or Z, and toggles."""

_UNITS = {"s": 0, "ms": -3, "us": -6, "ns": -9, "ps": -12, "fs": -15}
_TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"]*"?|[()]|(?:\\.|[^\s()"\\])+', re.DOTALL)
# Not the dot, which OpenSTA would look for with the backslash: the divider is another.
_SPECIAL = re.compile(r"([^A-Za-z0-9_$.])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TIMESCALE = re.compile(r"(10{0,2})\s*([munpf]?s)")


@dataclass(frozen=True)
class Saif:
    """What a file says.

    Parameters
    ----------
    duration:
        Ticks.
    timescale:
        Seconds in a tick.
    nets:
        Counts by full name, dots between levels and the outermost instance first
        (``tb.dut.core.acc[3]``).
    program:
        Who wrote it, ``""`` if unsaid. Verilator counts one toggle too many for each bit that
        starts at 1; the file does not tell which bits do.
    """

    duration: int
    timescale: float
    nets: Mapping[str, Counts]
    program: str = ""

    def below(self, scope: str) -> dict[str, Counts]:
        """Nets of ``scope`` (``tb.dut``, ``tb/dut``), named from there on."""
        start = f"{scope}."
        if not any(name.startswith(start) for name in self.nets):
            start = f"{scope.strip('./').replace('/', '.')}."
        return {
            name[len(start) :]: counts
            for name, counts in self.nets.items()
            if name.startswith(start)
        }


def write_saif(
    path: Path,
    design: str,
    duration_ticks: int,
    timescale: float,
    nets: Iterable[tuple[str | Sequence[str], int, int, int, int]],
) -> None:
    """Write a file, beside its final name until it is complete.

    Parameters
    ----------
    design:
        Name of the outermost instance; dots make several (``tb.dut``).
    timescale:
        Seconds in a tick: 1, 10 or 100 of a unit from s to fs.
    nets:
        Name below ``design``, with dots between levels, or level by level where names have dots of
        their own; ticks at 0, at 1, at X, and toggles.

    Raises
    ------
    WaveformError
        The timescale is none that SAIF can say.
    SpikewattError
        The file cannot be written.
    """
    header = (
        '(SAIFILE\n(SAIFVERSION "2.0")\n(DIRECTION "backward")\n'
        f'(DESIGN "{design}")\n(PROGRAM_NAME "spikewatt")\n(DIVIDER / )\n'
        f"(TIMESCALE {_timescale_text(timescale)})\n(DURATION {duration_ticks})\n"
    )
    tree = _Level({}, [])
    for name, t0, t1, tx, tc in nets:
        *levels, leaf = name.split(".") if isinstance(name, str) else name
        levels = [*design.split("."), *levels]
        tree.at(levels).nets.append((leaf, t0, t1, tx, tc))
    with Outputs() as outputs, outputs.file(path).open("w") as file:
        file.write(header)
        tree.write(file, "")
        file.write(")\n")


@dataclass(frozen=True)
class _Level:
    instances: dict[str, "_Level"]
    nets: list[tuple[str, int, int, int, int]]

    def at(self, levels: list[str]) -> "_Level":
        level = self
        for name in levels:
            level = level.instances.setdefault(name, _Level({}, []))
        return level

    def write(self, file: TextIO, indent: str) -> None:
        if self.nets:
            file.write(f"{indent}(NET\n")
            for name, t0, t1, tx, tc in self.nets:
                counts = f"(T0 {t0}) (T1 {t1}) (TX {tx}) (TC {tc}) (IG 0)"
                file.write(f"{indent} ({_escape(name)} {counts})\n")
            file.write(f"{indent})\n")
        for name, level in self.instances.items():
            file.write(f"{indent}(INSTANCE {_escape(name)}\n")
            level.write(file, f"{indent} ")
            file.write(f"{indent})\n")


def _escape(name: str) -> str:
    return _SPECIAL.sub(r"\\\1", name)


def _timescale_text(seconds: float) -> str:
    for unit, exponent in _UNITS.items():
        for count in (1, 10, 100):
            if abs(seconds / (count * 10.0**exponent) - 1) < 1e-9:
                return f"{count} {unit}"
    raise WaveformError(f"timescale must be 1, 10 or 100 of s to fs, not {seconds!r} s")


def is_saif(path: Path) -> bool:
    """Whether a file, gzipped or not, begins as SAIF does."""
    try:
        with open_text(path) as file:
            head = file.read(1 << 12).decode("latin-1")
    except (OSError, EOFError, zlib.error):
        return False
    tokens = (match[0] for match in _TOKEN.finditer(head))
    words = [token for token in tokens if not token.startswith(("//", "/*"))]
    return words[:1] == ["("] and words[1:2] == ["SAIFILE"]


def read_saif(path: Path) -> Saif:
    """Read a backward file of any writer; of a net that is listed as port too, the last counts.

    Raises
    ------
    WaveformError
        One line that names the file, and where it goes wrong.
    """
    try:
        with open_text(path) as file:
            text = file.read().decode()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise WaveformError(f"{path}: not a whole gzip file ({error})") from None
    except OSError as error:
        raise WaveformError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise WaveformError(f"{path}: not a SAIF file") from None
    return _Reader(path, text).file()


class _Reader:
    """Recursive descent: each method reads from behind its keyword to its closing parenthesis."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text
        self.nets: dict[str, Counts] = {}
        self.values: dict[str, str] = {}
        self.matches = iter(_TOKEN.finditer(text))
        self.place = 0

    def fail(self, what: str) -> NoReturn:
        line = self.text.count("\n", 0, self.place) + 1
        raise WaveformError(f"{self.path}, line {line}: {what}")

    def token(self) -> str:
        for match in self.matches:
            token = match[0]
            if not token.startswith(("//", "/*")):
                self.place = match.start()
                return token
        self.place = len(self.text)
        return self.fail("the file ends too soon")

    def file(self) -> Saif:
        if not self.text.strip():
            raise WaveformError(f"{self.path}: empty")
        if self.token() != "(" or self.token().upper() != "SAIFILE":
            raise WaveformError(f"{self.path}: not a SAIF file")
        for keyword in self.groups():
            if keyword == "INSTANCE":
                self.instance("")
            else:
                self.values[keyword] = " ".join(self.words())
        direction = self.values.get("DIRECTION", "backward")
        if direction != "backward":
            raise WaveformError(f"{self.path}: DIRECTION must be backward, not {direction}")
        return Saif(
            duration=self.duration(),
            timescale=self.timescale(),
            nets=self.nets,
            program=self.values.get("PROGRAM_NAME", ""),
        )

    def groups(self) -> Iterator[str]:
        """Keywords of the groups up to the closing parenthesis."""
        while (token := self.token()) != ")":
            if token != "(":
                self.fail(f"expected a parenthesis, not {token!r}")
            yield self.token().upper()

    def words(self) -> list[str]:
        """All words up to the closing parenthesis, whatever is nested in between."""
        words, depth = [], 1
        while depth:
            token = self.token()
            depth += {"(": 1, ")": -1}.get(token, 0)
            if token not in "()":
                words.append(token.strip('"'))
        return words

    def instance(self, above: str) -> None:
        name = self.token()
        if name.startswith('"'):  # the optional name of the module
            name = self.token()
        path = f"{above}{_unescape(name)}."
        for keyword in self.groups():
            if keyword == "INSTANCE":
                self.instance(path)
            elif keyword in ("NET", "PORT"):
                self.counts(path)
            else:
                self.words()

    def counts(self, path: str) -> None:
        while (token := self.token()) != ")":
            if token != "(":
                self.fail(f"expected a parenthesis, not {token!r}")
            name = path + _unescape(self.token())
            counts = {keyword: self.number(keyword) for keyword in self.groups()}
            unknown = counts.get("TX", 0) + counts.get("TZ", 0) + counts.get("TB", 0)
            if missing := {"T0", "T1", "TC"} - counts.keys():
                self.fail(f"{name} has no {min(missing)}")
            self.nets[name] = (counts["T0"], counts["T1"], unknown, counts["TC"])

    def number(self, keyword: str) -> int:
        words = self.words()
        try:
            return round(float(words[0]))
        except (ValueError, IndexError, OverflowError):
            return self.fail(f"{keyword} must be a number, not {' '.join(words)!r}")

    def duration(self) -> int:
        try:
            return round(float(self.values["DURATION"]))
        except (KeyError, ValueError, OverflowError):
            raise WaveformError(f"{self.path}: no DURATION in ticks") from None

    def timescale(self) -> float:
        given = self.values.get("TIMESCALE", "")
        scale = _TIMESCALE.fullmatch(given.strip())
        if not scale:
            raise WaveformError(
                f"{self.path}: TIMESCALE must be 1, 10 or 100 of s to fs, not {given!r}"
            )
        return float(f"{scale[1]}e{_UNITS[scale[2]]}")


def _unescape(name: str) -> str:
    return _ESCAPED.sub(r"\1", name)
