"""What each part of a mesh is for, in a joule ledger."""

import re
from collections.abc import Iterable, Mapping

from spikewatt.hdl.neuro.categories import CATEGORIES
from spikewatt.model.params import MeshParams

__all__ = ["PARTS", "mesh_categories", "modules_of"]

PARTS: Mapping[str, str] = {
    "routers": r"tile_\d+_\d+\.router",
    "interfaces": r"tile_\d+_\d+\.(interface|interface_gate|arrivals|departures)|entry|exit",
    "edge": "edge|edge_gate",
    "cores": r"tile_\d+_\d+\.core",
}
"""Paths of instances, as a regular expression, of the parts of a mesh; with all below them."""


def modules_of(part: str, paths: Iterable[str]) -> list[int]:
    """Which of the paths belong to one of ``PARTS``."""
    pattern = re.compile(rf"({PARTS[part]})(\..*)?")
    return [at for at, path in enumerate(paths) if pattern.fullmatch(path)]


def mesh_categories(params: MeshParams) -> dict[str, str]:
    """``control``, ``datapath`` or ``router`` by the path of an instance.

    ``router`` is what moves packets: routers, and the interfaces of the tiles to them. In the cores
    it is as in one core; the edge with its barrier is ``control``.
    """
    categories = {"": "control", "entry": "router", "exit": "router"}
    for index in range(params.tiles):
        x, y = params.place(index)
        tile = f"tile_{x}_{y}"
        for path, category in CATEGORIES.items():
            categories[f"{tile}.core.{path}" if path else f"{tile}.core"] = category
        for name in ("router", "interface", "interface_gate", "arrivals", "departures"):
            categories[f"{tile}.{name}"] = "router"
    return categories
