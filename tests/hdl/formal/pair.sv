// A merge whose receiver is a stage, all delays bounded: the stage's matched delay keeps what the
// merge assumes of its receiver.
module bench;
  wire rst, a_req, a_ack, b_req, b_ack, o_req, o_ack, ended;
  wire [1:0] a_token, a_data, b_token, b_data, o_data;
  wire between_req = dut.merge.o__req, between_ack = dut.stage.i__ack;
  wire click = dut.merge.fire_buffer.y;

  pair dut (
      .rst,
      .a__req(a_req), .a__ack(a_ack), .a__data(a_data),
      .b__req(b_req), .b__ack(b_ack), .b__data(b_data),
      .o__req(o_req), .o__ack(o_ack), .o__data(o_data)
  );
  source sender_a (
      .rst, .ack(a_ack), .arrived(dut.merge.matched_a.y), .req(a_req), .token(a_token),
      .data(a_data)
  );
  source sender_b (
      .rst, .ack(b_ack), .arrived(dut.merge.matched_b.y), .req(b_req), .token(b_token),
      .data(b_data)
  );
  sink receiver (.rst, .req(o_req), .ack(o_ack));
  resets reset (
      .quiet(!a_req && !b_req && !o_ack && !dut.merge.matched_a.y && !dut.merge.matched_b.y
             && !click && !dut.merge.mutex.g0 && !dut.merge.mutex.g1 && !dut.merge.mutex.waits
             && !dut.stage.matched.y && !dut.stage.fire_buffer.y),
      .rst
  );

  receiver_delays ends (.rst, .sent(between_req), .ack(between_ack), .click, .ended);
  hazard_free on_fire (.rst, .a(dut.merge.fire_buffer.a), .y(click));
  hazard_free on_next (.rst, .a(dut.stage.fire_buffer.a), .y(dut.stage.fire_buffer.y));
  protocol #(.W(1)) link_between (.rst, .req(between_req), .ack(between_ack), .data(1'b0));
  protocol link_o (.rst, .req(o_req), .ack(o_ack), .data(o_data));
  passes both (.rst, .phase(o_req), .kind(o_data[0]));
  answered #(.STEPS(`STEPS)) offer_a (.rst, .waits(a_req != a_ack));
  answered #(.STEPS(`STEPS)) offer_b (.rst, .waits(b_req != b_ack));
endmodule
