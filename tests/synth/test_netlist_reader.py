"""Netlists as yosys's JSON: every way in which a net can be named, joined, or left open."""

import gzip
from pathlib import Path

import pytest

from spikewatt.synth.netlist.netlist import ONE, ZERO
from spikewatt.synth.netlist.reader import read_netlist
from tests.synth.json_netlists import (
    cell,
    instance,
    module,
    named,
    net,
    port,
    read,
    sparse,
    write,
)


def test_a_gate(tmp_path: Path) -> None:
    netlist = read(
        tmp_path,
        top=module(
            {"a": port("input", 2), "b": port("input", 3), "y": port("output", 4)},
            {"u1": cell("NAND", A=[2], B=[3], Y=[4])},
        ),
    )
    assert netlist.name == "top"
    (gate,) = netlist.instances
    assert (gate.name, gate.type, gate.module) == ("u1", "NAND", "")
    assert [netlist.names[gate.pins[pin]] for pin in "ABY"] == [("a",), ("b",), ("y",)]
    assert netlist.ports["y"].direction == "output"
    assert netlist.ports["y"].nets == (gate.pins["Y"],)
    assert netlist.undriven == ()
    assert len(netlist.names) == 5


def test_bits_are_counted_as_the_rtl_counts(tmp_path: Path) -> None:
    netlist = read(
        tmp_path,
        top=module(
            {"a": port("input", 2, 3, 4)},
            nets={
                "up": net(2, 3, 4, upto=1),
                "far": net(2, 3, offset=5),
                "both": net(3, 4, offset=5, upto=1),
                "single": net(4),
                "one_of": net(4, offset=7),
            },
        ),
    )
    low, middle, high = netlist.ports["a"].nets
    assert netlist.names[low] == ("a[0]", "up[2]", "far[5]")
    assert netlist.names[middle] == ("a[1]", "up[1]", "far[6]", "both[6]")
    assert netlist.names[high] == ("a[2]", "up[0]", "both[5]", "single", "one_of[7]")


def test_names_that_were_made_up_come_last(tmp_path: Path) -> None:
    netlist = read(
        tmp_path,
        top=module(
            {"a": port("input", 2)},
            nets={
                "$abc$1$n3": net(2, hide_name=1),
                "_12_": net(2),
                "u._3_": net(2),
                "\\$like": net(2),
                "a.b[3].c": net(2),
                "_12_a": net(2),
            },
        ),
    )
    assert netlist.names[netlist.ports["a"].nets[0]] == (
        *("a", "$like", "a.b[3].c", "_12_a"),
        *("$abc$1$n3", "_12_", "u._3_"),
    )


def test_constants(tmp_path: Path) -> None:
    netlist = read(
        tmp_path,
        top=module(
            {"y": port("output", 2), "k": port("output", "1", "0", "x")},
            {"u": cell("NAND", A=["1"], B=["x"], Y=[2]), "v": cell("NOT", A=["0"], Y=["z"])},
            {"tied": net("1", "z")},
        ),
    )
    assert dict(instance(netlist, "u").pins) == {"A": ONE, "B": ZERO, "Y": named(netlist, "y")}
    assert dict(instance(netlist, "v").pins) == {"A": ZERO}
    assert netlist.ports["k"].nets == (ONE, ZERO, ZERO)
    assert netlist.names[ONE] == ("k[0]", "tied[0]")


PAIR = module(
    {"i": port("input", 5, 6), "o": port("output", 9, 6), "k": port("output", "1")},
    {"u": cell("NOT", A=[5], Y=[9])},
    {"inside": net(9)},
    role="datapath",
    kind="pair",
)


def test_hierarchy(tmp_path: Path) -> None:
    """Ports join what is on their two sides, straight through and to constants too."""
    netlist = read(
        tmp_path,
        top=module(
            {"a": port("input", 2), "b": port("input", 3), "y": port("output", 7, 8, 9)},
            {
                "left": cell("pair", i=[2, 3], o=[4, 5], k=[9]),
                "right": cell("pair", {"role": "control"}, i=[4, 5], o=[7, 8]),
            },
        ),
        pair=PAIR,
    )
    assert [one.name for one in netlist.instances] == ["left.u", "right.u"]
    assert [one.module for one in netlist.instances] == ["left", "right"]
    first, second = (instance(netlist, name).pins for name in ("left.u", "right.u"))
    assert (
        first["Y"] == second["A"] == named(netlist, "left.inside") == named(netlist, "right.i[0]")
    )
    through = netlist.ports["b"].nets[0]
    assert netlist.ports["y"].nets == (second["Y"], through, ONE)
    assert set(netlist.names[through]) == {
        *("b", "y[1]", "left.i[1]", "left.o[1]", "right.i[1]", "right.o[1]")
    }
    assert netlist.attributes["left"]["role"] == "datapath"
    assert netlist.attributes["right"] == {"role": "control", "kind": "pair"}
    assert netlist.undriven == ()


def test_open_inputs_are_listed(tmp_path: Path) -> None:
    netlist = read(
        tmp_path,
        top=module(
            {"y": port("output", 3), "w": port("output", 4), "pad": port("inout", 8)},
            {
                "sub": cell("pair", i=[7, "z"], o=[4, 5]),
                "u": cell("NAND", A=[2], Y=[3]),
                "v": cell("NOT", A=[8], Y=[]),
            },
            {"nobody": net(2)},
        ),
        pair=PAIR,
    )
    open_ends = [netlist.names[at] for at in netlist.undriven]
    assert ("nobody",) in open_ends
    assert ("u.B",) in open_ends
    assert any("sub.i[0]" in names for names in open_ends)
    assert len(open_ends) == 3, "the pad may be driven from outside; nothing reads sub.i[1]"
    assert "Y" not in instance(netlist, "v").pins


@pytest.mark.parametrize(
    ("name", "attributes", "path"),
    [
        ("$flatten\\acc.$abc$1$auto$2", {}, "acc"),
        ("$flatten\\core.\\lif.\\u[3].$abc$1$auto$2", {}, "core.lif.u[3]"),
        ("$flatten\\core.$flatten\\lif.$auto$2", {}, "core.lif"),
        ("$flatten\\gen[0].u.$auto$ff.cc:1.2:slice$3", {}, "gen[0].u"),
        ("$abc$23$blif.x", {}, ""),
        ("core.lif.u1", {}, "core.lif"),
        ("core.odd.u1", {"hdlname": "core odd.u1"}, "core"),
        ("u1", {"hdlname": "u1"}, ""),
    ],
)
def test_modules_of_flattened_cells(
    name: str, attributes: dict[str, str], path: str, tmp_path: Path
) -> None:
    inner = module({"a": port("input", 2)}, {name: cell("NOT", attributes, A=[2], Y=[3])})
    flat = read(tmp_path, top=inner)
    assert flat.instances[0].module == path
    outer = module({"a": port("input", 2)}, {"sub": cell("inner", a=[2])})
    nested = read(tmp_path, top=outer, inner=inner)
    assert nested.instances[0].module == (f"sub.{path}" if path else "sub")
    assert nested.instances[0].name == f"sub.{name}"


def test_scopes_that_flattening_leaves(tmp_path: Path) -> None:
    left = {"hdlname": "core lif", "module_role": "datapath", "cell_note": "7", "module": "lif"}
    netlist = read(
        tmp_path,
        top=module(
            cells={"core.lif": cell("$scopeinfo", left), "core": cell("$scopeinfo")},
            role="control",
        ),
    )
    assert netlist.attributes == {
        "": {"role": "control"},
        "core.lif": {"role": "datapath", "note": "7"},
        "core": {},
    }
    assert netlist.instances == ()


def test_compressed(tmp_path: Path) -> None:
    path = write(tmp_path, top=module({"a": port("input", 2)}))
    packed = tmp_path / "netlist.json.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_netlist(packed, sparse(tmp_path)) == read_netlist(path, sparse(tmp_path))


def test_the_top(tmp_path: Path) -> None:
    leaf, holder = module(), module(cells={"u": cell("leaf")})
    stub = module(blackbox="00000000000000000000000000000001")
    assert read(tmp_path, holder=holder, leaf=leaf, stub=stub, NAND=module()).name == "holder"
    assert read(tmp_path, "leaf", holder=holder, leaf=leaf).name == "leaf"
    marked = module(top="00000000000000000000000000000001")
    assert read(tmp_path, one=module(), two=marked).name == "two"


def test_the_cell_of_the_library_goes_before_a_module(tmp_path: Path) -> None:
    netlist = read(
        tmp_path,
        top=module({"a": port("input", 2)}, {"u": cell("NOT", A=[2], Y=[3])}),
        NOT=module({"A": port("input", 2), "Y": port("output", 3)}, {"x": cell("$_NOT_")}),
    )
    assert [one.type for one in netlist.instances] == ["NOT"]
