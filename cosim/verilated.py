"""Verilator builds: generated C++ compiled in one piece against a cached runtime, without make.

A build is made for speed, or to be ready soon (``SPIKEWATT_BUILDS=quick``, as our tests do, or
``optimise=False``): not optimised, and with Verilator's headers compiled before. What the compiler
spends on a small core is mostly those headers.
"""

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Literal

import cocotb_tools.config

from spikewatt.base.cache import cached
from spikewatt.base.process import run_contained, tool_failure
from spikewatt.base.sources import Sources
from spikewatt.base.tools import compiler, compiler_version, fst_libraries, verilator
from spikewatt.cosim.choices import ModelTrace, Trace
from spikewatt.cosim.states import record_states

__all__ = ["ModelTrace", "Trace", "build_cocotb", "build_native", "build_program", "run_tool"]

_VERILATE = ("--cc", "-O3", "-Wno-lint", "-Wno-fatal")
# Models with delays promise that none is zero: what Verilator does for one costs time.
_TIMING = {False: ("--no-timing",), True: ("--timing", "--no-sched-zero-delay")}
_TIMESCALE = {False: "1ns/1ps", True: "1ps/1ps"}
# Coroutines are for delays alone, and the headers of C++17 are a third shorter.
_STANDARD = {False: "-std=c++17", True: "-std=c++20"}
_COMPILE = ("-fPIC", "-fno-semantic-interposition", "-w", "-DVERILATOR=1", "-DVM_SC=0")
_LEVEL = {False: "-O0", True: "-O3"}
# For models that run a few samples: made in three fifths of the time, and a sixth slower.
_BRIEF = "-O1"
_STATES = Sources(("spikewatt.cosim.states",))
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
_HEADERS = ("verilated.h", "cstdint", "memory", "string", "vector")
_NOT_OPTIMISED = """#if defined(__clang__)
#pragma clang optimize off
#else
#pragma GCC optimize ("O0")
#endif
"""
_WAVEFORM = {
    "none": (),
    "fst": ("verilated_fst_c.cpp",),
    "saif": ("verilated_saif_c.cpp",),
    **dict.fromkeys(("vcd", "states"), ("verilated_vcd_c.cpp",)),
}
_LIBRARIES = {"none": (), "fst": ("-llz4", "-lz"), "saif": (), "vcd": (), "states": ()}
_AnyTrace = ModelTrace | Literal["saif"]


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


# Ours are hundreds of small cores that run for a second: compiling is most of a test.
def _optimise(wanted: bool) -> bool:
    """Whether a build that may be made for speed is."""
    return wanted and os.environ.get("SPIKEWATT_BUILDS") != "quick"


def _flags(level: str) -> list[str]:
    """How Verilator's runtime is compiled, and whatever is to be linked with it.

    The same for cocotb's main program, which keeps the time in a global function, and for the
    native runner, which keeps it in its context: where there is no such function, Verilator asks
    the context alone. So all designs share one runtime.
    """
    include = verilator().root / "include"
    paths = (f"-I{include}", f"-I{include}/vltstd", f"-I{cocotb_tools.config.share_dir}/include")
    return [level, *_COMPILE, *paths]


def _defines(trace: _AnyTrace, *, timing: bool) -> str:
    """What the generated C++ and its main program, but not the runtime, want to know."""
    defines = {
        "VM_TIMING": timing,
        "VM_TRACE": trace != "none",
        "VM_TRACE_FST": trace == "fst",
        "VM_TRACE_VCD": trace in ("vcd", "states"),
        "VM_COVERAGE": False,
        "VM_TRACE_SAIF": trace == "saif",
    }
    return "".join(f"#define {name} {int(value)}\n" for name, value in defines.items())


def _tools() -> dict[str, str]:
    return {
        "verilator": f"{verilator().binary} {verilator().version}",
        "C++ compiler": f"{compiler_version()}, {platform.machine()}",
    }


def _runtime(flags: Sequence[str], sources: Sequence[str]) -> list[Path]:
    """Object files of Verilator's own runtime: the slow part, and the same for every design."""
    return [
        _object([_STANDARD[source == "verilated_timing.cpp"], *flags], source) for source in sources
    ]


def _object(flags: Sequence[str], source: str) -> Path:
    # By the flags and not by the design: every design of the same kind shares it.
    path = verilator().root / "include" / source

    def build(folder: Path) -> None:
        command = [compiler(), *_headers_first(flags), *flags, "-c", path, "-o", "runtime.o"]
        run_tool(command, cwd=folder)

    return cached("runtime", [*flags, source], build, tools=_tools()) / "runtime.o"


def _headers_first(flags: Sequence[str]) -> list[str]:
    """Options by which builds that are not optimised take Verilator's headers compiled before.

    The compiler reads the text where it does not like the compiled form.
    """
    if _LEVEL[False] not in flags:
        return []

    def build(folder: Path) -> None:
        (folder / "runtime.h").write_text("".join(f"#include <{name}>\n" for name in _HEADERS))
        command = [compiler(), *flags, "-x", "c++-header", "runtime.h", "-o", "runtime.h.gch"]
        run_tool(command, cwd=folder)

    headers = cached("headers", [*flags, *_HEADERS], build, tools=_tools())
    return ["-include", str(headers / "runtime.h")]


def _verilate(folder: Path, verilog: str, options: Sequence[str], defines: str, main: str) -> Path:
    """Run Verilator in ``folder``; returns one C++ file with what it generated and ``main``.

    ``defines`` stand there and not in the command, so that one compiled form of the headers, which
    do without, serves all.

    What runs once, at the start, is not optimised: that would take the longer part of the time. It
    stands last, so that no function of the rest is made on its terms.
    """
    (folder / "design.v").write_text(verilog)
    command = [verilator().binary, *_VERILATE, *options, "--Mdir", "model", "design.v"]
    run_tool(command, cwd=folder)
    model = folder / "model"
    # In the order of their names: the text is part of what the compiler sees, and must not depend
    # on the folder.
    names = sorted(path.name for path in model.glob("V*.cpp"))
    hot, cold = (
        "".join(f'#include "{name}"\n' for name in names if ("__Slow" in name) == slow)
        for slow in (False, True)
    )
    whole = model / "all.cpp"
    whole.write_text(f'{defines}{hot}#include "{main}"\n{_NOT_OPTIMISED}{cold}')
    return whole


def _tracing(trace: _AnyTrace) -> list[str]:
    if trace == "none":
        return []
    if trace == "fst":
        fst_libraries()
    return ["--trace-vcd" if trace == "states" else f"--trace-{trace}", "--trace-underscore"]


def build_native(
    verilog: str,
    *,
    top: str = "neuro",
    trace: ModelTrace = "none",
    timing: bool = False,
    optimise: bool = True,
) -> Path:
    """Shared library of the design in ``verilog`` with the batched runner that is made for it.

    Parameters
    ----------
    top:
        Its module, and the name of the runner.
    trace:
        Kind of waveform. With ``states`` the model is made for a few samples: it is there sooner,
        and runs slower.
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
    driver = _Driver(runner, "native", link=("-shared",), headers=headers)
    return _build_model(verilog, driver, top=top, trace=trace, timing=timing, optimise=optimise)


def build_program(verilog: str, source: str, *, trace: Trace | Literal["saif"] = "none") -> Path:
    """Executable of the core in ``verilog`` (module ``neuro``) with a C++ main program.

    ``source`` includes ``Vneuro.h``; ``VM_TRACE_FST``, ``VM_TRACE_VCD`` and ``VM_TRACE_SAIF`` tell
    it of a waveform.

    Raises
    ------
    ToolError
        A tool is missing, or failed.
    """
    return _build_model(verilog, _Driver(source, "program"), trace=trace)


@dataclass(frozen=True)
class _Driver:
    """C++ that drives a model, the headers that it includes, and the file it is linked into."""

    source: str
    product: Literal["native", "program"]
    link: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def _build_model(
    verilog: str,
    driver: _Driver,
    *,
    trace: _AnyTrace,
    top: str = "neuro",
    timing: bool = False,
    optimise: bool = True,
) -> Path:
    scale = "1ps/1ps" if timing else "1ns/1ns"
    options = ["--top-module", top, "--prefix", f"V{top}", "--timescale", scale]
    options += [*_TIMING[timing], *_tracing(trace)]
    optimise = _optimise(optimise)
    level = _BRIEF if optimise and trace == "states" else _LEVEL[optimise]
    common = _flags(level)
    flags, defines = [_STANDARD[timing], *common], _defines(trace, timing=timing)
    runtime = [*_RUNTIME, *_WAVEFORM[trace], *(["verilated_timing.cpp"] if timing else [])]

    def build(folder: Path) -> None:
        (folder / "driver.cpp").write_text(driver.source)
        for name, text in driver.headers.items():
            (folder / name).write_text(text)
        text = record_states(verilog, top) if trace == "states" else verilog
        whole = _verilate(folder, text, options, defines, "driver.cpp")
        command = [
            compiler(),
            *_headers_first(flags),
            *flags,
            "-I.",
            "-Imodel",
            *driver.link,
            whole,
        ]
        tail = [*_runtime(common, runtime), *_LIBRARIES[trace], "-pthread", "-o", driver.product]
        run_tool([*command, *tail], cwd=folder)
        # Generated C++ is tens of megabytes and of no use any more.
        shutil.rmtree(folder / "model")  # megabytes that nobody reads again

    # All that decides what is built, but the tools, which are told apart.
    content = [
        verilog,
        driver.source,
        *driver.headers.values(),
        *driver.link,
        *_VERILATE,
        *options,
        *flags,
        defines,
        _STATES.digest if trace == "states" else "",
    ]
    return cached(driver.product, content, build, tools=_tools()) / driver.product


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
    optimise = _optimise(True)
    common = _flags(_LEVEL[optimise])
    flags, defines = [_STANDARD[timing], *common], _defines(trace, timing=timing)
    runtime = [*_RUNTIME, *_WAVEFORM[trace], "verilated_vpi.cpp"]
    runtime += ["verilated_timing.cpp"] if timing else []
    ports = f'`verilator_config\npublic_flat_rw -module "{top}" -var "*"\n'

    def build(folder: Path) -> None:
        (folder / "ports.vlt").write_text(ports)
        whole = _verilate(folder, verilog, options, defines, str(main))
        command = [compiler(), *_headers_first(flags), *flags, "-Imodel", whole]
        tail = [*_runtime(common, runtime), *_LIBRARIES[trace], "-pthread"]
        link = [f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lcocotbvpi_verilator", "-rdynamic"]
        run_tool([*command, *tail, *link, "-o", top], cwd=folder)
        shutil.rmtree(folder / "model")

    content = [verilog, main.read_text(), libraries, ports, *_VERILATE, *options]
    return cached("cocotb", [*content, *flags, defines], build, tools=_tools())
