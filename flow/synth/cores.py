"""The cores that ``spikewatt synth`` can build, and their sizes as a user gives them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from spikewatt.base.errors import ParameterError
from spikewatt.model.params import (
    Compare,
    CoreParams,
    Fabric,
    Leak,
    MeshParams,
    Reset,
    RouterKind,
)
from spikewatt.model.params.systolic import SystolicParams
from spikewatt.targets.mesh_size import parse_mesh

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from amaranth.lib import wiring

    from spikewatt.hdl.blueprint import Blueprint
    from spikewatt.synth.fpga.result import Work

__all__ = [
    "KINDS",
    "NEURO_SIZES",
    "SYSTOLIC_SIZES",
    "Choice",
    "Core",
    "kinds",
    "named_kinds",
]

_MESH = "2x1"


class Core(StrEnum):
    """Cores of ours."""

    NEURO = "neuro"
    SYSTOLIC = "systolic"
    MESH = "mesh"


def kinds(option: str, text: str | None, kind: type[IntEnum]) -> tuple[IntEnum, ...] | None:
    """Members of an enumeration from their names, as in ``shift,subtract``.

    Raises
    ------
    ParameterError
        Lists the names.
    """
    if text is None:
        return None
    known = {member.name.lower().replace("_", "-"): member for member in kind}
    for name in (names := text.lower().split(",")):
        if name not in known:
            raise ParameterError(f"{option} must name some of {', '.join(known)}, not {name!r}")
    return tuple(known[name] for name in names)


KINDS: Mapping[str, type[IntEnum]] = {"leaks": Leak, "resets": Reset, "compares": Compare}
"""Parameters of a neuromorphic core that name kinds."""
NEURO_SIZES = tuple(field.name for field in fields(CoreParams) if field.type is int)
"""Parameters of a neuromorphic core that are numbers."""
SYSTOLIC_SIZES = tuple(field.name for field in fields(SystolicParams) if field.type is int)
"""The same of a systolic core."""


def named_kinds(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a core's parameters as a user gave them, with kinds in place of their names.

    Raises
    ------
    ParameterError
        A kind that there is not.
    """
    return {
        name: kinds(f"--{name}", value, KINDS[name]) if name in KINDS else value
        for name, value in values.items()
    }


@dataclass(frozen=True)
class Choice:
    """A core and what it is built for.

    Parameters
    ----------
    sizes:
        Fields of its parameters that were given, by name.
    mesh, router:
        Columns x rows of a mesh, and what joins its cores; by default 2x1, and the clockless
        router on an ASIC, the clocked one on an FPGA, which has no matched delays.

    Raises
    ------
    ParameterError
        A size that the core does not have, or one out of its range.
    """

    core: Core
    fabric: Fabric
    sizes: Mapping[str, Any]
    mesh: str | None = None
    router: RouterKind | None = None

    def __post_init__(self) -> None:
        if self.core is not Core.MESH:
            for name, value in (("--mesh", self.mesh), ("--router", self.router)):
                if value is not None:
                    raise ParameterError(f"{name} goes with --core mesh, not --core {self.core}")
        kind = SystolicParams if self.core is Core.SYSTOLIC else CoreParams
        known = {field.name for field in fields(kind)}
        for name in self.sizes:
            if name not in known:
                option = name.replace("_", "-")
                raise ParameterError(f"--{option} is no size of --core {self.core}")
        # Sizes are checked where they are given, and not when the core is built.
        _ = self.params

    @cached_property
    def params(self) -> CoreParams | SystolicParams | MeshParams:
        """Parameters of the core."""
        asic = self.fabric is Fabric.ASIC
        if self.core is Core.SYSTOLIC:
            # An FPGA has no gate to put into a clock.
            return SystolicParams(**self.sizes, clock_gating=asic)
        core = CoreParams(**self.sizes, fabric=self.fabric)
        if self.core is Core.NEURO:
            return core
        if (size := parse_mesh(self.mesh or _MESH)) is None:
            raise ParameterError("--mesh auto needs a network: name columns x rows like 2x2")
        router = self.router or (RouterKind.CLICK if asic else RouterKind.SYNC)
        return MeshParams(columns=size[0], rows=size[1], core=core, router=router)

    @property
    def work(self) -> "Work":
        """What the core does at best in a cycle."""
        from spikewatt.synth.fpga.result import Work

        match self.params:
            case CoreParams(lanes=lanes):
                return Work("sop", lanes)
            case SystolicParams(rows=rows, columns=columns):
                return Work("mac", rows * columns)
            case MeshParams(core=core, tiles=tiles):
                return Work("sop", core.lanes * tiles)

    def component(self) -> "wiring.Component":
        """The core."""
        return self.blueprint().build()

    def blueprint(self) -> "Blueprint":
        """The core, before it is built."""
        from spikewatt.hdl.blueprint import Blueprint
        from spikewatt.hdl.neuro.core import NeuroCore
        from spikewatt.hdl.router.mesh import Mesh
        from spikewatt.hdl.systolic.core import SystolicCore

        match self.params:
            case CoreParams() as params:
                return Blueprint.of(NeuroCore, params)
            case SystolicParams() as params:
                return Blueprint.of(SystolicCore, params)
            case MeshParams() as params:
                return Blueprint.of(Mesh, params)

    def verilog(self) -> str:
        """Verilog of the core for an ASIC; its top has the core's name."""
        from spikewatt.synth.verilog import export, export_mesh

        if isinstance(self.params, MeshParams):
            return export_mesh(self.params, cells=False)
        return export(self.blueprint(), self.core.value)
