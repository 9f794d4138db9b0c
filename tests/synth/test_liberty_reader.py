"""The reader on a library that has every feature, and on ones that are broken."""

import gzip

import numpy as np
import pytest

from spikewatt.base.errors import LibraryError
from spikewatt.synth.liberty.library import FlipFlop, Latch
from spikewatt.synth.liberty.reader import read_liberty
from tests.synth.liberty_files import near
from tests.synth.liberty_small import EVERYTHING

CELLS = ["NAND", "TRI", "FLOP", "LATCH", "GATE", "RAM", "PAIR", "BANK", "TIE", "FILL"]
THREE_AXES = (
    "tables over slew and load and related_out_total_output_net_capacitance are not read:"
    " only over slew and load"
)


def read(folder, text):
    path = folder / "cells.lib"
    path.write_text(text)
    return read_liberty(path)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return read(tmp_path_factory.mktemp("liberty"), EVERYTHING)


def same(table, slew, load, values):
    np.testing.assert_allclose(table.slew, slew, rtol=1e-12)
    np.testing.assert_allclose(table.load, load, rtol=1e-12)
    np.testing.assert_allclose(table.values, values, rtol=1e-12)


def test_library(library):
    assert library.name == "every thing"
    assert library.voltage == near(0.8), "default operating conditions win"
    assert list(library.cells) == CELLS
    assert library.has_power
    assert library.warnings == (THREE_AXES,)


def test_capacitances_and_leakage(library):
    nand = library.cells["NAND"]
    assert list(nand.pins) == ["A", "B", "Y"]
    for name in "AB":
        pin = nand.pins[name]
        assert pin.capacitance == near(15e-15)
        assert pin.rise_capacitance == near(20e-15)
        assert pin.fall_capacitance == near(15e-15), "as capacitance"
    assert nand.pins["Y"].max_capacitance == near(400e-15)
    assert nand.area == 1.5
    assert nand.leakage == near(250e-12)
    assert [(str(s.when), s.watts) for s in nand.leakage_states] == [
        ("A & !B", near(125e-12)),
        ("None", near(300e-12)),
    ]
    tri = library.cells["TRI"]
    assert tri.leakage == near(700e-12), "the library's default"
    assert tri.pins["A"].capacitance == near(30e-15), "the library's default"
    assert tri.pins["E"].capacitance == near(20e-15), "the larger of rise and fall"
    assert tri.pins["E"].rise_capacitance == near(10e-15)
    assert tri.pins["Y"].rise_capacitance == near(5e-15)


def test_delay_tables_come_out_as_slew_by_load(library):
    arcs = library.cells["NAND"].pins["Y"].timing
    assert [(arc.related, arc.sense, str(arc.when)) for arc in arcs] == [
        ("A", "negative_unate", "None"),
        ("B", "negative_unate", "None"),
        ("A", "positive_unate", "B"),
    ]
    for arc in arcs[:2]:
        values = np.array([[1, 2, 3], [4, 5, 6]]) * 10e-12
        slew, load = np.array([1, 2]) * 10e-12, np.array([10, 20, 30]) * 10e-15
        same(arc.cell_rise, slew, load, values)
        same(arc.cell_fall, slew, load, values)
        same(arc.rise_transition, [0], np.array([2, 4, 8]) * 1e-14, np.array([[1, 2, 3]]) * 1e-11)
        same(arc.fall_transition, [0], [0], [[2.5e-12]])
    assert arcs[2].cell_fall is None


def test_internal_power_is_in_capacitance_times_volts_squared(library):
    unit = 10e-15 * (1e-3) ** 2
    entries = library.cells["NAND"].pins["Y"].power
    assert [(entry.related, str(entry.when)) for entry in entries] == [
        ("A", "B"),
        ("B", "None"),
        ("A", "None"),
    ]
    loads = np.array([10, 20, 30]) * 1e-14
    same(entries[0].rise, [3e-11, 4e-11], loads, np.array([[1, 2, 3], [4, 5, 6]]) * unit)
    same(entries[0].fall, [1e-11, 2e-11, 3e-11], [0], np.array([[-1], [0], [1]]) * unit)
    assert entries[1].rise is entries[1].fall
    same(entries[1].rise, [0], [0], [[8 * unit]])
    assert library.cells["TRI"].pins["Y"].power == (), "three axes are left out, with a warning"
    clock = library.cells["FLOP"].pins["CK"].power[0]
    assert clock.related is None
    assert clock.fall.values[2, 0] == near(6 * unit)


def test_states(library):
    flop = library.cells["FLOP"].sequential
    assert isinstance(flop, FlipFlop)
    assert (flop.state, flop.inverted, flop.both, flop.both_inverted) == ("IQ", "IQ_N", "H", "X")
    texts = [str(f) for f in (flop.next_state, flop.clocked_on, flop.clear, flop.preset)]
    assert texts == ["D", "!CK", "!RN", "!SN"]
    arcs = library.cells["FLOP"].pins["Q"].timing
    assert [(arc.related, arc.kind, arc.sense) for arc in arcs] == [
        ("CK", "falling_edge", "non_unate"),
        ("RN", "clear", "positive_unate"),
    ]
    assert library.cells["FLOP"].pins["D"].timing == (), "constraints are left out"
    assert library.cells["FLOP"].pins["CK"].clock
    latch = library.cells["LATCH"].sequential
    assert isinstance(latch, Latch)
    assert (str(latch.data_in), str(latch.enable), latch.clear) == ("D", "G", None)


def test_kinds_of_cells(library):
    cells = library.cells
    assert [name for name, cell in cells.items() if cell.macro] == ["RAM"]
    assert [name for name, cell in cells.items() if cell.dont_use] == ["TRI"]
    assert [name for name, cell in cells.items() if cell.statetable] == ["GATE"]
    assert str(cells["TRI"].pins["Y"].three_state) == "!E"
    assert cells["TRI"].pins["Y"].timing[0].kind == "three_state_enable"
    assert cells["GATE"].clock_gate == "latch_posedge_precontrol"
    parts = {pin.name: pin.gating for pin in cells["GATE"].pins.values()}
    assert parts == {"CK": "clock", "E": "enable", "SE": "test", "M": None, "GCK": "out"}
    assert cells["GATE"].pins["M"].direction == "internal"
    assert cells["FILL"].pins == {}
    assert str(cells["TIE"].pins["Y"].function) == "1"


def test_buses_and_bundles(library):
    ram = library.cells["RAM"].pins
    assert list(ram) == [f"{bus}[{k}]" for bus in "AQ" for k in (3, 2, 1, 0)] + ["CK"]
    assert [ram[f"A[{k}]"].capacitance for k in range(4)] == near([40e-15, 40e-15, 50e-15, 40e-15])
    assert [arc.related for arc in ram["Q[2]"].timing] == ["A[2]"], "bit by bit"
    assert [p.related for p in ram["Q[2]"].power] == ["A[3]", "A[2]", "A[1]", "A[0]"]
    pair = library.cells["PAIR"].pins
    assert [str(pair[name].function) for name in ("Y0", "Y1")] == ["!X0", "!X1"]
    assert [pair["Y1"].timing[0].related, pair["Y1"].timing[0].sense] == ["X1", "negative_unate"]


def test_banks(library):
    cell = library.cells["BANK"]
    first, second = cell.states
    assert isinstance(first, FlipFlop)
    assert isinstance(second, FlipFlop)
    assert [str(first.next_state), str(second.next_state)] == ["D0", "D1"]
    assert [str(first.clocked_on), str(second.clocked_on)] == ["CK", "CK"]
    assert [str(cell.pins[f"Q{k}"].function) for k in (0, 1)] == [first.state, second.state]
    assert len({first.state, first.inverted, second.state, second.inverted}) == 4


def test_supplies(library):
    assert library.cells["NAND"].power_pins == {"VDD": "power"}
    assert "VDD" not in library.cells["NAND"].pins


ODD = """
library (x) { nom_voltage : 1;
 cell (GOOD) { pin (Y) { direction : output; function : "1"; } }
 cell (ODD) { area : 2;
  latch (A, B, C, D) { enable : "G"; data_in : "D"; } }
 cell () { area : 1; }
}
"""


def test_an_odd_cell_is_kept_with_the_reason(tmp_path):
    library = read(tmp_path, ODD)
    assert list(library.cells) == ["GOOD", "ODD"]
    assert not library.cells["GOOD"].unusable
    reason = "line 5: latch must name its state and the inverse, not ['A', 'B', 'C', 'D']"
    assert library.cells["ODD"].unusable == reason
    assert library.cells["ODD"].dont_use, "no mapping takes it"
    assert f"cell ODD cannot be used: {reason}" in library.warnings


def test_gzip_and_latin_1(tmp_path):
    path = tmp_path / "cells.lib.gz"
    path.write_bytes(gzip.compress(EVERYTHING.replace("red", "grün").encode("latin-1")))
    assert len(read_liberty(str(path)).cells) == 10


def test_a_library_without_power_says_so(tmp_path):
    text = "library (bare) { nom_voltage : 1; cell (I) { pin (A) { direction : input; } } }"
    library = read(tmp_path, text)
    assert not library.has_power
    assert library.voltage == 1
    assert library.warnings == (
        "no time_unit: taken as 1ns",
        "no voltage_unit: taken as 1V",
        "no capacitive_load_unit: taken as 1pF",
        "no leakage_power_unit: taken as 1nW",
    )


NOMINAL = "nom_voltage : 3;"
CONDITIONS = "operating_conditions (a) { voltage : 2; }"


@pytest.mark.parametrize(
    ("settings", "volts"),
    [
        (NOMINAL, 3),
        (CONDITIONS, 2),
        (NOMINAL + CONDITIONS, 3),
        (NOMINAL + CONDITIONS + "default_operating_conditions : a;", 2),
        (NOMINAL + CONDITIONS + "default_operating_conditions : b;", 3),
    ],
)
def test_supply_voltage(tmp_path, settings, volts):
    assert read(tmp_path, f"library (x) {{ {settings} cell (FILL) {{ }} }}").voltage == volts


PIN = "library (x) {\n nom_voltage : 1;\n cell (C) {\n  pin (Y) {\n%s\n  }\n }\n}"
BROKEN = {
    "": "cells.lib: the file is empty: give a Liberty file (.lib, .lib.gz)",
    "module top; endmodule": "cells.lib:1: neither an attribute nor a group at 'module top;"
    " endmodule': mend it, or give a Liberty file",
    "library (x) {\n}\n}": "cells.lib:3: a '}' closes no group: remove it",
    "library (x) {\n cell (y) {\n  area : 1;\n": "cells.lib:2: the file ends within cell(y): it is"
    " truncated, or a '}' is missing; fetch it again",
    "library (x) {\n nom_voltage : 1;\n /* never": "cells.lib:3: a comment is never closed: add"
    " '*/'",
    'library (x) {\n date : "never }': "cells.lib:2: a string is misplaced or never closed, at"
    " '\"never }': mend the quotes",
    "library (x) { nom_voltage : 1; }": "cells.lib:1: the library holds no cell that can be used",
    "library (x) { cell (FILL) { area : 1; } }": "cells.lib:1: no supply voltage: add nom_voltage",
    "library (x) {\n nom_voltage : high;\n cell (F) { } }": "cells.lib:2: nom_voltage must be a"
    " number, not 'high'",
    'library (x) {\n time_unit : "1 hour";\n cell (F) { } }': "cells.lib:2: time_unit '1 hour' is"
    " not a unit: write it like '1ns'",
    "library (x) { } library (y) { }": "cells.lib:1: 2 library groups where a Liberty file has one",
    PIN % "direction : sideways;": "cells.lib:5: pin direction must be one of input, output, inout,"
    " internal; it is 'sideways'",
    PIN % "capacitance : 1;": "cells.lib:4: pin direction must be one of input, output, inout,"
    " internal; it is none",
    PIN % 'direction : output;\n function : "A &";': "cells.lib:6: function: 'A &' is not a Boolean"
    " expression: an operand is missing at its end",
    PIN % 'direction : output; function : "B";': "cells.lib:3: cell C: 'B' in 'B' is no pin of it",
    PIN % 'direction : input; internal_power () {\n power (t) { values ("1, 2"); } }': "cells.lib:6"
    ": power uses template 't', which the library does not define",
    PIN % 'direction : input; internal_power () { power (scalar) {\n values ("1, 2"); } }': "cells."
    "lib:6: power holds 2 values where its axes ask for 1",
    PIN % 'direction : input; internal_power () { power (scalar) {\n values ("1x"); } }': "cells."
    "lib:6: '1x' in a list of numbers is not a number: correct it",
    PIN % 'direction : input; internal_power () { power (scalar) {\n values ("nan"); } }': "cells."
    "lib:6: a list of numbers holds an infinite one or a NaN: correct it",
}


@pytest.mark.parametrize("text", BROKEN)
def test_broken_files_are_one_line_with_the_place(tmp_path, text):
    with pytest.raises(LibraryError) as caught:
        read(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/{BROKEN[text]}"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x7fELF\0\0\0", "a binary file: give a Liberty file (.lib, .lib.gz)"),
        (
            gzip.compress(b"library (x) { }" * 99, mtime=0)[:40],
            "is truncated or corrupt; fetch it again",
        ),
        (b"\x1f\x8b\x08garbage garbage garbage", "is truncated or corrupt; fetch it again"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, data, message):
    path = tmp_path / "cells.lib.gz"
    path.write_bytes(data)
    with pytest.raises(LibraryError) as caught:
        read_liberty(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert str(caught.value).endswith(message)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path):
    for path in (tmp_path / "none.lib", tmp_path):
        with pytest.raises(LibraryError, match=r"cannot be read \(.+\): give a Liberty file"):
            read_liberty(path)
