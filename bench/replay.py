"""Speed of the replay beside gate-level simulation, in one run: ``python bench/replay.py``.

Two designs, mapped to the built-in library: an 8×8 systolic array, and the neuromorphic core with
the digits network. On the same inputs, counting the toggles of all nets: the replay, Verilator with
SAIF, and a few cycles of Icarus (which counts nothing). Every net's toggles under Verilator are
checked to be the replay's. And reading the waveform, beside pywellen's own pass over the file.

A gate-cycle is one cell of the netlist over one period of the clock.
"""

import argparse
import contextlib
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cases import LIBRARY, Case, array_case, core_case
from flat import flat_verilog, net_name
from gates import build, cell_models, drive, icarus_run, saif_toggles
from pywellen import Waveform  # pyright: ignore[reportAttributeAccessIssue]  # has no stubs
from rich.console import Console
from rich.table import Table

from spikewatt.energy.activity.replay import Engine, Prepared, ReplayOptions, prepare, replay
from spikewatt.energy.activity.samples import read_samples
from spikewatt.energy.activity.waveform import open_waveform
from spikewatt.synth.liberty.models import verilog_models

SETTLED = 0.1
"""Share of the run before the toggles are compared: reset, and memories that hold noise."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One measurement: what, on how many cores, gate-cycles, seconds, a remark."""

    what: str
    cores: int
    gate_cycles: int
    seconds: float
    remark: str = ""

    @property
    def rate(self) -> float:
        """Gate-cycles per second."""
        return self.gate_cycles / self.seconds


@contextlib.contextmanager
def confined(cores: int) -> Iterator[None]:
    """Only so many cores for this thread and those that it starts."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def best(action: Callable[[], Any], repeats: int) -> float:
    """Fewest seconds of several."""
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        found.append(time.perf_counter() - begin)
    return min(found)


def speeds(case: Case, repeats: int, folder: Path, say: Say) -> list[Row]:
    """Replay, Verilator, Icarus."""
    say(f"{case.name}: compiling for Verilator (minutes, once)")
    types = sorted({cell.type for cell in case.netlist.instances})
    flat, size = flat_verilog(case.netlist), case.gate_cycles
    cells = cell_models(LIBRARY, types)
    program, compiling = build(case.top, flat, case.stimulus, "saif", cells)
    say(f"{case.name}: replay")
    prepared = prepare(case.netlist, LIBRARY, case.fst)
    early = _replays(case, prepared, repeats)
    say(f"{case.name}: Verilator")
    nets, seconds = _verilator(case, prepared, program, folder)
    remark = f"{nets:,} nets equal; compiled in {compiling:.0f} s"
    rows = [Row("Verilator, SAIF", 1, size, seconds, remark)]
    say(f"{case.name}: Icarus")
    rows.append(_icarus(case, verilog_models(LIBRARY, types) + flat, folder))
    say(f"{case.name}: replay")  # again, when others may use the machine less
    pairs = zip(early, _replays(case, prepared, repeats), strict=True)
    return [*(min(pair, key=lambda row: row.seconds) for pair in pairs), *rows]


def _replays(case: Case, prepared: Prepared, repeats: int) -> list[Row]:
    """On one core, on two, without numba."""
    rows = []
    ways: tuple[tuple[Engine, int], ...] = (("numba", 1), ("numba", 2), ("numpy", 1))
    for engine, cores in ways:
        options = ReplayOptions(engine=engine, threads=cores)
        with confined(cores):  # with one thread for the data stage there is another for the rest
            replay(prepared, options)
            times = 4 * repeats if engine == "numba" else 1
            seconds = best(lambda: replay(prepared, options), times)  # noqa: B023  # now
        rows.append(Row(f"replay, {engine}", cores, case.gate_cycles, seconds))
    return rows


def _icarus(case: Case, design: str, folder: Path) -> Row:
    """Its rate on the first cycles; its outputs at their end are held against the RTL's."""
    records = 2 * case.few
    seconds, outputs = icarus_run(design, case.netlist, case.stimulus, records, folder)
    wave, end = open_waveform(case.fst), int(case.stimulus.words[records - 1, 0])
    expected = ""
    for name, port in case.netlist.ports.items():
        if port.direction == "output":
            changes = wave.changes(wave.signals[f"{case.top}.{name}"])
            words = changes.values[np.searchsorted(changes.times, end, "right") - 1]
            value = sum(int(word) << 64 * k for k, word in enumerate(words))
            expected += f"{value:0{len(port.nets)}b}"
    assert outputs == expected, f"Icarus ends with {outputs}, the RTL with {expected}"
    size = len(case.netlist.instances) * case.few
    return Row("Icarus, counts nothing", 1, size, seconds, f"the first {case.few:,} cycles")


def _verilator(case: Case, prepared: Prepared, program: Path, folder: Path) -> tuple[int, float]:
    """Nets whose toggles are the replay's, which is all of them, and the fewest seconds."""
    begin = int(SETTLED * len(case.stimulus.words))
    toggles = saif_toggles(program, case.top, case.stimulus, begin, folder)
    times = prepared.samples.times * prepared.tick_s
    start = float(case.stimulus.words[begin, 0]) * prepared.tick_s
    replayed = replay(prepared, ReplayOptions(window=(start, float(times[-1])))).totals
    nets = range(2, len(case.netlist.names))
    wrong = [net for net in nets if toggles[net_name(net)] != replayed[net]]
    assert not wrong, f"{len(wrong)} nets differ, such as {case.netlist.names[wrong[0]]}"
    inputs = case.stimulus.save(folder / "stimulus")
    seconds = min(drive(program, inputs, 0, folder / "all.saif") for _ in range(2))
    return len(nets), seconds


def processor() -> str:
    """What the machine calls its processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def pass_of_pywellen(path: Path) -> None:
    """Every change of every signal, each signal once."""
    seen = set()
    for variable in Waveform(str(path)).all_vars():
        if variable.signal_id not in seen:
            seen.add(variable.signal_id)
            for _ in variable.signal:
                pass


def reading(case: Case, say: Say) -> list[list[str]]:
    """For each file: size, seconds of pywellen's pass, of ``read_samples``, of ``prepare``."""
    found = []
    for path in (case.fst, case.vcd):
        say(f"{case.name}: reading {path.suffix[1:].upper()}")
        prepared = prepare(case.netlist, LIBRARY, path)
        samples, matches = prepared.samples, prepared.matches
        shown = {**matches.others, **matches.roots}
        rows = [*samples.root_rows.tolist(), *samples.data_rows.tolist()]
        sources, clocks = {row: shown[row] for row in rows}, samples.root_rows.tolist()
        own = best(lambda: pass_of_pywellen(path), 2)  # noqa: B023  # called at once
        ours = best(
            lambda: read_samples(open_waveform(path), sources, clocks),  # noqa: B023  # as above
            2,
        )
        whole = best(lambda: prepare(case.netlist, LIBRARY, path), 1)  # noqa: B023  # as above
        size = f"{path.stat().st_size / 1e6:,.1f} MB"
        cells = [f"{own:.2f}", f"{ours:.2f}", f"{own / ours:.2f}", f"{whole:.2f}"]
        found.append([case.name, path.suffix[1:].upper(), size, *cells])
    return found


def speed_table(results: list[tuple[Case, list[Row], list[list[str]]]]) -> list[list[str]]:
    """Head and rows."""
    table = [["design", "by", "cores", "10⁹ gate-cycles", "s", "10⁹ per s", "× Verilator", ""]]
    for case, rows, _ in results:
        base = next(row.rate for row in rows if row.what.startswith("Verilator"))
        for row in rows:
            figures = row.gate_cycles / 1e9, row.seconds, row.rate / 1e9, row.rate / base
            numbers = [f"{figure:,.{digits(figure)}f}" for figure in figures]
            table.append([case.name, row.what, str(row.cores), *numbers, row.remark])
    return table


def digits(figure: float) -> int:
    """Decimals for three places that count."""
    return max(0, 2 - math.floor(math.log10(figure)))


def reading_table(results: list[tuple[Case, list[Row], list[list[str]]]]) -> list[list[str]]:
    """Head and rows."""
    head = ["design", "file", "size", "pywellen, s", "read_samples, s", "× pywellen", "prepare, s"]
    return [head, *(row for _, _, rows in results for row in rows)]


def show(cells: list[list[str]], markdown: bool) -> None:
    """Print a table."""
    if markdown:
        line = ["---"] * 2 + ["--:"] * 5 + ["---"] * (len(cells[0]) - 7)
        print("\n" + "\n".join(f"| {' | '.join(row)} |" for row in [cells[0], line, *cells[1:]]))
        return
    table = Table(*cells[0])
    for row in cells[1:]:
        table.add_row(*row)
    Console(width=140).print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=100_000, help="of the array")
    parser.add_argument("--images", type=int, default=360, help="through the core")
    parser.add_argument("--only", choices=("array", "core"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    errors = Console(stderr=True)
    results = []
    with tempfile.TemporaryDirectory() as name, errors.status("starting") as status:
        folder = Path(name)
        make = {
            "array": lambda: array_case(args.cycles, folder),
            "core": lambda: core_case(args.images, folder),
        }
        for kind in make if args.only is None else [args.only]:
            status.update(f"{kind}: mapping, RTL simulation")
            made = make[kind]()
            rows = speeds(made, args.repeats, folder, status.update)
            results.append((made, rows, reading(made, status.update)))
    for case, _, _ in results:
        print(f"{case.name}: {len(case.netlist.instances):,} cells, {case.periods:,} clock periods")
    print(f"{os.cpu_count()} cores, {processor()}")
    show(speed_table(results), args.markdown)
    show(reading_table(results), args.markdown)


if __name__ == "__main__":
    main()
