"""The rivals: event-driven and cycle-based simulation of the gates, on the same inputs."""

import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.tools import compiler, icarus, verilator
from spikewatt.cosim.verilated import run_tool
from spikewatt.energy.waveform import Waveform
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Stimulus", "build", "cell_models", "drive", "inputs_of", "rate_of_icarus"]

_COMPILE = ("-std=c++20", "-w", "-DVL_TIME_CONTEXT", "-DVERILATOR=1")
_WRITERS = {"fst": "verilated_fst_c.cpp", "vcd": "verilated_vcd_c.cpp"}
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
        count = f"constexpr unsigned kInputs = {len(self.widths)};"
        return "\n".join(["#include <cstdint>", count, head, *lines, "}\n"])


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
    top: str, design: str, stimulus: Stimulus, trace: str, folder: Path, cells: str = ""
) -> tuple[Path, float]:
    """Compile a design with ``drive.cpp``: the program, and the seconds that it took.

    ``trace`` is ``none``, ``fst``, ``vcd`` or ``saif``: of all nets, but not within ``cells``.
    """
    folder = folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "design.v").write_text(design)
    (folder / "cells.sv").write_text(f"/*verilator tracing_off*/\n{cells}")
    (folder / "inputs.h").write_text(stimulus.header())
    shutil.copy(Path(__file__).with_name("drive.cpp"), folder)
    begin = time.perf_counter()
    tracing = [] if trace == "none" else [f"--trace-{trace}", "--trace-underscore"]
    options = ["--cc", "-O3", "-Wno-lint", "-Wno-fatal", "--no-timing", "--output-split", "20000"]
    names = ["--top-module", top, "--prefix", "Vdut", "--timescale", "1ns/1ns", "--Mdir", "model"]
    sources = ["design.v", *(["cells.sv"] if cells else [])]
    run_tool([verilator().binary, *options, *names, *tracing, *sources], cwd=folder)
    include = verilator().root / "include"
    kinds = {kind: int(trace == kind) for kind in ("fst", "vcd", "saif")}
    defines = [f"-DVM_TRACE_{kind.upper()}={value}" for kind, value in kinds.items()]
    defines += [f"-DVM_TRACE={int(trace != 'none')}", "-DVM_COVERAGE=0", "-DVM_SC=0"]
    defines += ["-DVM_TIMING=0", "-I.", "-Imodel", f"-I{include}", f"-I{include}/vltstd"]
    runtime = ["verilated.cpp", "verilated_threads.cpp"]
    runtime += [] if trace == "none" else [f"verilated_{trace}_c.cpp"]
    files = [*sorted((folder / "model").glob("*.cpp")), *(include / name for name in runtime)]
    files.append(folder / "drive.cpp")

    def compile_one(file: Path) -> Path:
        output = folder / f"{file.stem}.o"
        effort = "-O0" if file.stem.endswith("__Slow") else "-O3"  # as Verilator's makefile does
        command = [compiler(), *_COMPILE, effort, *defines, "-c", file, "-o", output]
        run_tool(command, cwd=folder)
        return output

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_one, files))
    libraries = ["-llz4", "-lz"] if trace == "fst" else []
    run_tool([compiler(), *objects, *libraries, "-pthread", "-o", "program"], cwd=folder)
    return folder / "program", time.perf_counter() - begin


def drive(program: Path, stimulus: Path, begin: int = 0, waveform: Path | None = None) -> float:
    """Seconds that a program of ``build`` takes for all records; its waveform starts at one."""
    command = [program, stimulus, str(begin), waveform or "/dev/null"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(run.stdout.split()[1])
