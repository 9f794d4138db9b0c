"""Verilator builds: generated C++ compiled in two pieces against a cached runtime, without make."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import cocotb_tools.config

from spikewatt.base.cache import cached
from spikewatt.base.process import run_contained, tool_failure
from spikewatt.base.tools import compiler, compiler_version, fst_libraries, verilator
from spikewatt.cosim.choices import Trace

__all__ = ["Trace", "build_cocotb", "build_native", "build_program", "run_tool"]

_VERILATE = ("--cc", "-O3", "-Wno-lint", "-Wno-fatal")
# Models with delays promise that none is zero: what Verilator does for one costs time.
_TIMING = {False: ("--no-timing",), True: ("--timing", "--no-sched-zero-delay")}
_TIMESCALE = {False: "1ns/1ps", True: "1ps/1ps"}
_COMPILE = ("-std=c++20", "-O3", "-fPIC", "-w", "-DVERILATOR=1")
# cocotb's main program keeps the time in a global function; the native runner in its context.
_NATIVE = ("-DVL_TIME_CONTEXT",)
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
_WAVEFORM = {"none": (), "fst": ("verilated_fst_c.cpp",), "vcd": ("verilated_vcd_c.cpp",)}
_LIBRARIES = {"none": (), "fst": ("-llz4", "-lz"), "vcd": ()}


def run_tool(command: Sequence[str | Path], *, cwd: Path) -> None:
    """Run a tool; if it fails, keep its output where the error says.

    Raises
    ------
    ToolError
        Names the tool, its exit status and the file with its output.
    """
    words = [str(word) for word in command]
    log = cwd / "tool.log"
    # Compilers put their temporary files into TMPDIR: a killed one leaves them where we clean up.
    env = {**os.environ, "VERILATOR_ROOT": str(verilator().root), "TMPDIR": str(cwd)}
    if status := run_contained(words, cwd=cwd, env=env, log=log):
        output = " ".join(words) + "\n" + log.read_text(errors="replace")
        raise tool_failure(Path(words[0]).name, f"status {status}", output, cwd)


def _flags(trace: Trace, *, timing: bool = False) -> list[str]:
    defines = {
        "VM_TIMING": timing,
        "VM_TRACE": trace != "none",
        "VM_TRACE_FST": trace == "fst",
        "VM_TRACE_VCD": trace == "vcd",
        **dict.fromkeys(("VM_COVERAGE", "VM_SC", "VM_TRACE_SAIF"), False),
    }
    include = verilator().root / "include"
    paths = (f"-I{include}", f"-I{include}/vltstd", f"-I{cocotb_tools.config.share_dir}/include")
    return [*_COMPILE, *(f"-D{name}={int(value)}" for name, value in defines.items()), *paths]


def _tools() -> dict[str, str]:
    return {
        "verilator": f"{verilator().binary} {verilator().version}",
        "C++ compiler": f"{compiler_version()}, {platform.machine()}",
    }


def _runtime(flags: Sequence[str], trace: Trace, *more: str) -> list[Path]:
    """Object files of Verilator's own runtime: the slow part, and the same for every design."""
    sources = (*_RUNTIME, *_WAVEFORM[trace], *more)

    def build(folder: Path) -> None:
        for source in sources:
            path = verilator().root / "include" / source
            output = folder / f"{path.stem}.o"
            run_tool([compiler(), *flags, "-c", path, "-o", output], cwd=folder)

    return sorted(cached("runtime", [*flags, *sources], build, tools=_tools()).glob("*.o"))


def _verilate(folder: Path, verilog: str, options: Sequence[str], flags: Sequence[str]) -> Path:
    """Run Verilator in ``folder``; returns one C++ file that includes what it generated.

    What runs once, at the start, is compiled apart, and not optimised: that would take the longer
    part of the time. It is ``cold.o``.
    """
    (folder / "design.v").write_text(verilog)
    command = [verilator().binary, *_VERILATE, *options, "--Mdir", "model", "design.v"]
    run_tool(command, cwd=folder)
    model = folder / "model"
    for name, cold in (("all.cpp", False), ("cold.cpp", True)):
        files = [p.name for p in sorted(model.glob("V*.cpp")) if ("__Slow" in p.name) == cold]
        (model / name).write_text("".join(f'#include "{file}"\n' for file in files))
    command = [compiler(), *flags, "-O0", "-Imodel", "-c", model / "cold.cpp", "-o", "cold.o"]
    run_tool(command, cwd=folder)
    return model / "all.cpp"


def _tracing(trace: Trace) -> list[str]:
    if trace == "fst":
        fst_libraries()
    return [] if trace == "none" else [f"--trace-{trace}", "--trace-underscore"]


def build_native(
    verilog: str,
    *,
    top: str = "neuro",
    trace: Trace = "none",
    timing: bool = False,
    optimise: bool = True,
) -> Path:
    """Shared library of the design in ``verilog`` with the batched runner that is made for it.

    Parameters
    ----------
    top:
        Its module, and the name of the runner.
    timing:
        Keep the delays of the design, in units of 1 ps, as `build_cocotb` does.
    optimise:
        Without it a netlist is there in half the time, and runs slower.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    """
    folder = resources.files("spikewatt.cosim").joinpath("native")
    runner = folder.joinpath(f"{top}.cpp").read_text()
    headers = {name: folder.joinpath(name).read_text() for name in ("simulation.h", "driver.h")}
    options = {"top": top, "headers": headers, "timing": timing, "optimise": optimise}
    return _build_model(verilog, runner, "native", ["-shared"], trace, **options)


def build_program(verilog: str, source: str, *, trace: Trace = "none") -> Path:
    """Executable of the core in ``verilog`` (module ``neuro``) with a C++ main program.

    ``source`` includes ``Vneuro.h``; ``VM_TRACE_FST`` and ``VM_TRACE_VCD`` tell it of a waveform.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    """
    return _build_model(verilog, source, "program", [], trace)


def _build_model(
    verilog: str,
    source: str,
    kind: str,
    link: Sequence[str],
    trace: Trace,
    top: str = "neuro",
    headers: Mapping[str, str] = MappingProxyType({}),
    timing: bool = False,
    optimise: bool = True,
) -> Path:
    scale = "1ps/1ps" if timing else "1ns/1ns"
    options = ["--top-module", top, "--prefix", f"V{top}", "--timescale", scale]
    options += [*_TIMING[timing], *_tracing(trace)]
    common = [*_flags(trace, timing=timing), *_NATIVE]
    flags = common if optimise else [*common, "-O0"]
    runtime = ["verilated_timing.cpp"] if timing else []

    def build(folder: Path) -> None:
        (folder / "driver.cpp").write_text(source)
        for name, text in headers.items():
            (folder / name).write_text(text)
        unity = _verilate(folder, verilog, options, flags)
        command = [compiler(), *flags, "-Imodel", *link, unity, "cold.o", "driver.cpp"]
        tail = [*_runtime(common, trace, *runtime), *_LIBRARIES[trace], "-pthread", "-o", kind]
        run_tool([*command, *tail], cwd=folder)

    content = [
        verilog,
        source,
        *headers.values(),
        *link,
        *_VERILATE,
        *options,
        *flags,
    ]
    return cached(kind, content, build, tools=_tools()) / kind


def build_cocotb(
    verilog: str,
    top: str,
    *,
    trace: Trace = "none",
    public: bool = False,
    timing: bool = False,
) -> Path:
    """Folder of a simulation of module ``top`` for cocotb; the executable has the module's name.

    Parameters
    ----------
    public:
        Let cocotb see every signal of the design instead of the top's ports: slower.
    timing:
        Keep the delays of the design, none of which is zero, in units of 1 ps where it does not
        say: slower.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    """
    main = Path(cocotb_tools.config.share_dir) / "lib" / "verilator" / "verilator.cpp"
    libraries = str(cocotb_tools.config.libs_dir)
    visible = ["--public-flat-rw"] if public else ["ports.vlt"]
    options = ["--vpi", "--exe", "--top-module", top, "--prefix", "Vtop"]
    options += ["--timescale", _TIMESCALE[timing], *_TIMING[timing], *_tracing(trace), *visible]
    flags = _flags(trace, timing=timing)
    runtime = ["verilated_vpi.cpp", *(["verilated_timing.cpp"] if timing else [])]
    ports = f'`verilator_config\npublic_flat_rw -module "{top}" -var "*"\n'

    def build(folder: Path) -> None:
        (folder / "ports.vlt").write_text(ports)
        unity = _verilate(folder, verilog, options, flags)
        command = [compiler(), *flags, "-Imodel", unity, "cold.o", main]
        tail = [*_runtime(flags, trace, *runtime), *_LIBRARIES[trace], "-pthread"]
        link = [f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lcocotbvpi_verilator", "-rdynamic"]
        run_tool([*command, *tail, *link, "-o", top], cwd=folder)

    content = [verilog, main.read_text(), libraries, ports, *_VERILATE, *options]
    return cached("cocotb", [*content, *flags], build, tools=_tools())
