"""A small design with all that is priced: modules, a memory, a gated register.

It is synthesised for the built-in library and run in Icarus.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from spikewatt.energy.activity.replay import Prepared, prepare
from spikewatt.synth.asic import MappingOptions, synthesise
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.energy.circuits import Circuit, bench
from tests.energy.event_driven import simulate

__all__ = ["CIRCUIT", "MEMORY", "PERIOD_S", "PLAIN", "Small", "make", "stimulus"]

PERIOD_S = 10e-9
_VERILOG = """module sum(input clk, en, input [7:0] d, output reg [7:0] q);
initial q = 0;
always @(posedge clk) if (en) q <= q + d;
endmodule
module dut(input clk, rst, we, re, en, input [3:0] a, input [7:0] d,
  output reg [7:0] y, output [7:0] q, output reg [3:0] n);
reg [7:0] store [0:15];
sum add(.clk(clk), .en(en), .d(y), .q(q));
always @(posedge clk) begin
  if (we) store[a] <= d;
  if (re) y <= store[a];
  n <= rst ? 4'd0 : n + 4'd1;
end
integer i;
initial begin for (i = 0; i < 16; i = i + 1) store[i] = 0; y = 0; end
endmodule
"""


def stimulus(random: Random, step: int) -> Mapping[str, int]:
    """Writes first, then reads; ``en`` comes in bursts."""
    return {
        "we": int(step % 3 == 0),
        "re": int(step % 4 == 1),
        "en": int(step % 40 < 8),
        "a": random.getrandbits(4),
        "d": random.getrandbits(8),
    }


CIRCUIT = Circuit(
    "small",
    _VERILOG,
    {"we": 1, "re": 1, "en": 1, "a": 4, "d": 8},
    {"y": 8, "q": 8, "n": 4},
    resets={"rst": 0},
    stimulus=stimulus,
)
PLAIN = Circuit(
    "plain",
    """module low(input clk, en, input [3:0] d, output reg [3:0] q);
initial q = 0;
always @(posedge clk) if (en) q <= q + d;
endmodule
module dut(input clk, en, input [3:0] d, output [3:0] q, output reg [3:0] r);
initial r = 0;
low add(.clk(clk), .en(en), .d(d), .q(q));
always @(posedge clk) r <= r ^ q;
endmodule
""",
    {"en": 1, "d": 4},
    {"q": 4, "r": 4},
)
"""The same without a memory."""
MEMORY = Circuit(
    "memory",
    """module dut(input clk, we, re, input [3:0] a, input [7:0] d, output reg [7:0] y);
reg [7:0] store [0:15];
always @(posedge clk) begin
  if (we) store[a] <= d;
  if (re) y <= store[a];
end
integer i;
initial begin for (i = 0; i < 16; i = i + 1) store[i] = 0; y = 0; end
endmodule
""",
    {"we": 1, "re": 1, "a": 4, "d": 8},
    {"y": 8},
    stimulus=lambda random, step: {
        "we": int(step % 2 == 0),
        "re": int(step % 3 == 1),
        "a": random.getrandbits(4),
        "d": random.getrandbits(8),
    },
)
"""Nothing but a memory: no gate, no flip-flop."""


@dataclass(frozen=True)
class Small:
    """The design as gates, and a waveform of its RTL from 60.5 ns on, clock edges at 65 ns, …"""

    library: Library
    netlist: Netlist
    json: Path
    waveform: Path

    def prepared(self) -> Prepared:
        return prepare(self.netlist, self.library, self.waveform, "tb.dut")


def make(folder: Path, circuit: Circuit = CIRCUIT) -> Small:
    """Synthesise and simulate in ``folder``."""
    path = default_library_path()
    result = synthesise(circuit.verilog, "dut", path, MappingOptions(clock_gating=True))
    simulate([bench(circuit, "all.vcd"), circuit.verilog], folder)
    library = read_liberty(path)
    netlist = read_netlist(result.netlist, library, top="dut")
    return Small(library, netlist, result.netlist, folder / "all.vcd")
