// A demultiplexer between a sender and three receivers; routes as in prove.py.
module bench;
  wire rst, i_req, i_ack, ended;
  wire [1:0] token, i_data, data_0, data_1, data_2;
  wire [2:0] req, ack;
  wire a = dut.fire_buffer.a, click = dut.fire_buffer.y, request = dut.matched.y;

  demux dut (
      .rst,
      .i__req(i_req), .i__ack(i_ack), .i__data(i_data),
      .o__0__req(req[0]), .o__0__ack(ack[0]), .o__0__data(data_0),
      .o__1__req(req[1]), .o__1__ack(ack[1]), .o__1__data(data_1),
      .o__2__req(req[2]), .o__2__ack(ack[2]), .o__2__data(data_2)
  );
  source sender (.rst, .ack(i_ack), .arrived(request), .req(i_req), .token, .data(i_data));
  sink receiver_0 (.rst, .req(req[0]), .ack(ack[0]));
  sink receiver_1 (.rst, .req(req[1]), .ack(ack[1]));
  sink receiver_2 (.rst, .req(req[2]), .ack(ack[2]));
  resets reset (.quiet(!i_req && ack == 0 && !request && !click), .rst);

  click_ends ends (.rst, .taken(i_ack), .request, .click, .ended);
`ifdef INDUCTION
  always @* if (!rst) no_second: assert (!click | !(a | ended));
`endif

  at_rest rests (.rst, .offered(i_req), .taken(i_ack), .request);
  hazard_free on_request (.rst, .a(i_req), .y(request));
  hazard_free on_fire (.rst, .a, .y(click));
  protocol #(.W(1)) link_i (.rst, .req(i_req), .ack(i_ack), .data(1'b0));
  protocol link_0 (.rst, .req(req[0]), .ack(ack[0]), .data(data_0));
  protocol link_1 (.rst, .req(req[1]), .ack(ack[1]), .data(data_1));
  protocol link_2 (.rst, .req(req[2]), .ack(ack[2]), .data(data_2));

  // A token leaves at one link: the right one.
  reg was_rst;
  reg [2:0] was;
  wire [2:0] sends = req ^ was;
  wire [2:0] right = token == 0 ? 3'b001 : token == 1 ? 3'b010 : 3'b100;
  always @($global_clock) {was_rst, was} <= {rst, req};
  always @* if (!rst && !was_rst) sent_right: assert (sends == 0 || sends == right);
  tokens flow (
      .rst, .put(i_req), .take(^req), .empty(i_req == i_ack), .offered(token + 2'd1),
      .delivered(sends[0] ? data_0 : sends[1] ? data_1 : data_2)
  );
  passes both (.rst, .phase(^req), .kind(sends[2]));
  answered #(.STEPS(`STEPS)) offer (.rst, .waits(i_req != i_ack));
endmodule
