"""Models of FPGA cells: what yosys maps to them does what the Verilog says, or shows noise."""

import re
import subprocess
from pathlib import Path

import pytest

from spikewatt.base.errors import NetlistError, ToolError
from spikewatt.synth.fpga.devices import Family
from spikewatt.synth.fpga.models import cell_models, with_models
from tests.synth.fpga_memories import Shape, beside, icarus, map_shapes, map_verilog

CLASHES = 200
"""Fewest reads of what is being written, of the steps of a bench."""


def cases(family: Family, deepest: int) -> list[Shape]:
    """Every width of a port; contents, clears, masks; several blocks for one memory.

    ``deepest``: rows of the longest memory with contents, which yosys takes its time for.
    """
    if family == "ecp5":
        widths = {16384: 1, 8192: 2, 4096: 4, 2048: 9, 1024: 18, 512: 36}
        more = [
            Shape("plain", 1024, 41),
            *(Shape(kind, 1024, 18) for kind in ("cleared", "bytes", "shared")),
            *(Shape(kind, 512, 36) for kind in ("cleared", "bytes")),
        ]
    else:
        widths = {2048: 2, 1024: 4, 512: 8, 256: 16}
        more = [
            Shape("plain", 512, 21),
            *(Shape(kind, 256, 16) for kind in ("cleared", "bitwise", "shared")),
            Shape("bitwise", 256, 5),
        ]
    plain = [Shape("plain", *size) for size in widths.items()]
    constant = [Shape("constant", *size) for size in widths.items() if size[0] <= deepest]
    return plain + constant + more


@pytest.mark.parametrize(
    ("family", "deepest"),
    [
        ("ecp5", 512),
        ("ice40", 256),
        pytest.param("ecp5", 16384, marks=pytest.mark.long),
        pytest.param("ice40", 2048, marks=pytest.mark.long),
    ],
)
def test_memories(family: Family, deepest: int, tmp_path: Path) -> None:
    shapes = cases(family, deepest)
    text = (map_shapes(shapes, family) / "netlist.v").read_text()
    assert "TRELLIS_DPR16X4" not in text
    widths = set(re.findall(r"\.(?:DATA_WIDTH_[AB]|READ_MODE)\((\S+)\)", text))
    assert len(widths) == (6 if family == "ecp5" else 4)
    found = beside(shapes, family, tmp_path)
    for shape in shapes:
        wrong, known, clashes = found[shape.name]
        assert wrong == 0, shape
        assert known > 800, shape
        assert (clashes > CLASHES) == (shape.kind not in ("shared", "constant")), shape


WRONG = {
    "look-up table": (r"(\.INIT\()16'h\w+", r"\g<1>16'h0000"),
    "address": (r"\.ADB4\((.*?)\),(\s*)\.ADB5\((.*?)\)", r".ADB4(\3),\2.ADB5(\1)"),
    "data": (r"\.DIA0\((.*?)\)", r".DIA0(1'b1)"),
    "enable": (r"(\.CEB\()(?:.*?)\)", r"\g<1>1'h1)"),
    "width": (r"(\.DATA_WIDTH_B\(32'd)18", r"\g<1>9"),
    "contents": (r"(\.INITVAL_00\(320'h\w{79})[1-9a-f]", r"\g<1>0"),
}
FIRST = ("look-up table", "address", "contents")
"""Faults that every run of the tests puts in: one in logic, one in wires, one in a memory."""


@pytest.mark.parametrize(
    ("pattern", "other"),
    [
        pytest.param(pattern, other, id=name, marks=[pytest.mark.long] * (name not in FIRST))
        for name, (pattern, other) in WRONG.items()
    ],
)
def test_a_wrong_netlist_shows(pattern: str, other: str, tmp_path: Path) -> None:
    shapes = [Shape("bytes", 1024, 18), Shape("constant", 1024, 18)]  # right, they are right: above
    found = beside(shapes, "ecp5", tmp_path, broken=(pattern, other))
    assert sum(wrong for wrong, _, _ in found.values()) > 0


PRODUCTS = {
    "unsigned_9x9": (9, 9, "a * b"),
    "unsigned_18x18": (18, 18, "a * b"),
    "signed_18x18": (18, 18, "$signed(a) * $signed(b)"),
    "signed_16x12": (16, 12, "$signed(a) * $signed(b)"),
    "signed_24x17": (24, 17, "$signed(a) * $signed(b)"),
}


@pytest.mark.parametrize(("family", "cell"), [("ecp5", "MULT18X18D"), ("ice40", "SB_MAC16")])
def test_multipliers(family: Family, cell: str, tmp_path: Path) -> None:
    ports = ", ".join(f"output [{a + b - 1}:0] {name}" for name, (a, b, _) in PRODUCTS.items())
    body = "".join(
        f"  product_{name} {name}_part(x[{a - 1}:0], y[{b - 1}:0], {name});\n"
        for name, (a, b, _) in PRODUCTS.items()
    )
    parts = "".join(
        f"module product_{name}(input [{a - 1}:0] a, input [{b - 1}:0] b, "
        f"output [{a + b - 1}:0] y);\n  assign y = {value};\nendmodule\n"
        for name, (a, b, value) in PRODUCTS.items()
    )
    text = f"{parts}module products(input [23:0] x, y, {ports});\n{body}endmodule\n"
    netlist = (map_verilog(text, "products", family) / "netlist.v").read_text()
    assert netlist.count(f"{cell} ") >= len(PRODUCTS)
    names = ", ".join(PRODUCTS)
    mapped = netlist.replace("module products(", "module mapped(", 1)
    wires = "".join(f"  wire [{a + b - 1}:0] {n}, m_{n};\n" for n, (a, b, _) in PRODUCTS.items())
    bench = f"""module bench;
  reg [23:0] x, y;
{wires}  products rtl (.x(x), .y(y), {", ".join(f".{n}({n})" for n in PRODUCTS)});
  mapped netlist (.x(x), .y(y), {", ".join(f".{n}(m_{n})" for n in PRODUCTS)});
  integer k, wrong = 0;
  initial begin
    for (k = 0; k < 2000; k = k + 1) begin
      x = $random; y = $random;
      if (k < 64) begin x = {{24{{k[0]}}}} ^ (k >> 2 & 3); y = {{24{{k[1]}}}} ^ (k >> 4); end
      #1 wrong = wrong + ({{{names}}} !== {{{", ".join(f"m_{n}" for n in PRODUCTS)}}});
    end
    $display("%0d of %0d", wrong, k);
  end
endmodule
"""
    assert icarus(with_models(mapped, family) + text + bench, tmp_path) == "0 of 2000\n"


@pytest.mark.parametrize(
    ("cell", "family"), [("PDPW16KD", "ecp5"), ("EHXPLLL", "ecp5"), ("SB_HFOSC", "ice40")]
)
def test_a_cell_without_a_model_is_named(cell: str, family: Family) -> None:
    netlist = f"module top(a);\n  input a;\n  {cell} #(\n    .X(1)\n  ) one (\n  );\nendmodule\n"
    with pytest.raises(NetlistError, match=f"no model of {cell} in {family}: a netlist with it"):
        with_models(netlist, family)


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ('DP16KD #(.REGMODE_A("OUTREG")) one ();', "DP16KD_WITH_AN_OUTPUT_REGISTER"),
        ('DP16KD #(.CSDECODE_B("0b001")) one ();', "DP16KD_WITH_DECODED_SELECTS"),
        ('MULT18X18D #(.REG_OUTPUT_CLK("CLK0")) one ();', "MULT18X18D_WITH_REGISTERS"),
    ],
)
def test_a_mode_without_a_model_is_named(cell: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=f"{complaint}_HAS_NO_MODEL"):
        icarus(
            cell_models("ecp5", ["DP16KD", "MULT18X18D"]) + f"module bench;\n  {cell}\nendmodule\n",
            tmp_path,
        )


def test_yosys_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A yosys chosen by hand brings its own library."""
    theirs = cell_models("ice40", ["SB_LUT4"])
    program, share = tmp_path / "bin" / "yosys", tmp_path / "share" / "yosys" / "ice40"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("SPIKEWATT_YOSYS", str(program))
    with pytest.raises(ToolError, match="cell models of yosys are missing: pip install"):
        cell_models("ice40", ["SB_LUT4"])
    share.mkdir(parents=True)
    (share / "cells_sim.v").write_text("\nmodule SB_LUT4 (output O);\nendmodule\n")
    assert "module SB_LUT4 (output O);" in cell_models("ice40", ["SB_LUT4"])
    assert "module SB_LUT4 (output O);" not in theirs


def test_every_model_compiles(tmp_path: Path) -> None:
    """Together, and not only those that some test happens to use."""
    placed = {"TRELLIS_COMB", "ICESTORM_LC", "ICESTORM_RAM"}  # cells of place and route
    for family in ("ecp5", "ice40"):
        names = set(re.findall(r"^module (\w+)", cell_models(family), re.MULTILINE)) - placed
        assert {"ecp5": {"DP16KD", "LUT4"}, "ice40": {"SB_RAM40_4K", "SB_LUT4"}}[family] <= names
        icarus(cell_models(family, sorted(names)) + "module bench; endmodule\n", tmp_path)


def test_icarus_itself_fails_the_bench(tmp_path: Path) -> None:
    with pytest.raises((AssertionError, subprocess.CalledProcessError)):
        icarus("module bench; nowhere here (); endmodule\n", tmp_path)
