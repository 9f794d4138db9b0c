"""Sources and sinks around one router, in SystemVerilog.

The source of port n reads ``offers_n`` (times in ps and packets; a clockless one's begins with the
time in ps by which data come in after their request) and writes ``sent_n`` (times at which each was
offered and taken, and the packet); its sink reads ``pauses_n`` (ps) and writes ``came_n`` (time and
packet).
"""

from spikewatt.model.params import PORTS, PacketParams, RouterKind

__all__ = ["PERIOD", "harness"]

PERIOD = 10_000
"""Clock period of a clocked router, ps."""

# Reset ends a quarter of a period behind an edge: no flip-flop sees it and the clock move together.
_TOP = """`timescale 1ps / 1ps

module harness;
  bit clk = 0, rst = 1;
  wire [4:0] finished, pending;
  wire [31:0] {counts};
  wire [31:0] taken = {total};
  wire all_finished = &finished;
  initial forever #({period} / 2) clk = ~clk;
  initial #(10 * {period} + {period} / 4) rst = 0;
{links}
  router dut({clock}.rst(rst), .pending(pending){ports});
endmodule
"""
_CLICK_LINK = """  wire i{n}_req, i{n}_ack, o{n}_req, o{n}_ack;
  wire [{high}:0] i{n}_data, o{n}_data;
  source #({n}, {bits}) source_{n}(rst, i{n}_req, i{n}_ack, i{n}_data, finished[{n}]);
  sink #({n}, {bits}) sink_{n}(rst, o{n}_req, o{n}_ack, o{n}_data, taken_{n});
"""
_SYNC_LINK = """  wire i{n}_valid, i{n}_ready, o{n}_valid, o{n}_ready;
  wire [{high}:0] i{n}_payload, o{n}_payload;
  source #({n}, {bits}) source_{n}(clk, rst, i{n}_valid, i{n}_ready, i{n}_payload, finished[{n}]);
  sink #({n}, {bits}, {period})
    sink_{n}(clk, rst, o{n}_valid, o{n}_ready, o{n}_payload, taken_{n});
"""
# A source waits 1 ps at least behind an acknowledge: requests that follow it in the same instant
# would depend on the simulator's order.
_CLICK_ENDS = """
module source #(parameter int PORT = 0, W = 1) (
  input wire rst, output reg req, input wire ack, output reg [W-1:0] data, output reg finished
);
  int offers, log;
  longint when, sent, late;
  reg [W-1:0] word;
  initial begin
    req = 0;
    data = 0;
    finished = 0;
    offers = $fopen($sformatf("offers_%0d", PORT), "r");
    log = $fopen($sformatf("sent_%0d", PORT), "w");
    if ($fscanf(offers, "%d", late) != 1) late = 0;
    wait (rst === 0);
    while ($fscanf(offers, "%d %h", when, word) == 2) begin
      if ($time < when) #(when - $time);
      else #1;
      req = ~req;
      sent = $time;
      if (late != 0) #(late);
      data = word;
      wait (ack === req);
      $fwrite(log, "%0d %0d %h\\n", sent, $time, word);
    end
    $fclose(log);
    finished = 1;
  end
endmodule

module sink #(parameter int PORT = 0, W = 1) (
  input wire rst, input wire req, output reg ack, input wire [W-1:0] data, output int taken
);
  int pauses, log;
  longint pause;
  initial begin
    ack = 0;
    taken = 0;
    pauses = $fopen($sformatf("pauses_%0d", PORT), "r");
    log = $fopen($sformatf("came_%0d", PORT), "w");
    wait (rst === 0);
    forever begin
      wait (req === ~ack);
      if ($fscanf(pauses, "%d", pause) != 1) pause = 1;
      #(pause);
      $fwrite(log, "%0d %h\\n", $time, data);
      $fflush(log);
      ack = ~ack;
      taken = taken + 1;
    end
  end
endmodule
"""
# What a process reads at the edge is from before it, and it assigns without blocking: so sources
# and sinks see what the router's flip-flops see.
_SYNC_ENDS = """
module source #(parameter int PORT = 0, W = 1) (
  input wire clk, rst, output reg valid, input wire ready, output reg [W-1:0] payload,
  output reg finished
);
  int offers, log;
  longint when, sent;
  reg [W-1:0] word;
  bit more;
  initial begin
    valid = 0;
    payload = 0;
    finished = 0;
    offers = $fopen($sformatf("offers_%0d", PORT), "r");
    log = $fopen($sformatf("sent_%0d", PORT), "w");
    more = $fscanf(offers, "%d %h", when, word) == 2;
  end
  always @(posedge clk) if (!rst) begin
    if (valid && ready) begin
      $fwrite(log, "%0d %0d %h\\n", sent, $time, payload);
      $fflush(log);
      valid <= 0;
      if (!more) finished <= 1;
    end
    if (!more && !valid) finished <= 1;
    if (more && $time >= when && (!valid || ready)) begin
      valid <= 1;
      payload <= word;
      sent = $time;
      more = $fscanf(offers, "%d %h", when, word) == 2;
    end
  end
endmodule

module sink #(parameter int PORT = 0, W = 1, PERIOD = 1) (
  input wire clk, rst, input wire valid, output reg ready, input wire [W-1:0] payload,
  output int taken
);
  int pauses, log;
  longint pause;
  task next_pause;
    if ($fscanf(pauses, "%d", pause) != 1) pause = 0;
    pause = pause / PERIOD;
    ready <= pause == 0;
  endtask
  initial begin
    taken = 0;
    pauses = $fopen($sformatf("pauses_%0d", PORT), "r");
    log = $fopen($sformatf("came_%0d", PORT), "w");
    next_pause;
  end
  always @(posedge clk) if (!rst) begin
    if (ready && valid) begin
      $fwrite(log, "%0d %h\\n", $time, payload);
      $fflush(log);
      taken = taken + 1;
      next_pause;
    end else if (!ready && valid) begin
      pause = pause - 1;
      ready <= pause <= 0;
    end
  end
endmodule
"""


def harness(kind: RouterKind, packet: PacketParams) -> str:
    """Module ``harness``, with a module ``router`` between sources and sinks."""
    click = kind is RouterKind.CLICK
    link, ends = (_CLICK_LINK, _CLICK_ENDS) if click else (_SYNC_LINK, _SYNC_ENDS)
    members = ("req", "ack", "data") if click else ("valid", "ready", "payload")
    sizes = {"high": packet.bits - 1, "bits": packet.bits, "period": PERIOD}
    ports = (
        f",\n    .{side}__{port:d}__{member}({side}{port:d}_{member})"
        for port in PORTS
        for side in "io"
        for member in members
    )
    top = _TOP.format(
        links="".join(link.format(n=int(port), **sizes) for port in PORTS),
        clock="" if click else ".clk(clk), ",
        ports="".join(ports),
        counts=", ".join(counts := [f"taken_{port:d}" for port in PORTS]),
        total=" + ".join(counts),
        period=PERIOD,
    )
    return top + ends
