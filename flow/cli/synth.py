"""The command ``spikewatt synth``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from spikewatt.base.errors import ParameterError
from spikewatt.flow.cli.options import Liberty, Output, Table
from spikewatt.flow.cli.show import show
from spikewatt.flow.console import progress_bar
from spikewatt.flow.synth.cores import (
    KINDS,
    NEURO_SIZES,
    SYSTOLIC_SIZES,
    Choice,
    Core,
    named_kinds,
)
from spikewatt.model.params import Fabric, RouterKind

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.synth.fpga.devices import Family
    from spikewatt.synth.sources import SourceOptions

__all__ = ["SynthCommand", "synth"]

Technology = Literal["asic", "ecp5", "ice40"]


def _sizes() -> Table:
    """An option for each size of our cores."""
    neuro = typer.Option(show_default=False, help="Of a neuromorphic core, or each in a mesh.")
    systolic = typer.Option(show_default=False, help="Of a systolic core.")
    either = typer.Option(show_default=False, help="Of either core.")
    kinds = typer.Option(
        metavar="NAME,…", help="What a neuromorphic core can do.", show_default="all there are"
    )
    # Tiles of an array are a comparison's to vary: it writes how they are spelt.
    theirs = [name for name in SYSTOLIC_SIZES if not name.startswith("tile_")]
    shared = [name for name in NEURO_SIZES if name in theirs]
    options: dict[str, Any] = dict.fromkeys(shared, Annotated[int | None, either])
    for names, option in ((NEURO_SIZES, neuro), (theirs, systolic)):
        options |= {name: Annotated[int | None, option] for name in names if name not in shared}
    return Table(options | dict.fromkeys(KINDS, Annotated[str | None, kinds]))


@dataclass(frozen=True, kw_only=True)
class AsicOptions:
    """Options of a mapping to gates."""

    liberty: Liberty = None
    duplicate_cells: Annotated[
        Literal["error", "first"] | None,
        typer.Option(
            help="A cell that two libraries have: refuse, or take the first one's.",
            show_default="error",
        ),
    ] = None
    clock_gating: Annotated[
        bool | None,
        typer.Option(
            "--clock-gating/--no-clock-gating",
            help="Stop the clock of registers that hold their value.",
            show_default="on, for an ASIC",
        ),
    ] = None
    dont_use: Annotated[
        list[str] | None, typer.Option(help="Cell to leave out; may hold wildcards.")
    ] = None
    memory_flops: Annotated[
        int | None,
        typer.Option(min=1, metavar="BITS", help="Memories up to so many bits become flip-flops."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How Verilog files are read."""

    include: Annotated[
        list[Path] | None, typer.Option("-I", "--include", help="Folder of included files.")
    ] = None
    define: Annotated[
        list[str] | None, typer.Option("-D", "--define", help="Macro, NAME or NAME=VALUE.")
    ] = None
    parameter: Annotated[
        list[str] | None,
        typer.Option("-G", "--parameter", help="Parameter of the top, NAME=VALUE."),
    ] = None
    file_list: Annotated[
        list[Path] | None,
        typer.Option("-f", "--file-list", help="List of files, folders and macros."),
    ] = None
    frontend: Annotated[
        Literal["auto", "verilog", "slang"] | None,
        typer.Option(
            help="Reader of the files: yosys's own, or slang.", show_default="slang for .sv"
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class FpgaOptions:
    """Options of a bitstream."""

    device: Annotated[
        str | None, typer.Option(help="FPGA, like 25k or up5k.", show_default="25k, up5k")
    ] = None
    package: Annotated[
        str | None, typer.Option(help="Package of the FPGA.", show_default="CABGA381, sg48")
    ] = None
    speed: Annotated[str | None, typer.Option(help="Speed grade of an ECP5.", show_default="6")] = (
        None
    )
    board: Annotated[
        str | None,
        typer.Option(help="ulx3s or icebreaker: with a serial line, on its pins and its clock."),
    ] = None
    baud: Annotated[
        int | None,
        typer.Option(min=300, help="Speed of the serial line.", show_default="1000000"),
    ] = None
    freq: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="MHz to reach, or fail.", show_default="what our cores are made for"
        ),
    ] = None
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the placement.", show_default="1")
    ] = None


@dataclass(frozen=True, kw_only=True)
class SynthCommand:
    """Options of ``spikewatt synth``."""

    design: Annotated[list[Path] | None, typer.Argument(help="Verilog files of a design.")] = None
    top: Annotated[str | None, typer.Option(help="Top module of the design.")] = None
    read: ReadOptions
    core: Annotated[Core | None, typer.Option(help="A core of ours in place of files.")] = None
    target: Annotated[Technology, typer.Option(help="Gates of a library, or an FPGA.")] = "asic"
    asic: AsicOptions
    fpga: FpgaOptions
    mesh: Annotated[
        str | None,
        typer.Option(metavar="CxR", help="Columns x rows of a mesh.", show_default="2x1"),
    ] = None
    router: Annotated[
        RouterKind | None,
        typer.Option(help="What joins its cores.", show_default="click; sync on an FPGA"),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for all files and report.json.", show_default="build cache"),
    ] = None
    output: Output
    sizes: Annotated[Mapping[str, Any], _sizes()]

    def choice(self, fabric: Fabric) -> Choice:
        """The core that was named, on a fabric."""
        assert self.core is not None
        return Choice(self.core, fabric, named_kinds(self.sizes), self.mesh, self.router)


def synth(options: SynthCommand) -> None:
    """Map RTL to the gates of a library, or to a bitstream for an FPGA."""
    # Before anything is imported: a mistake is told at once.
    _check_source(options)
    if options.target == "asic":
        _refuse(vars(options.fpga), "is for FPGAs: add --target ecp5 or --target ice40")
        _to_gates(options)
    else:
        _refuse(vars(options.asic), f"is for ASICs: leave --target {options.target} out")
        _to_bitstream(options, options.target)


def _to_gates(options: SynthCommand) -> None:
    from spikewatt.flow.synth.asic import AsicChoice, asic_tables, synth_asic

    asic, (files, reading) = options.asic, _sources(options)
    with progress_bar(quiet=options.output.quiet) as progress:
        result = synth_asic(
            options.choice(Fabric.ASIC).verilog() if options.core else files,
            options.top or str(options.core),
            AsicChoice(
                liberty=asic.liberty,
                duplicates=asic.duplicate_cells or "error",
                clock_gating=asic.clock_gating is not False,
                dont_use=tuple(asic.dont_use or ()),
                memory_flops=asic.memory_flops or 0,
            ),
            reading,
            out=options.out,
            progress=progress,
        )
    show(options.output, result, asic_tables)


def _to_bitstream(options: SynthCommand, family: "Family") -> None:
    from spikewatt.flow.synth.fpga import Placement, check_clock, fpga_tables, synth_fpga
    from spikewatt.synth.fpga.boards import find_board
    from spikewatt.synth.fpga.devices import find_device

    fpga = options.fpga
    if fpga.board and not options.core:
        raise ParameterError("--board goes with --core: your own design has pins of its own")
    if fpga.baud is not None and not fpga.board:
        raise ParameterError("--baud is of a board's serial line: add --board")
    wanted = (fpga.device, fpga.package, fpga.speed)
    board = find_board(family, fpga.board, *wanted) if fpga.board else None
    device = board.device if board else find_device(family, *wanted)
    fabric = Fabric.UP5K if device.ultra_plus else Fabric.FPGA
    seed = 1 if fpga.seed is None else fpga.seed
    files, reading = _sources(options)
    where = Placement(device, board, fpga.baud, fpga.freq, seed)
    with progress_bar(quiet=options.output.quiet) as progress:
        result = synth_fpga(
            options.choice(fabric) if options.core else files,
            options.top or str(options.core),
            where,
            reading,
            out=options.out,
            progress=progress,
        )
    show(options.output, result, fpga_tables)
    check_clock(result, where)


def _sources(options: SynthCommand) -> "tuple[list[Path], SourceOptions]":
    """The files of a design, those of lists first, and how they are read."""
    from spikewatt.synth.filelist import FileList, read_file_list
    from spikewatt.synth.sources import SourceOptions

    read = options.read
    listed = sum(map(read_file_list, read.file_list or ()), FileList())
    return [*listed.files, *(options.design or ())], SourceOptions(
        include=(*(read.include or ()), *listed.include),
        defines=(*listed.defines, *(read.define or ())),
        parameters=tuple(read.parameter or ()),
        frontend=read.frontend or "auto",
    )


def _refuse(options: Mapping[str, Any], why: str) -> None:
    """Raise if one of the options was given."""
    for name, value in options.items():
        if value is not None:
            raise ParameterError(f"--{name.replace('_', '-')} {why}")


def _check_source(options: SynthCommand) -> None:
    """Either a design with its top, or a core with its sizes."""
    design, core, top = options.design or options.read.file_list, options.core, options.top
    if bool(design) == bool(core):
        raise ParameterError("name either Verilog files with --top, or a core with --core neuro")
    if core:
        _refuse(vars(options.read), "is of Verilog files: it does not go with --core")
    if core and top:
        raise ParameterError("--top belongs to Verilog files: the top of a core is the core")
    if design and not top:
        raise ParameterError("--top is missing: name the top module of the design")
    if design:
        sizes = {**options.sizes, "mesh": options.mesh, "router": options.router}
        _refuse(sizes, "is a size of a core: it does not go with Verilog files")
