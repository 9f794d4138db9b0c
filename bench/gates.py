"""The rivals: event-driven and cycle-based simulation of the gates, on the same inputs."""

import re
import resource
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.cache import cached
from spikewatt.base.tools import compiler, compiler_version, icarus, verilator
from spikewatt.cosim.verilated import run_tool
from spikewatt.energy.activity.saif import read_saif
from spikewatt.energy.activity.waveform import Waveform
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.netlist.netlist import Netlist

__all__ = [
    "CLOCK",
    "Stimulus",
    "build",
    "cell_models",
    "drive",
    "icarus_run",
    "inputs_of",
    "saif_toggles",
]

CLOCK = "clk"
_COMPILE = ("-std=c++20", "-w", "-DVL_TIME_CONTEXT", "-DVERILATOR=1", "-DVM_TRACE=1")
_COMPILE += tuple(f"-DVM_{name}=0" for name in ("COVERAGE", "SC", "TIMING"))
_LATCH = re.compile(r"  always begin\n    if \((.+)\) (.+) <= (.+);\n    @\(.+\);\n  end")


@dataclass(frozen=True)
class Stimulus:
    """Values of a design's inputs at the times at which one changes.

    Parameters
    ----------
    widths:
        Bits of each input, by name.
    words:
        uint64[records, 1 + inputs], the time in ticks, then the inputs.
    """

    widths: dict[str, int]
    words: NDArray[np.uint64]

    def save(self, path: Path, records: int | None = None) -> Path:
        """Write the first ``records``, or all, for ``drive.cpp``."""
        self.words[:records].tofile(path)
        return path

    def header(self) -> str:
        """C++ that hands a record to a Verilated model, which spells ``__`` in its own way."""
        lines = [
            f"  model.{name.replace('__', '___05F')} = words[{k}];"
            for k, name in enumerate(self.widths)
        ]
        head = "template <class Model> void apply(Model& model, const uint64_t* words) {"
        clock = list(self.widths).index(CLOCK)
        counts = f"constexpr unsigned kInputs = {len(self.widths)}, kClock = {clock};"
        return "\n".join(["#include <cstdint>", counts, head, *lines, "}\n"])


def inputs_of(wave: Waveform, scope: str, netlist: Netlist) -> Stimulus:
    """Inputs of a design, 64 bits wide at most, from a waveform of it."""
    ports = {name: len(p.nets) for name, p in netlist.ports.items() if p.direction == "input"}
    changes = [wave.changes(wave.signals[f"{scope}.{name}"]) for name in ports]
    times = np.unique(np.concatenate([change.times for change in changes]))
    words = np.empty((len(times), 1 + len(ports)), np.uint64)
    words[:, 0] = times
    for k, change in enumerate(changes):
        at = np.searchsorted(change.times, times, "right") - 1
        words[:, 1 + k] = change.values[np.maximum(at, 0), 0]
    return Stimulus(ports, words)


def cell_models(library: Library, types: Sequence[str]) -> str:
    """Cells for Verilator: without timing it wants latches as ``always_latch``."""
    return _LATCH.sub(r"  always_latch if (\1) \2 = \3;", verilog_models(library, types))


def build(
    top: str, design: str, stimulus: Stimulus, trace: str, cells: str = ""
) -> tuple[Path, float]:
    """Compile a design with ``drive.cpp``, once: the program, and the seconds that it took.

    ``trace`` is ``fst``, ``vcd`` or ``saif``: of all nets, but not within ``cells``.
    """
    header, driver = stimulus.header(), Path(__file__).with_name("drive.cpp").read_text()
    options = ["--cc", "-O3", "-Wno-lint", "-Wno-fatal", "--no-timing", "--output-split", "20000"]
    options += ["--top-module", top, "--prefix", "Vdut", "--timescale", "1ns/1ns"]
    options += [f"--trace-{trace}", "--trace-underscore", "--Mdir", "model"]

    def make(folder: Path) -> None:
        begin = time.perf_counter()
        (folder / "design.v").write_text(design)
        (folder / "cells.sv").write_text(f"/*verilator tracing_off*/\n{cells}")
        (folder / "inputs.h").write_text(header)
        (folder / "drive.cpp").write_text(driver)
        run_tool([verilator().binary, *options, "design.v", "cells.sv"], cwd=folder)
        _compile(folder, trace)
        (folder / "seconds").write_text(str(time.perf_counter() - begin))

    tools = {"verilator": verilator().version, "C++ compiler": compiler_version()}
    folder = cached(
        "bench", [design, cells, header, driver, *options, *_COMPILE], make, tools=tools
    )
    return folder / "program", float((folder / "seconds").read_text())


def _compile(folder: Path, trace: str) -> None:
    """Compile what Verilator wrote, two files at a time."""
    include = verilator().root / "include"
    kinds = {kind: int(trace == kind) for kind in ("fst", "vcd", "saif")}
    flags = [f"-DVM_TRACE_{kind.upper()}={value}" for kind, value in kinds.items()]
    flags += ["-I.", "-Imodel", f"-I{include}", f"-I{include}/vltstd"]
    runtime = ("verilated.cpp", "verilated_threads.cpp", f"verilated_{trace}_c.cpp")
    files = [*(folder / "model").glob("*.cpp"), *(include / name for name in runtime)]

    def one(file: Path) -> Path:
        output = folder / f"{file.stem}.o"
        effort = "-O0" if file.stem.endswith("__Slow") else "-O3"  # as Verilator's makefile does
        run_tool([compiler(), *_COMPILE, effort, *flags, "-c", file, "-o", output], cwd=folder)
        return output

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(one, [*files, folder / "drive.cpp"]))
    libraries = ["-llz4", "-lz"] if trace == "fst" else []
    run_tool([compiler(), *objects, *libraries, "-pthread", "-o", "program"], cwd=folder)


def drive(program: Path, stimulus: Path, begin: int = 0, waveform: Path | None = None) -> float:
    """Seconds that a program of ``build`` takes for all records; its waveform starts at one.

    On a busy machine the seconds of its processor are fewer, and then they count.
    """
    output, spent = _run([program, stimulus, str(begin), waveform or "/dev/null"])
    return min(spent, float(output.split()[1]))


def _run(command: Sequence[str | Path]) -> tuple[str, float]:
    """Output of a program, and seconds of the processor that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return output, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def saif_toggles(
    program: Path, top: str, stimulus: Stimulus, begin: int, folder: Path
) -> dict[str, int]:
    """Toggles of every net from record ``begin`` on.

    Verilator counts a bit that starts at 1 once too often: a run of one record says which do.
    """
    every, first = folder / "every.saif", folder / "first.saif"
    drive(program, stimulus.save(folder / "every"), begin, every)
    drive(program, stimulus.save(folder / "first", begin + 1), begin, first)
    before, after = read_saif(first).below(top), read_saif(every).below(top)
    return {net: counts[3] - before[net][3] for net, counts in after.items()}


def icarus_run(
    design: str, netlist: Netlist, stimulus: Stimulus, records: int, folder: Path
) -> tuple[float, str]:
    """Seconds of Icarus for the first records, without its start, and the outputs at the end.

    It dumps nothing. States and memories start with 0, so that no X stays.
    """
    widths = stimulus.widths.values()
    rows = [
        "".join(f"{int(word):0{width}b}" for word, width in zip(row, widths, strict=True))
        for row in stimulus.words[:records, 1:]
    ]
    (folder / "rows").write_text("\n".join(rows))
    zeros = re.sub(r"^(  reg (?:\[\d+:0\] )?\w+);", r"\1 = 0;", design, flags=re.MULTILINE)
    (folder / "tb.v").write_text(_bench(netlist, stimulus, records) + zeros)
    run_tool([icarus(), "-g2005-sv", "-s", "tb", "-o", "tb.vvp", "tb.v"], cwd=folder)
    vvp = [Path(icarus()).with_name("vvp"), "-n", folder / "tb.vvp"]
    _, start = _run([*vvp, f"+rows={folder / 'rows'}", "+records=1"])
    outputs, seconds = _run([*vvp, f"+rows={folder / 'rows'}", f"+records={records}"])
    return seconds - start, outputs.strip()


def _bench(netlist: Netlist, stimulus: Stimulus, records: int) -> str:
    """The clock of a record first, then its other inputs, one tick later."""
    names, total = list(stimulus.widths), sum(stimulus.widths.values())
    bit = total - 1 - sum(list(stimulus.widths.values())[: names.index(CLOCK)])
    kinds = {"input": "reg", "output": "wire"}
    declared = [
        f"  {kinds[port.direction]} [{len(port.nets) - 1}:0] {name};"
        for name, port in netlist.ports.items()
    ]
    outputs = ", ".join(name for name, p in netlist.ports.items() if p.direction == "output")
    return "\n".join(
        [
            "module tb;",
            *declared,
            f"  reg [{total - 1}:0] rows [0:{records - 1}];",
            "  integer k, count;",
            "  reg [8191:0] file;",
            f"  {netlist.name} dut ({', '.join(f'.{name}({name})' for name in netlist.ports)});",
            "  initial begin",
            '    if ($value$plusargs("rows=%s", file)) $readmemb(file, rows);',
            '    if (!$value$plusargs("records=%d", count)) count = 0;',
            "    for (k = 0; k < count; k = k + 1) begin",
            f"      {CLOCK} = rows[k][{bit}];",
            f"      #1 {{{', '.join(names)}}} = rows[k];",
            "      #4;",
            "    end",
            f'    $display("%b", {{{outputs}}});',
            "  end",
            "endmodule\n",
        ]
    )
