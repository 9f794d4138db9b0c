"""``spikewatt synth --target asic``: RTL to gates of a library."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE, SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from spikewatt.base.files import staged
from spikewatt.base.progress import Progress, silent

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.synth.asic import AsicResult
    from spikewatt.synth.liberty.reader import Duplicates, LibertyFiles
    from spikewatt.synth.sources import SourceOptions

__all__ = ["AsicChoice", "asic_tables", "synth_asic"]

_MOST_TYPES = 12


@dataclass(frozen=True)
class AsicChoice:
    """What a design is mapped to, and how.

    ``liberty``: a library, or several files of one, the built-in one by default; ``duplicates``:
    what a cell in two of them is; ``dont_use``: cells to leave out, as patterns;
    ``memory_flops``: bits up to which a memory becomes flip-flops.
    """

    liberty: "LibertyFiles | None" = None
    duplicates: "Duplicates" = "error"
    clock_gating: bool = True
    dont_use: tuple[str, ...] = ()
    memory_flops: int = 0


def synth_asic(
    design: str | Sequence[Path],
    top: str,
    choice: AsicChoice,
    reading: "SourceOptions | None" = None,
    *,
    out: Path | None = None,
    progress: Progress = silent,
) -> "AsicResult":
    """Map a design to a library; netlists and report.json go to ``out``."""
    from spikewatt.synth.asic import MappingOptions, synthesise
    from spikewatt.synth.sources import SourceOptions
    from spikewatt.synth.technology.library import default_library_path

    with staged(out) if out else nullcontext() as part:
        result = synthesise(
            design,
            top,
            choice.liberty or default_library_path(),
            MappingOptions(
                clock_gating=choice.clock_gating,
                dont_use=choice.dont_use,
                duplicates=choice.duplicates,
                memory_flops=choice.memory_flops,
            ),
            source_options=reading or SourceOptions(),
            out=part,
            progress=progress,
        )
        if out and part:
            # Written in a folder beside, which takes this place when all is done.
            result = replace(
                result,
                netlist=out / result.netlist.name,
                verilog=out / result.verilog.name,
            )
            (part / "report.json").write_text(result.to_text() + "\n")
    return result


def asic_tables(result: "AsicResult") -> tuple[Table, Table]:
    """The result for people: what the design is made of."""
    return _summary(result), _types(result)


def _summary(result: "AsicResult") -> Table:
    """What the design is made of."""
    title = Text(f"{result.top} in {result.library}", style="italic")
    table = Table(title=title, title_justify="left", box=SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right", overflow="fold")
    gates = {
        "library": f"{result.clock_gates:,}",
        "off": "off (--no-clock-gating)",
        "none": "none in this library",
    }[result.gating]
    for name, value in (
        ("read by", {"verilog": "yosys", "slang": "slang (SystemVerilog)"}[result.frontend]),
        ("cells", f"{result.cells:,}"),
        ("area, without memories", f"{result.area:,.1f} µm²"),
        ("flip-flops", f"{result.flip_flops:,}"),
        ("gated flip-flops", f"{result.gated_flip_flops:,}"),
        ("clock gates", gates),
        ("latches", f"{result.latches:,}"),
        ("memories · bits", f"{result.memories:,} · {result.memory_bits:,}"),
        ("netlist", str(result.netlist)),
        ("as Verilog", str(result.verilog)),
    ):
        table.add_row(name, Text(value))
    return table


def _types(result: "AsicResult") -> Table:
    """Cells by type, the most frequent first."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("cell")
    table.add_column("number", justify="right")
    for name, count in list(result.types.items())[:_MOST_TYPES]:
        table.add_row(Text(name), f"{count:,}")
    if rest := list(result.types.values())[_MOST_TYPES:]:
        table.add_row(f"{len(rest)} more", f"{sum(rest):,}")
    return table
