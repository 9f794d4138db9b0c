"""Small cores for FPGAs, and their mapped netlists in simulation."""

from dataclasses import replace
from functools import cache

from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.model.params import CoreParams, Fabric, MeshParams, RouterKind
from spikewatt.model.params.systolic import SystolicParams
from spikewatt.synth.fpga.devices import Family, find_device
from spikewatt.synth.fpga.flow import map_fpga
from spikewatt.synth.fpga.models import with_models
from spikewatt.synth.verilog import export, export_mesh
from tests.cosim.builds import BUILDS
from tests.cosim.mesh_cases import small_mesh
from tests.cosim.systolic_builds import cases as systolic_cases

__all__ = ["MESH", "NEURO", "SYSTOLIC", "mapped", "netlist", "on_fpga", "verilog"]

Params = CoreParams | SystolicParams | MeshParams


def on_fpga(params: CoreParams) -> CoreParams:
    """The same core for an FPGA."""
    return replace(params, fabric=Fabric.FPGA, clock_gating=False)


NEURO = {name: on_fpga(BUILDS[name]) for name in ("three lanes", "leak subtract only", "windows")}
SYSTOLIC = "plain"
MESH = replace(
    small_mesh(2, 1, RouterKind.SYNC), core=on_fpga(small_mesh(2, 1, RouterKind.SYNC).core)
)


def systolic_params() -> SystolicParams:
    """Core of the systolic cases."""
    return systolic_cases(SYSTOLIC)[0].program.params


@cache
def verilog(params: Params) -> tuple[str, str]:
    """Text of a core as it goes to an FPGA, and its top module."""
    match params:
        case CoreParams():
            return export(NeuroCore(params), "neuro", block_memories=True), "neuro"
        case SystolicParams():
            return export(SystolicCore(params), "systolic", block_memories=True), "systolic"
        case MeshParams():
            return export_mesh(params), "mesh"


def mapped(params: Params, family: Family) -> str:
    """The mapped netlist alone."""
    return (map_fpga(*verilog(params), find_device(family)) / "netlist.v").read_text()


def netlist(params: Params, family: Family) -> str:
    """A mapped netlist with models of its cells."""
    return with_models(mapped(params, family), family)
