"""Joules of spiking networks and their quantised rivals, from RTL that is proven bit-exact.

``import spikewatt as sw``: every name of ``__all__`` is loaded when it is first used, so that the
import itself takes milliseconds (numba, Amaranth and matplotlib take seconds).
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what a type checker sees; at run time `__getattr__` below brings the same
    from spikewatt.base.errors import SpikewattError
    from spikewatt.flow.compare.plots import energy_bars
    from spikewatt.flow.compare.result import Comparison
    from spikewatt.flow.compare.run import CompareOptions, Plan, compare
    from spikewatt.flow.energy import EnergyOptions, energy
    from spikewatt.flow.plots import power_trace
    from spikewatt.flow.report import RunReport
    from spikewatt.flow.run import RunOptions, run
    from spikewatt.model.network.dataset import load_digits, load_samples, load_shipped
    from spikewatt.model.network.file import load_network, save_network
    from spikewatt.model.network.graph import Connection, Encoder, Network, Population, Readout
    from spikewatt.model.network.pair import spiking_pair
    from spikewatt.model.network.quantised_pair import quantised_pair
    from spikewatt.model.params import Compare, Leak, NeuronType, Reset

    __version__: str

__all__ = [
    "Compare",
    "CompareOptions",
    "Comparison",
    "Connection",
    "Encoder",
    "EnergyOptions",
    "Leak",
    "Network",
    "NeuronType",
    "Plan",
    "Population",
    "Readout",
    "Reset",
    "RunOptions",
    "RunReport",
    "SpikewattError",
    "__version__",
    "compare",
    "energy",
    "energy_bars",
    "load_digits",
    "load_network",
    "load_samples",
    "load_shipped",
    "power_trace",
    "quantised_pair",
    "run",
    "save_network",
    "spiking_pair",
]

_HOMES = {
    "Compare": "spikewatt.model.params",
    "CompareOptions": "spikewatt.flow.compare.run",
    "Comparison": "spikewatt.flow.compare.result",
    "Connection": "spikewatt.model.network.graph",
    "Encoder": "spikewatt.model.network.graph",
    "EnergyOptions": "spikewatt.flow.energy",
    "Leak": "spikewatt.model.params",
    "Network": "spikewatt.model.network.graph",
    "NeuronType": "spikewatt.model.params",
    "Plan": "spikewatt.flow.compare.run",
    "Population": "spikewatt.model.network.graph",
    "Readout": "spikewatt.model.network.graph",
    "Reset": "spikewatt.model.params",
    "RunOptions": "spikewatt.flow.run",
    "RunReport": "spikewatt.flow.report",
    "SpikewattError": "spikewatt.base.errors",
    "compare": "spikewatt.flow.compare.run",
    "energy": "spikewatt.flow.energy",
    "energy_bars": "spikewatt.flow.compare.plots",
    "load_digits": "spikewatt.model.network.dataset",
    "load_network": "spikewatt.model.network.file",
    "load_samples": "spikewatt.model.network.dataset",
    "load_shipped": "spikewatt.model.network.dataset",
    "power_trace": "spikewatt.flow.plots",
    "quantised_pair": "spikewatt.model.network.quantised_pair",
    "run": "spikewatt.flow.run",
    "save_network": "spikewatt.model.network.file",
    "spiking_pair": "spikewatt.model.network.pair",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("spikewatt")
    if name == "energy":  # the sub-package, which answers to a call: see `_Package`
        return importlib.import_module("spikewatt.energy")
    if name not in _HOMES:
        raise AttributeError(f"module 'spikewatt' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Callable(ModuleType):
    """A sub-package with the name of a function: called, it is the function."""

    def __call__(self, *words: Any, **named: Any) -> Any:
        return importlib.import_module("spikewatt.flow.energy").energy(*words, **named)


class _Package(ModuleType):
    """The package itself; Python sets a sub-package as an attribute when it is imported.

    ``energy`` is a sub-package and, as ``sw.energy(...)``, a function of ours: were it one or the
    other by what happened to be imported first, the function would vanish in the middle of a run.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "energy":  # the module itself stays: `import spikewatt.energy.…` needs it
            value.__class__ = _Callable
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
