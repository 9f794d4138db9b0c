"""RTL and netlist under the same random inputs in Icarus."""

import random
import re
import subprocess
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from vcdvcd import VCDVCD

from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Run", "simulate"]

STEPS = 150
PERIOD = 100
RESET_STEPS = 3
CLOCKS = ("clk", "other")


class Run:
    """The waveform of one simulation."""

    def __init__(self, path: Path) -> None:
        wave = VCDVCD(str(path))
        self._bits: dict[str, tuple[list[int], list[str]]] = {}
        for name in wave.signals:
            match = re.fullmatch(r"tb\.dut\.(.+?)(?:\[(\d+)(?::(\d+))?\])?", name.replace("\\", ""))
            assert match, name
            base, left, right = match.groups()
            pairs = wave.data[wave.references_to_ids[name]].tv
            times = [time for time, _ in pairs]
            if left is None:
                self._bits[base] = times, [value for _, value in pairs]
                continue
            places = _places(int(left), int(right or left))
            for at, place in enumerate(places):  # leftmost first, as in the values
                column = [value.rjust(len(places), _filler(value))[at] for _, value in pairs]
                self._bits[f"{base}[{place}]"] = times, column

    def __contains__(self, name: str) -> bool:
        return name in self._bits

    def at(self, name: str, time: int) -> str:
        """Value of a bit: 0, 1, x or z."""
        times, values = self._bits[name]
        return values[bisect_right(times, time) - 1]


def _places(left: int, right: int) -> list[int]:
    return list(range(left, right - 1, -1) if left >= right else range(left, right + 1))


def _filler(value: str) -> str:
    return value[0] if value[0] in "xz" else "0"


def _drive(netlist: Netlist, seed: int) -> Iterator[str]:
    """Statements of the test bench: no two inputs change at the same time."""
    source = random.Random(seed)
    inputs = {
        name: len(port.nets) for name, port in netlist.ports.items() if port.direction == "input"
    }
    for step in range(STEPS):
        for name, width in inputs.items():
            yield f"#2 {name} = {_value(name, width, step, source)};"
        for clock in CLOCKS:
            if clock in inputs and (clock == "clk" or step < RESET_STEPS or source.random() < 0.6):
                yield f"#10 {clock} = 1;"
        yield f"#({(step + 1) * PERIOD - 20} - $time);"
        yield from (f"{clock} = 0;" for clock in CLOCKS if clock in inputs)
        yield f"#({(step + 1) * PERIOD} - $time);"


def _value(name: str, width: int, step: int, source: random.Random) -> str:
    if name in CLOCKS:
        return "0"
    if name == "rst":
        return str(int(step < RESET_STEPS or source.random() < 0.05))
    return f"{width}'d{source.getrandbits(width)}"


def simulate(netlist: Netlist, sources: list[Path], folder: Path, seed: int = 1) -> Run:
    """Run the sources, which hold the module that ``netlist`` has the ports of."""
    folder.mkdir()
    ports = netlist.ports.items()
    lines = ["`timescale 1ns/1ns", "module tb;"]
    for name, port in ports:
        kind = "reg" if port.direction == "input" else "wire"
        lines.append(f"  {kind} [{len(port.nets) - 1}:0] {name};")
    lines.append(f"  {netlist.name} dut({', '.join(f'.{name}({name})' for name, _ in ports)});")
    lines += ["  initial begin", '    $dumpfile("run.vcd");', "    $dumpvars(0, dut);"]
    lines += [f"    {line}" for line in _drive(netlist, seed)]
    lines += ["    $finish;", "  end", "endmodule"]
    (folder / "tb.v").write_text("\n".join(lines))
    words = ["iverilog", "-g2005-sv", "-s", "tb", "-o", "run.vvp", "tb.v", *map(str, sources)]
    for command in (words, ["vvp", "-n", "run.vvp"]):
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
    return Run(folder / "run.vcd")
