"""JSON schemas of what commands print with ``--json``, generated from the types of the reports."""

import importlib
from typing import Any

from spikewatt.base.errors import ParameterError
from spikewatt.base.report import json_schema

__all__ = ["HOMES", "schema_of"]

HOMES = {
    "board": "spikewatt.targets.board.report:BoardReport",
    "cache": "spikewatt.flow.cli.cache:CacheReport",
    "cache-removal": "spikewatt.flow.cli.cache:RemovalReport",
    "comparison": "spikewatt.flow.compare.figures:ComparisonReport",
    "doctor": "spikewatt.base.tools:Inventory",
    "energy": "spikewatt.energy.pricing.figures:EnergyReport",
    "fpga": "spikewatt.synth.fpga.result:FpgaReport",
    "run": "spikewatt.flow.report:RunReport",
    "sweep": "spikewatt.flow.compare.sweep:SweepReport",
    "synth": "spikewatt.synth.asic_result:AsicResult",
}
"""Where the type of each report lives; loaded when it is asked for."""


def schema_of(name: str) -> dict[str, Any]:
    """JSON schema of a report.

    Raises
    ------
    ParameterError
        Lists the reports that there are.
    """
    if name not in HOMES:
        raise ParameterError(f"there is no report {name!r}: name one of {', '.join(HOMES)}")
    module, _, kind = HOMES[name].partition(":")
    return json_schema(getattr(importlib.import_module(module), kind))
