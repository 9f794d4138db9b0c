"""Registers of which a library stores the inverse: the waveform of the RTL still shows them."""

from pathlib import Path

import pytest

from spikewatt.energy.activity.replay import replay_waveform
from spikewatt.synth.asic import MappingOptions, synthesise
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.names import inverse_of
from spikewatt.synth.netlist.reader import read_netlist
from tests.energy.activity.test_toggles import compare
from tests.energy.circuits import Circuit, bench
from tests.energy.event_driven import read_trace, simulate
from tests.synth.sparse_library import SPARSE

# As ASAP7 writes its own: the state is the inverse; and as others do: the output is.
FLOPS = {
    "state": 'ff (IQN, IQ) { clocked_on : "C"; next_state : "!D"; preset : "!R"; }',
    "output": 'ff (IQ, IQN) { clocked_on : "C"; next_state : "D"; clear : "!R"; }',
}
FLOP = """  cell (FLOPN) { area : 3; %s
    pin (C) { direction : input; clock : true; capacitance : 1; }
    pin (D) { direction : input; capacitance : 1; }
    pin (R) { direction : input; capacitance : 1; }
    pin (QN) { direction : output; function : "IQN"; } }
}
"""
CIRCUIT = Circuit(
    "inverses",
    """module part(input clk, rn, input [1:0] d, output y); reg [1:0] a; reg [0:2] up; reg b;
always @(posedge clk or negedge rn) if (!rn) begin a <= 0; b <= 0; up <= 0; end
  else begin a <= d; b <= a[0] ^ b; up <= {b, up[0:1]}; end
assign y = ^a ^ b ^ ^up; endmodule
module dut(input clk, rn, input [1:0] d, output y, output reg [1:0] q); part p(clk, rn, d, y);
always @(posedge clk or negedge rn) if (!rn) q <= 0; else q <= q + d; endmodule
""",
    {"d": 2},
    {"y": 1, "q": 2},
    resets={"rn": 1},
)


@pytest.mark.parametrize("kind", FLOPS)
@pytest.mark.parametrize("form", ["json", "verilog"])
def test_every_register_is_matched(kind: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / "inverse.lib"
    path.write_text(SPARSE.partition("  cell (FLOP)")[0] + FLOP % FLOPS[kind])
    library = read_liberty(path)
    result = synthesise(CIRCUIT.verilog, "dut", path, MappingOptions(clock_gating=False))
    gates = [result.verilog.read_text(), verilog_models(library, result.types)]
    for name, sources in (("rtl", [CIRCUIT.verilog]), ("gates", gates)):
        (tmp_path / name).mkdir()
        simulate([bench(CIRCUIT, "all.vcd"), *sources], tmp_path / name)
    netlist = read_netlist(result.netlist if form == "json" else result.verilog, library, top="dut")
    names = {name for names in netlist.names for name in names}
    assert {"p.~a[0]", "p.~a[1]", "p.~b", "p.~up[0]", "p.~up[2]"} <= names
    judge = read_trace(tmp_path / "gates" / "all.vcd", "tb.dut", below=True)
    for waveform in ("rtl", "gates"):
        activity = replay_waveform(netlist, library, tmp_path / waveform / "all.vcd", "tb.dut")
        assert (activity.unmatched, activity.matched) == ((), 8)
        assert activity.judged > 300
        assert len(compare(netlist, judge, activity)) > 15


def test_names_of_inverses() -> None:
    assert inverse_of("core.~acc[3]") == "core.acc[3]"
    assert inverse_of("~a") == "a"
    assert inverse_of("~g[0].r") == "g[0].r"
    assert inverse_of("core.acc") is None
    assert inverse_of("odd~name") is None
