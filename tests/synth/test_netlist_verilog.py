"""Structural Verilog, whichever tool wrote it."""

import re
import shutil
from pathlib import Path

import pytest

from spikewatt.base.errors import NetlistError
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.models import verilog_stubs
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import ONE, ZERO, Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.yosys import run_yosys
from tests.synth.designs import DESIGNS
from tests.synth.json_netlists import instance, named, sparse

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
HAND_WRITTEN = r"""
module leaf (input [0:1] in, output [4:3] out, output unused);
  NOT u (.A(in[0]), .Y(out[4]));
  BUF \odd.name[2] (.A(in[1]), .Y(out[3]));
endmodule
module \the.top (a, \b[0] , y);
  input [1:0] a; input \b[0] ; output [2:0] y;
  wire [1:0] middle;
  supply0 ground;
  leaf first (.in({\b[0] , a[1]}), .out(middle), .unused());
  leaf second (.in(middle), .out(y[1:0]));
  NAND g (a[0], 1'b1, y[2]);
  NOR \h$1 (.A(ground), .B(1'b0), .Y());
endmodule
"""


def read(folder: Path, text: str, top: str | None = None) -> Netlist:
    path = folder / "netlist.v"
    path.write_text(text)
    return read_netlist(path, sparse(folder), top=top)


def test_hand_written(tmp_path: Path) -> None:
    netlist = read(tmp_path, HAND_WRITTEN)
    assert netlist.name == "the.top"
    names = [one.name for one in netlist.instances]
    assert sorted(names) == [
        *("first.odd.name[2]", "first.u", "g", "h$1"),
        *("second.odd.name[2]", "second.u"),
    ]
    assert netlist.ports["b[0]"].nets == (instance(netlist, "first.u").pins["A"],)
    assert instance(netlist, "first.u").pins["Y"] == named(netlist, "middle[1]")
    assert instance(netlist, "first.u").pins["Y"] == instance(netlist, "second.u").pins["A"]
    assert named(netlist, "first.out[4]") == named(netlist, "middle[1]")
    assert named(netlist, "second.in[0]") == named(netlist, "middle[1]")
    assert instance(netlist, "g").pins["B"] == ONE
    assert {instance(netlist, "h$1").pins[pin] for pin in "AB"} == {ZERO}
    assert netlist.undriven == ()


def test_the_top_is_chosen(tmp_path: Path) -> None:
    assert read(tmp_path, HAND_WRITTEN, "leaf").name == "leaf"
    assert read(tmp_path, HAND_WRITTEN, "the.top").name == "the.top"
    with pytest.raises(NetlistError, match=r"no module le: choose the top among leaf, the\.top"):
        read(tmp_path, HAND_WRITTEN, "le")


def test_parameters(tmp_path: Path) -> None:
    text = """
    module top (input [2:0] a, output [2:0] y); row #(.WIDTH(3)) r (a, y); endmodule
    module row #(parameter WIDTH = 1) (input [WIDTH-1:0] a, output [WIDTH-1:0] y);
      genvar i;
      generate for (i = 0; i < WIDTH; i = i + 1) begin : bit NOT n (a[i], y[i]); end endgenerate
    endmodule
    """
    names = [one.name for one in read(tmp_path, text).instances]
    assert sorted(names) == ["r.bit[0].n", "r.bit[1].n", "r.bit[2].n"]


def comparable(netlist: Netlist) -> tuple[object, ...]:
    """What is the same whoever named the rest: nets by their public names."""
    public = [
        sorted(name for name in names if "$" not in name and not re.search(r"\b_\d+_", name))
        for names in netlist.names
    ]
    gates = sorted(
        (one.type, one.module, sorted((pin, public[net]) for pin, net in one.pins.items()))
        for one in netlist.instances
    )
    memories = [
        (
            *(memory.name, memory.module, memory.words, memory.width),
            *((p.kind, p.rising, tuple(public[n] for n in p.data)) for p in memory.ports),
        )
        for memory in netlist.memories
    ]
    ports = {name: tuple(public[n] for n in p.nets) for name, p in netlist.ports.items()}
    return gates, memories, ports, sorted(public), netlist.undriven


@pytest.mark.parametrize("top", DESIGNS)
def test_the_same_netlist_as_verilog_and_as_json(top: str) -> None:
    result = synthesise(DESIGNS[top], top, default_library_path())
    library = read_liberty(default_library_path())
    one, other = (read_netlist(path, library) for path in (result.netlist, result.verilog))
    assert comparable(one) == comparable(other)


def test_the_same_netlist_after_yosys_flattened_it(tmp_path: Path) -> None:
    """Public names, scopes, and the modules that cells come from."""
    outer = "module outer(input clk, rst, input [3:0] a, output [3:0] y); {} endmodule"
    use = "hierarchy u(.clk(clk), .rst(rst), .a(a), .y(y)); memory v(.clk(clk), .d(a), .ra(a));"
    text = outer.format(use) + DESIGNS["hierarchy"] + DESIGNS["memory"]
    result = synthesise(text, "outer", default_library_path())
    shutil.copy(result.netlist, tmp_path / "netlist.json")
    run_yosys("read_json netlist.json\nflatten\nwrite_json flat.json\n", tmp_path)
    library = read_liberty(default_library_path())
    whole, flat = (read_netlist(p, library) for p in (result.netlist, tmp_path / "flat.json"))
    assert {one.module for one in flat.instances} >= {"u", "u.first", "u.second"}
    assert comparable(whole) == comparable(flat)
    assert whole.attributes.keys() == flat.attributes.keys()


@pytest.mark.skipif(not OSU018.exists(), reason="needs Debian's qflow-tech-osu018")
def test_the_case_that_opensta_priced(tmp_path: Path) -> None:
    library = read_liberty(OSU018)
    case = Path(__file__).parents[1] / "data" / "opensta"
    netlist = read_netlist(case / "array2x2_osu018.v", library)
    priced = re.findall(r" (_\d+_)$", (case / "opensta_power.txt").read_text(), re.MULTILINE)
    assert sorted(one.name for one in netlist.instances) == sorted(priced)
    assert len(priced) == 732
    (tmp_path / "stubs.v").write_text(verilog_stubs(library))
    shutil.copy(case / "array2x2_osu018.v", tmp_path / "netlist.v")
    script = "read_verilog -lib stubs.v\nread_verilog netlist.v\nhierarchy -top sa\n"
    run_yosys(script + "write_json netlist.json\n", tmp_path)
    assert read_netlist(tmp_path / "netlist.json", library) == netlist


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module top(input a);\n  NOT u (.A(a)\nendmodule\n", "line 3: not a structural Verilog"),
        ("not verilog at all", "line 1: not a structural Verilog netlist"),
        ("module top(input a, output y);\n  NOT u (.A(a), .Y(y));\n", "not a structural Verilog"),
        (
            "module top(input a, b, output y); assign y = a + b; endmodule",
            "which is not mapped to gates",
        ),
        (
            "module top(input c, d, output reg q); always @(posedge c) q <= d; endmodule",
            "which is not mapped to gates",
        ),
        ("module top(input a); FOO u (.X(a)); endmodule", "instance u is of type FOO"),
        ("module top(input a); NOT u (.X(a)); endmodule", "cell NOT of the library does not have"),
        (
            "module top(input a, output y); NOT u (a, y); NOT v (a, y); endmodule",
            "net y has two drivers, u.Y and v.Y",
        ),
        (
            "module a(input x); BUF u (x, ); endmodule module b(input x); BUF u (x, ); endmodule",
            "which module is the top is not clear: name one of",
        ),
        ("// nothing\n", "it holds no module"),
    ],
)
def test_damage(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(NetlistError, match=re.escape(message)) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)
    assert "netlist.v" in str(error.value)
