// Cells of clockless circuits on iCE40: chains of look-up tables, for yosys's `synth_ice40`.
//
// A look-up table with its wire stands for 100 ps of the delays D, which are those of an ASIC: the
// logic whose delay they match slows down as much. At least one is there. What a table really takes
// is for place and route to say; a mesh on an FPGA is safe with the clocked router.

(* keep *)
module click_delay #(parameter D = 1) (input a, output y);
  localparam N = (D + 100 - 1) / 100;
  (* keep *) wire [N:0] n;
  assign n[0] = a, y = n[N];
  genvar k;
  generate
    for (k = 0; k < N; k = k + 1) begin : step
      (* keep *)
      SB_LUT4 #(.LUT_INIT(16'haaaa)) gate
        (.I0(n[k]), .I1(1'b0), .I2(1'b0), .I3(1'b0), .O(n[k + 1]));
    end
  endgenerate
endmodule

(* keep *)
module click_fire #(parameter D = 1) (input a, output y);
  click_delay #(.D(D)) chain (.a(a), .y(y));
endmodule

// Two crossed NAND gates; no analogue filter stands behind them, as no FPGA has one.
(* keep *)
module click_mutex #(parameter D = 1) (input r0, input r1, output g0, output g1);
  (* keep *) wire x;
  (* keep *) wire y;
  (* keep *) SB_LUT4 #(.LUT_INIT(16'h7777)) first
    (.I0(r0), .I1(y), .I2(1'b0), .I3(1'b0), .O(x));
  (* keep *) SB_LUT4 #(.LUT_INIT(16'h7777)) second
    (.I0(r1), .I1(x), .I2(1'b0), .I3(1'b0), .O(y));
  assign g0 = ~x & y, g1 = ~y & x;
endmodule
