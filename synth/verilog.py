"""Verilog export, in dialects that our simulators agree on."""

from typing import Literal

from amaranth._toolchain.yosys import YosysError, find_yosys
from amaranth.back.rtlil import (  # pyright: ignore[reportMissingImports]  # not in the stubs
    convert as to_rtlil,
)
from amaranth.lib import wiring

from spikewatt.base.errors import ToolError
from spikewatt.hdl.router.mesh import Mesh
from spikewatt.hdl.router.tile import Tile
from spikewatt.model.params import MeshParams, RouterKind
from spikewatt.synth.click import simulation_cells

__all__ = ["Dialect", "export", "export_mesh"]

Dialect = Literal["blocks", "assigns"]

_OLDEST_YOSYS = (0, 40)
_DECISIONS = {"blocks": "proc -nomux -norom", "assigns": "proc"}
_NAMES = {"blocks": "-norename", "assigns": ""}
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


def export(component: wiring.Component, name: str, *, dialect: Dialect = "blocks") -> str:
    """Verilog of ``component`` as module ``name``.

    Memories lose their initial contents: a real SRAM powers up undefined, so nothing may rely on
    them.

    Parameters
    ----------
    dialect:
        ``blocks`` keeps decisions as ``always @*`` blocks: Verilator runs them half as fast again.
        ``assigns`` turns them into multiplexers in ``assign`` statements, for Icarus 11: it does
        not run such blocks at time zero, and as ``always_comb`` it wakes every reader of a signal
        at each step from its default to its value, and can loop for ever in one time step.

    Raises
    ------
    ToolError
        When no yosys of version 0.40 or later is found.
    """
    text = to_rtlil(component, name=name, emit_src=False)
    try:
        yosys = find_yosys(lambda version: version >= _OLDEST_YOSYS)
    except YosysError:
        raise ToolError(
            "Verilog export needs yosys 0.40 or later: pip install 'amaranth[builtin-yosys]'"
        ) from None
    script = _SCRIPT.format(rtlil=text, decisions=_DECISIONS[dialect], names=_NAMES[dialect])
    return yosys.run(["-q", "-"], script, ignore_warnings=True)


def export_mesh(params: MeshParams, *, cells: bool = True, dialect: Dialect = "blocks") -> str:
    """Verilog of a mesh, module ``mesh``, all of whose tiles are instances of module ``tile``.

    ``cells``: with models of the cells of clockless circuits, to simulate it.
    """
    tile = export(Tile(params), "tile", dialect=dialect)
    whole = export(Mesh(params, tile="tile"), "mesh", dialect=dialect)
    clockless = params.router is RouterKind.CLICK
    return (simulation_cells() if cells and clockless else "") + tile + whole
