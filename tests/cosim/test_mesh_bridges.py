"""Bridges between a clock and a clockless link, in pairs whose clocks differ in everything."""

from pathlib import Path

import pytest

from spikewatt.cosim.simulate import CocotbOptions, simulate
from spikewatt.hdl.router.bridges import FromLink, ToLink
from spikewatt.synth.verilog import export
from tests.cosim.benches.bridges import BITS

WORDS = 1000
"""Of each of the runs; of all seeds together 12,000."""

_TOP = """`timescale 1ps / 1ps

// Requests come 3.3 ns before their data here, less than the two cycles of the receiver in which
// nothing reads them: with one flip-flop too few in its synchroniser they would not be there.
module bridges #(parameter GATED = 0) (
  input clk_a, clk_b, rst,
  input i__valid, output i__ready, input [{high}:0] i__payload,
  output o__valid, input o__ready, output [{high}:0] o__payload,
  output empty, asked, req, ack_here, ack_there,
  output reg [31:0] ticks_a, ticks_b
);
  wire sent, taken;
  wire [{high}:0] data, late;
  reg run_a, run_b;
  wire gated_a = clk_a & (run_a | !GATED), gated_b = clk_b & (run_b | !GATED);
  assign #700 req = sent;
  assign #1300 ack_here = taken;
  assign #4000 late = data;
  assign ack_there = taken;
  initial begin
    ticks_a = 0;
    ticks_b = 0;
  end
  always @(negedge clk_a) run_a <= rst | i__valid | ~empty;
  always @(negedge clk_b) run_b <= rst | asked;
  always @(posedge gated_a) if (GATED) ticks_a <= ticks_a + 1;
  always @(posedge gated_b) if (GATED) ticks_b <= ticks_b + 1;
  to_link a(.clk(gated_a), .rst(rst), .i__valid(i__valid), .i__ready(i__ready),
    .i__payload(i__payload), .o__req(sent), .o__ack(ack_here), .o__data(data), .empty(empty));
  from_link b(.clk(gated_b), .rst(rst), .i__req(req), .i__ack(taken), .i__data(late),
    .o__valid(o__valid), .o__ready(o__ready), .o__payload(o__payload), .asked(asked));
endmodule
"""


@pytest.mark.parametrize("gated", [False, True], ids=["free clocks", "clocks that sleep"])
@pytest.mark.parametrize(  # an odd one has data as late as they may be
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (0, 2, 3, 4, 5))]
)
def test_bridges(seed: int, gated: bool, tmp_path: Path) -> None:
    top = _TOP.format(high=BITS - 1).replace("GATED = 0", f"GATED = {gated:d}")
    verilog = (
        export(ToLink(BITS), "to_link", dialect="assigns")
        + export(FromLink(BITS), "from_link", dialect="assigns")
        + top
    )
    simulate(
        verilog,
        "bridges",
        "tests.cosim.benches.bridges",
        tmp_path,
        CocotbOptions(
            simulator="icarus", timing=True, env={"SEED": str(seed), "WORDS": str(WORDS)}
        ),
    )
