"""RTL to gates of a library, with the names of the RTL on what holds state."""

import json
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from spikewatt.base.cache import cached
from spikewatt.base.errors import LibraryError, NetlistError, ParameterError
from spikewatt.base.files import staged
from spikewatt.base.progress import Progress, silent
from spikewatt.synth.asic_result import AsicResult, count
from spikewatt.synth.click.asic import NOT_GATED, asic_cells, check_not_gated, is_clockless
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.merge import merged_text
from spikewatt.synth.liberty.models import verilog_stubs
from spikewatt.synth.liberty.reader import Duplicates, LibertyFiles, liberty_texts, read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.sources import Source, read_sources
from spikewatt.synth.yosys import recent_yosys, run_yosys

__all__ = ["AsicResult", "MappingOptions", "synthesise"]

GATED_TOGETHER = 3
"""Fewest flip-flops worth a clock gate: the default of commercial tools."""
NOT_FOR_LOGIC = ("sky130_fd_sc_*__lpflow_*", "sky130_fd_sc_*__probe*")
"""Cells for power domains and for probing that sky130 does not mark as such."""

# What deletes or moves state has no place here: no `fsm` (recodes it), no `share`, no retiming,
# no `opt_clean -purge`, no memory into flip-flops, no `opt_hier` (takes ports away from under open
# connections, and saves nothing on our cores). `-nosdff` keeps synchronous resets in the logic,
# so that `clockgate` finds plain enables. `init` is for FPGAs: no ASIC flip-flop has it.
_SCRIPT = """\
read_verilog -lib stubs.v
{sources}
hierarchy -check -top {top}
chformal -remove
delete t:$print
attrmap -remove src
attrmap -modattr -remove src
proc -noopt -norom
tribuf -logic
opt_expr
opt_clean
opt -nodffe -nosdff
wreduce
peepopt
opt_clean
alumacc
opt -nosdff
memory -nomap -nosat -nowiden -norom
memory_map -rom-only
opt -nosdff -fast -full
opt -nosdff -undriven -fine
setattr -unset init w:*
techmap
opt -nosdff -fast
{clockgate}
dfflibmap -liberty library.lib {dont_use}
opt_clean
setundef -zero
abc -liberty library.lib {dont_use}
opt_clean
delete =A:blackbox
write_json netlist.json
write_verilog netlist.v
"""
# Memories stay whole: they are priced as SRAM macros.
_KEPT = {"$mem_v2"}


@dataclass(frozen=True, kw_only=True)
class MappingOptions:
    """How a design is mapped to gates.

    Parameters
    ----------
    clock_gating:
        Stop the clock of registers that share an enable, with the library's clock gates. Without
        it the enable becomes a multiplexer in front of each flip-flop.
    dont_use:
        Names of cells to leave out, with wildcards, besides those that the library marks.
    duplicates:
        A cell that two files of the library have: an ``error``, or the ``first`` one's counts.
    """

    clock_gating: bool = True
    dont_use: Sequence[str] = ()
    duplicates: Duplicates = "error"


DEFAULT = MappingOptions()


def synthesise(
    design: str | Path | Sequence[Path],
    top: str,
    library_files: LibertyFiles,
    options: MappingOptions = DEFAULT,
    *,
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
        Verilog text, or files. Files that they include, and memory images, lie beside them.
    top:
        Its top module.
    library_files:
        Liberty file, or several, which may be compressed by gzip.
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
    left_out = frozenset(_left_out(library, options.dont_use))
    _check_library(library, left_out)
    sources = read_sources(design)
    folder = _mapped(sources, top, library_files, library, options, progress)
    progress("reading the netlist")
    netlist = read_netlist(folder / "netlist.json", library, top=top)
    check_not_gated(netlist, library)
    files = folder / "netlist.json", folder / "netlist.v"
    if out is not None:
        with staged(Path(out)) as part:
            for file in files:
                shutil.copyfile(file, part / f"{top}{file.suffix}")
        files = tuple(Path(out) / f"{top}{file.suffix}" for file in files)
    # Told apart in the report: nobody asked, or the library has none.
    gating = "library" if _clock_gates(library, left_out) else "none"
    gating = gating if options.clock_gating else "off"
    return count(netlist, library, files, gating)


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


def _mapped(
    sources: Sequence[Source],
    top: str,
    library_files: LibertyFiles,
    library: Library,
    options: MappingOptions,
    progress: Progress,
) -> Path:
    """Folder with the netlist."""
    version = recent_yosys()
    left_out = frozenset(_left_out(library, options.dont_use))
    dont_use = " ".join(f"-dont_use {name}" for name in sorted(left_out))
    gates = options.clock_gating and bool(_clock_gates(library, left_out))
    liberty = merged_text(liberty_texts(library_files))
    gate = f"clockgate -liberty library.lib -min_net_size {GATED_TOGETHER} {dont_use}"
    cells = asic_cells(library, left_out) if is_clockless(s.text for s in sources) else ""
    commands = [source.command for source in sources if source.command]
    script = _SCRIPT.format(
        sources="\n".join(["read_verilog click-cells.v", *commands] if cells else commands),
        top=top,
        clockgate=(NOT_GATED if cells else "") + gate if gates else "",
        dont_use=dont_use,
    )

    def build(folder: Path) -> None:
        (folder / "stubs.v").write_text(verilog_stubs(library))
        (folder / "library.lib").write_text(liberty)
        if cells:
            (folder / "click-cells.v").write_text(cells)
        for source in sources:
            source.write(folder)
        run_yosys(script, folder, what="mapping to gates", progress=progress)
        _check_mapped(folder / "netlist.json", library)

    # By what goes in, the library's text included: two libraries of one name are two.
    content = [script, liberty, *(part for s in sources for part in (s.name, s.text))]
    content += [cells] if cells else []
    return cached("asic", content, build, tools={"yosys": version})


def _left_out(library: Library, patterns: Sequence[str]) -> Iterator[str]:
    for name, cell in library.cells.items():
        if cell.dont_use or any(fnmatchcase(name, p) for p in (*NOT_FOR_LOGIC, *patterns)):
            yield name


def _clock_gates(library: Library, left_out: Collection[str]) -> list[str]:
    return [name for name, c in library.cells.items() if c.clock_gate and name not in left_out]


def _check_mapped(path: Path, library: Library) -> None:
    """Raise if something is left that the library has no cell for."""
    for module, content in json.loads(path.read_text())["modules"].items():
        for name, cell in content["cells"].items():
            kind = cell["type"]
            # Modules with parameters are called so too, and are no cells.
            if kind.startswith("$") and kind not in _KEPT and not kind.startswith("$paramod"):
                raise NetlistError(
                    f"library {library.name} has no cell for {name} of module {module}, "
                    f"which yosys calls {kind}"
                )
