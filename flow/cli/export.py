"""The command ``spikewatt export``: a core as plain Verilog, with a FuseSoC core file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from spikewatt.base.errors import ParameterError
from spikewatt.flow.synth.cores import Choice, Core, kinds
from spikewatt.model.params import CoreParams, Fabric, RouterKind
from spikewatt.model.params.systolic import SystolicParams

__all__ = ["ExportCommand", "core_file", "export", "read_sizes", "write_core"]

_OURS = {"fabric", "clock_gating"}  # follow from --fabric
_CORE_FILE = """\
CAPI=2:
# Made by `spikewatt export`; its ports are those of docs/ports.md.
name: {name}
description: "{description}"

filesets:
  rtl:
    files:
      - {core}.v
    file_type: verilogSource

targets:
  default: &default
    filesets: [rtl]
    toplevel: {core}
  lint:
    <<: *default
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wno-lint]
"""


@dataclass(frozen=True, kw_only=True)
class ExportCommand:
    """Options of ``spikewatt export``."""

    core: Annotated[Core, typer.Argument(help="What to export.")]
    size: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="Sizes: neurons=256, leaks=none,shift."),
    ] = None
    fabric: Annotated[Fabric, typer.Option(help="What it is built on.")] = Fabric.FPGA
    mesh: Annotated[
        str | None,
        typer.Option(metavar="CxR", help="Columns x rows of a mesh.", show_default="2x1"),
    ] = None
    router: Annotated[
        RouterKind | None,
        typer.Option(help="What joins its cores.", show_default="sync; click on an ASIC"),
    ] = None
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("out")


def export(options: ExportCommand) -> None:
    """Write a core as plain Verilog, and a core file for FuseSoC that names it."""
    from spikewatt.base.files import staged

    sizes = read_sizes(options.core, options.size or ())
    choice = Choice(options.core, options.fabric, sizes, options.mesh, options.router)
    with staged(options.out) as part:
        names = write_core(part, choice)
    for name in names:
        print(options.out / name)


def read_sizes(core: Core, words: Sequence[str]) -> dict[str, Any]:
    """Fields of a core's parameters from ``name=value``; names of kinds stand between commas.

    Raises
    ------
    ParameterError
        A name that is none of the core's, or a value that is none of the name's.
    """
    kind = SystolicParams if core is Core.SYSTOLIC else CoreParams
    default = kind()
    known = [field.name for field in fields(kind) if field.name not in _OURS]
    sizes = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in known or not text:
            raise ParameterError(
                f"{word!r} is no size of {core}: write NAME=VALUE, NAME one of {', '.join(known)}"
            )
        sizes[name] = _value(name, text, getattr(default, name))
    return sizes


def _value(name: str, text: str, like: object) -> object:
    """A value of the type of ``like``."""
    # Defaults tell the types: a parameter that is added needs no line here.
    member = like[0] if isinstance(like, tuple) else like
    if isinstance(member, IntEnum):
        named = kinds(name, text, type(member)) or ()
        if isinstance(like, tuple):
            return named
        if len(named) != 1:
            raise ParameterError(f"{name} is one kind, not {text!r}")
        return named[0]
    if isinstance(like, bool):
        if text not in ("true", "false"):
            raise ParameterError(f"{name} must be true or false, not {text!r}")
        return text == "true"
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ParameterError(f"{name} must be a number, not {text!r}") from None
    if isinstance(like, tuple):
        return numbers
    if len(numbers) != 1:
        raise ParameterError(f"{name} is one number, not {text!r}")
    return numbers[0]


def write_core(folder: Path, choice: Choice, name: str = "") -> list[str]:
    """Write Verilog and core file; returns their names.

    ``name``: FuseSoC's full name of the core, by default ``spikewatt:cores:…``.
    """
    from spikewatt.synth.verilog import export as to_verilog
    from spikewatt.synth.verilog import export_mesh

    core = choice.core.value
    params = choice.params
    if isinstance(params, CoreParams | SystolicParams):
        text = to_verilog(choice.blueprint(), core, dialect="assigns")
    else:
        text = export_mesh(params, dialect="assigns")
    (folder / f"{core}.v").write_text(text)
    file = f"spikewatt-{core}.core"
    (folder / file).write_text(core_file(core, name, choice.sizes, choice.fabric))
    return [f"{core}.v", file]


def core_file(core: str, name: str, sizes: Mapping[str, Any], fabric: Fabric) -> str:
    """Core file (CAPI2) of a Verilog file beside it: no generator, no Python."""
    said = ", ".join(f"{key}={_said(value)}" for key, value in sizes.items()) or "default sizes"
    return _CORE_FILE.format(
        name=name or f"spikewatt:cores:{core}:{version('spikewatt')}",
        core=core,
        description=f"{core} core of spikewatt for {fabric}: {said}",
    )


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_said, value))
    return value.name.lower() if isinstance(value, IntEnum) else str(value).lower()
