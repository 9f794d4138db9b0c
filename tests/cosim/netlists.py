"""Small cores for FPGAs, and their mapped netlists in simulation."""

from dataclasses import replace
from functools import cache

from spikewatt.hdl.blueprint import Blueprint
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

__all__ = [
    "NEURO",
    "SYSTOLIC",
    "mapped",
    "mesh_params",
    "netlist",
    "neuro_params",
    "on_fpga",
    "rtl",
    "systolic_params",
    "verilog",
]

Params = CoreParams | SystolicParams | MeshParams


def on_fpga(params: CoreParams, family: Family) -> CoreParams:
    """The same core for a family's default device; that of ``ice40`` has single-port memory."""
    fabric = {"ecp5": Fabric.FPGA, "ice40": Fabric.UP5K}[family]
    return replace(params, fabric=fabric, clock_gating=False)


NEURO = ("leak subtract only", "three lanes", "windows")
"""Builds of the neuromorphic core; the first is the smallest."""
SYSTOLIC = "plain"


def neuro_params(build: str, family: Family) -> CoreParams:
    """Core of a build on a family."""
    return on_fpga(BUILDS[build], family)


def mesh_params(family: Family) -> MeshParams:
    """Two cores and what joins them."""
    mesh = small_mesh(2, 1, RouterKind.SYNC)
    return replace(mesh, core=on_fpga(mesh.core, family))


def systolic_params() -> SystolicParams:
    """Core of the systolic cases."""
    return systolic_cases(SYSTOLIC)[0].program.params


@cache
def verilog(params: Params) -> tuple[str, str]:
    """Text of a core as it goes to an FPGA, and its top module."""
    match params:
        case CoreParams():
            return export(Blueprint.of(NeuroCore, params), "neuro"), "neuro"
        case SystolicParams():
            return export(Blueprint.of(SystolicCore, params), "systolic"), "systolic"
        case MeshParams():
            return export_mesh(params), "mesh"


def rtl(params: Params) -> str:
    """The RTL, with models of the memories that it names itself."""
    return with_models(verilog(params)[0], "ice40")


def mapped(params: Params, family: Family) -> str:
    """The mapped netlist alone."""
    return (map_fpga(*verilog(params), find_device(family)) / "netlist.v").read_text()


def netlist(params: Params, family: Family) -> str:
    """A mapped netlist with models of its cells."""
    return with_models(mapped(params, family), family)
