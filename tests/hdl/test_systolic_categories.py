"""Every category of the systolic core names a part that there is."""

import re

from spikewatt.hdl.systolic.categories import SYSTOLIC_CATEGORIES
from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.model.params.systolic import SystolicParams
from spikewatt.synth.verilog import export


def test_categories() -> None:
    text = export(SystolicCore(SystolicParams(rows=2, columns=2)), "systolic")
    modules = set(re.findall(r"^module \\?(\S+?)\s*\(", text, re.M))
    assert "systolic" in modules
    paths = {name: f"systolic.{name}" if name else "systolic" for name in SYSTOLIC_CATEGORIES}
    assert {name for name, path in paths.items() if path not in modules} == set()
    assert set(SYSTOLIC_CATEGORIES.values()) == {"control", "datapath"}
