// The least that shows a core at work: reset, a word of its tables written and read back, a tick.
// Sizes are those of spikewatt.core: 256 neurons and axons, 4-bit weights, one lane.
`timescale 1ns / 1ps

module testbench;
  localparam SYNAPSES = 4'd1;  // tables: docs/ports.md
  reg clk = 0, rst = 1;
  reg command_valid = 0, config_valid = 0;
  reg [60:0] word = 0;
  wire command_ready, config_ready, response_valid, idle;
  wire [31:0] response;
  reg [31:0] answer = 0;
  integer cycles = 0;

  neuro core (
      .clk(clk), .rst(rst), .idle(idle),
      .i__valid(1'b0), .i__payload(12'd0), .i__ready(),
      .o__valid(), .o__payload(), .o__ready(1'b1),
      .command__valid(command_valid), .command__payload(1'b0), .command__ready(command_ready),
      .config__valid(config_valid), .config__payload(word), .config__ready(config_ready),
      .response__valid(response_valid), .response__payload(response), .response__ready(1'b1),
      .probe__update(), .probe__group(), .probe__state(), .probe__spikes(), .probe__merge(),
      .probe__synapse()
  );

  always #5 clk = !clk;
  always @(posedge clk) begin
    cycles <= cycles + 1;
    if (response_valid) answer <= response;  // in the cycle in which the word that asks is taken
    if (cycles == 100000) begin
      $display("FAILED: the core does not answer");
      $finish;
    end
  end

  // Offer a configuration word until it is taken. Inputs change between the clock's rising edges.
  task configure(input write, input [3:0] table_, input [23:0] row, input [31:0] data);
    begin
      @(negedge clk);
      word = {write, table_, row, data};
      config_valid = 1;
      @(posedge clk);
      while (!config_ready) @(posedge clk);
      @(negedge clk) config_valid = 0;
    end
  endtask

  initial begin
    repeat (4) @(negedge clk);
    rst = 0;
    @(negedge clk);
    while (!idle) @(negedge clk);
    configure(1, SYNAPSES, 24'd77, 32'd5);
    configure(0, SYNAPSES, 24'd77, 32'd0);
    if (answer !== 32'd5) begin
      $display("FAILED: read %h", answer);
      $finish;
    end
    @(negedge clk) command_valid = 1;
    @(posedge clk);
    while (!command_ready) @(posedge clk);
    @(negedge clk) command_valid = 0;
    while (!idle) @(negedge clk);
    $display("PASSED: a tick took %0d cycles in all", cycles);
    $finish;
  end
endmodule
