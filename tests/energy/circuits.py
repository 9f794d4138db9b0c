"""Circuits for the judge of the replay: each with seeded stimulus in a plain Verilog bench.

The same bench drives the RTL and the mapped netlist: both are a module ``dut`` with the same ports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

__all__ = ["Circuit", "Clock", "Stimulus", "bench"]

Stimulus = Callable[[Random, int], Mapping[str, int]]
"""New values of some inputs, from the generator and the number of the step."""


@dataclass(frozen=True)
class Clock:
    """Times in ns, whole: edges are where nothing else changes."""

    period: int
    rise: int
    fall: int


@dataclass(frozen=True)
class Circuit:
    """A design and what drives it.

    Parameters
    ----------
    inputs:
        Width of each data input. One in two takes a random value at each step, 0.3 ns after whole
        nanoseconds, unless ``stimulus`` says what changes.
    resets:
        Inactive level of each reset. Active until step 3; from then on a step in 25 pulses one.
    warm_up:
        Steps before the dump begins: by then all state is known.
    step:
        ns from one change of the inputs to the next.
    """

    name: str
    verilog: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    clocks: Mapping[str, Clock] = field(default_factory=lambda: {"clk": Clock(10, 5, 10)})
    resets: Mapping[str, int] = field(default_factory=dict)
    stimulus: Stimulus | None = None
    warm_up: int = 6
    steps: int = 150
    step: int = 10
    seed: int = 1

    def changes(self) -> list[tuple[float, str, int]]:
        """What the inputs do: time in ns, name, value; in the order of time."""
        random = Random(f"{self.name} {self.seed}")
        found = [(0.0, name, 0) for name in self.inputs]
        found += [(0.0, name, 1 - idle) for name, idle in self.resets.items()]
        for number in range(self.steps):
            time = number * self.step + 2.3
            if self.stimulus is not None:
                values = self.stimulus(random, number)
            else:
                values = {
                    name: random.getrandbits(width)
                    for name, width in self.inputs.items()
                    if number == 0 or random.random() < 0.5
                }
            found += [(time, name, value) for name, value in values.items()]
            for name, idle in self.resets.items():
                if number == 3:
                    found.append((time + 1.3, name, idle))
                elif number > self.warm_up and random.random() < 0.04:
                    found += [(time + 1.3, name, 1 - idle), (time + 3.4, name, idle)]
        return sorted(found, key=lambda change: change[0])


def bench(circuit: Circuit, vcd: str) -> str:
    """Module ``tb`` around ``dut``; dumps all of ``tb.dut`` into ``vcd``."""
    widths = {**dict.fromkeys([*circuit.clocks, *circuit.resets], 1), **circuit.inputs}
    lines = ["`timescale 1ns/1ps", "module tb;"]
    lines += [f"  reg [{width - 1}:0] \\{name} ;" for name, width in widths.items()]
    lines += [f"  wire [{width - 1}:0] \\{name} ;" for name, width in circuit.outputs.items()]
    ports = ", ".join(f".\\{name} (\\{name} )" for name in [*widths, *circuit.outputs])
    lines.append(f"  dut dut ({ports});")
    for name, clock in circuit.clocks.items():
        low, high = clock.period - (clock.fall - clock.rise), clock.fall - clock.rise
        lines += [
            f"  initial begin \\{name} = 0; #{clock.rise};",
            f"    forever begin \\{name} = 1; #{high} \\{name} = 0; #{low}; end",
            "  end",
        ]
    lines.append("  initial begin")
    now = 0.0
    for time, name, value in circuit.changes():
        delay = f"#{time - now:.1f} " if time > now else ""
        lines.append(f"    {delay}\\{name} = {value};")
        now = time
    begin = circuit.warm_up * circuit.step + 0.5
    lines += ["    #9.9 $finish;", "  end", "  initial begin", f"    #{begin}"]
    lines += [f'    $dumpfile("{vcd}");', "    $dumpvars(0, dut);", "  end", "endmodule", ""]
    return "\n".join(lines)
