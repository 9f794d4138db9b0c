// A stage between a sender and a receiver.
module bench;
  wire rst, i_req, i_ack, o_req, o_ack, ended;
  wire [1:0] token, i_data, o_data;
  wire a = dut.fire_buffer.a, click = dut.fire_buffer.y, request = dut.matched.y;

  stage dut (
      .rst,
      .i__req(i_req), .i__ack(i_ack), .i__data(i_data),
      .o__req(o_req), .o__ack(o_ack), .o__data(o_data)
  );
  source sender (.rst, .ack(i_ack), .arrived(request), .req(i_req), .token, .data(i_data));
  sink receiver (.rst, .req(o_req), .ack(o_ack));
  resets reset (.quiet(!i_req && !o_ack && !request && !click), .rst);

  click_ends ends (.rst, .taken(i_ack), .request, .click, .ended);
`ifdef INDUCTION
  always @* if (!rst) no_second: assert (!click | !(a | ended));
`endif
  at_rest rests (.rst, .offered(i_req), .taken(i_ack), .request);
  hazard_free on_request (.rst, .a(i_req), .y(request));
  hazard_free on_fire (.rst, .a, .y(click));
  protocol #(.W(1)) link_i (.rst, .req(i_req), .ack(i_ack), .data(1'b0));
  protocol link_o (.rst, .req(o_req), .ack(o_ack), .data(o_data));
  tokens flow (
      .rst, .put(i_req), .take(o_req), .empty(i_req == i_ack), .offered(token), .delivered(o_data)
  );
  passes both (.rst, .phase(o_req), .kind(o_data[0]));
  answered #(.STEPS(`STEPS)) offer (.rst, .waits(i_req != i_ack));
endmodule
