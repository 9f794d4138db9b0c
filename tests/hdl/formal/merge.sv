// A merge between two senders and a receiver.
module bench;
  wire rst, a_req, a_ack, b_req, b_ack, o_req, o_ack;
  wire [1:0] a_token, a_data, b_token, b_data, o_data;
  wire a = dut.fire_buffer.a, click = dut.fire_buffer.y;
  wire a_request = dut.matched_a.y, b_request = dut.matched_b.y;
  wire a_asks = dut.mutex.r0, b_asks = dut.mutex.r1, a_grant = dut.mutex.g0, b_grant = dut.mutex.g1;
  wire a_released, b_released, ended, a_passed_over, b_passed_over;

  merge dut (
      .rst,
      .a__req(a_req), .a__ack(a_ack), .a__data(a_data),
      .b__req(b_req), .b__ack(b_ack), .b__data(b_data),
      .o__req(o_req), .o__ack(o_ack), .o__data(o_data)
  );
  source sender_a (
      .rst, .ack(a_ack), .arrived(a_request), .req(a_req), .token(a_token), .data(a_data)
  );
  source sender_b (
      .rst, .ack(b_ack), .arrived(b_request), .req(b_req), .token(b_token), .data(b_data)
  );
  sink receiver (.rst, .req(o_req), .ack(o_ack));
  resets reset (
      .quiet(!a_req && !b_req && !o_ack && !a_request && !b_request && !click
             && !a_grant && !b_grant && !dut.mutex.waits),
      .rst
  );

  grant_ends a_lets_go (
      .rst, .taken(a_ack), .request(a_request), .grant(a_grant), .ended(a_released)
  );
  grant_ends b_lets_go (
      .rst, .taken(b_ack), .request(b_request), .grant(b_grant), .ended(b_released)
  );
  receiver_delays ends (.rst, .sent(o_req), .ack(o_ack), .click, .ended);
`ifdef INDUCTION
  wire neither = dut.mutex.x & dut.mutex.y;
  always @*
    if (!rst) begin
      no_second: assert (!click | !(a | ended));
      a_owed: assert (!dut.mutex.next0 | (neither & a_asks));
      b_owed: assert (!dut.mutex.next1 | (neither & b_asks & !dut.mutex.next0));
      a_letting_go: assert (!a_grant | a_asks | !a_released);
      b_letting_go: assert (!b_grant | b_asks | !b_released);
      a_next: assert (!a_passed_over | (b_grant & !b_asks) | dut.mutex.next0 | a_grant);
      b_next: assert (!b_passed_over | (a_grant & !a_asks) | dut.mutex.next1 | b_grant);
    end
`endif

  at_rest a_rests (.rst, .offered(a_req), .taken(a_ack), .request(a_request));
  at_rest b_rests (.rst, .offered(b_req), .taken(b_ack), .request(b_request));
  hazard_free on_request_a (.rst, .a(a_req), .y(a_request));
  hazard_free on_request_b (.rst, .a(b_req), .y(b_request));
  hazard_free on_grant_a (.rst, .a(a_asks), .y(a_grant));
  hazard_free on_grant_b (.rst, .a(b_asks), .y(b_grant));
  hazard_free on_fire (.rst, .a, .y(click));
  protocol #(.W(1)) link_a (.rst, .req(a_req), .ack(a_ack), .data(1'b0));
  protocol #(.W(1)) link_b (.rst, .req(b_req), .ack(b_ack), .data(1'b0));
  protocol link_o (.rst, .req(o_req), .ack(o_ack), .data(o_data));

  reg was_a, was_b, was_o, was_rst;
  wire takes_a = a_ack != was_a, takes_b = b_ack != was_b, sends = o_req != was_o;
  always @($global_clock) {was_a, was_b, was_o, was_rst} <= {a_ack, b_ack, o_req, rst};
  always @*
    if (!rst && !was_rst) begin
      exclusive: assert (!(takes_a & takes_b));
      one_for_one: assert (sends == (takes_a | takes_b));
    end
  tokens from_a (
      .rst, .put(a_req), .take(a_ack), .empty(a_req == a_ack), .offered(a_token),
      .delivered(o_data)
  );
  tokens from_b (
      .rst, .put(b_req), .take(b_ack), .empty(b_req == b_ack), .offered(b_token),
      .delivered(o_data)
  );
  fair for_a (.rst, .waits(a_asks), .other(b_ack), .passed_over(a_passed_over));
  fair for_b (.rst, .waits(b_asks), .other(a_ack), .passed_over(b_passed_over));
  passes both (.rst, .phase(o_req), .kind(takes_a));
  answered #(.STEPS(`STEPS)) offer_a (.rst, .waits(a_req != a_ack));
  answered #(.STEPS(`STEPS)) offer_b (.rst, .waits(b_req != b_ack));
endmodule

// While one side waits, at most one token of the other side passes.
module fair (input rst, waits, other, output passed_over);
  reg was_waits, was_other, once;
  assign passed_over = waits & was_waits & once;
  wire passes = waits & was_waits & other != was_other;
  always @($global_clock) begin
    {was_waits, was_other} <= {waits, other};
    once <= !rst & (passes | passed_over);
  end
  always @* if (!rst) at_most_one: assert (!(passes & passed_over));
  always @* if (!rst) one: cover (passes);
endmodule
