"""Joules of spiking networks and their quantised rivals, from RTL that is proven bit-exact.

``import spikewatt as sw``: every name of ``__all__`` is loaded when it is first used, so that the
import itself takes milliseconds (numba, Amaranth and matplotlib take seconds).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what a type checker sees; at run time `__getattr__` below brings the same
    from spikewatt.flow.compare.run import compare
    from spikewatt.flow.run import run
    from spikewatt.model.network.file import load_network, save_network
    from spikewatt.model.network.graph import Network

    __version__: str

__all__ = ["Network", "__version__", "compare", "load_network", "run", "save_network"]

_HOMES = {
    "Network": "spikewatt.model.network.graph",
    "compare": "spikewatt.flow.compare.run",
    "load_network": "spikewatt.model.network.file",
    "run": "spikewatt.flow.run",
    "save_network": "spikewatt.model.network.file",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("spikewatt")
    if name not in _HOMES:
        raise AttributeError(f"module 'spikewatt' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
