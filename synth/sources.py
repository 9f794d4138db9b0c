"""Verilog sources with all that they include."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spikewatt.base.errors import DataError

__all__ = ["Source", "read_sources"]

_INCLUDED = re.compile(r'(?:`include\s*|\$readmem[hb]\s*\(\s*)"([^"]+)"')


@dataclass(frozen=True)
class Source:
    """A file for yosys: its name in the folder where yosys runs, and the command that reads it.

    ``command`` is empty for a file that others include.
    """

    name: str
    text: str
    command: str = ""

    def write(self, folder: Path) -> None:
        """Put the file into a folder."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text)


def read_sources(design: str | Path | Sequence[Path]) -> list[Source]:
    """Sources of a design: its text, or its files and the files that they name.

    Raises
    ------
    DataError
        A file that cannot be read.
    """
    if isinstance(design, str):
        return [Source("design.v", design, "read_verilog design.v")]
    sources: dict[str, Source] = {}
    for place, path in enumerate([design] if isinstance(design, Path) else design):
        text = _read(path)
        name = re.sub(r"[^\w.]", "_", path.name)
        # Names that the flow itself writes, or two files of one name from two folders.
        if name in sources or name in ("stubs.v", "library.lib", "netlist.v", "netlist.json"):
            name = f"source{place}_{name}"
        language = "-sv " if path.suffix == ".sv" else ""
        sources[name] = Source(name, text, f"read_verilog {language}{name}")
        _include(text, path.parent, sources)
    return list(sources.values())


def _include(text: str, folder: Path, sources: dict[str, Source]) -> None:
    """Add the files that a text names, and those that they name."""
    for name in _INCLUDED.findall(text):
        path = folder / name
        if name in sources or not path.is_file():
            continue  # yosys says where a file is missing
        # yosys from pip sees its own folder only, and a file must not be written outside of it.
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise DataError(f"included file {name} must lie in or below {folder}")
        sources[name] = Source(name, content := _read(path))
        _include(content, folder, sources)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        raise DataError(f"{path} is not Verilog: it is not text") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from None
