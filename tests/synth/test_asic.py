"""Synthesis from the outside: sources, options, results, errors."""

import gzip
import json
import re
from pathlib import Path

import pytest

from spikewatt.base.errors import DataError, LibraryError, NetlistError, ParameterError, ToolError
from spikewatt.synth.asic import AsicResult, MappingOptions, synthesise
from spikewatt.synth.technology.library import default_library_path
from tests.base.words import Words
from tests.synth.designs import DESIGNS
from tests.synth.sparse_library import SPARSE

BUILT_IN = default_library_path()


def counts(top: str, gating: bool = True) -> AsicResult:
    return synthesise(DESIGNS[top], top, BUILT_IN, MappingOptions(clock_gating=gating))


def test_registers_and_clock_gates() -> None:
    gated, plain = counts("counter"), counts("counter", gating=False)
    assert (gated.flip_flops, gated.gated_flip_flops, gated.clock_gates) == (8, 8, 1)
    assert (plain.flip_flops, plain.gated_flip_flops, plain.clock_gates) == (8, 0, 0)
    assert (gated.gating, plain.gating) == ("library", "off")
    assert gated.latches == plain.latches == 0, "the latch of a clock gate is none of the design"


def test_too_few_registers_for_a_clock_gate() -> None:
    text = "module two(input c, e, input [1:0] d, output reg [1:0] q);"
    text += " always @(posedge c) if (e) q <= d; endmodule"
    assert synthesise(text, "two", BUILT_IN).clock_gates == 0


def test_other_state() -> None:
    assert counts("adder").flip_flops == 0
    assert counts("latch").latches == 8
    memory = counts("memory")
    assert (memory.memories, memory.memory_bits, memory.flip_flops) == (1, 16 * 6, 2)
    assert counts("lookup").memories == 0, "a table of constants is logic"
    twins = counts("twins")
    assert twins.flip_flops == 4 + 4 + 1, "twins merge, constants go, equal bits are one"


def test_what_is_no_hardware(tmp_path: Path) -> None:
    talk = 'always @(posedge c) begin q <= d; $display("%b", d); assert (d); end'
    text = f"module talks(input c, d, output reg q); {talk} endmodule"
    (tmp_path / "talks.sv").write_text(text)
    result = synthesise(tmp_path / "talks.sv", "talks", BUILT_IN)
    assert (result.cells, result.flip_flops) == (1, 1)
    assert "display" not in result.verilog.read_text()


def test_the_result_adds_up() -> None:
    result = counts("hierarchy")
    assert set(result.modules) == {"", "first", "second"}
    assert sum(result.modules.values()) == sum(result.types.values()) == result.cells
    assert list(result.types.values()) == sorted(result.types.values(), reverse=True)
    data = json.loads(json.dumps(result.to_json()))
    assert data["netlist"] == str(result.netlist)
    assert data["types"] == result.types


def test_files(tmp_path: Path) -> None:
    """Files that include others and load tables, named as people name files."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "width.vh").write_text("`define WIDTH 4\n")
    (tmp_path / "table.hex").write_text("\n".join(f"{3 * i % 16:x}" for i in range(16)))
    (tmp_path / "the top (1).v").write_text(
        '`include "sub/width.vh"\n'
        "module top(input [`WIDTH-1:0] a, output [3:0] y);\n"
        '  reg [3:0] rom [0:15]; initial $readmemh("table.hex", rom);\n'
        "  stage s(rom[a], y);\nendmodule\n"
    )
    (tmp_path / "stage.sv").write_text(
        "module stage(input logic [3:0] a, output logic [3:0] y); assign y = ~a; endmodule"
    )
    files = [tmp_path / "the top (1).v", tmp_path / "stage.sv"]
    result = synthesise(files, "top", BUILT_IN, out=tmp_path / "out")
    assert result.netlist == tmp_path / "out" / "top.json"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["top.json", "top.v"]
    assert re.search(r"module \\?stage", result.verilog.read_text()), "the hierarchy stays"
    assert result.cells > 4


def test_same_names_in_two_folders(tmp_path: Path) -> None:
    for name, text in (("a", "inner u(x, y);"), ("b", "")):
        (tmp_path / name).mkdir()
        kind = "outer" if name == "a" else "inner"
        body = text or "assign y = !x;"
        source = f"module {kind}(input x, output y); {body} endmodule"
        (tmp_path / name / "part.v").write_text(source)
    result = synthesise([tmp_path / n / "part.v" for n in "ab"], "outer", BUILT_IN)
    assert result.modules == {"u": 1}


def test_a_compressed_library_and_cells_left_out(tmp_path: Path) -> None:
    path = tmp_path / "small.lib.gz"
    path.write_bytes(gzip.compress(SPARSE.encode()))
    assert set(synthesise(DESIGNS["adder"], "adder", path).types) <= {"NAND", "NOR", "NOT", "BUF"}
    assert synthesise(DESIGNS["counter"], "counter", path).gating == "none"
    fewer = synthesise(DESIGNS["adder"], "adder", path, MappingOptions(dont_use=["NOR"]))
    assert "NOR" not in fewer.types


def test_nothing_is_done_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path))
    said = Words()
    first = synthesise(DESIGNS["adder"], "adder", BUILT_IN, progress=said)
    assert "mapping to gates" in said
    said.clear()
    assert synthesise(DESIGNS["adder"], "adder", BUILT_IN, progress=said) == first
    assert said == ["reading the netlist"]


def test_a_wrong_design(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"yosys failed: Module `other' not found"):
        synthesise(DESIGNS["adder"], "other", BUILT_IN)
    with pytest.raises(ToolError, match=r"yosys failed: design\.v:1: syntax error"):
        synthesise("module", "top", BUILT_IN)
    with pytest.raises(ToolError, match=r"Module `\\gone' referenced in module `\\top'"):
        synthesise("module top(input a); gone u(a); endmodule", "top", BUILT_IN)
    with pytest.raises(ParameterError, match=r"top must be the name of a module, not 'a; b'"):
        synthesise(DESIGNS["adder"], "a; b", BUILT_IN)
    with pytest.raises(DataError, match=r"none\.v cannot be read \(No such file"):
        synthesise([tmp_path / "none.v"], "top", BUILT_IN)
    (tmp_path / "binary.v").write_bytes(b"\xff\xfe\0")
    with pytest.raises(DataError, match=r"binary\.v is not Verilog: it is not text"):
        synthesise(tmp_path / "binary.v", "top", BUILT_IN)


def test_a_library_that_lacks_something(tmp_path: Path) -> None:
    whole = tmp_path / "sparse.lib"
    whole.write_text(SPARSE)

    def without(cell: str) -> Path:
        path = tmp_path / f"no_{cell}.lib"
        cells = [part for part in SPARSE.split("  cell ") if not part.startswith(f"({cell})")]
        path.write_text("  cell ".join(cells))
        return path

    for cell, kind in (("NOT", "inverter"), ("BUF", "buffer")):
        with pytest.raises(LibraryError, match=f"no_{cell}.lib holds no {kind}, which mapping"):
            synthesise(DESIGNS["adder"], "adder", without(cell))
    with pytest.raises(LibraryError, match=r"sparse\.lib holds no inverter, which mapping"):
        synthesise(DESIGNS["adder"], "adder", whole, MappingOptions(dont_use=["NO?"]))
    tristate = "module top(input a, e, output y); assign y = e ? a : 1'bz; endmodule"
    with pytest.raises(NetlistError, match=r"library sparse has no cell for .* of module top"):
        synthesise(tristate, "top", whole)
    with pytest.raises(ToolError, match="cannot be legalized: D flip-flops are not supported"):
        synthesise(DESIGNS["counter"], "counter", whole, MappingOptions(dont_use=["FLOP*"]))
    with pytest.raises(ToolError, match="cannot be legalized: D latches are not supported"):
        synthesise(DESIGNS["latch"], "latch", whole, MappingOptions(dont_use=["LATCH"]))


@pytest.mark.parametrize("version", ["0.69", "0.9"])
def test_an_old_yosys(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "yosys"
    fake.write_text(f'#!/bin/sh\necho "Yosys {version}"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("SPIKEWATT_YOSYS", str(fake))
    with pytest.raises(ToolError, match=rf"synthesis needs yosys 0\.70 or later, not {version}"):
        synthesise(DESIGNS["adder"], "adder", BUILT_IN)
