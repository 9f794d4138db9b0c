"""Command-line tools that pip brings as WebAssembly, or a native one in their place."""

import functools
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikewatt.base.cache import usable_cache_folder
from spikewatt.base.errors import SpikewattError, ToolError
from spikewatt.base.files import scratch
from spikewatt.base.locks import one_at_a_time
from spikewatt.base.process import run_contained, tool_failure
from spikewatt.base.progress import Progress, silent

__all__ = ["PipTool"]

_ANNOUNCED = b"This might take a while"  # YoWASP's words before it compiles
_LONGEST = 200  # characters of a tool's last words in an error


@functools.cache
def _native(variable: str, chosen: str, flag: str, pattern: str, name: str) -> tuple[str, str]:
    """Path and version of the tool that the environment names."""
    if not (path := shutil.which(chosen)):
        raise ToolError(f"{variable} names {chosen!r}, which is not an executable")
    try:
        run = subprocess.run([path, flag], capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolError(f"{variable} names {path}, which does not run ({error.strerror})") from None
    if not (match := re.search(pattern, run.stdout + run.stderr)):
        raise ToolError(f"{variable} names {path}, which does not say that it is {name}")
    return path, match.group(1) if match.groups() else "native"


@dataclass(frozen=True, kw_only=True)
class PipTool:
    """A tool.

    Parameters
    ----------
    name:
        What people call it.
    package:
        Package of pip that brings it; its module is the same with underscores.
    call:
        Function of the module that runs it.
    variable:
        Environment variable that names a native one.
    flag, pattern:
        What asks a native one for its version, and what it answers; the group of the pattern, if
        there is one, is the version.
    time:
        How long it takes to compile, in words.
    extra:
        Of our package, that brings it; none for what we cannot do without.
    """

    name: str
    package: str
    call: str
    variable: str
    flag: str
    pattern: str
    time: str
    extra: str | None = None

    @property
    def version(self) -> str:
        """Version of the one that `run` runs.

        Raises
        ------
        ToolError
            There is none.
        """
        if chosen := os.environ.get(self.variable):
            return self._native(chosen)[1]
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            wanted = f"'spikewatt[{self.extra}]'" if self.extra else self.package
            raise ToolError(
                f"{self.name} is missing: pip install {wanted}, or name one in {self.variable}"
            ) from None

    def run(
        self,
        words: Sequence[str],
        folder: Path,
        *,
        what: str | None = None,
        progress: Progress = silent,
        log: str | None = None,
        explain: Callable[[str], SpikewattError | None] = lambda output: None,
    ) -> None:
        """Run it in ``folder``, which keeps its output as ``log``.

        The one from pip sees few of the files outside: bring files into ``folder`` and name them
        without a path.

        Parameters
        ----------
        what:
            What is being done, in words.
        progress:
            Called with that, and when the tool, which pip brings as WebAssembly, has to be
            compiled first.
        explain:
            Given the output of a failed run: the error to raise in place of the tool's own words.

        Raises
        ------
        ToolError
            No tool, or the line in which it says what went wrong, and where its output is.
        """
        self._warm(progress)
        if what is not None:
            progress(what)
        self._run(words, folder, folder / (log or f"{self.name}.log"), progress, explain)

    def _native(self, chosen: str) -> tuple[str, str]:
        return _native(self.variable, chosen, self.flag, self.pattern, self.name)

    def _command(self) -> list[str]:
        if chosen := os.environ.get(self.variable):
            return [self._native(chosen)[0]]
        _ = self.version
        module = self.package.replace("-", "_")
        code = f"import sys, {module}; sys.exit({module}.{self.call}(sys.argv[1:]))"
        # -P: a file of the user's by a module's name does not stand in the module's place.
        return [sys.executable, "-P", "-c", code]

    @property
    def _compiling(self) -> str:
        return f"preparing {self.name} (once: {self.time})"

    def _warm(self, progress: Progress) -> None:
        """Let one process at a time compile the WebAssembly: none reads what another rewrites."""
        if os.environ.get(self.variable):
            return
        # It says that the tool has run here once, nothing else: without it, it runs once more.
        stamp = usable_cache_folder() / f"{self.package}-{self.version}-{self.name}"
        if stamp.exists():
            return
        try:
            progress(self._compiling)
            with one_at_a_time(stamp.parent / f".{stamp.name}.lock"):  # gone afterwards
                if not stamp.exists():
                    with scratch() as folder:
                        # It has been told what takes so long: the tool need not be heard on it.
                        self._start([self.flag], folder, folder / "warm.log", silent)
                    stamp.touch()
        except OSError as error:
            raise ToolError(
                f"cannot write the build cache {stamp.parent} ({error.strerror}): "
                "set SPIKEWATT_CACHE to a writable folder"
            ) from None

    def _run(
        self,
        words: Sequence[str],
        folder: Path,
        log: Path,
        progress: Progress,
        explain: Callable[[str], SpikewattError | None],
    ) -> None:
        if status := self._start(words, folder, log, progress):
            output = log.read_text(errors="replace")
            raise explain(output) or tool_failure(
                self.name, self._reason(output, status), output, folder
            )

    def _start(self, words: Sequence[str], folder: Path, log: Path, progress: Progress) -> int:
        """Exit status, which for one that only tells of itself means nothing."""
        said = False

        def poll() -> None:
            nonlocal said
            if not said:
                with log.open("rb") as file:
                    if _ANNOUNCED in file.read(200):
                        said = True
                        progress(self._compiling)

        # Temporary files go where they are cleaned up even if the tool is killed.
        env = {**os.environ, "TMPDIR": str(folder)}
        return run_contained([*self._command(), *words], cwd=folder, env=env, log=log, poll=poll)

    def _reason(self, output: str, status: int) -> str:
        """What went wrong, in the tool's words."""
        said = re.findall(r"^.*\bERROR:.*$", output, re.MULTILINE)
        if said:
            reason = re.sub(r"ERROR: ?", "", said[0], count=1)
        else:
            last = output.strip().rpartition("\n")[2]
            reason = f"status {status}, and its last words were: {last[:_LONGEST] or 'none'}"
        return reason.rstrip(".")
