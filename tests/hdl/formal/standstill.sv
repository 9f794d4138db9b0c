// All states of the links of a mesh: no run is needed to reach one.
module bench (input [`LINKS-1:0] full, input [8*`LINKS-1:0] packets);
  wire legal, lost, stuck;
  standstill dut (.full, .packets, .legal, .lost, .stuck);
  always @* begin
    assume (legal);
    none_lost: assert (!lost);
    none_stuck: assert (!stuck);
    all_full: cover (full == {`LINKS{1'b1}});
  end
endmodule
