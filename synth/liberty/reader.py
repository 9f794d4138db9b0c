"""Liberty files (``.lib``, ``.lib.gz``) to ``Library``.

``liberty-parser`` 0.0.29 of PyPI was measured against this: 7.5 s for sky130's 12.8 MB where this
takes 0.5 s with units, templates and expressions resolved (one core), and it needs sympy.
"""

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from spikewatt.base.errors import LibraryError
from spikewatt.synth.liberty.cells import read_cell
from spikewatt.synth.liberty.library import Cell, Library
from spikewatt.synth.liberty.syntax import FlawError, Group, parse
from spikewatt.synth.liberty.tables import Tables, Units

__all__ = ["Duplicates", "LibertyFiles", "liberty_texts", "read_liberty"]

LibertyFiles = str | Path | Sequence[str | Path]
Duplicates = Literal["error", "first"]
KEPT = 3
"""Libraries in memory: a command reads one again for each netlist that it prices."""
_read: dict[tuple[str, ...], Library] = {}
_GZIP = b"\x1f\x8b"
_MODELS = ("table_lookup", "generic_cmos")


def read_liberty(files: LibertyFiles, duplicates: Duplicates = "error") -> Library:
    """Read a Liberty library, gzipped or not, at its nominal operating conditions.

    Timing constraints, noise and current-source models are left out. A cell that is not as it
    should be is kept with the reason, and refused where a netlist has it.

    Parameters
    ----------
    files:
        One file, or several whose cells are taken together; those of another supply than the
        first file's keep theirs.
    duplicates:
        A cell in two files: an error, or the one of the ``first`` file counts.

    Raises
    ------
    LibraryError
        When a file cannot be read or is not a whole Liberty library: one line that names the file,
        the line and what is wrong there. A cell that two files have.
    """
    paths, texts = _paths(files), liberty_texts(files)
    content = texts if len(texts) == 1 else [*texts, duplicates]
    key = (hashlib.sha256("\0".join(content).encode()).hexdigest(), *map(str, paths))
    if (known := _read.get(key)) is not None:
        return known
    parts = [_file(*each, lone=len(paths) == 1) for each in zip(paths, texts, strict=True)]
    library = parts[0] if len(parts) == 1 else _union(parts, duplicates)
    object.__setattr__(library, "digest", key[0])
    # The oldest goes: dicts keep their order.
    while len(_read) >= KEPT:
        _read.pop(next(iter(_read)))
    return _read.setdefault(key, library)


def _paths(files: LibertyFiles) -> list[Path]:
    return [Path(file) for file in ([files] if isinstance(files, str | Path) else files)]


def liberty_texts(files: LibertyFiles) -> list[str]:
    """What Liberty files hold, unpacked.

    Raises
    ------
    LibraryError
        A file that cannot be read.
    """
    return [_text(path) for path in _paths(files)]


def _union(parts: Sequence[Library], duplicates: Duplicates) -> Library:
    """The cells of several libraries."""
    first = parts[0]
    cells: dict[str, Cell] = {}
    files: dict[str, str] = {}
    for part in parts:
        for name, cell in part.cells.items():
            if name not in cells:
                own = None if part.voltage == first.voltage else part.voltage
                cells[name] = replace(cell, voltage=own)
                files[name] = part.source
            elif duplicates == "error":
                raise LibraryError(
                    f"cell {name} is in {files[name]} and in {part.source}: leave one of the files "
                    "out, or take the first (--duplicate-cells first)"
                )
    if all(cell.unusable for cell in cells.values()):
        raise LibraryError(f"{first.source} and the other files hold no cell that can be used")
    return Library(
        name=f"{first.name} + {len(parts) - 1} more",
        voltage=first.voltage,
        cells=cells,
        has_power=any(map(_has_power, cells.values())),
        source=", ".join(part.source for part in parts),
        warnings=tuple(f"{part.source}: {each}" for part in parts for each in part.warnings),
    )


def _file(path: Path, text: str, *, lone: bool) -> Library:
    try:
        return _library(text, str(path), lone=lone)
    except FlawError as flaw:
        raise LibraryError(f"{path}:{_line(text, flaw)}: {_reason(flaw)}") from None


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data.startswith(_GZIP):
            data = gzip.decompress(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise LibraryError(
            f"{path}: cannot be unpacked ({error}): it is truncated or corrupt; fetch it again"
        ) from None
    except OSError as error:
        raise LibraryError(
            f"{path}: cannot be read ({error.strerror}): give a Liberty file (.lib, .lib.gz)"
        ) from None
    if not data.strip():
        raise LibraryError(f"{path}: the file is empty: give a Liberty file (.lib, .lib.gz)")
    if b"\0" in data:
        raise LibraryError(f"{path}: a binary file: give a Liberty file (.lib, .lib.gz)")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")  # older libraries carry a vendor's name in their comments


def _line(text: str, flaw: FlawError) -> int:
    # Counted only when something is wrong: lines cost time in megabytes of tables.
    return text.count("\n", 0, flaw.offset) + 1


def _reason(flaw: FlawError) -> str:
    return " ".join(str(flaw).split())


def _library(text: str, source: str, *, lone: bool) -> Library:
    libraries = parse(text).every("library")
    if len(libraries) != 1:
        raise FlawError(0, f"{len(libraries)} library groups where a Liberty file has one")
    group = libraries[0]
    warnings: list[str] = []
    model = group.text("delay_model")
    if model is not None and model not in _MODELS:
        warnings.append(f"delay_model {model} is not read: only table_lookup")
    if "include_file" in group.attributes:
        warnings.append("include_file is not followed: put the included text in its place")
    tables = Tables(Units.of(group, warnings))
    tables.learn(group)
    cells: dict[str, Cell] = {}
    flaws: list[FlawError] = []
    for entry in group.every("cell"):
        try:
            cell = read_cell(entry, group, tables)
        except FlawError as flaw:
            flaws.append(flaw)
            if not entry.names:  # nothing could ask for it
                continue
            # Kept with the reason: of a thousand cells this may be one that nobody uses.
            unusable = f"line {_line(text, flaw)}: {_reason(flaw)}"
            cell = Cell(name=entry.name, area=0.0, pins={}, dont_use=True, unusable=unusable)
            warnings.append(f"cell {cell.name} cannot be used: {unusable}")
        if cell.name in cells:
            warnings.append(f"cell {cell.name} is described twice: the later one counts")
        cells[cell.name] = cell
    if not cells or (lone and all(cell.unusable for cell in cells.values())):
        raise flaws[0] if flaws else group.flaw("the library holds no cell that can be used")
    return Library(
        name=" ".join(group.names),
        voltage=_voltage(group) * tables.units.voltage,
        cells=cells,
        has_power=any(map(_has_power, cells.values())),
        source=source,
        warnings=(*warnings, *tables.warnings),
    )


def _has_power(cell: Cell) -> bool:
    leaks = cell.leakage > 0 or any(state.watts > 0 for state in cell.leakage_states)
    return leaks or any(pin.power for pin in cell.pins.values())


def _voltage(library: Group) -> float:
    """Of the default operating conditions, else nominal, as OpenSTA takes it."""
    default = (library.text("default_operating_conditions") or "").split()
    conditions = library.every("operating_conditions")
    chosen = next((c for c in conditions if c.names == default), None)
    voltage = chosen.number("voltage") if chosen else None
    if voltage is None:
        voltage = library.number("nom_voltage")
    if voltage is None and conditions:
        voltage = conditions[0].number("voltage")
    if voltage is None or voltage <= 0:
        raise library.flaw("no supply voltage: add nom_voltage", "nom_voltage")
    return voltage
