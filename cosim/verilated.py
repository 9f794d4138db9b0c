"""Verilator models as shared libraries, built once and cached."""

import os
import platform
import subprocess
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Literal

from spikewatt.cosim.cache import cached
from spikewatt.cosim.tools import compiler, fst_headers, verilator
from spikewatt.model.errors import ToolError

__all__ = ["Trace", "build_library", "run_tool"]

Trace = Literal["none", "fst", "vcd"]

_VERILATE = ("--cc", "-O3", "-Wno-lint", "-Wno-fatal", "--no-timing", "--prefix", "Vneuro")
_COMPILE = ("-std=c++20", "-O3", "-fPIC", "-fno-plt", "-w", "-DVL_TIME_CONTEXT", "-DVERILATOR=1")
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
_WAVEFORM = {"none": (), "fst": ("verilated_fst_c.cpp",), "vcd": ("verilated_vcd_c.cpp",)}
_LIBRARIES = {"none": (), "fst": ("-llz4", "-lz"), "vcd": ()}


def run_tool(command: Sequence[str | Path], *, cwd: Path, log: str) -> None:
    """Run a tool; if it fails, keep its output where the error says."""
    env = {**os.environ, "VERILATOR_ROOT": str(verilator().root)}
    run = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True,
        check=False,
    )
    if run.returncode:
        kept = Path(os.environ.get("TMPDIR", "/var/tmp")) / f"spikewatt-{log}-{os.getpid()}.log"
        kept.write_text(run.stdout + run.stderr)
        name = Path(command[0]).name
        raise ToolError(f"{name} failed with status {run.returncode}: its output is in {kept}")


def _flags(trace: Trace) -> list[str]:
    defines = {"VM_TRACE": trace != "none", "VM_TRACE_FST": trace == "fst",
               "VM_TRACE_VCD": trace == "vcd", "VM_COVERAGE": False, "VM_SC": False,
               "VM_TIMING": False, "VM_TRACE_SAIF": False}
    return [*_COMPILE, *(f"-D{name}={int(value)}" for name, value in defines.items())]


def _versions() -> list[str]:
    return [verilator().version, str(verilator().binary), compiler(), platform.machine()]


def _runtime(trace: Trace) -> Path:
    """Verilator's own runtime, compiled: the slow part, and the same for every design."""
    include = verilator().root / "include"
    flags = [*_flags(trace), f"-I{include}", f"-I{include}/vltstd"]

    def build(folder: Path) -> None:
        for source in (*_RUNTIME, *_WAVEFORM[trace]):
            output = folder / f"{Path(source).stem}.o"
            command = [compiler(), *flags, "-c", include / source, "-o", output]
            run_tool(command, cwd=folder, log="runtime")

    return cached("runtime", [*_versions(), *_flags(trace)], build)


def build_library(verilog: str, *, trace: Trace = "none") -> Path:
    """Shared library of the core in ``verilog`` (module ``neuro``) with the batched runner.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    """
    if trace == "fst":
        fst_headers()
    runner = resources.files("spikewatt.cosim").joinpath("native", "runner.cpp").read_text()
    include = verilator().root / "include"
    tracing = () if trace == "none" else (f"--trace-{trace}", "--trace-underscore")

    def build(folder: Path) -> None:
        (folder / "neuro.v").write_text(verilog)
        (folder / "runner.cpp").write_text(runner)
        run_tool(
            [verilator().binary, *_VERILATE, *tracing, "--top-module", "neuro",
             "--Mdir", "model", "neuro.v"],
            cwd=folder, log="verilator",
        )
        model = folder / "model"
        unity = "".join(f'#include "{path.name}"\n' for path in sorted(model.glob("*.cpp")))
        (model / "all.cpp").write_text(unity)
        flags = [*_flags(trace), f"-I{model}", f"-I{include}", f"-I{include}/vltstd"]
        run_tool(
            [compiler(), *flags, "-shared", "model/all.cpp", "runner.cpp",
             *sorted(_runtime(trace).glob("*.o")), *_LIBRARIES[trace], "-pthread",
             "-o", "neuro.so"],
            cwd=folder, log="compiler",
        )

    content = [verilog, runner, *_versions(), *_VERILATE, *tracing, *_flags(trace)]
    return cached("neuro", content, build) / "neuro.so"
