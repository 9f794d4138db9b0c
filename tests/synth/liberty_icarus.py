"""Cells in Icarus beside a plain interpreter of their Liberty description."""

import random
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from spikewatt.synth.liberty.library import Cell, FlipFlop, Latch, Library
from spikewatt.synth.liberty.models import verilog_models

__all__ = ["check", "compiles"]

Vector = dict[str, int]
Gates = dict[str, tuple[str, str]]
"""Latched data and output of the clock gates whose library does not tell: Python expressions."""


def compiles(verilog: str) -> None:
    """Icarus takes ``verilog`` as Verilog-2001 without a warning."""
    _icarus(verilog, run=False)


def check(library: Library, names: list[str], gates: Gates | None = None) -> int:
    """Compare outputs of cells, step by step; the number of values that were compared."""
    plans = {name: _plan(library.cells[name], random.Random(name)) for name in names}
    benches = [_bench(library.cells[name], k, plans[name]) for k, name in enumerate(names)]
    output = _icarus(verilog_models(library, names) + "\n".join(benches), run=True)
    seen: dict[str, list[str]] = {name: [] for name in names}
    for line in output.splitlines():
        index, values = line.split()
        seen[names[int(index)]].append(values)
    compared = 0
    for name in names:
        expected = _expected(library.cells[name], plans[name], (gates or {}).get(name))
        assert len(seen[name]) == len(expected)
        for step, (got, wanted) in enumerate(zip(seen[name], expected, strict=True)):
            for pin, value in wanted.items():
                position = list(_outputs(library.cells[name])).index(pin)
                if value is not None:
                    assert got[position] == value, (name, step, plans[name][step], pin)
                    compared += 1
    return compared


def _icarus(verilog: str, *, run: bool) -> str:
    if not shutil.which("iverilog"):
        pytest.skip("Icarus is missing: apt-get install iverilog")
    with tempfile.TemporaryDirectory() as name:
        source, program = Path(name) / "cells.v", Path(name) / "cells.vvp"
        source.write_text(verilog)
        words = ["iverilog", "-g2001", "-Wall", "-Wno-timescale", "-o", str(program), str(source)]
        built = subprocess.run(words, capture_output=True, text=True, check=False)
        assert not built.returncode, built.stderr
        assert not built.stderr
        if not run:
            return ""
        words = ["vvp", "-n", str(program)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _inputs(cell: Cell) -> list[str]:
    return [pin.name for pin in cell.pins.values() if pin.direction == "input"]


def _outputs(cell: Cell) -> list[str]:
    return [pin.name for pin in cell.pins.values() if pin.direction == "output"]


def _plan(cell: Cell, generator: random.Random) -> list[Vector]:
    """All input vectors of a combinational cell; a walk, one pin at a time, of another."""
    names = _inputs(cell)
    if cell.sequential is None and cell.clock_gate is None:
        return [{n: i >> k & 1 for k, n in enumerate(names)} for i in range(1 << len(names))]
    vector = dict.fromkeys(names, 0)
    walk = [dict(vector)]
    for _ in range(200):
        vector[generator.choice(names)] ^= 1
        walk.append(dict(vector))
    return walk


def _bench(cell: Cell, index: int, plan: list[Vector]) -> str:
    inputs, outputs = _inputs(cell), _outputs(cell)
    ports = [f".{_name(n)}(in[{k}])" for k, n in enumerate(inputs)]
    ports += [f".{_name(n)}(out[{k}])" for k, n in enumerate(outputs)]
    bits = ", ".join(f"out[{k}]" for k in range(len(outputs)))
    steps = [
        f"    in = {sum(vector[n] << k for k, n in enumerate(inputs))}; "
        f'#1 $display("{index} %b", {{{bits}}});'
        for vector in plan
    ]
    lines = [
        f"module bench{index};",
        f"  reg [{max(len(inputs) - 1, 0)}:0] in; wire [{len(outputs) - 1}:0] out;",
        f"  {_name(cell.name)} cell_ ({', '.join(ports)});",
        "  initial begin",
        f"    #{index * 1000};",
        *steps,
        "  end",
        "endmodule",
    ]
    return "\n".join(lines)


def _name(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"\\{name} "


def _expected(
    cell: Cell, plan: list[Vector], gate: tuple[str, str] | None
) -> list[dict[str, str | None]]:
    """Outputs at each step, ``None`` while the state is unknown."""
    if gate is not None:
        return _expected_gate(cell, plan, *gate)
    found: list[dict[str, str | None]] = []
    state: dict[str, int | None] = {}
    before: Vector = {}
    for vector in plan:
        if cell.sequential is not None:
            state = _next(cell.sequential, state, before, vector)
        values = {**vector, **state}
        row: dict[str, str | None] = {}
        for pin in cell.pins.values():
            if pin.function is None:
                continue
            known = all(values[name] is not None for name in pin.function.inputs)
            row[pin.name] = str(pin.function.evaluate(values, 1)) if known else None
            if pin.three_state is not None and pin.three_state.evaluate(values, 1):
                row[pin.name] = "z"
        found.append(row)
        before = vector
    return found


def _next(
    held: FlipFlop | Latch, state: dict[str, int | None], before: Vector, now: Vector
) -> dict[str, int | None]:
    value = state.get(held.state)
    clear = held.clear is not None and held.clear.evaluate(now, 1)
    preset = held.preset is not None and held.preset.evaluate(now, 1)
    forced = {"L": 0, "H": 1, "X": None}
    if clear and preset:
        return {held.state: forced[held.both], held.inverted: forced[held.both_inverted]}
    if clear or preset:
        value = int(bool(preset))
    elif isinstance(held, Latch):
        if held.enable is not None and held.enable.evaluate(now, 1):
            assert held.data_in is not None
            value = held.data_in.evaluate(now, 1)
    elif before and held.clocked_on.evaluate(now, 1) > held.clocked_on.evaluate(before, 1):
        values = {**now, held.state: value, held.inverted: None if value is None else 1 - value}
        if all(values[name] is not None for name in held.next_state.inputs):
            value = held.next_state.evaluate(values, 1)
    return {held.state: value, held.inverted: None if value is None else 1 - value}


def _expected_gate(
    cell: Cell, plan: list[Vector], latched: str, output: str
) -> list[dict[str, str | None]]:
    """``latched``: new state from the pins and ``held``, or ``held``; ``output`` likewise."""
    held = None
    rows: list[dict[str, str | None]] = []
    for vector in plan:
        held = eval(latched, {}, {**vector, "held": held})
        value = None if held is None else str(int(bool(eval(output, {}, {**vector, "held": held}))))
        rows.append(dict.fromkeys(_outputs(cell), value))
    return rows
