"""Verilog of the cells in Icarus against their Liberty description."""

from collections.abc import Mapping

import pytest

from spikewatt.base.errors import LibraryError
from spikewatt.synth.liberty.library import Cell
from spikewatt.synth.liberty.models import verilog_models, verilog_stubs
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.technology.library import default_library_path
from tests.synth.liberty_files import osu, sky130
from tests.synth.liberty_icarus import check, compiles
from tests.synth.liberty_small import EVERYTHING

# What Liberty's reference says of each kind: the state's next value, and the output.
GATES = {
    "latch_posedge": ("held if CK else E", "CK and held"),
    "latch_negedge": ("E if CK else held", "CK or not held"),
    "latch_posedge_precontrol": ("held if CK else E or SE", "CK and held"),
    "latch_posedge_postcontrol": ("held if CK else E", "CK and (held or SE)"),
    "latch_negedge_precontrol": ("(E or SE) if CK else held", "CK or not held"),
    "latch_negedge_postcontrol": ("E if CK else held", "CK or not (held or SE)"),
    "none_posedge": ("0", "CK and E"),
    "none_negedge": ("0", "CK or not E"),
    "none_posedge_control": ("0", "CK and (E or SE)"),
    "none_negedge_control": ("0", "CK or not (E or SE)"),
}
GATE_CELL = """library (gates) {{ nom_voltage : 1; {cells} }}"""
ONE_GATE = """
cell ({kind}) {{ clock_gating_integrated_cell : {kind}; statetable ("CK E", "M") {{ }}
  pin (CK) {{ direction : input; clock_gate_clock_pin : true; }}
  pin (E) {{ direction : input; clock_gate_enable_pin : true; }}
  pin (SE) {{ direction : input; clock_gate_test_pin : true; }}
  pin (M) {{ direction : internal; }}
  pin (GCK) {{ direction : output; clock_gate_out_pin : true; state_function : "?"; }} }}"""


@pytest.fixture
def everything(tmp_path):
    (tmp_path / "cells.lib").write_text(EVERYTHING)
    return read_liberty(tmp_path / "cells.lib")


def simple(cells: Mapping[str, Cell]) -> list[str]:
    """Cells that are no pads, fillers or clock gates."""
    return [
        name
        for name, cell in cells.items()
        if cell.pins
        and not cell.clock_gate
        and all(pin.direction != "inout" for pin in cell.pins.values())
    ]


def test_built_in_technology():
    library = read_liberty(default_library_path())
    assert check(library, list(library.cells)) > 2000


def test_osu018():
    library = read_liberty(osu("018"))
    assert check(library, list(library.cells)) > 800


def test_osu035():
    library = read_liberty(osu("035"))
    assert check(library, simple(library.cells)) > 800


def test_sky130():
    library = read_liberty(sky130())
    known = [name for name in simple(library.cells) if "lpflow" not in name]
    known = [n for n in known if any(p.function for p in library.cells[n].pins.values())]
    assert check(library, known) > 5000
    gates = {"dlclkp": "GATE", "sdlclkp": "(GATE or SCE)"}
    rules = {
        f"sky130_fd_sc_hd__{name}_1": (f"held if CLK else {data}", "CLK and held")
        for name, data in gates.items()
    }
    assert check(library, list(rules), rules) > 300


def test_every_kind_of_state(everything):
    assert check(everything, ["NAND", "TRI", "FLOP", "LATCH", "TIE"]) > 200
    rule = GATES["latch_posedge_precontrol"]
    assert check(everything, ["GATE"], {"GATE": rule}) > 100


def test_clock_gates_that_tell_only_their_kind(tmp_path):
    path = tmp_path / "gates.lib"
    cells = "".join(ONE_GATE.format(kind=kind) for kind in GATES)
    path.write_text(GATE_CELL.format(cells=cells))
    assert check(read_liberty(path), list(GATES), GATES) > 1500


def test_stubs_and_models_of_whole_libraries_compile(everything):
    compiles(verilog_stubs(everything))
    stubs = verilog_stubs(everything)
    assert "module RAM (A, Q, CK);\n  input [3:0] A;\n  output [3:0] Q;\n  input CK;" in stubs
    models = verilog_models(everything)
    compiles(models)
    assert "module RAM" not in models, "nobody knows what it does"
    assert "module PAIR" in models


def test_names_are_escaped(tmp_path):
    path = tmp_path / "names.lib"
    path.write_text(
        'library (n) { nom_voltage : 1; cell ("2-inv") { pin (wire) { direction : input; }'
        ' pin (Y) { direction : output; function : "!wire"; } } }'
    )
    library = read_liberty(path)
    assert verilog_models(library).startswith("module \\2-inv  (\\wire , Y);")
    compiles(verilog_models(library))


def test_what_cannot_be_modelled_is_said(everything, tmp_path):
    with pytest.raises(LibraryError, match=r"^library every thing has no cell XOR: use the"):
        verilog_models(everything, ["XOR"])
    with pytest.raises(LibraryError, match="does not tell what cell RAM does: write its model"):
        verilog_models(everything, ["RAM"])
    path = tmp_path / "gates.lib"
    path.write_text(GATE_CELL.format(cells=ONE_GATE.format(kind="generic")))
    assert verilog_models(read_liberty(path)) == ""
