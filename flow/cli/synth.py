"""The command ``spikewatt synth``."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from spikewatt.base.errors import ParameterError
from spikewatt.flow.synth.cores import Choice, Core, given_sizes
from spikewatt.model.params import Fabric, RouterKind

__all__ = ["Target", "synth"]


class Target(StrEnum):
    """What a design is mapped to."""

    ASIC = "asic"
    ECP5 = "ecp5"
    ICE40 = "ice40"


NeuroSize = typer.Option(show_default=False, help="Of a neuromorphic core, or each in a mesh.")
Kinds = typer.Option(
    metavar="NAME,…", help="What a neuromorphic core can do.", show_default="all there are"
)
SystolicSize = typer.Option(show_default=False, help="Of a systolic core.")
Size = typer.Option(show_default=False, help="Of either core.")


def synth(
    design: Annotated[list[Path] | None, typer.Argument(help="Verilog files of a design.")] = None,
    top: Annotated[str | None, typer.Option(help="Top module of the design.")] = None,
    core: Annotated[Core | None, typer.Option(help="A core of ours in place of files.")] = None,
    target: Annotated[Target, typer.Option(help="Gates of a library, or an FPGA.")] = Target.ASIC,
    liberty: Annotated[
        Path | None,
        typer.Option(help="Library (.lib, .lib.gz).", show_default="the built-in 45 nm one"),
    ] = None,
    clock_gating: Annotated[
        bool | None,
        typer.Option(
            "--clock-gating/--no-clock-gating",
            help="Stop the clock of registers that hold their value.",
            show_default="on, for an ASIC",
        ),
    ] = None,
    dont_use: Annotated[
        list[str] | None, typer.Option(help="Cell to leave out; may hold wildcards.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="FPGA, like 25k or up5k.", show_default="25k, up5k")
    ] = None,
    package: Annotated[
        str | None, typer.Option(help="Package of the FPGA.", show_default="CABGA381, sg48")
    ] = None,
    speed: Annotated[
        str | None, typer.Option(help="Speed grade of an ECP5.", show_default="6")
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(help="ulx3s or icebreaker: with a serial line, on its pins and its clock."),
    ] = None,
    baud: Annotated[
        int | None,
        typer.Option(min=300, help="Speed of the serial line.", show_default="1000000"),
    ] = None,
    freq: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="MHz to reach, or fail.", show_default="what our cores are made for"
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the placement.", show_default="1")
    ] = None,
    mesh: Annotated[
        str | None,
        typer.Option(metavar="CxR", help="Columns x rows of a mesh.", show_default="2x1"),
    ] = None,
    router: Annotated[
        RouterKind | None,
        typer.Option(help="What joins its cores.", show_default="click; sync on an FPGA"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for all files and report.json.", show_default="build cache"),
    ] = None,
    weight_bits: Annotated[int | None, Size] = None,
    bias_bits: Annotated[int | None, Size] = None,
    neurons: Annotated[int | None, NeuroSize] = None,
    axons: Annotated[int | None, NeuroSize] = None,
    state_bits: Annotated[int | None, NeuroSize] = None,
    lanes: Annotated[int | None, NeuroSize] = None,
    delay_slots: Annotated[int | None, NeuroSize] = None,
    scheduler_bits: Annotated[int | None, NeuroSize] = None,
    synapse_words: Annotated[int | None, NeuroSize] = None,
    destinations: Annotated[int | None, NeuroSize] = None,
    refractory_bits: Annotated[int | None, NeuroSize] = None,
    window_bits: Annotated[int | None, NeuroSize] = None,
    types: Annotated[int | None, NeuroSize] = None,
    hop_bits: Annotated[int | None, NeuroSize] = None,
    leaks: Annotated[str | None, Kinds] = None,
    resets: Annotated[str | None, Kinds] = None,
    compares: Annotated[str | None, Kinds] = None,
    rows: Annotated[int | None, SystolicSize] = None,
    columns: Annotated[int | None, SystolicSize] = None,
    activation_bits: Annotated[int | None, SystolicSize] = None,
    accumulator_bits: Annotated[int | None, SystolicSize] = None,
    multiplier_bits: Annotated[int | None, SystolicSize] = None,
    layers: Annotated[int | None, SystolicSize] = None,
    weight_words: Annotated[int | None, SystolicSize] = None,
    bias_words: Annotated[int | None, SystolicSize] = None,
    activation_rows: Annotated[int | None, SystolicSize] = None,
    accumulator_rows: Annotated[int | None, SystolicSize] = None,
    batch: Annotated[int | None, SystolicSize] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Map RTL to the gates of a library, or to a bitstream for an FPGA."""
    given = given_sizes(locals())
    _check_source(design, top, core, {**given, "mesh": mesh, "router": router})

    def core_on(fabric: Fabric) -> Choice:
        assert core is not None
        return Choice(core, fabric, given, mesh, router)

    for_asic = {"liberty": liberty, "clock_gating": clock_gating, "dont_use": dont_use}
    for_fpga = {"device": device, "package": package, "speed": speed, "board": board}
    for_fpga |= {"baud": baud, "freq": freq, "seed": seed}
    if target is Target.ASIC:
        _refuse(for_fpga, "is for FPGAs: add --target ecp5 or --target ice40")
        from spikewatt.flow.synth.asic import synth_asic

        synth_asic(
            core_on(Fabric.ASIC).verilog() if core else list(design or ()),
            top or str(core),
            liberty=liberty,
            clock_gating=clock_gating is not False,
            dont_use=dont_use or (),
            out=out,
            as_json=as_json,
        )
        return
    _refuse(for_asic, f"is for ASICs: leave --target {target} out")
    from spikewatt.flow.synth.fpga import Placement, synth_fpga
    from spikewatt.synth.fpga.boards import find_board
    from spikewatt.synth.fpga.devices import find_device

    if board and not core:
        raise ParameterError("--board goes with --core: your own design has pins of its own")
    if baud is not None and not board:
        raise ParameterError("--baud is of a board's serial line: add --board")
    wanted = (device, package, speed)
    found = find_board(target.value, board, *wanted) if board else None
    fpga = found.device if found else find_device(target.value, *wanted)
    synth_fpga(
        core_on(Fabric.UP5K if fpga.ultra_plus else Fabric.FPGA) if core else list(design or ()),
        top or str(core),
        Placement(fpga, found, baud),
        freq=freq,
        seed=1 if seed is None else seed,
        out=out,
        as_json=as_json,
    )


def _refuse(options: Mapping[str, Any], why: str) -> None:
    """Raise if one of the options was given."""
    for name, value in options.items():
        if value is not None:
            raise ParameterError(f"--{name.replace('_', '-')} {why}")


def _check_source(
    design: list[Path] | None, top: str | None, core: Core | None, sizes: Mapping[str, Any]
) -> None:
    """Either a design with its top, or a core with its sizes."""
    if bool(design) == bool(core):
        raise ParameterError("name either Verilog files with --top, or a core with --core neuro")
    if core and top:
        raise ParameterError("--top belongs to Verilog files: the top of a core is the core")
    if design and not top:
        raise ParameterError("--top is missing: name the top module of the design")
    if design:
        _refuse(sizes, "is a size of a core: it does not go with Verilog files")
