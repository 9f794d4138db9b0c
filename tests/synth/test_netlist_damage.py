"""Files that are no netlist, and netlists that mean nothing: one line each."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from spikewatt.base.errors import NetlistError
from spikewatt.synth.netlist.reader import read_netlist
from tests.synth.json_netlists import cell, module, port, read, sparse, write

A, Y = port("input", 2), port("output", 3)
INVERTER = cell("NOT", A=[2], Y=[3])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: a netlist was expected"),
        (b" \n", "is empty: a netlist was expected"),
        (b"\xff\xfe\x00", "is not text: JSON or Verilog was expected"),
        (b'{"modules": {"top"', "line 1: not JSON, or cut short"),
        (b"{" * 3, "line 1: not JSON, or cut short"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b"{}", "modules of the file is missing or of a wrong kind"),
        (b'{"modules": []}', "modules of the file is missing or of a wrong kind"),
        (b'{"modules": {}}', "it holds no module"),
        (b'{"modules": {"top": 3}}', "ports of module top is missing or of a wrong kind"),
        (gzip.compress(b"{}" * 999, mtime=0)[:-9], "cannot be decompressed"),
    ],
)
def test_files(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "netlist.json"
    path.write_bytes(content)
    with pytest.raises(NetlistError, match=re.escape(message)) as error:
        read_netlist(path, sparse(tmp_path))
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NetlistError, match=r"no\.json cannot be read \(No such file"):
        read_netlist(tmp_path / "no.json", sparse(tmp_path))


def changed(part: str, value: Any) -> dict[str, Any]:
    """A good module with one part replaced; dots lead to it."""
    whole = module({"a": A, "y": Y}, {"u": cell("NOT", A=[2], Y=[3])})
    *way, last = part.split(".")
    holder = whole
    for step in way:
        holder = holder[step]
    holder[last] = value
    return whole


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("ports", [], "ports of module top"),
        ("cells", 1, "cells of module top"),
        ("netnames", None, "netnames of module top"),
        ("attributes", "x", "attributes of module top"),
        ("ports.a", {"bits": [2]}, "direction of port a of module top"),
        ("ports.a", {"direction": "input"}, "bits of port a of module top"),
        ("netnames.a", {"bits": ["2"]}, "bits of net a of module top"),
        ("netnames.a", {"bits": [2], "offset": "3"}, "offset of net a of module top"),
        ("cells.u", {"type": "NOT"}, "connections of cell u of module top"),
        ("cells.u", {"type": 3, "connections": {}}, "type of cell u of module top"),
        ("cells.u", {"type": "NOT", "connections": {"A": 2}}, "pin A of cell u of module top"),
        ("cells.u", {"type": "NOT", "connections": {"A": [2.5]}}, "pin A of cell u of module top"),
        ("cells.u.attributes", {"hdlname": 3}, "attributes of cell u of module top"),
    ],
)
def test_structure(part: str, value: Any, message: str, tmp_path: Path) -> None:
    full = f"not a netlist of yosys: {message} is missing or of a wrong kind"
    with pytest.raises(NetlistError, match=re.escape(full)):
        read(tmp_path, top=changed(part, value))


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        (
            {"top": module(cells={"u": cell("FOO"), "v": cell("BAR")})},
            "is of type FOO, which library sparse does not hold (and 1 more such types): give the",
        ),
        (
            {"top": module(cells={"u": cell("in")}), "in": module(cells={"x": cell("$add")})},
            "instance u.x is a $add, which is not mapped to gates: map the design to a library",
        ),
        (
            {"top": module(cells={"u": cell("$_DFF_P_")})},
            "instance u is a $_DFF_P_, which is not mapped to gates",
        ),
        (
            {"top": module(cells={"u": cell("stub")}), "stub": module(blackbox="1")},
            "instance u is of type stub, which library sparse does not hold",
        ),
        (
            {"top": module({"a": A}, {"u": cell("NOT", A=[2], Z=[3])})},
            "instance u connects Z, which cell NOT of the library does not have",
        ),
        (
            {"top": module({"a": A}, {"u": cell("NOT", A=[2, 2], Y=[3])})},
            "instance u connects 2 bits to A, and cell NOT has 1",
        ),
        (
            {"top": module(cells={"u": cell("in", q=[2])}), "in": module({"a": A})},
            "instance u connects q, which module in does not have",
        ),
        (
            {"top": module({"a": A, "y": Y}, {"u": INVERTER, "v": INVERTER})},
            "net y has two drivers, u.Y and v.Y",
        ),
        (
            {"top": module({"a": A, "b": port("input", 3)}, {"u": INVERTER})},
            "net b has two drivers, input b and u.Y",
        ),
        (
            {"top": module({"a": A}, {"u": cell("NOT", A=[2], Y=["1"])})},
            "has two drivers, constant 1 and u.Y",
        ),
        (
            {
                "top": module({"a": A}, {"u": cell("in", k=["0"])}),
                "in": module({"k": port("output", "1")}),
            },
            "port k of u joins constant 0 and constant 1",
        ),
        (
            {
                "top": module(cells={"u": cell("one")}),
                "one": module(cells={"v": cell("two")}),
                "two": module(cells={"w": cell("one")}),
            },
            "module one holds an instance of itself (u.v.w)",
        ),
        (
            {"one": module(), "two": module()},
            "which module is the top is not clear: name one of one, two",
        ),
    ],
)
def test_meaning(modules: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(NetlistError, match=re.escape(message)) as error:
        read(tmp_path, **modules)
    assert "\n" not in str(error.value)


def test_a_top_that_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path, one=module(), two=module())
    with pytest.raises(NetlistError, match=r"holds no module three: choose the top among one, two"):
        read_netlist(path, sparse(tmp_path), top="three")
