// Models of the ECP5 cells that yosys's `synth_ecp5` infers and of which yosys has an empty shell:
// the block RAM and the multiplier, as Lattice describes them in FPGA-TN-02204 (memory usage guide)
// and FPGA-TN-02205 (DSP usage guide), in the modes that are inferred. Another mode, or another
// cell, does not elaborate: the instance of a module that is nowhere names it.
//
// What a block RAM leaves open is noise (X in Icarus): contents before the first write where every
// initial value is 0, bits that one port reads while the other writes them, bits that both write.

module DP16KD (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter GSR = "ENABLED", INIT_DATA = "STATIC";
  parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0,
    INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0,
    INITVAL_0B = 0, INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0, INITVAL_10 = 0,
    INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0, INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0,
    INITVAL_17 = 0, INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0, INITVAL_1C = 0,
    INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0,
    INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0, INITVAL_28 = 0,
    INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0,
    INITVAL_2F = 0, INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0,
    INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0,
    INITVAL_3B = 0, INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0;

  generate
    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG")
      DP16KD_WITH_AN_OUTPUT_REGISTER_HAS_NO_MODEL not_modelled ();
    if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000")
      DP16KD_WITH_DECODED_SELECTS_HAS_NO_MODEL not_modelled ();
  endgenerate

  // 512 rows of 36 bits. A narrower port sees a part of a row; of a byte of 9 bits, one of 4 bits
  // or less sees no more than the lower 8.
  reg [35:0] rows[0:511];
  localparam [20479:0] INIT = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };
  integer k;
  initial
    if (INIT != 0)
      for (k = 0; k < 512; k = k + 1) rows[k] = {INIT[40*k+20+:18], INIT[40*k+:18]};

  function [35:0] seen(input integer width);  // bits of a row, at offset 0, that a port sees
    seen = {36{1'b1}} >> (36 - width);
  endfunction

  function [5:0] offset(input integer width, input [4:0] low);  // of the part that it sees
    offset = (width == 36 ? 0 : low[4] * 18) + (width >= 18 ? 0 : low[3] * 9)
        + (width >= 9 ? 0 : low[2] * 4) + (width >= 4 ? 0 : low[1] * 2)
        + (width >= 2 ? 0 : low[0]);
  endfunction

  function [35:0] enabled(input integer width, input [3:0] bytes);  // of 36 and 18 bits by bytes
    enabled = width == 36
        ? {{9{bytes[3]}}, {9{bytes[2]}}, {9{bytes[1]}}, {9{bytes[0]}}}
        : width == 18 ? {18'd0, {9{bytes[1]}}, {9{bytes[0]}}} : seen(width);
  endfunction

  function [35:0] noise(input [35:0] of);  // ones and zeros, or X, where `of` is set
`ifdef VERILATOR
    noise = {$urandom, $urandom} & of;
`else
    noise = of & {36{1'bx}};
`endif
  endfunction

  wire [13:0] address_a = {
    ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0
  };
  wire [35:0] data_a = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8,
    DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0
  };
  wire chosen_a = CEA && !CSA2 && !CSA1 && !CSA0;
  wire [5:0] at_a = offset(DATA_WIDTH_A, address_a[4:0]);
  wire [35:0] written_a = chosen_a && WEA && !(RESETMODE == "SYNC" && RSTA)
      ? enabled(DATA_WIDTH_A, address_a[3:0]) << at_a : 36'd0;
  wire clear_a = RESETMODE != "SYNC" && RSTA;
  wire clock_a = CLKAMUX == "INV" ? !CLKA : CLKA;
  wire [13:0] address_b = {
    ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0
  };
  wire [35:0] data_b = {18'd0, data_a[35:18]};
  wire chosen_b = CEB && !CSB2 && !CSB1 && !CSB0;
  wire [5:0] at_b = offset(DATA_WIDTH_B, address_b[4:0]);
  wire [35:0] written_b = chosen_b && WEB && !(RESETMODE == "SYNC" && RSTB)
      ? enabled(DATA_WIDTH_B, address_b[3:0]) << at_b : 36'd0;
  wire clear_b = RESETMODE != "SYNC" && RSTB;
  wire clock_b = CLKBMUX == "INV" ? !CLKB : CLKB;
  wire same_row = address_a[13:5] == address_b[13:5];

  reg [35:0] row_a, next_a, out_a;
  always @(posedge clock_a, posedge clear_a)
    if (clear_a) out_a <= 0;
    else begin
      row_a = rows[address_a[13:5]];
      next_a = (row_a & ~written_a) | (data_a << at_a & written_a);
      if (RSTA && RESETMODE == "SYNC") out_a <= 0;
      else if (chosen_a && (!WEA || WRITEMODE_A != "NORMAL"))
        out_a <= ((WRITEMODE_A == "WRITETHROUGH" ? next_a : row_a)
            ^ noise(same_row ? written_b : 0)) >> at_a & seen(DATA_WIDTH_A);
      if (written_a != 0)
        rows[address_a[13:5]] = next_a ^ noise(same_row ? written_a & written_b : 0);
    end

  reg [35:0] row_b, next_b, out_b;
  always @(posedge clock_b, posedge clear_b)
    if (clear_b) out_b <= 0;
    else begin
      row_b = rows[address_b[13:5]];
      next_b = (row_b & ~written_b) | (data_b << at_b & written_b);
      if (RSTB && RESETMODE == "SYNC") out_b <= 0;
      else if (chosen_b && (!WEB || WRITEMODE_B != "NORMAL"))
        out_b <= ((WRITEMODE_B == "WRITETHROUGH" ? next_b : row_b)
            ^ noise(same_row ? written_a : 0)) >> at_b & seen(DATA_WIDTH_B);
      if (written_b != 0)
        rows[address_b[13:5]] = next_b ^ noise(same_row ? written_a & written_b : 0);
    end

  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
    DOB3, DOB2, DOB1, DOB0, DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8,
    DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0
  } = DATA_WIDTH_B == 36 ? out_b : {out_b[17:0], out_a[17:0]};
endmodule

module MULT18X18D (
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0, input B17,
    B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0, input C17, C16, C15,
    C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE", REG_INPUTC_CLK = "NONE";
  parameter REG_PIPELINE_CLK = "NONE", REG_OUTPUT_CLK = "NONE";
  generate
    if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_INPUTC_CLK != "NONE"
        || REG_PIPELINE_CLK != "NONE" || REG_OUTPUT_CLK != "NONE")
      MULT18X18D_WITH_REGISTERS_HAS_NO_MODEL not_modelled ();
  endgenerate

  wire signed [18:0] a = {
    SIGNEDA && A17,
    A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
  };
  wire signed [18:0] b = {
    SIGNEDB && B17,
    B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
  };
  wire signed [37:0] product = a * b;
  assign {
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17,
    P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
  } = product[35:0];
endmodule
