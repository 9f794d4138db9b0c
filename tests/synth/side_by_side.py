"""RTL and netlist under the same random inputs in Icarus."""

import random
import re
import subprocess
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vcdvcd import VCDVCD

from spikewatt.synth.liberty.library import FlipFlop, Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Run", "differences", "powered_up", "simulate", "states"]

PERIOD = 100
RESET_STEPS = 3
CLOCKS = ("clk", "other")


class Run:
    """The waveform of one simulation."""

    def __init__(self, path: Path) -> None:
        wave = VCDVCD(str(path))
        self.end = wave.endtime
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


def _drive(netlist: Netlist, seed: int, steps: int) -> Iterator[str]:
    """Statements of the test bench: no two inputs change at the same time."""
    source = random.Random(seed)
    inputs = {
        name: len(port.nets) for name, port in netlist.ports.items() if port.direction == "input"
    }
    for step in range(steps):
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


def simulate(
    netlist: Netlist, sources: list[Path], folder: Path, *, seed: int = 1, steps: int = 150
) -> Run:
    """Run the sources, which hold the module that ``netlist`` has the ports of."""
    folder.mkdir()
    ports = netlist.ports.items()
    lines = ["`timescale 1ns/1ns", "module tb;"]
    for name, port in ports:
        kind = "reg" if port.direction == "input" else "wire"
        lines.append(f"  {kind} [{len(port.nets) - 1}:0] {name};")
    lines.append(f"  {netlist.name} dut({', '.join(f'.{name}({name})' for name, _ in ports)});")
    lines += ["  initial begin", '    $dumpfile("run.vcd");', "    $dumpvars(0, dut);"]
    lines += [f"    {line}" for line in _drive(netlist, seed, steps)]
    lines += ["    $finish;", "  end", "endmodule"]
    (folder / "tb.v").write_text("\n".join(lines))
    words = ["iverilog", "-g2005-sv", "-s", "tb", "-o", "run.vvp", "tb.v", *map(str, sources)]
    for command in (words, ["vvp", "-n", "run.vvp"]):
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
    return Run(folder / "run.vcd")


def states(netlist: Netlist, library: Library) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every flip-flop, and the names of its output and of what is its inverse."""
    inverse = {
        one.pins[pin]: one.pins[out]
        for one in netlist.instances
        if (found := _inverter(library, one.type))
        for pin, out in [found]
    }
    for one in netlist.instances:
        if not isinstance(library.cells[one.type].sequential, FlipFlop):
            continue
        names: list[str] = []
        for pin, net in one.pins.items():
            if library.cells[one.type].pins[pin].direction == "output":
                names += netlist.names[net]
                names += netlist.names[inverse[net]] if net in inverse else ()
        yield one.name, tuple(names)


def _inverter(library: Library, kind: str) -> tuple[str, str] | None:
    pins = library.cells[kind].pins.values()
    outputs = [pin for pin in pins if pin.direction == "output"]
    inputs = [pin for pin in pins if pin.direction == "input"]
    if len(outputs) != 1 or len(inputs) != 1 or (function := outputs[0].function) is None:
        return None
    return (inputs[0].name, outputs[0].name) if function.truth((inputs[0].name,)) == 1 else None


def differences(
    netlist: Netlist, registers: Mapping[str, Sequence[str]], rtl: Run, gates: Run
) -> tuple[int, list[tuple[str, int]]]:
    """Bits of ports and registers compared after reset, and the first of each that differs."""
    names = [name for p, port in netlist.ports.items() for name in bits(p, len(port.nets))]
    names += [name for found in registers.values() for name in found if name in rtl]
    compared, wrong = 0, []
    for name in names:
        for time in range(RESET_STEPS * PERIOD - 1, rtl.end, PERIOD // 2):
            if (expected := rtl.at(name, time)) == "x":
                continue
            compared += 1
            if gates.at(name, time) != expected:
                wrong.append((name, time))
                break
    return compared, wrong


def powered_up(models: str, value: str = "$random") -> str:
    """Cells whose state powers up known: mapped logic need not get from ``x`` to its reset."""
    return re.sub(r"^  reg (\S+);$", rf"  reg \1 = {value};", models, flags=re.MULTILINE)


def bits(name: str, width: int) -> list[str]:
    return [name] if width == 1 else [f"{name}[{place}]" for place in range(width)]
