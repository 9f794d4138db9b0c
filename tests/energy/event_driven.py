"""The judge: toggles counted by an event-driven simulation, with a reader of its own.

It shares nothing with the replay: Icarus runs the netlist on models of its cells, and the few lines
below read what it dumps.
"""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

__all__ = ["Trace", "read_trace", "simulate"]


def simulate(sources: Iterable[str], folder: Path) -> None:
    """Run Verilog texts, module ``tb`` on top, in ``folder``: what they dump is there.

    Raises
    ------
    AssertionError
        Icarus says why.
    """
    names = []
    for number, text in enumerate(sources):
        names.append(f"{number}.v")
        (folder / names[-1]).write_text(text)
    compiled = ["iverilog", "-g2005-sv", "-s", "tb", "-o", "tb.vvp", *names]
    for command in (compiled, ["vvp", "-n", "tb.vvp"]):
        run = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr


@dataclass(frozen=True)
class Trace:
    """A waveform, settled: one value per bit and time, the last that was written.

    ``changes`` holds for each bit's name, as the waveform spells it below the scope, the times
    (ticks) and values (``0``, ``1``, ``x``, ``z``) from the first on, each unlike the one before.
    """

    changes: Mapping[str, list[tuple[int, str]]]
    end: int

    def since(self, begin: int) -> "Trace":
        """The waveform from ``begin`` on, with what holds then as its first values."""
        changes = {}
        for name, history in self.changes.items():
            before = [value for time, value in history if time <= begin][-1:]
            after = [(time, value) for time, value in history if time > begin]
            changes[name] = [*((begin, value) for value in before), *after]
        return Trace(changes, self.end)

    def toggles(self, name: str) -> int:
        """Changes from 0 to 1 and back; to and from unknown is none."""
        values = [value for _, value in self.changes[name]]
        return sum({a, b} == {"0", "1"} for a, b in pairwise(values))

    def high(self, name: str) -> int:
        """Ticks at 1."""
        times = [*self.changes[name], (self.end, "")]
        return sum(then - now for (now, value), (then, _) in pairwise(times) if value == "1")


def read_trace(path: Path, scope: str, *, below: bool = False) -> Trace:
    """Signals of ``scope`` (``tb.dut``), and with ``below`` those of the scopes in it."""
    head, _, body = path.read_text().partition("$enddefinitions $end")
    signals = _declared(head.split(), scope, below)
    settled: dict[str, list[tuple[int, str]]] = {code: [] for code in signals}
    pending: dict[str, str] = {}
    time = 0
    for line in [*body.splitlines(), "#"]:
        if line[:1] == "#":
            for code, value in pending.items():
                if not settled[code] or settled[code][-1][1] != value:
                    settled[code].append((time, value))
            pending.clear()
            time = int(line[1:] or time)
        elif line[:1] in tuple("01xz"):
            if line[1:] in signals:
                pending[line[1:]] = line[0]
        elif line[:1] == "b":
            value, code = line[1:].split()
            if code in signals:
                pending[code] = value
    changes: dict[str, list[tuple[int, str]]] = {}
    for code, names in signals.items():
        for bits in names:
            for place, name in enumerate(reversed(bits)):
                changes[name] = _bit(settled[code], place, len(bits))
    return Trace(changes, time)


def _bit(history: list[tuple[int, str]], place: int, width: int) -> list[tuple[int, str]]:
    """History of a bit, counted from the right of the values, which may leave out the left."""
    found: list[tuple[int, str]] = []
    if width == 1:
        return history
    for time, value in history:
        fill = value[0] if value[0] in "xz" else "0"
        bit = value.rjust(width, fill)[-1 - place]
        if not found or found[-1][1] != bit:
            found.append((time, bit))
    return found


def _declared(words: list[str], scope: str, below: bool) -> dict[str, list[list[str]]]:
    """Names of the bits of the variables with each code, the most significant first."""
    found: dict[str, list[list[str]]] = {}
    path: list[str] = []
    place = 0
    while place < len(words):
        end = words.index("$end", place) if words[place].startswith("$") else place
        fields = words[place + 1 : end]
        if words[place] == "$scope":
            path.append(fields[1].removeprefix("\\"))
        elif words[place] == "$upscope":
            path.pop()
        elif words[place] == "$var" and fields[0] in ("wire", "reg", "logic", "tri"):
            inside = ".".join(path)
            if inside == scope or (below and inside.startswith(f"{scope}.")):
                start = inside[len(scope) + 1 :]
                found.setdefault(fields[2], []).append(_bits(fields, f"{start}." if start else ""))
        place = end + 1
    return found


def _bits(fields: list[str], start: str) -> list[str]:
    r"""``wire 4 ! \acc [3:0]`` as ``acc[3]`` to ``acc[0]``."""
    name = start + fields[3].removeprefix("\\")
    if len(fields) == 4:
        return [name]
    first, _, last = fields[4].strip("[]").partition(":")
    left, right = int(first), int(last or first)
    step = 1 if right > left else -1
    return [f"{name}[{bit}]" for bit in range(left, right + step, step)]
