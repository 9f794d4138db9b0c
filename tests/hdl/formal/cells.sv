// The cells of clockless circuits for proofs: a step of the global clock is no time in particular.
//
// An output follows its input at a step that the solver chooses, so a proof holds for all delays.
// With TIMED defined, D is a number of steps: a fire buffer and each turn of a mutual-exclusion
// element take 1 to D of them, a matched delay D to D + 1.

module click_fire #(parameter int D = 1) (input a, output reg y);
  (* anyseq *) reg go;
  always @($global_clock) if (go) y <= a;
`ifdef TIMED
  delayed #(.LEAST(1), .MOST(D)) time_ (.waits(a != y), .go);
`endif
endmodule

module click_delay #(parameter int D = 1) (input a, output reg y);
  (* anyseq *) reg go;
  always @($global_clock) if (go) y <= a;
`ifdef TIMED
  delayed #(.LEAST(D), .MOST(D + 1)) time_ (.waits(a != y), .go);
`endif
endmodule

// As in synth/click/simulation.v: x and y are low when granted, and where one side gives up while
// the other waits, that one is next.
module click_mutex #(parameter int D = 1) (input r0, r1, output g0, g1);
  (* anyseq *) reg go, pick;
  reg x, y, next0, next1;
  assign g0 = !x & y;
  assign g1 = !y & x;
  wire waits = !x ? !r0 : !y ? !r1 : r0 | r1 | next0 | next1;
  initial assume (x | y);
  always @* one_at_a_time: assert (x | y);
  always @($global_clock)
    if (go & waits) begin
      {next0, next1} <= 0;
      if (!x) begin
        x <= 1;
        next1 <= r1;
      end else if (!y) begin
        y <= 1;
        next0 <= r0;
      end else if (next0 | (r0 & !next1 & (!r1 | pick))) x <= 0;
      else y <= 0;
    end
`ifdef TIMED
  delayed #(.LEAST(1), .MOST(D)) time_ (.waits, .go);
`endif
endmodule

// Bounds the steps from when something is to happen to the one after which it has.
module delayed #(parameter int LEAST = 1, MOST = 1) (input waits, go);
  reg [3:0] age;
  always @($global_clock) age <= waits & !go ? age + 1 : 0;
  always @* begin
    assume (age < MOST);
    if (waits && age + 1 < LEAST) assume (!go);
    if (waits && age + 1 == MOST) assume (go);
  end
endmodule
