"""Small random sequential circuits with all kinds of state, many of them in one design.

Each circuit is a module of the same ports, and ``dut`` is all of them side by side, so that one run
of the synthesis and of each simulator serves many. What changes is chosen so that no order of
events within a moment matters: inputs change away from the clocks' edges, and latches open and
close with a clock.
"""

from dataclasses import dataclass
from random import Random

from tests.energy.circuits import Circuit, Clock

__all__ = ["FILL", "INPUTS", "Design", "draw_design"]

INPUTS = {"rst": 1, "rst_n": 1, "en": 1, "m": 4, "v": 1, "a": 3, "b": 3, "d": 8}
FILL = 48
"""Steps of reset, during which all words are written and all enables are given."""
_PORTS = "ck, cb, rst, rst_n, en, v, m, a, b, d"
_CLOCKS = {"ck": Clock(10, 5, 10), "cb": Clock(14, 6, 11)}


@dataclass(frozen=True)
class Design:
    """A design, its test bench's half, and the arrays of it that are made of flip-flops.

    Parameters
    ----------
    arrays:
        Words of each such array, by its name below ``dut``.
    """

    circuit: Circuit
    arrays: dict[str, int]


def draw_design(seed: int, circuits: int) -> Design:
    """Draw that many circuits."""
    drawn = [_Drawn(Random(f"{seed} {number}"), f"c{number}") for number in range(circuits)]
    modules = [drawing.module() for drawing in drawn]
    names = [drawing.name for drawing in drawn]
    parts = [f"{name} {name}_({_PORTS}, {name}_y);" for name in names]
    outputs = ", ".join(f"output [7:0] {name}_y" for name in names)
    top = f"module dut({_inputs()}, {outputs});\n" + "\n".join(parts) + "\nendmodule\n"
    return Design(
        Circuit(
            f"hidden{seed}",
            "\n".join([*modules, top]),
            INPUTS,
            {f"{name}_y": 8 for name in names},
            clocks=_CLOCKS,
            stimulus=_stimulus,
            warm_up=0,
            steps=260,
            seed=seed,
        ),
        {f"{drawing.name}_.f": 4 for drawing in drawn if drawing.array},
    )


def _inputs() -> str:
    return "input ck, cb, rst, rst_n, en, v, input [3:0] m, input [2:0] a, b, input [7:0] d"


def _stimulus(random: Random, step: int) -> dict[str, int]:
    if step < FILL:
        held = {"rst": 1, "rst_n": 0, "en": 1, "m": 15, "v": 1, "a": step // 2 % 8}
        return held | {"d": random.getrandbits(8), "b": random.getrandbits(3)}
    reset = random.random() < 0.03
    values = {
        name: random.getrandbits(width)
        for name, width in INPUTS.items()
        if random.random() < 0.6 and not name.startswith("rst")
    }
    if random.random() < 0.4:
        values["b"] = values.get("a", 0)  # a word is read while it is written
    return values | {"rst": int(reset), "rst_n": int(not reset)}


class _Drawn:
    """A circuit as it is drawn: what is declared, what it does, and what may be read.

    ``known`` are names that anything may read, and ``latched`` those of latches, each with the one
    edge at which it rests. Of what is in them nothing is unknown for ever.
    """

    def __init__(self, random: Random, name: str) -> None:
        self.random, self.name = random, name
        self.known = ["en", "m", "v", "a", "b", "d"]
        self.latched: dict[str, str] = {}
        self.lines: list[str] = []
        self.shown: list[str] = []
        self.array = False

    def module(self) -> str:
        """Verilog of it."""
        for part in self.random.sample([self.memory, self.latch, self.gate], k=2):
            part()
        for _ in range(self.random.randrange(2, 5)):
            self.register()
        if self.random.random() < 0.3:
            self.loop()
        lines = [f"module {self.name}({_inputs()}, output [7:0] y);", *self.lines]
        return "\n".join([*lines, f"assign y = {' ^ '.join(self.shown)};", "endmodule", ""])

    def fresh(self, stem: str) -> str:
        return f"{stem}{len(self.lines)}"

    def expression(self, depth: int = 2, clock: str = "") -> str:
        random = self.random
        if depth == 0:
            latched = [name for name, edge in self.latched.items() if edge == clock]
            return random.choice([*self.known, *latched])
        one = self.expression(depth - 1, clock)
        other = self.expression(random.randrange(depth), clock)
        return random.choice(
            [
                *(f"({one} {operator} {other})" for operator in ("+", "-", "&", "|", "^", "^")),
                f"({random.choice(self.known)} > 1 ? {one} : {other})",
                f"(~{one})",
                f"{{8{{^{other}}}}}",
            ]
        )

    def condition(self, clock: str = "") -> str:
        """True often enough, and during the reset."""
        return f"rst | (^{self.expression(1, clock)})"

    def clock(self) -> str:
        return self.random.choice(["posedge ck", "posedge ck", "negedge ck", "posedge cb"])

    def register(self, clock: str | None = None) -> None:
        """A register: enabled or not, reset at once, at the edge, or never."""
        random, name = self.random, self.fresh("r")
        width = random.randrange(1, 9)
        event = clock or self.clock()
        clock = "posedge ck" if clock else event
        new = random.choice(
            [
                self.expression(2, clock),
                f"{name} + {random.choice([1, 3, 'd'])}",
                f"~{name}",
                f"{{{name}, ^({name} & 8'h{random.randrange(1, 256):x})}} ^ v",
            ]
        )
        reset = random.choice(["none", "sync", "async", "low"])
        if reset == "none" and name in new:
            new = self.expression(2, clock)
        value = random.getrandbits(width)
        update = f"if ({self.condition(clock)}) {name} <= {new};"
        update = update if random.random() < 0.6 else f"{name} <= {new};"
        events = {"async": " or posedge rst", "low": " or negedge rst_n"}.get(reset, "")
        if reset != "none":
            test = "!rst_n" if reset == "low" else "rst"
            update = f"if ({test}) {name} <= {value}; else {update}"
        self.lines += [
            f"reg [{width - 1}:0] {name};",
            f"always @({event}{events}) {update}",
        ]
        self.known.append(name)
        self.shown.append(name)

    def loop(self) -> None:
        """Two registers that nothing resets, which take turns."""
        one, other = self.fresh("p"), self.fresh("o")
        self.lines += [
            f"reg {one}, {other};",
            f"always @(posedge ck) if (en) begin {one} <= rst ? v : {other}; {other} <= {one}; end",
        ]
        self.shown += [one, other]

    def latch(self) -> None:
        """A latch that one phase of the clock opens.

        Without a reset: where the library has no latch with one, the gates race as it ends.
        """
        name, phase = self.fresh("l"), self.random.choice(["ck", "!ck"])
        self.lines += [
            f"reg [3:0] {name};",
            f"always @* if ({phase}) {name} = {self.expression()};",
        ]
        self.latched[name] = {"ck": "negedge ck", "!ck": "posedge ck"}[phase]
        self.shown.append(name)

    def gate(self) -> None:
        """A gated clock, by a latch or by a flip-flop of the other edge, and registers of it."""
        held, gated = self.fresh("h"), self.fresh("g")
        opens = (
            f"always @* if (!ck) {held} = {self.condition('posedge ck')};"
            if self.random.random() < 0.5
            else f"always @(negedge ck) {held} <= {self.condition('negedge ck')};"
        )
        self.lines += [f"reg {held}; wire {gated} = ck & {held};", opens]
        self.shown.append(held)
        for _ in range(self.random.randrange(1, 3)):
            self.register(f"posedge {gated}")

    def memory(self) -> None:
        """A memory, or flip-flops that are written like one."""
        random, name = self.random, "f" if self.random.random() < 0.25 else "w"
        self.array = name == "f"
        words = 4 if self.array else random.choice([4, 8])
        first = random.choice([0, 0, 0, 5]) if not self.array else 0
        width = random.choice([4, 8])
        write, read = f"a[{words // 4}:0] + {first}", f"b[{words // 4}:0] + {first}"
        kept = "(* mem2reg *) " if self.array else ""
        self.lines.append(f"{kept}reg [{width - 1}:0] {name} [{first}:{first + words - 1}];")
        if not self.array and random.random() < 0.2:
            values = "".join(
                f" {name}[{first + k}] = {random.getrandbits(width)};" for k in range(words)
            )
            self.lines.append(f"initial begin{values} end")
            updates = []
        else:
            updates = self.writes(name, width, write)
        self.reads(name, width, updates, write, read)

    def writes(self, name: str, width: int, address: str) -> list[str]:
        """What writes it at an edge: as a whole, in parts, or twice."""
        data, quarter = f"({self.expression(1)})", width // 4
        kind = self.random.choice(["whole", "whole", "parts", "twice"])
        if self.array or kind == "whole":
            return [f"if (m[0]) {name}[{address}] <= {data};"]
        if kind == "twice":
            again = address.replace("a[", "b[")
            return [
                f"if (m[0]) {name}[{address}] <= {data};",
                f"if (m[1]) {name}[{again}] <= d ^ 8'h5a;",
            ]
        word = self.fresh("k")
        self.lines.append(f"wire [{width - 1}:0] {word} = {data};")
        parts = [f"[{quarter * k + quarter - 1}:{quarter * k}]" for k in range(4)]
        return [
            f"if (m[{k}]) {name}[{address}]{part} <= {word}{part};" for k, part in enumerate(parts)
        ]

    def reads(self, name: str, width: int, updates: list[str], write: str, read: str) -> None:
        random, clock = self.random, self.random.choice(["posedge ck", "negedge ck", "posedge cb"])
        for kind in random.sample(["wire", "unnamed", "edge", "enabled", "reset", "through"], k=2):
            out = self.fresh("q")
            self.lines.append(
                f"{'wire' if kind in ('wire', 'through') else 'reg'} [{width - 1}:0] {out};"
            )
            if kind == "wire":
                self.lines.append(f"assign {out} = {name}[{read}];")
            elif kind == "unnamed":
                self.lines.append(
                    f"always @({clock}) {out} <= {name}[{read}] + {self.expression(1)};"
                )
            elif kind == "through":  # by its address of the last edge: what was written shows
                at = self.fresh("t")
                self.lines += [
                    f"reg [3:0] {at};",
                    f"always @({clock}) {at} <= {read};",
                    f"assign {out} = {name}[{at}];",
                ]
            else:
                test = {"edge": "", "enabled": "if (en) ", "reset": f"if (rst) {out} <= 0; else "}
                updates = [*updates, f"{test[kind]}{out} <= {name}[{read}];"]
            self.known.append(out)
            self.shown.append(out)
        self.lines += [f"always @({clock}) begin", *updates, "end"]
