"""Memories of every shape in Verilog, beside what yosys maps them to, in Icarus."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from spikewatt.base.cache import cached
from spikewatt.synth.fpga.devices import Family
from spikewatt.synth.fpga.models import with_models
from spikewatt.synth.yosys import run_yosys, yosys_version

__all__ = ["SYNTHESIS", "Shape", "beside", "icarus", "map_shapes", "map_verilog"]

SYNTHESIS: dict[Family, str] = {
    "ecp5": "synth_ecp5 -no-rw-check",
    "ice40": "synth_ice40 -no-rw-check -device u -dsp -spram",
}
_STEPS = 2000


@dataclass(frozen=True)
class Shape:
    """A memory; ``kind`` is one of ``_BODIES``."""

    kind: str
    rows: int
    bits: int

    @property
    def name(self) -> str:
        """Of its module."""
        return f"{self.kind}_{self.rows}x{self.bits}"

    def verilog(self) -> str:
        """Module with one clock; every port sees part of the same inputs."""
        address = max(1, (self.rows - 1).bit_length())
        body = _BODIES[self.kind].format(rows=self.rows, last=self.bits - 1, a=address - 1)
        return (
            f"module {self.name}(input clk, input we, input re, input clear,\n"
            f"    input [15:0] ra, input [15:0] wa, input [71:0] d, input [71:0] be,\n"
            f"    output reg [{self.bits - 1}:0] q);\n{body}endmodule\n"
        )


_ARRAY = '  (* ram_style = "block" *) reg [{last}:0] mem [0:{rows}-1];\n'
_READ = "  always @(posedge clk) if (re) q <= mem[ra[{a}:0]];\n"
_BODIES = {
    "plain": _ARRAY + "  always @(posedge clk) if (we) mem[wa[{a}:0]] <= d[{last}:0];\n" + _READ,
    "bitwise": _ARRAY + "  integer k;\n  always @(posedge clk)\n"
    "    for (k = 0; k <= {last}; k = k + 1) if (we && be[k]) mem[wa[{a}:0]][k] <= d[k];\n" + _READ,
    "bytes": _ARRAY + "  integer k;\n  always @(posedge clk)\n"
    "    for (k = 0; k <= {last}; k = k + 9)\n"
    "      if (we && be[k]) mem[wa[{a}:0]][k +: 9] <= d[k +: 9];\n" + _READ,
    "cleared": _ARRAY + "  always @(posedge clk) if (we) mem[wa[{a}:0]] <= d[{last}:0];\n"
    "  always @(posedge clk) if (clear) q <= 0; else if (re) q <= mem[ra[{a}:0]];\n",
    "shared": _ARRAY + "  always @(posedge clk)\n"
    "    if (we) mem[wa[{a}:0]] <= d[{last}:0]; else if (re) q <= mem[wa[{a}:0]];\n",
    "constant": _ARRAY + "  integer k;\n  initial for (k = 0; k < {rows}; k = k + 1)\n"
    "    mem[k] = (k + 1) * 72'h9e3779b97f4a7c15f3 >> 30;\n" + _READ,
}
_BENCH = """module bench;
  reg clk = 0, we = 0, re = 0, clear = 0;
  reg [15:0] ra = 0, wa = 0;
  reg [71:0] d = 0, be = 0;
  integer k;
{parts}
  mapped netlist (.clk(clk), .we(we), .re(re), .clear(clear), .ra(ra), .wa(wa), .d(d), .be(be),
      {ports});
  integer step, seed = 1;
  initial begin
    for (step = 0; step < {steps}; step = step + 1) begin
      {{we, re}} = $random(seed);
      clear = ($random(seed) & 15) == 0;
      wa = {{16{{step[8]}}}} ^ ($random(seed) & 15);
      ra = {{16{{step[8]}}}} ^ ($random(seed) & (step[9] ? 15 : -1));
      if (($random(seed) & 3) == 0) ra = wa;
      d = {{$random(seed), $random(seed), $random(seed)}};
      be = {{$random(seed), $random(seed), $random(seed)}};
{before}      #1 clk = 1;
      #1;
{after}      clk = 0;
      #1;
    end
{end}    $finish;
  end
endmodule
"""


def map_verilog(verilog: str, top: str, family: Family, *, script: str = "") -> Path:
    """Folder of ``netlist.v``, ``netlist.json`` and yosys's log of a module mapped to a family."""
    commands = (
        f"read_verilog -sv design.v\n{script}{SYNTHESIS[family]} -top {top}\n"
        "write_json netlist.json\nwrite_verilog -noattr netlist.v\n"
    )

    def build(folder: Path) -> None:
        (folder / "design.v").write_text(verilog)
        run_yosys(commands, folder)

    return cached("mapped", [verilog, commands], build, tools={"yosys": yosys_version()})


def beside(
    shapes: list[Shape], family: Family, folder: Path, broken: tuple[str, str] = ("", "")
) -> dict[str, tuple[int, int, int]]:
    """Of each shape: values that differ, values compared that are no X, clashes that show.

    ``broken``: a pattern, and what replaces its first occurrence in the netlist.
    """
    netlist = (map_shapes(shapes, family) / "netlist.v").read_text()
    if broken[0]:
        assert re.search(broken[0], netlist), broken[0]
        netlist = re.sub(broken[0], broken[1], netlist, count=1)
    parts = [with_models(netlist, family), *(shape.verilog() for shape in shapes), _bench(shapes)]
    lines = icarus("\n".join(parts), folder).splitlines()
    found = {name: (int(a), int(b), int(c)) for name, a, b, c in map(str.split, lines)}
    assert found.keys() == {shape.name for shape in shapes}
    return found


def icarus(verilog: str, folder: Path) -> str:
    """What a simulation of module ``bench`` prints."""
    if not shutil.which("iverilog"):
        pytest.skip("Icarus is missing: apt-get install iverilog")
    source, program = folder / "bench.v", folder / "bench.vvp"
    source.write_text(verilog)
    words = ["iverilog", "-g2012", "-s", "bench", "-o", str(program), str(source)]
    built = subprocess.run(words, capture_output=True, text=True, check=False)
    assert not built.returncode, built.stderr
    run = ["vvp", "-n", str(program)]
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout


def map_shapes(shapes: list[Shape], family: Family) -> Path:
    """Folder of the netlist of all shapes side by side, module ``mapped``."""
    ports = [f"output [{shape.bits - 1}:0] q_{shape.name}" for shape in shapes]
    instances = [
        f"  {shape.name} {shape.name}(clk, we, re, clear, ra, wa, d, be, q_{shape.name});\n"
        for shape in shapes
    ]
    top = (
        "module mapped(input clk, we, re, clear, input [15:0] ra, wa, input [71:0] d, be,\n"
        f"    {', '.join(ports)});\n{''.join(instances)}endmodule\n"
    )
    return map_verilog("".join(shape.verilog() for shape in shapes) + top, "mapped", family)


def _bench(shapes: list[Shape]) -> str:
    ports = ", ".join(f".q_{s.name}(mapped_{s.name})" for s in shapes)
    return _BENCH.format(
        parts="".join(_declared(shape) for shape in shapes),
        ports=ports,
        steps=_STEPS,
        before="".join(_expected(shape) for shape in shapes),
        after="".join(f"      check_{shape.name};\n" for shape in shapes),
        end="".join(
            f'    $display("{name} %0d %0d %0d", wrong_{name}, known_{name}, open_{name});\n'
            for name in (shape.name for shape in shapes)
        ),
    )


def _declared(shape: Shape) -> str:
    name = shape.name
    return f"""  wire [{shape.bits - 1}:0] q_{name}, mapped_{name};
  {name} rtl_{name} (clk, we, re, clear, ra, wa, d, be, q_{name});
  integer wrong_{name} = 0, known_{name} = 0, open_{name} = 0;
  reg clash_{name} = 0;
  task check_{name};
    if (clash_{name}) open_{name} = open_{name} + (^mapped_{name} === 1'bx);
    else begin
      for (k = 0; k < {shape.bits}; k = k + 1)
        wrong_{name} = wrong_{name} + (q_{name}[k] !== 1'bx && mapped_{name}[k] !== q_{name}[k]);
      known_{name} = known_{name} + (^mapped_{name} !== 1'bx);
    end
  endtask
"""


def _expected(shape: Shape) -> str:
    """Before a clock edge: will what is read be what is being written?"""
    at = f"[{max(1, (shape.rows - 1).bit_length()) - 1}:0]"
    clash = {"shared": "0", "constant": "0"}.get(shape.kind, f"we && ra{at} == wa{at}")
    lines = f"if (re) clash_{shape.name} = {clash};"
    if shape.kind == "cleared":
        lines = f"if (clear) clash_{shape.name} = 0; else {lines}"
    return f"      {lines}\n"
