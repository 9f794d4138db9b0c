// A fork between a sender and two receivers.
module bench;
  wire rst, i_req, i_ack, a_req, a_ack, b_req, b_ack, ended;
  wire [1:0] token, i_data, a_data, b_data;
  wire a = dut.fire_buffer.a, click = dut.fire_buffer.y, request = dut.matched.y;

  \fork dut (
      .rst,
      .i__req(i_req), .i__ack(i_ack), .i__data(i_data),
      .a__req(a_req), .a__ack(a_ack), .a__data(a_data),
      .b__req(b_req), .b__ack(b_ack), .b__data(b_data)
  );
  source sender (.rst, .ack(i_ack), .arrived(request), .req(i_req), .token, .data(i_data));
  sink receiver_a (.rst, .req(a_req), .ack(a_ack));
  sink receiver_b (.rst, .req(b_req), .ack(b_ack));
  resets reset (.quiet(!i_req && !a_ack && !b_ack && !request && !click), .rst);

  click_ends ends (.rst, .taken(i_ack), .request, .click, .ended);
`ifdef INDUCTION
  always @* if (!rst) no_second: assert (!click | !(a | ended));
`endif

  at_rest rests (.rst, .offered(i_req), .taken(i_ack), .request);
  hazard_free on_request (.rst, .a(i_req), .y(request));
  hazard_free on_fire (.rst, .a, .y(click));
  protocol #(.W(1)) link_i (.rst, .req(i_req), .ack(i_ack), .data(1'b0));
  protocol link_a (.rst, .req(a_req), .ack(a_ack), .data(a_data));
  protocol link_b (.rst, .req(b_req), .ack(b_ack), .data(b_data));
  tokens to_a (
      .rst, .put(i_req), .take(a_req), .empty(i_req == i_ack), .offered(token), .delivered(a_data)
  );
  tokens to_b (
      .rst, .put(i_req), .take(b_req), .empty(i_req == i_ack), .offered(token), .delivered(b_data)
  );
  passes both (.rst, .phase(b_req), .kind(b_data[0]));
  answered #(.STEPS(`STEPS)) offer (.rst, .waits(i_req != i_ack));
endmodule
