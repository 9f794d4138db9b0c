"""What is left in a waveform of states, and that a replay misses nothing."""

import pytest

from spikewatt.cosim.states import record_states

DESIGN = """module top(clk, a, y, z);
  input clk;
  wire clk;
  input [3:0] a;
  wire [3:0] a;
  output [3:0] y;
  reg [3:0] y;
  output z;
  wire z;
  wire [3:0] below;
  reg [3:0] chosen;
  always @* begin
    chosen = a;
    if (a <= 4'h3) chosen = ~below;
  end
  always @* y = chosen;
  assign z = below[0];
  part p (.clk(clk), .\\d[0] (chosen), .q(below));
endmodule
module part(clk, \\d[0] , q);
  input clk;
  wire clk;
  input [3:0] \\d[0] ;
  wire [3:0] \\d[0] ;
  output [3:0] q;
  wire [3:0] q;
  reg [3:0] \\state.at = 4'h0;
  reg [3:0] words [15:0];
  reg [3:0] _0_;
  reg [1:0] low;
  reg [1:0] high;
  wire [7:0] both;
  wire [3:0] copy;
  wire [3:0] sum;
  wire [3:0] part_of_sum;
  wire zero;
  assign copy = \\state.at ;
  assign both = { copy, _0_ };
  assign sum = both[3:0] + copy;
  assign part_of_sum = sum[1:0];
  assign zero = 1'h0;
  assign q = copy;
  always @(posedge clk) begin
    \\state.at <= \\d[0] ;
    words[sum] <= sum;
    _0_ <= words[copy];
    { low, high [1:0] } <= sum;
  end
endmodule
"""
HIDDEN = [
    "  wire [3:0] below;",
    "  reg [3:0] chosen;",
    "  input clk;",
    "  wire clk;",
    "  input [3:0] \\d[0] ;",
    "  wire [3:0] \\d[0] ;",
    "  wire [3:0] sum;",
    "  wire [3:0] part_of_sum;",
    "  wire zero;",
]


def test_what_is_computed_is_left_out() -> None:
    text = record_states(DESIGN, "top")
    changed = [line for line in text.splitlines() if line not in DESIGN.splitlines()]
    assert changed == [
        f"/*verilator tracing_off*/{line}/*verilator tracing_on*/" for line in HIDDEN
    ]
    assert (
        text.replace("/*verilator tracing_off*/", "").replace("/*verilator tracing_on*/", "")
        == DESIGN
    )


@pytest.mark.parametrize("text", ["", "// nothing\n", "module m;\n  wire w;\n"])
def test_what_is_no_whole_module_stays(text: str) -> None:
    assert record_states(text, "m") == text
