"""Clockless circuits for the replay, simulated as RTL and as mapped gates.

The gates are judged by Icarus from yosys's own Verilog: cells without delays, and only the gate
behind a recorded net has the delay that the model of its cell has. So both runs keep the same time.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.router.bridges import FromLink, ToLink
from spikewatt.hdl.router.click import Fork, Merge, Stage
from spikewatt.hdl.router.link import Link
from spikewatt.model.params import Delays
from spikewatt.synth.asic import AsicResult, synthesise
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.verilog import export

__all__ = ["CIRCUITS", "PLAIN_CELLS", "Circuit", "gates_of", "simulate"]

WIDTH = 8
# Of the tests alone, whatever the defaults are.
DELAYS = Delays(fire=150, link=250, route=500, mutex=80)
TOKENS = 100

_PIPELINE = """
module tb;
  reg rst = 1, ra = 0, rb = 0, kx = 0, ky = 0;
  reg [7:0] da = 0, db = 0;
  wire ka, kb, rx, ry;
  wire [7:0] dx, dy;
  integer sa = 7, sb = 11, sx = 13, sy = 17;
  dut dut (.rst(rst), .a__req(ra), .a__data(da), .a__ack(ka), .b__req(rb), .b__data(db),
    .b__ack(kb), .x__req(rx), .x__ack(kx), .x__data(dx), .y__req(ry), .y__ack(ky), .y__data(dy));
  initial #1000 rst = 0;
  initial begin
    #2000;
    repeat (TOKENS) begin
      #(1 + $unsigned($random(sa)) % 3000) da = $random(sa);
      #13 ra = ~ra;
      wait (ka == ra);
    end
  end
  initial begin
    #2500;
    repeat (TOKENS) begin
      #(1 + $unsigned($random(sb)) % 3000) db = $random(sb);
      #17 rb = ~rb;
      wait (kb == rb);
    end
  end
  always begin wait (rx != kx); #(1 + $unsigned($random(sx)) % 1500) kx = rx; end
  always begin wait (ry != ky); #(1 + $unsigned($random(sy)) % 1500) ky = ry; end
  initial begin #BEGIN $dumpfile("wave.vcd"); $dumpvars(0, dut); #LENGTH $finish; end
endmodule
"""
_MIXED = """
module tb;
  reg clk = 0, rst = 1;
  wire [7:0] sum;
  dut dut (.clk(clk), .rst(rst), .sum(sum));
  always #5000 clk = ~clk;
  initial #57300 rst = 0;
  initial begin #BEGIN $dumpfile("wave.vcd"); $dumpvars(0, dut); #LENGTH $finish; end
endmodule
"""

PLAIN_CELLS = """
module click_fire #(parameter D = 1) (input a, output y); assign #D y = a; endmodule
module click_delay #(parameter D = 1) (input a, output y); assign #D y = a; endmodule
module click_mutex #(parameter D = 1) (input r0, r1, output g0, g1);
  wire x, y;
  assign #D x = ~(r0 & y);
  assign #D y = ~(r1 & x);
  assign g0 = ~x & y, g1 = ~y & x;
endmodule
"""
"""Cells as the delayed gates behave: who asks first wins, however close the other one is."""


class Pipeline(wiring.Component):
    """Two stages into a merge, a fork, one more stage."""

    a: Any
    b: Any
    x: Any
    y: Any
    rst: Signal

    def __init__(self) -> None:
        link = Link(WIDTH)
        super().__init__(
            {"a": In(link), "b": In(link), "x": Out(link), "y": Out(link), "rst": In(1)}
        )

    def elaborate(self, platform: object) -> Module:
        """Wire the elements."""
        m = Module()
        m.submodules.first = first = Stage(WIDTH, DELAYS)
        m.submodules.second = second = Stage(WIDTH, DELAYS, logic=lambda v: v * 5 + 3)
        m.submodules.merge = merge = Merge(WIDTH, DELAYS)
        m.submodules.fork = fork = Fork(WIDTH, DELAYS)
        m.submodules.last = last = Stage(WIDTH, DELAYS, logic=lambda v: v + 7)
        for element in (first, second, merge, fork, last):
            m.d.comb += element.rst.eq(self.rst)
        wiring.connect(m, wiring.flipped(self.a), first.i)
        wiring.connect(m, wiring.flipped(self.b), second.i)
        wiring.connect(m, first.o, merge.a)
        wiring.connect(m, second.o, merge.b)
        wiring.connect(m, merge.o, fork.i)
        wiring.connect(m, fork.a, last.i)
        wiring.connect(m, last.o, wiring.flipped(self.x))
        wiring.connect(m, fork.b, wiring.flipped(self.y))
        return m


class Mixed(wiring.Component):
    """A clocked counter whose values reach a clocked sum through two stages without a clock."""

    sum: Signal

    def __init__(self) -> None:
        super().__init__({"sum": Out(WIDTH)})

    def elaborate(self, platform: object) -> Module:
        """Count what was sent, add what arrived."""
        m = Module()
        m.submodules.source = source = ToLink(WIDTH)
        m.submodules.sink = sink = FromLink(WIDTH)
        stages = [Stage(WIDTH, DELAYS), Stage(WIDTH, DELAYS, logic=lambda v: v ^ v << 1)]
        reset = Signal()
        m.d.sync += reset.eq(1)  # a reset that ends with an edge of the clock
        link = source.o
        for number, stage in enumerate(stages):
            m.submodules[f"stage{number}"] = stage
            m.d.comb += stage.rst.eq(~reset)
            wiring.connect(m, link, stage.i)
            link = stage.o
        wiring.connect(m, link, sink.i)
        count = Signal(WIDTH)
        m.d.comb += [source.i.valid.eq(reset), source.i.payload.eq(count), sink.o.ready.eq(1)]
        with m.If(source.i.valid & source.i.ready):
            m.d.sync += count.eq(count * 3 + 1)
        with m.If(sink.o.valid):
            m.d.sync += self.sum.eq(self.sum + sink.o.payload)
        return m


@dataclass(frozen=True)
class Circuit:
    """A component and its bench; ``clicks``: how often each fire buffer rises, if that is known."""

    name: str
    component: type[wiring.Component]
    bench: str
    length: int
    clicks: dict[str, int]

    @property
    def verilog(self) -> str:
        """RTL, module ``dut``."""
        return export(self.component(), "dut", dialect="assigns")

    def test(self, begin: int) -> str:
        """Module ``tb``; the dump begins at ``begin``, ps."""
        numbers = {"TOKENS": TOKENS, "LENGTH": self.length, "BEGIN": begin}
        return re.sub("|".join(numbers), lambda name: str(numbers[name[0]]), self.bench)


CIRCUITS = {
    circuit.name: circuit
    for circuit in (
        Circuit(
            "pipeline",
            Pipeline,
            _PIPELINE,
            1_500_000,
            {"first": 100, "second": 100, "merge": 200, "fork": 200, "last": 200},
        ),
        Circuit("mixed", Mixed, _MIXED, 2_000_003, {}),
    )
}


def simulate(
    circuit: Circuit,
    sources: Sequence[str],
    folder: Path,
    *,
    begin: int = 0,
    seed: int = 0,
) -> Path:
    """Run the bench on Verilog texts, whose unit is 1 ps; the waveform of all of ``tb.dut``."""
    folder.mkdir(parents=True)
    names = []
    for number, text in enumerate([circuit.test(begin), *sources]):
        names.append(f"{number}.v")
        (folder / names[-1]).write_text(f"`timescale 1ps/1ps\n{text}")
    compiled = ["iverilog", "-g2012", "-s", "tb", "-o", "tb.vvp", *names]
    for command in (compiled, ["vvp", "-n", "tb.vvp", f"+delay_seed={seed}"]):
        run = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
    return folder / "wave.vcd"


def gates_of(circuit: Circuit, library: Library, path: Path) -> tuple[AsicResult, list[str]]:
    """The mapped circuit; and its Verilog with delays where the RTL has them."""
    result = synthesise(circuit.verilog, "dut", path)
    text = "".join(_timed(result.verilog.read_text()))
    return result, [text, verilog_models(library, result.types)]


def _timed(netlist: str) -> Iterator[str]:
    """Let the recorded nets of the cells' modules follow their gates after the cell's delay."""
    for module in re.split(r"(?=^module )", netlist, flags=re.MULTILINE):
        found = re.match(r"module \\\$paramod\\click_(\w+)\\D=32'([01]+) ", module)
        if found is None:
            yield module
            continue
        nets = ("x", "y") if found[1] == "mutex" else ("y",)
        late = "".join(
            f"  wire {net}_now;\n  assign #{int(found[2], 2)} {net} = {net}_now;\n" for net in nets
        )
        for net in nets:
            pattern = rf"\.(Z|ZN|Y|X)\({net}\)"
            module, count = re.subn(pattern, rf".\1({net}_now)", module)
            assert count == 1, module
        yield module.replace("endmodule", f"{late}endmodule")
