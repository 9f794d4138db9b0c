// The two ends of a link for proofs, and what is asserted of links and cells.
//
// Each assumption has a name; defining WITHOUT_<NAME> leaves it out.

// A sender: offers tokens of any data at any time, and keeps the protocol. Its data come late: until
// `settled` the wires hold anything.
module source #(
    parameter int W = 2
) (
    input rst, ack, arrived,
    output reg req,
    output reg [W-1:0] token,
    output [W-1:0] data
);
  (* anyseq *) reg go, settle;
  (* anyseq *) reg [W-1:0] chosen, noise;
  reg settled;
  assign data = settled && req != ack ? token : noise;
  always @($global_clock)
    if (rst) req <= 0;
    else if (go && req == ack) begin
      req <= !req;
      token <= chosen;
      settled <= 0;
    end else if (settle) settled <= 1;
`ifndef WITHOUT_BUNDLING
  // The matched delay is longer than the way of the data.
  always @* if (!rst && arrived != ack) assume (settled);
`endif
`ifdef TIMED
  delayed #(.LEAST(1), .MOST(2)) time_ (.waits(!rst && req == ack), .go);
`endif
endmodule

// A receiver: takes a token at any time after it came.
module sink (input rst, req, output reg ack);
  (* anyseq *) reg go;
  always @($global_clock) if (rst) ack <= 0; else if (go) ack <= req;
`ifdef TIMED
  delayed #(.LEAST(3), .MOST(4)) time_ (.waits(!rst && req != ack), .go);
`endif
endmodule

// The protocol of a link: neither side turns over before the other has, and data stand till then.
module protocol #(
    parameter int W = 2
) (
    input rst, req, ack,
    input [W-1:0] data
);
  reg was_rst, was_req, was_ack;
  reg [W-1:0] was;
  always @($global_clock) {was_rst, was_req, was_ack, was} <= {rst, req, ack, data};
  always @*
    if (!rst && !was_rst) begin
      if (was_req != was_ack) request_waits: assert (req == was_req);
      if (was_req != was_ack) data_stand: assert (data == was);
      if (was_req == was_ack) acknowledge_waits: assert (ack == was_ack);
    end
endmodule

// Every token that comes in goes out, once, in order, with its data. `put`, `take`: phases that turn
// over with a token. `empty`: when all must have gone.
module tokens #(
    parameter int W = 2
) (
    input rst, put, take, empty,
    input [W-1:0] offered, delivered
);
  reg was_put, was_take, full;
  reg [W-1:0] expected;
  wire comes = put != was_put, goes = take != was_take;
  always @($global_clock) begin
    {was_put, was_take} <= {put, take};
    full <= !rst & (comes | (full & !goes));
    if (comes) expected <= offered;
  end
  always @*
    if (!rst) begin
      if (goes) none_created: assert (full);
      if (goes) data_equal: assert (delivered == expected);
      if (comes) none_overtaken: assert (!full);
      if (empty) none_lost: assert (!comes & (!full | goes));
      if (!empty) none_taken_twice: assert (comes | (full & !goes));
      if (full) first_in: assert (expected == offered);
    end
endmodule

// At an input of an element, when no token waits, its matched delay rests, too.
module at_rest (input rst, offered, taken, request);
  always @* if (!rst && offered == taken) line_at_rest: assert (request == taken);
endmodule

// A cell's input that has turned over stays so until the output follows: no pulse is cut short.
module hazard_free (input rst, a, y);
  reg was_rst, was_a, was_y;
  always @($global_clock) {was_rst, was_a, was_y} <= {rst, a, y};
  always @*
    if (!rst && !was_rst && was_a != was_y && y == was_y) no_hazard: assert (a == was_a);
endmodule

// What has to end in between: `next` may not turn over from when `start` has until `done` was seen.
module hurry (input rst, start, done, next, output ended, early);
  reg was_start, was_next, seen;
  assign ended = start == was_start & seen;
  assign early = !rst & next != was_next & start == was_start & !seen;
  always @($global_clock) begin
    {was_start, was_next} <= {start, next};
    seen <= rst | ended | done;
  end
endmodule

// The matched delay is longer than the fire buffer's: a click has ended before the next request of
// the link that it served arrives.
module click_ends (input rst, taken, request, click, output ended);
  wire early;
  hurry order (.rst, .start(taken), .done(!click), .next(request), .ended, .early);
`ifdef INDUCTION
  always @* if (!rst && !ended) served: assert (request == taken);
`endif
`ifdef TIMED
  always @* returned: assert (!early);
`elsif WITHOUT_RETURNED
`else
  always @* assume (!early);
`endif
endmodule

// The matched delay is longer than the mutual-exclusion element's: it has let go of a side before
// the next request of that side arrives.
module grant_ends (input rst, taken, request, grant, output ended);
  wire early;
  hurry order (.rst, .start(taken), .done(!grant), .next(request), .ended, .early);
`ifdef INDUCTION
  always @* if (!rst && !ended) served: assert (request == taken);
`endif
`ifdef TIMED
  always @* released: assert (!early);
`elsif WITHOUT_RELEASED
`else
  always @* assume (!early);
`endif
endmodule

// The receiver has a matched delay, too: a click has ended before its token is acknowledged.
module receiver_delays (input rst, sent, ack, click, output ended);
  wire early;
  hurry order (.rst, .start(sent), .done(!click), .next(ack), .ended, .early);
`ifdef INDUCTION
  always @* if (!rst && !ended) sent_not_taken: assert (ack != sent);
`endif
`ifdef TIMED
  always @* received: assert (!early);
`elsif WITHOUT_RECEIVER
`else
  always @* assume (!early);
`endif
endmodule

// Reset: at the beginning, and at any time; it lasts until all cells have settled.
module resets (input quiet, output rst);
  (* anyseq *) reg level;
  reg was_rst, was_quiet;
  initial {was_rst, was_quiet} = 2'b10;
  assign rst = level;
  always @($global_clock) {was_rst, was_quiet} <= {rst, quiet};
`ifndef WITHOUT_RESET
  always @* if (was_rst && !was_quiet) assume (rst);
`endif
  initial assume (rst);

  // A run may be reset while cells move, and goes on.
  reg [1:0] done;
  initial done = 0;
  always @($global_clock) if (was_rst & !rst & !(&done)) done <= done + 1;
  reg moving;
  initial moving = 0;
  always @($global_clock) if (done == 1 & rst & !was_rst & !was_quiet) moving <= 1;
  always @* again: cover (done == 2 & moving);
endmodule

// Runs with tokens exist: two of each of two kinds pass, with no reset between them.
module passes (input rst, phase, kind);
  reg was, was_kind;
  reg [1:0] ones, zeros;
  always @($global_clock) begin
    was <= phase;
    if (rst) {ones, zeros} <= 0;
    else if (phase != was && kind && ones < 2) ones <= ones + 1;
    else if (phase != was && !kind && zeros < 2) zeros <= zeros + 1;
  end
  always @* if (!rst) two_of_each: cover (ones == 2 && zeros == 2);
endmodule

// Bounded response, where all delays are bounded: what waits is gone after fewer than STEPS steps.
module answered #(parameter int STEPS = 1) (input rst, waits);
`ifdef TIMED
  reg [6:0] age;
  always @($global_clock) age <= !rst & waits ? age + 1 : 0;
  always @* if (!rst) in_time: assert (age < STEPS);
`endif
endmodule
