"""Datapaths, state machines, memories and names: circuits of one ordinary clock."""

from collections.abc import Iterator, Mapping
from random import Random

from tests.energy.circuits import Circuit

__all__ = ["designs"]

RESET = {"rst": 0}
RESET_N = {"rst_n": 1}


def designs() -> Iterator[Circuit]:
    yield from _arithmetic()
    yield from _state_machines()
    yield from _registers()
    yield from _memories()
    yield from _names()
    yield from (_random(seed) for seed in range(4))


def _arithmetic() -> Iterator[Circuit]:
    for width in (4, 11):
        yield Circuit(
            f"adder{width}",
            f"""module dut(input clk, input [{width - 1}:0] a, b, input sub,
  output reg [{width}:0] s, output zero);
reg [{width - 1}:0] ra, rb; reg rs;
always @(posedge clk) begin
  ra <= a; rb <= b; rs <= sub; s <= rs ? ra - rb : ra + rb;
end
assign zero = ~|s;
endmodule
""",
            {"a": width, "b": width, "sub": 1},
            {"s": width + 1, "zero": 1},
        )
    yield Circuit(
        "combinational",
        """module dut(input [7:0] a, b, input [2:0] n, output [7:0] y, output p, lt);
assign y = (a << n) ^ (b >> n) ^ {8{a[0] & b[7]}}; assign p = ^a; assign lt = a < b;
endmodule
""",
        {"a": 8, "b": 8, "n": 3},
        {"y": 8, "p": 1, "lt": 1},
        clocks={},
    )
    yield Circuit(
        "multiplier",
        """module dut(input clk, input signed [5:0] a, b, output reg signed [11:0] p);
reg signed [5:0] ra, rb;
always @(posedge clk) begin ra <= a; rb <= b; p <= ra * rb; end
endmodule
""",
        {"a": 6, "b": 6},
        {"p": 12},
    )
    yield Circuit(
        "mac",
        """module mul(input clk, input en, input [4:0] a, b, output reg [9:0] p, output reg v);
always @(posedge clk) begin v <= en; if (en) p <= a * b; end
endmodule
module dut(input clk, rst, en, first, input [4:0] a, b, output reg [13:0] acc, output reg done);
wire [9:0] p; wire v; reg f;
mul m(.clk(clk), .en(en), .a(a), .b(b), .p(p), .v(v));
always @(posedge clk) if (rst) begin acc <= 0; done <= 0; f <= 0; end else begin
  f <= first; done <= v;
  if (v) acc <= f ? p : acc + p;
end
endmodule
""",
        {"en": 1, "first": 1, "a": 5, "b": 5},
        {"acc": 14, "done": 1},
        resets=RESET,
        warm_up=12,
    )
    yield Circuit(
        "systolic2x2",
        """module pe(input clk, rst_n, input [3:0] a, b, output reg [3:0] ao, bo,
  output reg [11:0] c);
always @(posedge clk or negedge rst_n)
  if (!rst_n) begin ao <= 0; bo <= 0; c <= 0; end
  else begin ao <= a; bo <= b; c <= c + a * b; end
endmodule
module dut(input clk, rst_n, input [7:0] a, b, output [47:0] c);
wire [3:0] h [0:1][0:2], v [0:2][0:1];
genvar i, j;
generate
  for (i = 0; i < 2; i = i + 1) begin : edges
    assign h[i][0] = a[4*i +: 4]; assign v[0][i] = b[4*i +: 4];
  end
  for (i = 0; i < 2; i = i + 1) begin : row
    for (j = 0; j < 2; j = j + 1) begin : col
      pe p(clk, rst_n, h[i][j], v[i][j], h[i][j+1], v[i+1][j], c[12*(2*i+j) +: 12]);
    end
  end
endgenerate
endmodule
""",
        {"a": 8, "b": 8},
        {"c": 48},
        resets=RESET_N,
        steps=100,
    )
    yield Circuit(
        "neuron",
        """module dut(input clk, rst, tick, event_, input signed [4:0] w, output reg spike,
  output reg signed [9:0] v);
wire signed [10:0] sum = v + w; wire signed [9:0] leaked = v - (v >>> 3);
always @(posedge clk)
  if (rst) begin v <= 0; spike <= 0; end
  else if (tick) begin spike <= leaked > 20; v <= leaked > 20 ? 0 : leaked; end
  else begin
    spike <= 0;
    if (event_) v <= sum > 511 ? 511 : sum < -512 ? -512 : sum[9:0];
  end
endmodule
""",
        {"tick": 1, "event_": 1, "w": 5},
        {"spike": 1, "v": 10},
        resets=RESET,
        steps=250,
    )


def _state_machines() -> Iterator[Circuit]:
    for seed, states in ((1, 5), (2, 11)):
        random = Random(seed)
        arms = "\n".join(
            f"  {state}: begin next = x[{random.randrange(3)}] ? {random.randrange(states)} : "
            f"{random.randrange(states)}; y = {random.randrange(16)} ^ {{2'b0, x[1:0]}}; end"
            for state in range(states)
        )
        yield Circuit(
            f"fsm{states}",
            f"""module dut(input clk, rst_n, input [2:0] x, output reg [3:0] y, q);
reg [3:0] state, next;
always @* case (state)
{arms}
  default: begin next = 0; y = 0; end
endcase
always @(posedge clk or negedge rst_n) if (!rst_n) state <= 0; else state <= next;
always @(posedge clk) q <= y;
endmodule
""",
            {"x": 3},
            {"y": 4, "q": 4},
            resets=RESET_N,
        )
    yield Circuit(
        "onehot",
        """module dut(input clk, rst, go, stop, output reg red, amber, green, output busy);
always @(posedge clk)
  if (rst) {red, amber, green} <= 3'b100;
  else case (1'b1)
    red: if (go) {red, amber, green} <= 3'b001;
    green: if (stop) {red, amber, green} <= 3'b010;
    default: {red, amber, green} <= 3'b100;
  endcase
assign busy = !red;
endmodule
""",
        {"go": 1, "stop": 1},
        {"red": 1, "amber": 1, "green": 1, "busy": 1},
        resets=RESET,
    )


def _registers() -> Iterator[Circuit]:
    yield Circuit(
        "shift",
        """module dut(input clk, d, output q, output [3:0] taps);
reg [15:0] line;
always @(posedge clk) line <= {line[14:0], d};
assign q = line[15]; assign taps = {line[3], line[5], line[9], line[14]};
endmodule
""",
        {"d": 1},
        {"q": 1, "taps": 4},
        warm_up=20,
    )
    yield Circuit(
        "crc",
        """module dut(input clk, rst, en, d, output reg [7:0] crc);
wire f = crc[7] ^ d;
always @(posedge clk) if (rst) crc <= 8'hff;
  else if (en) crc <= {crc[6:0], 1'b0} ^ ({8{f}} & 8'h07);
endmodule
""",
        {"en": 1, "d": 1},
        {"crc": 8},
        resets=RESET,
    )
    yield Circuit(
        "counters",
        """module dut(input clk, rst_n, input [2:0] en, input load, input [7:0] d,
  output reg [7:0] a, b, output reg [11:0] c);
always @(posedge clk or negedge rst_n)
  if (!rst_n) begin a <= 0; b <= 8'h3c; c <= 0; end
  else begin
    if (en[0]) a <= a + 1;
    if (load) b <= d; else if (en[1]) b <= b - 1;
    if (en[1] & en[2]) c <= c + {a[3:0], b[3:0]};
  end
endmodule
""",
        {"en": 3, "load": 1, "d": 8},
        {"a": 8, "b": 8, "c": 12},
        resets=RESET_N,
    )
    yield Circuit(
        "inverted_reset",
        """module dut(input clk, rst_n, en, input [7:0] d, output reg [7:0] q, output reg [3:0] s);
always @(posedge clk or negedge rst_n)
  if (!rst_n) q <= 8'ha5; else if (en) q <= q ^ d;
always @(posedge clk or negedge rst_n)
  if (!rst_n) s <= 4'hf; else s <= s + {3'b0, d[0]};
endmodule
""",
        {"en": 1, "d": 8},
        {"q": 8, "s": 4},
        resets=RESET_N,
    )
    yield Circuit(
        "set_and_reset",
        """module dut(input clk, set_n, rst_n, input [3:0] d, output reg [3:0] q, p);
always @(posedge clk or negedge rst_n or negedge set_n)
  if (!rst_n) q <= 0; else if (!set_n) q <= 4'hf; else q <= d;
always @(posedge clk or negedge set_n) if (!set_n) p <= 4'hf; else p <= q ^ d;
endmodule
""",
        {"d": 4},
        {"q": 4, "p": 4},
        resets={"rst_n": 1, "set_n": 1},
    )
    yield Circuit(
        "constants",
        """module dut(input clk, rst, input [3:0] d, input unused, output [7:0] y,
  output reg [3:0] q, output one, zero, same);
reg [5:0] stuck; reg [3:0] twin_a, twin_b, dead;
always @(posedge clk) begin
  if (rst) stuck <= 0; else stuck <= stuck & 6'h15;
  twin_a <= d; twin_b <= d; dead <= twin_a;
  q <= {twin_a[3:1] ^ twin_b[2:0], stuck[0]};
end
assign y = {stuck[5:2], d[1:0], 2'b10}; assign one = 1'b1; assign zero = 1'b0;
assign same = twin_a == twin_b;
endmodule
""",
        {"d": 4, "unused": 1},
        {"y": 8, "q": 4, "one": 1, "zero": 1, "same": 1},
        resets=RESET,
    )
    # All but bit 0 of r is constant, and synthesis makes it a wire without an index.
    yield Circuit(
        "narrowed",
        """module dut(input clk, rst, input [3:0] a, b, output reg [3:0] y, output reg [5:0] seen);
reg [4:0] r;
always @(posedge clk or posedge rst) if (rst) begin r <= 0; y <= 0; seen <= 0; end
  else begin
    r <= (a < b) | (r == 0);
    y <= a + r; seen <= {seen[4:0], y[1] ^ r[0]};
  end
endmodule
""",
        {"a": 4, "b": 4},
        {"y": 4, "seen": 6},
        resets=RESET,
    )
    yield Circuit(
        "merged",
        """module side(input clk, input [3:0] d, output reg [3:0] q, output reg n);
always @(posedge clk) begin q <= d; n <= ~d[0]; end
endmodule
module dut(input clk, input [3:0] d, output [3:0] x, y, output [1:0] n);
side a(clk, d, x, n[0]); side b(clk, d, y, n[1]);
endmodule
""",
        {"d": 4},
        {"x": 4, "y": 4, "n": 2},
    )


def _fill(depth: int, names: Mapping[str, int], write: str, address: str) -> Mapping[str, object]:
    """Stimulus that writes each word once before anything is read."""

    def stimulus(random: Random, step: int) -> dict[str, int]:
        values = {name: random.getrandbits(width) for name, width in names.items()}
        if step < depth + 4:
            values |= {write: (1 << names[write]) - 1, address: max(step - 4, 0)}
        return values

    return {"stimulus": stimulus, "warm_up": depth + 8, "inputs": names}


def _memories() -> Iterator[Circuit]:
    ports = {"we": 1, "re": 1, "wa": 4, "ra": 4, "d": 8}
    filled = _fill(16, ports, "we", "wa")
    yield Circuit(
        "memory",
        """module dut(input clk, we, re, input [3:0] wa, ra, input [7:0] d, output reg [7:0] q,
  output parity);
reg [7:0] mem [0:15]; reg [7:0] next;
always @(posedge clk) begin
  if (we) mem[wa] <= d;
  if (re) q <= mem[ra];
end
assign parity = ^q;
endmodule
""",
        outputs={"q": 8, "parity": 1},
        **filled,  # pyright: ignore[reportArgumentType]  # a mapping of the dataclass's own fields
    )
    yield Circuit(
        "register_file",
        """module dut(input clk, we, re, input [3:0] wa, ra, input [7:0] d, output [7:0] q,
  output reg [7:0] sum);
reg [7:0] mem [0:15]; wire [7:0] read = mem[ra];
always @(posedge clk) begin
  if (we) mem[wa] <= d;
  if (re) sum <= read + d;
end
assign q = ~read;
endmodule
""",
        outputs={"q": 8, "sum": 8},
        **filled,  # pyright: ignore[reportArgumentType]  # a mapping of the dataclass's own fields
    )
    ports = {"wm": 4, "wa": 3, "ra": 3, "rb": 3, "d": 16}
    yield Circuit(
        "masked_memory",
        """module bank(input clk, input [3:0] wm, input [2:0] wa, ra, rb, input [15:0] d,
  output reg [15:0] a, b);
reg [15:0] mem [0:7]; integer i;
always @(posedge clk) begin
  for (i = 0; i < 4; i = i + 1) if (wm[i]) mem[wa][4*i +: 4] <= d[4*i +: 4];
  a <= mem[ra]; b <= mem[rb];
end
endmodule
module dut(input clk, input [3:0] wm, input [2:0] wa, ra, rb, input [15:0] d,
  output [15:0] y, output eq);
wire [15:0] a, b;
bank m(clk, wm, wa, ra, rb, d, a, b);
assign y = a + b; assign eq = a == b;
endmodule
""",
        outputs={"y": 16, "eq": 1},
        **_fill(8, ports, "wm", "wa"),  # pyright: ignore[reportArgumentType]  # as above
    )


def _names() -> Iterator[Circuit]:
    yield Circuit(
        "names",
        r"""module leaf #(parameter N = 3)(input clk, input [N-1:0] \d-in , output reg [N-1:0] q);
reg [N-1:0] \st$ate/x ;
always @(posedge clk) begin \st$ate/x <= ~\d-in ; q <= \st$ate/x ^ \d-in ; end
endmodule
module middle(input clk, input [6:0] d, output [6:0] q, output [9:6] off);
leaf #(3) \u/a (.clk(clk), .\d-in (d[2:0]), .q(q[2:0]));
leaf #(4) \u+b (.clk(clk), .\d-in (d[6:3]), .q(q[6:3]));
reg [9:6] s; reg [0:0] single; reg \one[7] ;
always @(posedge clk) begin
  s <= d[6:3] & {d[2:0], single}; single <= ^d; \one[7] <= single;
end
assign off = s ^ {4{\one[7] }};
endmodule
module dut(input clk, input [6:0] \in.put , output [6:0] q, output [9:6] off);
middle \m%1 (clk, \in.put , q, off);
endmodule
""",
        {"in.put": 7},
        {"q": 7, "off": 4},
    )
    yield Circuit(
        "ascending",
        """module dut(input clk, input [0:3] d, output reg [2:5] q, output [0:1] y);
reg [0:3] r;
always @(posedge clk) begin r <= d + 3; q <= {r[0], r[1] & d[0], r[2], r[3] | r[0]}; end
assign y = {q[2], q[5]};
endmodule
""",
        {"d": 4},
        {"q": 4, "y": 2},
    )


def _random(seed: int) -> Circuit:
    """Registers of odd widths, each fed by random operators of the others and of the inputs."""
    random = Random(seed)
    regs = {f"r{k}": random.randrange(1, 9) for k in range(random.randrange(6, 12))}
    inputs = {f"i{k}": random.randrange(1, 7) for k in range(4)}
    names = [*regs, *inputs]

    def expression(depth: int) -> str:
        if depth == 0:
            return random.choice(names)
        a, b = expression(depth - 1), expression(random.randrange(depth))
        plain = ("+", "-", "&", "|", "^", "*", "<", "==")
        return random.choice(
            [
                *(f"({a} {operator} {b})" for operator in plain),
                f"({a} >> {random.choice(names)}[0])",
                f"({random.choice(names)}[0] ? {a} : {b})",
                f"{{{a}, {b}}}",
                f"(~{a})",
                f"{{3{{^{b}}}}}",
            ]
        )

    resets = {name: random.getrandbits(width) for name, width in regs.items()}
    style = "posedge clk or posedge rst" if seed % 2 else "posedge clk"
    updates = "\n".join(
        f"  {f'if ({random.choice(names)}[0]) ' if random.random() < 0.4 else ''}"
        f"{name} <= {expression(3)};"
        for name in regs
    )
    start = " ".join(f"{name} <= {value};" for name, value in resets.items())
    ports = "".join(f", input [{width - 1}:0] {name}" for name, width in inputs.items())
    declared = " ".join(f"reg [{width - 1}:0] {name};" for name, width in regs.items())
    return Circuit(
        f"random{seed}",
        f"""module dut(input clk, rst{ports}, output [15:0] y, output [7:0] z);
{declared}
always @({style}) if (rst) begin {start} end else begin
{updates}
end
assign y = {" ^ ".join(regs)}; assign z = {expression(2)};
endmodule
""",
        inputs,
        {"y": 16, "z": 8},
        resets=RESET,
    )
