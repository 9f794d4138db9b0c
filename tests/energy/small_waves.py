"""Waveforms written by hand: VCD from values, and FST through Icarus."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["Changes", "icarus", "write_vcd"]

Changes = Iterable[tuple[int, str]]
"""Ticks and values: ``0``, ``1``, ``x``, ``z``, or several of them for a bus."""


def write_vcd(
    path: Path, signals: Mapping[str, tuple[int, Changes]], end: int = 0, tick: str = "1ns"
) -> Path:
    """Write signals by their full names (``tb.dut.a``), each with its width.

    A name may hold a range after a space (``tb.dut.a [7:4]``); names of the same changes object are
    aliases.
    """
    lines, scope = [f"$timescale {tick} $end"], []
    codes: dict[int, str] = {}
    events: list[tuple[int, int, str]] = []
    for name, (width, changes) in signals.items():
        *path_of, leaf = name.split(".")
        while scope != path_of[: len(scope)]:
            scope.pop()
            lines.append("$upscope $end")
        for level in path_of[len(scope) :]:
            scope.append(level)
            lines.append(f"$scope module {level} $end")
        if (code := codes.get(id(changes))) is None:
            code = codes[id(changes)] = f"s{len(codes)}"
            order = len(codes)
            for time, value in changes:
                text = f"{value}{code}" if width == 1 else f"b{value} {code}"
                events.append((time, order, text))
        lines.append(f"$var wire {width} {code} {leaf} $end")
    lines += ["$upscope $end"] * len(scope) + ["$enddefinitions $end"]
    now = None
    for time, _, text in sorted(events, key=lambda event: event[:2]):
        if time != now:
            lines.append(f"#{time}")
            now = time
        lines.append(text)
    if now is None or end > now:
        lines.append(f"#{end}")
    path.write_text("\n".join(lines) + "\n")
    return path


def icarus(verilog: str, folder: Path, form: str) -> Path:
    """Run a text whose module ``tb`` dumps into ``wave.out``; ``form`` is ``vcd`` or ``fst``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tb.v").write_text(verilog)
    compiled = ["iverilog", "-g2005-sv", "-s", "tb", "-o", "tb.vvp", "tb.v"]
    for command in (compiled, ["vvp", "-n", "tb.vvp", f"-{form}"]):
        run = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
    path = folder / f"wave.{form}"
    (folder / "wave.out").rename(path)
    return path
