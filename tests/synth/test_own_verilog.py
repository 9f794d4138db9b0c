"""Our Verilog, read by ourselves, by OpenSTA, and by a simulator."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from spikewatt.base.errors import NetlistError
from spikewatt.synth.asic import MappingOptions, synthesise
from spikewatt.synth.asic_result import AsicResult
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.energy.circuits import Circuit, bench
from tests.energy.event_driven import read_trace, simulate

BUILT_IN = default_library_path()
LIBRARY = read_liberty(BUILT_IN)
# Reads of every kind: with and without a clock and an enable, through what is written at the same
# edge, with reset, at the other edge; writes by bytes and by two ports. Signed, as one often is.
MEMORIES = Circuit(
    "memories",
    """module dut(input clk, we, re, rst, input [1:0] be, input [2:0] a, b, input signed [7:0] d,
  output reg [7:0] p, q, r, s, output [7:0] t, u);
reg [7:0] one [0:7], two [0:7], three [0:5]; reg [2:0] at;
always @(posedge clk) begin
  if (we) one[a] <= d;
  if (re) p <= one[b];
  q <= one[b];
  at <= a;
  if (be[0]) two[a][3:0] <= d[3:0];
  if (be[1]) two[a][7:4] <= d[7:4];
  if (we & re) two[b] <= ~d;
  if (rst) r <= 8'h5a; else if (re) r <= two[b];
end
always @(posedge clk) if (we) three[a] <= d;
always @(negedge clk) s <= three[b];
assign t = one[at];
assign u = three[a];
integer i;
initial begin for (i = 0; i < 8; i = i + 1) begin one[i] = i; two[i] = 3 * i; three[i] = 7; end
  p = 0; q = 0; r = 0; s = 0; at = 0; end
endmodule
""",
    {"we": 1, "re": 1, "be": 2, "a": 3, "b": 3, "d": 8},
    {"p": 8, "q": 8, "r": 8, "s": 8, "t": 8, "u": 8},
    resets={"rst": 0},
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> AsicResult:
    out = tmp_path_factory.mktemp("own") / "out"
    return synthesise(MEMORIES.verilog, "dut", BUILT_IN, out=out)


def test_it_is_structural(result: AsicResult) -> None:
    text = result.verilog.read_text()
    assert re.findall(r"\b(always|initial|reg|signed|if)\b", text) == []
    assert re.findall(r"^ *input \[7:0\] d;", text, re.MULTILINE), "its own is signed"
    assert len(re.findall(r"^  spikewatt_memory_\d+ ", text, re.MULTILINE)) == 3
    assert [path.name for path in result.simulation] == ["dut.v", "dut_memories.v"]


def test_assignments_have_one_name_on_their_left(tmp_path: Path) -> None:
    """OpenSTA reads no concatenation there."""
    text = """module dut(input a, b, output [4:0] y);
    assign y = {a & b, 1'b0, a | b, 1'b1, a}; endmodule"""
    out = synthesise(text, "dut", BUILT_IN, out=tmp_path / "out").verilog.read_text()
    assert sorted(re.findall(r"assign (.*?) =", out)) == ["y[1:0]", "y[3]"]


def test_it_is_the_netlist_of_the_json(result: AsicResult) -> None:
    one, other = (read_netlist(path, LIBRARY) for path in (result.netlist, result.verilog))
    assert [(i.name, i.type) for i in one.instances] != []
    assert {i.name: i.type for i in one.instances} == {i.name: i.type for i in other.instances}
    assert set(map(frozenset, one.names[2:])) == set(map(frozenset, other.names[2:]))
    shapes = [
        {
            (m.name, m.words, m.width): [
                (p.kind, p.clock is not None, p.rising, [one_of(netlist, n) for n in p.address])
                for p in m.ports
            ]
            for m in netlist.memories
        }
        for netlist in (one, other)
    ]
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == 3
    assert other.black_boxes == ()


def one_of(netlist, net: int) -> frozenset[str]:
    return frozenset(netlist.names[net])


def test_it_does_what_the_rtl_does(result: AsicResult, tmp_path: Path) -> None:
    netlist = [path.read_text() for path in result.simulation]
    cells = verilog_models(LIBRARY, result.types)
    traces = []
    for name, sources in (("rtl", [MEMORIES.verilog]), ("gates", [*netlist, cells])):
        (tmp_path / name).mkdir()
        simulate([bench(MEMORIES, "all.vcd"), *sources], tmp_path / name)
        traces.append(read_trace(tmp_path / name / "all.vcd", "tb.dut"))
    rows = [f"{name}[{bit}]" for name, width in MEMORIES.outputs.items() for bit in range(width)]
    for row in rows:
        assert traces[0].changes[row] == traces[1].changes[row], row
    assert sum(traces[0].toggles(row) for row in rows) > 1000


@pytest.mark.skipif(shutil.which("sta") is None, reason="needs Debian's opensta")
def test_opensta_reads_it(result: AsicResult, tmp_path: Path) -> None:
    script = tmp_path / "read.tcl"
    script.write_text(
        f"read_liberty {BUILT_IN}\nread_verilog {result.verilog}\nlink_design dut\n"
        'puts "cells [llength [get_cells *]]"\nexit\n'
    )
    run = subprocess.run(
        ["sta", "-no_splash", "-exit", script], capture_output=True, text=True, check=False
    )
    said = run.stdout + run.stderr
    assert "rror" not in said, said
    assert f"cells {result.cells + 3}" in said, said


def test_a_memory_that_is_not_as_we_write_it(result: AsicResult, tmp_path: Path) -> None:
    (tmp_path / "dut.v").write_text(result.verilog.read_text().replace("SIZE=", "SITE="))
    with pytest.raises(NetlistError, match=r"memory \w+ is not as yosys writes it \(KeyError"):
        read_netlist(tmp_path / "dut.v", LIBRARY, top="dut")


def test_names_are_the_same_everywhere(tmp_path: Path) -> None:
    """RTL that yosys wrote has nets `_0_` of its own, which ours must not be taken for."""
    text = """module dut(input clk, input [3:0] a, output reg [3:0] q); wire [3:0] _0_ = ~a;
    always @(posedge clk) q <= _0_ + q; endmodule"""
    made = synthesise(text, "dut", BUILT_IN, MappingOptions(clock_gating=False))
    for path in (made.netlist, made.verilog):
        netlist = read_netlist(path, LIBRARY)
        names = {name for names in netlist.names[2:] for name in names}
        hidden = {name for name in names if not re.match(r"(clk|a|q|_0_)(\[\d\])?$", name)}
        assert hidden
        assert [name for name in hidden if not re.fullmatch(r"_g\d+_(\[\d+\])?", name)] == []
        assert all(re.fullmatch(r"_g\d+_", each.name) for each in netlist.instances)
