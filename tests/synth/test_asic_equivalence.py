"""What is mapped does what the RTL does, and its state has the RTL's names."""

from pathlib import Path

import pytest

from spikewatt.synth.asic import MappingOptions, synthesise
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.synth.designs import DESIGNS
from tests.synth.side_by_side import differences, powered_up, simulate, states
from tests.synth.sparse_library import SPARSE


@pytest.mark.parametrize("flow", ["gated", "plain", "sparse"])
@pytest.mark.parametrize("top", DESIGNS)
def test_the_netlist_does_what_the_rtl_does(top: str, flow: str, tmp_path: Path) -> None:
    """With the built-in library, with and without clock gates, and with one that lacks a lot."""
    path = default_library_path()
    if flow == "sparse":
        path = tmp_path / "sparse.lib"
        path.write_text(SPARSE)
    library = read_liberty(path)
    result = synthesise(DESIGNS[top], top, path, MappingOptions(clock_gating=flow == "gated"))
    netlist = read_netlist(result.netlist, library)
    (tmp_path / "rtl.v").write_text(DESIGNS[top])
    (tmp_path / "cells.v").write_text(powered_up(verilog_models(library, result.types)))
    rtl = simulate(netlist, [tmp_path / "rtl.v"], tmp_path / "rtl")
    gates = simulate(netlist, [*result.simulation, tmp_path / "cells.v"], tmp_path / "gates")
    registers = dict(states(netlist, library))
    assert [flop for flop, names in registers.items() if not any(n in rtl for n in names)] == []
    compared, wrong = differences(netlist, registers, rtl, gates)
    assert wrong == []
    assert compared > 150
