"""The size of a mesh as a user writes it."""

import re

from spikewatt.base.errors import ParameterError
from spikewatt.model.params import MESH_LIMIT, RouterKind

__all__ = ["MeshSize", "check_router", "parse_mesh"]


MeshSize = tuple[int, int] | None
"""Columns and rows of a mesh; ``None``: as many as the network needs."""


def parse_mesh(text: str) -> MeshSize:
    """Columns and rows of ``CxR``; ``None`` of ``auto``.

    Raises
    ------
    ParameterError
        Anything else, no tile, or too many.
    """
    if text == "auto":
        return None
    match = re.fullmatch("([0-9]{1,4})x([0-9]{1,4})", text.lower())
    columns, rows = map(int, match.groups()) if match else (0, 0)
    if not 1 <= columns * rows <= MESH_LIMIT:
        raise ParameterError(
            f"--mesh must be columns x rows like 2x2, 1 to {MESH_LIMIT} tiles in all, or auto, "
            f"not {text!r}"
        )
    return columns, rows


def check_router(router: RouterKind | None, mesh: str | None) -> RouterKind:
    """The router that was asked for, or the clockless one; raise if there is nothing to join."""
    if router is not None and mesh is None:
        raise ParameterError("--router joins the cores of a mesh: add --mesh")
    return router or RouterKind.CLICK
