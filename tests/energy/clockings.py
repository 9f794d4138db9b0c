"""Circuits of several clocks, gated and divided clocks, other edges, latches."""

from collections.abc import Iterator
from random import Random

from tests.energy.circuits import Circuit, Clock

__all__ = ["clockings"]

RESET_N = {"rst_n": 1}


def clockings() -> Iterator[Circuit]:
    yield from _edges()
    yield from _several()
    yield from _gated()
    yield from _latches()


def _edges() -> Iterator[Circuit]:
    yield Circuit(
        "both_edges",
        """module dut(input clk, rst_n, input [5:0] d, output reg [5:0] up, down, output mixed);
always @(posedge clk or negedge rst_n) if (!rst_n) up <= 0; else up <= d + down;
always @(negedge clk or negedge rst_n) if (!rst_n) down <= 6'h2a; else down <= up ^ d;
assign mixed = clk ? ^up : ^down;
endmodule
""",
        {"d": 6},
        {"up": 6, "down": 6, "mixed": 1},
        resets=RESET_N,
    )
    yield Circuit(
        "clock_as_data",
        """module dut(input clk, slow, input [2:0] d, output reg [2:0] q, output reg seen,
  output [2:0] chopped);
always @(posedge clk) begin q <= d; seen <= slow; end
assign chopped = q & {3{clk}};
endmodule
""",
        {"d": 3},
        {"q": 3, "seen": 1, "chopped": 3},
        clocks={"clk": Clock(10, 5, 10), "slow": Clock(35, 9, 23)},
    )
    yield Circuit(
        "reset_from_logic",
        """module dut(input clk, rst_n, input [3:0] d, output reg [3:0] count,
  output reg [1:0] laps);
reg full;
wire clear = !rst_n | full;
always @(negedge clk) full <= &count[3:2];
always @(posedge clk or posedge clear) if (clear) count <= 0; else count <= count + d[1:0];
always @(negedge clk or negedge rst_n) if (!rst_n) laps <= 0; else laps <= laps + d[3];
endmodule
""",
        {"d": 4},
        {"count": 4, "laps": 2},
        resets=RESET_N,
    )


def _several() -> Iterator[Circuit]:
    two_clocks = """module dut(input ca, cb, rst_n, input [5:0] d, input go, output reg [5:0] y,
  output reg req, ack);
reg [5:0] held; reg [1:0] to_b, to_a; reg [3:0] na, nb;
always @(posedge ca or negedge rst_n)
  if (!rst_n) begin req <= 0; held <= 0; to_a <= 0; na <= 0; end
  else begin
    to_a <= {to_a[0], ack};
    if (go && req == to_a[1]) begin req <= ~req; held <= d; na <= na + 1; end
  end
always @(posedge cb or negedge rst_n)
  if (!rst_n) begin ack <= 0; y <= 0; to_b <= 0; nb <= 0; end
  else begin
    to_b <= {to_b[0], req};
    if (to_b[1] != ack) begin ack <= to_b[1]; y <= held + nb; nb <= nb + 3; end
  end
endmodule
"""
    for name, other in (("two_clocks", Clock(14, 6, 11)), ("common_edges", Clock(15, 5, 10))):
        yield Circuit(
            name,
            two_clocks,
            {"d": 6, "go": 1},
            {"y": 6, "req": 1, "ack": 1},
            clocks={"ca": Clock(10, 5, 10), "cb": other},
            resets=RESET_N,
            steps=250,
        )
    yield Circuit(
        "clock_mux",
        """module dut(input ca, cb, sel, rst_n, input [3:0] d, output reg [7:0] acc);
wire c = sel ? ca : cb;
always @(posedge c or negedge rst_n) if (!rst_n) acc <= 0; else acc <= acc + d;
endmodule
""",
        {"sel": 1, "d": 4},
        {"acc": 8},
        clocks={"ca": Clock(10, 5, 10), "cb": Clock(26, 7, 21)},
        resets=RESET_N,
        stimulus=_rarely_select,
        steps=250,
    )
    # What crosses into the divided clock's domain changes at the other edge: no race.
    yield Circuit(
        "divided_clock",
        """module dut(input clk, rst_n, input [4:0] d, output reg [4:0] slow,
  output reg [1:0] phase, output reg [7:0] sum);
reg [4:0] fast;
always @(posedge clk or negedge rst_n) if (!rst_n) phase <= 0; else phase <= phase + 1;
always @(negedge clk) fast <= d;
always @(posedge phase[1] or negedge rst_n)
  if (!rst_n) begin slow <= 0; sum <= 0; end else begin slow <= fast; sum <= sum + slow; end
endmodule
""",
        {"d": 5},
        {"slow": 5, "phase": 2, "sum": 8},
        resets=RESET_N,
        steps=250,
    )


def _rarely_select(random: Random, step: int) -> dict[str, int]:
    """The select may make an edge, so the data rest at that time."""
    if step == 0 or random.random() < 0.15:
        return {"sel": random.getrandbits(1)}
    return {"d": random.getrandbits(4)}


def _rarely_open(random: Random, step: int) -> dict[str, int]:
    """Open at steps 2 and 3, then not before step 20; the data rest when the latch closes."""
    if step in (4, 22, 60, 110):
        return {"en": 0}
    return {"d": random.getrandbits(4), "en": int(step in (2, 3, 20, 21, *range(40, 60), 109))}


def _gated() -> Iterator[Circuit]:
    yield Circuit(
        "latch_and_gate",
        """module gate(input clk, en, output gclk);
reg held;
always @* if (!clk) held = en;
assign gclk = clk & held;
endmodule
module dut(input clk, rst_n, input [7:0] d, input [1:0] en, output reg [7:0] a, b, c);
wire [1:0] gclk; reg go;
gate g0(clk, en[0], gclk[0]); gate g1(clk, go, gclk[1]);
always @(posedge clk or negedge rst_n) if (!rst_n) begin go <= 0; c <= 0; end
  else begin go <= en[1]; c <= c + a[3:0]; end
always @(posedge gclk[0] or negedge rst_n) if (!rst_n) a <= 0; else a <= d;
always @(posedge gclk[1] or negedge rst_n) if (!rst_n) b <= 8'h81; else b <= a + b;
endmodule
""",
        {"d": 8, "en": 2},
        {"a": 8, "b": 8, "c": 8},
        resets=RESET_N,
    )
    yield Circuit(
        "or_gate",
        """module dut(input clk, en_n, input [3:0] d, output reg [3:0] q, n);
reg held;
always @* if (clk) held = en_n;
wire gclk = clk | held;
always @(posedge clk) n <= d;
always @(negedge gclk) q <= n;
endmodule
""",
        {"en_n": 1, "d": 4},
        {"q": 4, "n": 4},
        warm_up=20,
    )


def _latches() -> Iterator[Circuit]:
    yield Circuit(
        "latch_bank",
        """module dut(input [2:0] en, input [3:0] d, input clr, output reg [3:0] a, b, c,
  output [3:0] y);
always @* if (en[0]) a = d;
always @* if (!en[1]) b = a ^ d;
always @* if (clr) c = 0; else if (en[2]) c = b;
assign y = a + b + c;
endmodule
""",
        {"en": 3, "d": 4, "clr": 1},
        {"a": 4, "b": 4, "c": 4, "y": 4},
        clocks={},
        warm_up=25,
        steps=300,
    )
    # The dump begins with the latches closed, and some stay so for long.
    yield Circuit(
        "held_latches",
        """module dut(input clk, en, input [3:0] d, output reg [3:0] held, high, q);
always @* if (en) held = d;
always @* if (clk) high = held ^ d;
always @(negedge clk) q <= high + held;
endmodule
""",
        {"en": 1, "d": 4},
        {"held": 4, "high": 4, "q": 4},
        stimulus=_rarely_open,
    )
    yield Circuit(
        "two_phases",
        """module dut(input p1, p2, rst, input [4:0] d, output reg [4:0] m, s, output [4:0] y);
always @* if (rst) s = 0; else if (p2) s = m;
always @* if (p1) m = s + d;
assign y = m ^ s;
endmodule
""",
        {"d": 5},
        {"m": 5, "s": 5, "y": 5},
        clocks={"p1": Clock(20, 3, 9), "p2": Clock(20, 13, 19)},
        resets={"rst": 0},
        step=20,
    )
    yield Circuit(
        "latch_between_clocks",
        """module dut(input clk, rst_n, input [3:0] d, output reg [3:0] q, l, output [3:0] y);
always @(posedge clk or negedge rst_n) if (!rst_n) q <= 0; else q <= l + d;
always @* if (!clk) l = {q[0], q[3:1]} ^ d;
assign y = l & q;
endmodule
""",
        {"d": 4},
        {"q": 4, "l": 4, "y": 4},
        resets=RESET_N,
    )
