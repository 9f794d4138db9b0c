"""Netlists as place and route leaves them: fillers, taps, supplies, black boxes, shared nets."""

from pathlib import Path

import pytest

from spikewatt.base.errors import NetlistError
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import ONE, ZERO, BlackBox, Netlist
from spikewatt.synth.netlist.reader import read_netlist
from tests.synth.json_netlists import cell, instance, module, named, port
from tests.synth.json_netlists import read as read_json
from tests.synth.sparse_library import SPARSE

POWERED = """
  cell (POWERED) { area : 1;
    pg_pin (TOP) { pg_type : primary_power; } pg_pin (BOTTOM) { pg_type : primary_ground; }
    pg_pin (WELL) { pg_type : nwell; }
    pin (A) { direction : input; capacitance : 1.0; }
    pin (Y) { direction : output; function : "!A"; } }
  cell (FLOATS) { area : 1;
    pin (A) { direction : input; capacitance : 1.0; }
    pin (E) { direction : input; capacitance : 1.0; }
    pin (Y) { direction : output; function : "A"; three_state : "!E"; } }
  cell (ODD) { area : 1; latch (A, B, C, D) { enable : "A"; } }
}
"""


def library(folder: Path) -> Library:
    path = folder / "powered.lib"
    path.write_text(SPARSE.rstrip().removesuffix("}") + POWERED)
    return read_liberty(path)


def read(folder: Path, text: str) -> Netlist:
    path = folder / "netlist.v"
    path.write_text(text)
    return read_netlist(path, library(folder), top="top")


def test_cells_without_connections_are_black_boxes(tmp_path: Path) -> None:
    text = "module top (input a, output y); NOT u (.A(a), .Y(y)); FILL f0 (); FILL f1 (); %s"
    alone = read(tmp_path, text % "endmodule")
    declared = read(tmp_path, text % "endmodule module FILL (); endmodule")
    boxes = (BlackBox("f0", "FILL", drives=False), BlackBox("f1", "FILL", drives=False))
    assert alone.black_boxes == declared.black_boxes == boxes
    assert [each.type for each in alone.instances] == ["NOT"]
    assert (alone.boxed, alone.undriven) == ((), ())


@pytest.mark.parametrize("declared", [False, True])
def test_outputs_of_black_boxes_are_the_waveforms_to_tell(
    tmp_path: Path, *, declared: bool
) -> None:
    netlist = read(
        tmp_path,
        "module top (input a, output y); wire n; PLL p (.I(a), .O(n)); NOT u (.A(n), .Y(y));"
        " endmodule" + " module PLL (input I, output O); endmodule" * declared,
    )
    assert netlist.black_boxes == (BlackBox("p", "PLL", drives=True),)
    assert netlist.boxed == (named(netlist, "n"),), "`a` has a driver, `n` has none else"
    assert netlist.undriven == ()


def test_inputs_of_black_boxes_drive_nothing(tmp_path: Path) -> None:
    netlist = read(
        tmp_path,
        "module top (input a, output y); wire n, m; PLL p (.I(m), .O(n)); NOT u (.A(m), .Y(y));"
        " endmodule module PLL (input I, output O); endmodule",
    )
    assert netlist.undriven == (named(netlist, "m"),)
    assert netlist.boxed == (named(netlist, "n"),)


def test_many_black_boxes_are_a_wrong_library(tmp_path: Path) -> None:
    """Else the energy of the cells that are known would be taken for that of the design."""
    text = "module top (input a, output y); wire n; FOO u (.A(a), .Y(n)); BAR v (.A(n), .Y(y)); %s"
    cells = [f"NOT w{k} (a);" for k in range(10)]
    with pytest.raises(NetlistError, match=r"instance u is of type FOO.*\(and 1 more such types\)"):
        read(tmp_path, text % (" ".join(cells[1:]) + " endmodule"))
    assert len(read(tmp_path, text % (" ".join(cells) + " endmodule")).black_boxes) == 2


def test_antenna_diodes_drive_nothing(tmp_path: Path) -> None:
    diodes = " ".join(f"DIODE d{k} (.DIODE(y));" for k in range(9))
    netlist = read(tmp_path, f"module top (input a, output y); NOT u (a, y); {diodes} endmodule")
    assert [box.drives for box in netlist.black_boxes] == [False] * 9
    assert netlist.boxed == ()


def test_supplies_are_no_nets(tmp_path: Path) -> None:
    plain = "POWERED u (.A(a), .Y(y)%s); NOT v (.A(%s), .Y(z)); endmodule"
    powered = read(
        tmp_path,
        "module top (input a, inout vdd, vss, output y, z); "
        + plain % (", .TOP(vdd), .BOTTOM(vss), .WELL(vdd)", "vdd"),
    )
    assert dict(instance(powered, "u").pins) == {
        "A": named(powered, "a"),
        "Y": named(powered, "y"),
    }
    assert instance(powered, "v").pins["A"] == ONE, "a logic pin that is tied to the supply"
    assert list(powered.ports) == ["a", "y", "z"], "the waveform of the RTL has no supplies"
    assert named(powered, "vss") == ZERO


def test_supplies_of_libraries_that_name_none(tmp_path: Path) -> None:
    netlist = read(
        tmp_path,
        "module top (input a, vdd, gnd, output y); NOT u (.A(a), .Y(y), .vdd(vdd), .gnd(gnd));"
        " endmodule",
    )
    assert list(netlist.ports) == ["a", "y"]
    with pytest.raises(NetlistError, match="connects B, which cell NOT of the library does not"):
        read(tmp_path, "module top (input a); NOT u (.A(a), .B(a)); endmodule")


def test_three_state_drivers_share_a_net(tmp_path: Path) -> None:
    text = "module top (input a, e, output y); FLOATS u (a, e, y); %s endmodule"
    assert len(read(tmp_path, text % "FLOATS v (y, a, y);").instances) == 2
    for second in ("NOT v (a, y);", "assign y = a;"):
        with pytest.raises(NetlistError, match=r"net .* has two drivers"):
            read(tmp_path, text % second)


def test_an_odd_cell_is_refused_where_it_is_used(tmp_path: Path) -> None:
    assert read(tmp_path, "module top (input a, output y); NOT u (a, y); endmodule").instances
    with pytest.raises(NetlistError, match=r"instance u is of type ODD, which .*: line .*: latch"):
        read(tmp_path, "module top (input a); ODD u (.D(a)); endmodule")
    text = (
        "module top (input a, vdd, output y); NOT u (a, y); ODD v (); ODD w (.VDD(vdd)); endmodule"
    )
    boxes = [BlackBox(name, "ODD", drives=False) for name in "vw"]
    assert list(read(tmp_path, text).black_boxes) == boxes, "nothing hangs on them"


def test_modules_without_contents(tmp_path: Path) -> None:
    """JSON does not say that a module is empty: what drives its outputs is elsewhere."""
    hollow = module({"i": port("input", 2), "o": port("output", 3)})
    through = module({"i": port("input", 2), "o": port("output", 2)})
    for inner, boxes in ((hollow, 1), (through, 0)):
        top = module(
            {"a": port("input", 2), "y": port("output", 4)},
            {"u": cell("in", i=[2], o=[3]), "v": cell("NOT", A=[3], Y=[4])},
        )
        netlist = read_json(tmp_path, "top", top=top, **{"in": inner})
        assert len(netlist.black_boxes) == len(netlist.boxed) == boxes


def test_comments_of_any_encoding(tmp_path: Path) -> None:
    path = tmp_path / "netlist.v"
    text = "// Müller, 5 µm\nmodule top (input a, output y); NOT u (a, y); endmodule"
    for encoding in ("utf-8", "latin-1"):
        path.write_bytes(text.encode(encoding))
        assert len(read_netlist(path, library(tmp_path), top="top").instances) == 1
