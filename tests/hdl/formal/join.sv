// A join between two senders, of one bit each, and a receiver.
module bench;
  wire rst, a_req, a_ack, b_req, b_ack, o_req, o_ack, a_ended, b_ended;
  wire a_token, a_data, b_token, b_data;
  wire [1:0] o_data;
  wire a = dut.fire_buffer.a, click = dut.fire_buffer.y;
  wire a_request = dut.matched_a.y, b_request = dut.matched_b.y;

  \join dut (
      .rst,
      .a__req(a_req), .a__ack(a_ack), .a__data(a_data),
      .b__req(b_req), .b__ack(b_ack), .b__data(b_data),
      .o__req(o_req), .o__ack(o_ack), .o__data(o_data)
  );
  source #(.W(1)) sender_a (
      .rst, .ack(a_ack), .arrived(a_request), .req(a_req), .token(a_token), .data(a_data)
  );
  source #(.W(1)) sender_b (
      .rst, .ack(b_ack), .arrived(b_request), .req(b_req), .token(b_token), .data(b_data)
  );
  sink receiver (.rst, .req(o_req), .ack(o_ack));
  resets reset (
      .quiet(!a_req && !b_req && !o_ack && !a_request && !b_request && !click), .rst
  );

  click_ends a_ends (.rst, .taken(a_ack), .request(a_request), .click, .ended(a_ended));
  click_ends b_ends (.rst, .taken(b_ack), .request(b_request), .click, .ended(b_ended));
`ifdef INDUCTION
  always @* if (!rst) no_second: assert (!click | !(a | a_ended | b_ended));
`endif

  at_rest a_rests (.rst, .offered(a_req), .taken(a_ack), .request(a_request));
  at_rest b_rests (.rst, .offered(b_req), .taken(b_ack), .request(b_request));
  hazard_free on_request_a (.rst, .a(a_req), .y(a_request));
  hazard_free on_request_b (.rst, .a(b_req), .y(b_request));
  hazard_free on_fire (.rst, .a, .y(click));
  protocol #(.W(1)) link_a (.rst, .req(a_req), .ack(a_ack), .data(1'b0));
  protocol #(.W(1)) link_b (.rst, .req(b_req), .ack(b_ack), .data(1'b0));
  protocol link_o (.rst, .req(o_req), .ack(o_ack), .data(o_data));
  tokens #(.W(1)) from_a (
      .rst, .put(a_req), .take(o_req), .empty(a_req == a_ack), .offered(a_token),
      .delivered(o_data[0])
  );
  tokens #(.W(1)) from_b (
      .rst, .put(b_req), .take(o_req), .empty(b_req == b_ack), .offered(b_token),
      .delivered(o_data[1])
  );
  passes both (.rst, .phase(o_req), .kind(o_data[0] ^ o_data[1]));
  answered #(.STEPS(`STEPS)) offers (.rst, .waits(a_req != a_ack && b_req != b_ack));
endmodule
