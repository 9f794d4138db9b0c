"""The command as a process, and what its errors look like."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["COMMAND", "Cli", "CommandServer", "assert_one_line"]

Cli = Callable[..., subprocess.CompletedProcess[str]]
# A slow machine takes long enough for lines of progress, which are tested by themselves.
_MAIN = """
from spikewatt.flow import console
from spikewatt.flow.cli.main import main
console.LINE_SECONDS = 1e6
main()
"""
COMMAND = [sys.executable, "-c", _MAIN]
# What takes long to load; nothing of it reads the environment by then, or starts a thread, which a
# copy of the process would lack.
_SERVER = f"""
import atexit, json, os, sys, traceback
import amaranth.hdl, amaranth.lib.wiring, msgspec, numba, numpy, pywellen, typer
import rich.console, rich.progress, rich.table
import spikewatt.flow.compare.run, spikewatt.flow.energy, spikewatt.flow.run

assert "spikewatt.flow.console" not in sys.modules  # it takes its width from the environment
MAIN = {_MAIN!r}

def run(request):
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for number, name in enumerate(("/dev/null", request["out"], request["err"])):
        file = os.open(name, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["-c", *request["words"]]
    try:
        exec(compile(MAIN, "<string>", "exec"), {{"__name__": "__main__"}})
        status = 0
    except SystemExit as stop:
        status = stop.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(json.loads(line))
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class CommandServer:
    """Runs commands in copies of a process that has loaded their libraries.

    That takes most of the time of a command that refuses its input. Each is a process of its own
    with its own folder, environment, output and exit status.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *words: object, cwd: Path, scratch: Path, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a folder, with its output in files of another one."""
        out, err = scratch / "stdout", scratch / "stderr"
        request = {
            "words": list(map(str, words)),
            "cwd": str(cwd),
            "env": {**os.environ, **env},
            "out": str(out),
            "err": str(err),
        }
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(request)}\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        return subprocess.CompletedProcess(
            request["words"], status, out.read_text(), err.read_text()
        )

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def assert_one_line(run: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line that says ``words`` on standard error, nothing on standard output, status 2."""
    assert run.returncode == 2, run
    assert run.stdout == ""
    lines = run.stderr.splitlines()
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("spikewatt: ")
    for word in words:
        assert word in lines[0], lines[0]
