"""A design of a few cells: a memory, a counter, and the path between them."""

DESIGN = """
module adder(input [7:0] a, input [7:0] b, output [7:0] sum);
  assign sum = a + b;
endmodule

module store(input clk, input [8:0] row, input write, input [7:0] data, output reg [7:0] q);
  (* ram_style = "block", no_rw_check *) reg [7:0] array [511:0];
  always @(posedge clk) begin
    if (write) array[row] <= data;
    q <= array[row];
  end
endmodule

module small(input clk, input rst, input step, output [7:0] total);
  reg [8:0] row;
  wire [7:0] word;
  reg [7:0] total;
  wire [7:0] sum;
  always @(posedge clk)
    if (rst) row <= 0;
    else if (step) row <= row + 1;
  always @(posedge clk) total <= sum;
  store words(.clk(clk), .row(row), .write(step), .data(total), .q(word));
  adder add(.a(word), .b(total), .sum(sum));
endmodule
"""
