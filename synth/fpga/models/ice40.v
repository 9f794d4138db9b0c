// Memories of the iCE40 as yosys's models have them, with noise (X in Icarus) where a design must
// not rely on what these say: contents before the first write where initial values are unknown,
// bits of a block RAM that are read while they are written, and what a single-port RAM shows
// behind a write. `yosys_` stands before the name of yosys's own model.

module SB_RAM40_4K (
    output [15:0] RDATA,
    input RCLK, RCLKE, RE,
    input [10:0] RADDR,
    input WCLK, WCLKE, WE,
    input [10:0] WADDR,
    input [15:0] MASK, WDATA
);
  parameter WRITE_MODE = 0, READ_MODE = 0;
  parameter [255:0] INIT_0 = 256'bx, INIT_1 = 256'bx, INIT_2 = 256'bx, INIT_3 = 256'bx;
  parameter [255:0] INIT_4 = 256'bx, INIT_5 = 256'bx, INIT_6 = 256'bx, INIT_7 = 256'bx;
  parameter [255:0] INIT_8 = 256'bx, INIT_9 = 256'bx, INIT_A = 256'bx, INIT_B = 256'bx;
  parameter [255:0] INIT_C = 256'bx, INIT_D = 256'bx, INIT_E = 256'bx, INIT_F = 256'bx;

`ifdef VERILATOR
  localparam [255:0] NOISE = {4{64'h9e3779b97f4a7c15}};
`else
  localparam [255:0] NOISE = 256'bx;
`endif

  function [255:0] filled(input [255:0] given);  // noise where a bit is not given
    integer k;
    for (k = 0; k < 256; k = k + 1) filled[k] = given[k] === 1'bx ? NOISE[k] : given[k];
  endfunction

  wire [15:0] read;
  yosys_SB_RAM40_4K #(
      .WRITE_MODE(WRITE_MODE), .READ_MODE(READ_MODE),
      .INIT_0(filled(INIT_0)), .INIT_1(filled(INIT_1)), .INIT_2(filled(INIT_2)),
      .INIT_3(filled(INIT_3)), .INIT_4(filled(INIT_4)), .INIT_5(filled(INIT_5)),
      .INIT_6(filled(INIT_6)), .INIT_7(filled(INIT_7)), .INIT_8(filled(INIT_8)),
      .INIT_9(filled(INIT_9)), .INIT_A(filled(INIT_A)), .INIT_B(filled(INIT_B)),
      .INIT_C(filled(INIT_C)), .INIT_D(filled(INIT_D)), .INIT_E(filled(INIT_E)),
      .INIT_F(filled(INIT_F))
  ) ram (
      .RDATA(read), .RCLK(RCLK), .RCLKE(RCLKE), .RE(RE), .RADDR(RADDR),
      .WCLK(WCLK), .WCLKE(WCLKE), .WE(WE), .WADDR(WADDR), .MASK(MASK), .WDATA(WDATA)
  );

  // Modes 0 to 3 are 256 x 16 to 2048 x 2 bits: of each 1 << mode columns a port sees one.
  function [15:0] columns(input [1:0] mode, input [2:0] which);
    integer k;
    for (k = 0; k < 16; k = k + 1) columns[k] = ((k ^ which) & ((1 << mode) - 1)) == 0;
  endfunction

  function [15:0] shown(input [15:0] of);  // which bits of RDATA show these columns
    integer k;
    begin
      shown = 0;
      for (k = 0; k < 16; k = k + 1)
        if (of[k]) shown[(k >> READ_MODE << READ_MODE) + (READ_MODE == 3 ? 3 : READ_MODE == 2)] = 1;
    end
  endfunction

  wire [15:0] written = WRITE_MODE == 0 ? ~MASK : columns(WRITE_MODE, WADDR[10:8]);
  wire same = WE && WCLKE && RADDR[7:0] == WADDR[7:0];
  wire [15:0] clash = same ? shown(written & columns(READ_MODE, RADDR[10:8])) : 16'd0;
  reg [15:0] garbled;
  initial garbled = 0;
`ifdef VERILATOR
  always @(posedge RCLK) if (RE && RCLKE) garbled <= clash == 0 ? 16'd0 : clash & $urandom;
`else
  always @(posedge RCLK) if (RE && RCLKE) garbled <= clash & 16'bx;
`endif
  assign RDATA = read ^ garbled;
endmodule

module SB_SPRAM256KA (
    input [13:0] ADDRESS,
    input [15:0] DATAIN,
    input [3:0] MASKWREN,
    input WREN, CHIPSELECT, CLOCK, STANDBY, SLEEP, POWEROFF,
    output [15:0] DATAOUT
);
  wire [15:0] read;
  yosys_SB_SPRAM256KA ram (
      .ADDRESS(ADDRESS), .DATAIN(DATAIN), .MASKWREN(MASKWREN), .WREN(WREN),
      .CHIPSELECT(CHIPSELECT), .CLOCK(CLOCK), .STANDBY(STANDBY), .SLEEP(SLEEP),
      .POWEROFF(POWEROFF), .DATAOUT(read)
  );
`ifdef VERILATOR
  reg [15:0] garbled;
  always @(posedge CLOCK) if (CHIPSELECT) garbled <= WREN ? $urandom : 16'd0;
  assign DATAOUT = read ^ garbled;
`else
  assign DATAOUT = read;
`endif
endmodule
