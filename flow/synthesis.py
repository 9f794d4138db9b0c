"""The command ``spikewatt synth``: RTL to gates."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikewatt.model.errors import ParameterError

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.synth.asic import AsicResult

__all__ = ["Core", "Target", "synth"]

_MOST_TYPES = 12


class Target(StrEnum):
    """What the gates are of."""

    ASIC = "asic"


class Core(StrEnum):
    """Cores of ours."""

    NEURO = "neuro"


Size = typer.Option(show_default=False, rich_help_panel="Sizes of the core")


def synth(
    design: Annotated[list[Path] | None, typer.Argument(help="Verilog files of a design.")] = None,
    top: Annotated[str | None, typer.Option(help="Top module of the design.")] = None,
    core: Annotated[Core | None, typer.Option(help="A core of ours in place of files.")] = None,
    target: Annotated[Target, typer.Option(help="What the gates are of.")] = Target.ASIC,
    liberty: Annotated[
        Path | None,
        typer.Option(help="Library (.lib, .lib.gz).", show_default="the built-in 45 nm one"),
    ] = None,
    clock_gating: Annotated[
        bool, typer.Option(help="Stop the clock of registers that hold their value.")
    ] = True,
    dont_use: Annotated[
        list[str] | None, typer.Option(help="Cell to leave out; may hold wildcards.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the netlist and report.json.", show_default="build cache"),
    ] = None,
    neurons: Annotated[int | None, Size] = None,
    axons: Annotated[int | None, Size] = None,
    weight_bits: Annotated[int | None, Size] = None,
    state_bits: Annotated[int | None, Size] = None,
    bias_bits: Annotated[int | None, Size] = None,
    lanes: Annotated[int | None, Size] = None,
    delay_slots: Annotated[int | None, Size] = None,
    scheduler_bits: Annotated[int | None, Size] = None,
    synapse_words: Annotated[int | None, Size] = None,
    destinations: Annotated[int | None, Size] = None,
    refractory_bits: Annotated[int | None, Size] = None,
    types: Annotated[int | None, Size] = None,
    hop_bits: Annotated[int | None, Size] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Map RTL to the gates of a library: names and hierarchy kept, clock gates inserted."""
    sizes = {
        "neurons": neurons,
        "axons": axons,
        "weight_bits": weight_bits,
        "state_bits": state_bits,
        "bias_bits": bias_bits,
        "lanes": lanes,
        "delay_slots": delay_slots,
        "scheduler_bits": scheduler_bits,
        "synapse_words": synapse_words,
        "destinations": destinations,
        "refractory_bits": refractory_bits,
        "types": types,
        "hop_bits": hop_bits,
    }
    given = {name: size for name, size in sizes.items() if size is not None}
    _check_source(design, top, core, given)
    from spikewatt.flow.files import staged
    from spikewatt.synth.asic import synthesise
    from spikewatt.synth.technology.library import default_library_path

    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(_status())
        part = stack.enter_context(staged(out)) if out else None
        result = synthesise(
            _core_verilog(core, given) if core else list(design or ()),
            top or str(core),
            liberty or default_library_path(),
            clock_gating=clock_gating,
            dont_use=dont_use or (),
            out=part,
            progress=progress,
        )
        if out and part:
            result = replace(
                result,
                netlist=out / result.netlist.name,
                verilog=out / result.verilog.name,
            )
            (part / "report.json").write_text(_text(result) + "\n")
    if as_json:
        print(_text(result))
        return
    console = Console(highlight=False)
    console.print(_summary(result))
    console.print(_types(result))


def _check_source(
    design: list[Path] | None, top: str | None, core: Core | None, sizes: Mapping[str, int]
) -> None:
    """Either a design with its top, or a core with its sizes."""
    if bool(design) == bool(core):
        raise ParameterError("name either Verilog files with --top, or a core with --core neuro")
    if core and top:
        raise ParameterError("--top belongs to Verilog files: the top of a core is the core")
    if design and not top:
        raise ParameterError("--top is missing: name the top module of the design")
    if design and sizes:
        name = next(iter(sizes)).replace("_", "-")
        raise ParameterError(f"--{name} is a size of a core: it does not go with Verilog files")


def _core_verilog(core: Core, sizes: Mapping[str, Any]) -> str:
    """Verilog of a core; its module has the core's name."""
    from spikewatt.hdl.neuro.core import NeuroCore
    from spikewatt.model.params import CoreParams
    from spikewatt.synth.verilog import export

    return export(NeuroCore(CoreParams(**sizes)), core.value)


@contextlib.contextmanager
def _status() -> Iterator[Callable[[str], None]]:
    """What is being done, on a terminal's standard error."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda what: None
        return
    with console.status("starting") as line:
        yield lambda what: line.update(what)


def _text(result: "AsicResult") -> str:
    return json.dumps(result.to_json(), indent=1)


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
