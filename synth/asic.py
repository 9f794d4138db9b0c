"""RTL to gates of a library, with the names of the RTL on what holds state."""

import shutil
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from spikewatt.base.errors import LibraryError, ParameterError
from spikewatt.base.files import staged
from spikewatt.base.progress import Progress, silent
from spikewatt.synth.asic_result import AsicResult, count
from spikewatt.synth.click.asic import check_not_gated
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import LibertyFiles, read_liberty
from spikewatt.synth.mapping import MappingOptions, clock_gates, left_out_cells, map_to_gates
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.own_verilog import MODELS
from spikewatt.synth.sources import DEFAULT as AS_THEY_ARE
from spikewatt.synth.sources import SourceOptions, read_sources

__all__ = ["AsicResult", "MappingOptions", "synthesise"]

DEFAULT = MappingOptions()


def synthesise(
    design: str | Path | Sequence[Path],
    top: str,
    library_files: LibertyFiles,
    options: MappingOptions = DEFAULT,
    *,
    source_options: SourceOptions = AS_THEY_ARE,
    out: Path | str | None = None,
    progress: Progress = silent,
) -> AsicResult:
    """Map a design to a Liberty library; what was mapped before is not mapped again.

    The hierarchy stays. Registers keep their names: the output of a flip-flop carries the name of
    the register's bit, except where the library has no flip-flop with the reset value and the bit
    is stored inverted.

    Parameters
    ----------
    design:
        Verilog text, or files. Files that they include, and memory images, lie beside them, or
        where ``source_options`` say.
    top:
        Its top module.
    library_files:
        Liberty file, or several, which may be compressed by gzip.
    source_options:
        How the files are read.
    out:
        Folder for the netlist; by default it stays in the build cache.
    progress:
        Called with what is being done.

    Raises
    ------
    NetlistError
        The library lacks a cell that the design needs; a net with two drivers.
    LibraryError
        A file that is not a Liberty library, or one without standard cells.
    ToolError
        yosys is missing, or fails: the message holds its reason.
    """
    if not top.isprintable() or set(top) & set(" ;\"'#") or not top:
        raise ParameterError(f"top must be the name of a module, not {top!r}")
    library = read_liberty(library_files, options.duplicates)
    left_out = left_out_cells(library, options.dont_use)
    _check_library(library, left_out)
    sources = read_sources(design, source_options)
    folder, frontend = map_to_gates(sources, top, library_files, library, options, progress)
    progress("reading the netlist")
    netlist = read_netlist(folder / "netlist.json", library, top=top)
    check_not_gated(netlist, library)
    files = folder / "netlist.json", folder / "netlist.v"
    if out is not None:
        with staged(Path(out)) as part:
            for file in files:
                shutil.copyfile(file, part / f"{top}{file.suffix}")
            if netlist.memories:
                shutil.copyfile(folder / f"netlist_{MODELS}", part / f"{top}_{MODELS}")
        files = tuple(Path(out) / f"{top}{file.suffix}" for file in files)
    # Told apart in the report: nobody asked, or the library has none.
    gating = "library" if clock_gates(library, left_out) else "none"
    gating = gating if options.clock_gating else "off"
    return replace(count(netlist, library, files, gating), frontend=frontend)


def _check_library(library: Library, left_out: Collection[str]) -> None:
    """Raise if it lacks what yosys's mapper cannot do without."""
    functions = {
        pin.function.truth(pin.function.inputs)
        for cell in library.cells.values()
        if cell.sequential is None and cell.name not in left_out
        for pin in cell.pins.values()
        if pin.function is not None and len(pin.function.inputs) == 1
    }
    for kind, truth in (("inverter", 0b01), ("buffer", 0b10)):
        if truth not in functions:
            raise LibraryError(
                f"{library.source or library.name} holds no {kind}, which mapping needs: "
                "give a library of standard cells"
            )
