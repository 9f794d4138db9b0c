"""The size of a mesh as a user writes it."""

import re

from spikewatt.model.errors import ParameterError

__all__ = ["MeshSize", "parse_mesh"]

MeshSize = tuple[int, int] | None
"""Columns and rows of a mesh; ``None``: as many as the network needs."""


def parse_mesh(text: str) -> MeshSize:
    """Columns and rows of ``CxR``; ``None`` of ``auto``."""
    if text == "auto":
        return None
    if not (found := re.fullmatch(r"(\d{1,4})x(\d{1,4})", text)):
        raise ParameterError(f"--mesh must be columns x rows, like 2x2, or auto, not {text!r}")
    return int(found[1]), int(found[2])
