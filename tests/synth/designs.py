"""Small designs, each with something that mapping could get wrong."""

__all__ = ["DESIGNS"]

ADDER = """
module adder(input [7:0] a, input [7:0] b, input c, output [8:0] s);
  assign s = a + b + c;
endmodule
"""

COUNTER = """
module counter(input clk, input rst, input en, output reg [7:0] count);
  always @(posedge clk) if (rst) count <= 0; else if (en) count <= count + 1;
endmodule
"""

ASYNCHRONOUS = """
module asynchronous(input clk, input rst, input load, input [7:0] d, output reg [7:0] q,
                    output reg [3:0] low);
  always @(posedge clk or posedge rst) if (rst) q <= 8'ha5; else if (load) q <= d;
  always @(posedge clk or negedge load) if (!load) low <= 4'b0110; else low <= d[3:0];
endmodule
"""

MACHINE = """
module machine(input clk, input rst, input [1:0] go, output reg busy, output reg [2:0] state);
  localparam IDLE = 0, FETCH = 1, RUN = 2, WAIT = 5, DONE = 6;
  always @(posedge clk)
    if (rst) state <= IDLE;
    else case (state)
      IDLE: if (go[0]) state <= FETCH;
      FETCH: state <= go[1] ? RUN : WAIT;
      RUN: if (go == 3) state <= DONE;
      WAIT: if (!go[1]) state <= RUN;
      default: state <= IDLE;
    endcase
  always @* busy = state != IDLE;
endmodule
"""

MEMORY = """
module memory(input clk, input rst, input we, input re, input [3:0] wa, input [3:0] ra,
              input [5:0] d, output reg [5:0] q, output [5:0] now, output reg [1:0] reads);
  reg [5:0] words [0:15];
  always @(posedge clk) begin
    if (we) words[wa] <= d;
    if (re) q <= words[ra];
    if (rst) reads <= 0; else if (re) reads <= reads + 1;
  end
  assign now = words[wa];
endmodule
"""

TWO_CLOCKS = """
module two_clocks(input clk, input other, input rst, input [3:0] d, output reg [3:0] slow,
                  output reg [3:0] fast, output reg fall);
  reg [3:0] between;
  always @(posedge clk) if (rst) between <= 0; else between <= d ^ fast;
  always @(posedge other) if (rst) slow <= 1; else slow <= slow + between;
  always @(posedge clk) if (rst) fast <= 0; else if (d[0]) fast <= fast + slow;
  always @(negedge clk) fall <= ^between;
endmodule
"""

LATCH = """
module latch(input open, input shut, input [3:0] d, output reg [3:0] q, output reg [3:0] p);
  always @* if (open) q = d;
  always @* if (!shut) p = q ^ d;
endmodule
"""

HIERARCHY = """
module hierarchy(input clk, input rst, input [3:0] a, output [3:0] y, output [3:0] z);
  wire [3:0] left, right;
  stage #(.STEP(1)) first(.clk(clk), .rst(rst), .mode(1'b0), .a(a), .y(left), .spare());
  stage #(.STEP(3)) second(.clk(clk), .rst(rst), .mode(a[0]), .a({left[1:0], a[3:2]}), .y(right),
                           .spare());
  assign y = right;
  genvar i;
  generate for (i = 0; i < 4; i = i + 1) begin : lane
    reg held;
    always @(posedge clk) if (rst) held <= i[0]; else held <= held ^ right[i];
    assign z[i] = held;
  end endgenerate
endmodule
module stage #(parameter STEP = 1)(input clk, input rst, input mode, input [0:3] a,
                                   output [3:0] y, output spare);
  reg [6:3] acc;
  always @(posedge clk) if (rst) acc <= 0; else acc <= mode ? acc - a : acc + a + STEP;
  assign y = acc;
  assign spare = ^acc;
endmodule
"""

TABLE = """
module lookup(input clk, input rst, input [3:0] a, output reg [7:0] q);
  reg [7:0] rom [0:15];
  integer i;
  initial for (i = 0; i < 16; i = i + 1) rom[i] = i * 37 + 5;
  always @(posedge clk) if (rst) q <= 0; else q <= rom[a];
endmodule
"""

TWINS = """
module twins(input clk, input rst, input en, input [3:0] d, output [3:0] y, output [3:0] n);
  reg [3:0] one, same, stuck;
  reg [7:0] wide;
  always @(posedge clk) begin
    if (rst) one <= 0; else if (en) one <= d;
    if (rst) same <= 0; else if (en) same <= d;
    if (rst) stuck <= 4'b0011; else stuck <= stuck;
    if (rst) wide <= 8'hff; else wide <= {4'b0000, d};
  end
  assign y = {one[0], one[3:1]} + same;
  assign n = wide[3:0] ^ stuck ^ wide[7:4];
endmodule
"""

DESIGNS = {
    "adder": ADDER,
    "counter": COUNTER,
    "asynchronous": ASYNCHRONOUS,
    "machine": MACHINE,
    "memory": MEMORY,
    "two_clocks": TWO_CLOCKS,
    "latch": LATCH,
    "hierarchy": HIERARCHY,
    "lookup": TABLE,
    "twins": TWINS,
}
"""Verilog by the name of its top module. A port that is a clock is called ``clk`` or ``other``."""
