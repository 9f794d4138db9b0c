"""Builds that begin before they are asked for, on cores of the machine that would idle.

A priced run needs a core's Verilog, the simulator that is compiled from it, and its gates. Each
takes long and keeps one core of the machine busy, and the last two do not need each other. So two
processes make them for all that a command will ask for, in its order, and leave them in the build
cache: there the command finds them, or waits for the one that is being built.
"""

import contextlib
import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikewatt.base.cache import cache_folder
from spikewatt.base.errors import SpikewattError
from spikewatt.base.interrupts import catch_interrupts
from spikewatt.base.sources import Sources
from spikewatt.cosim.choices import ModelTrace
from spikewatt.cosim.verilated import build_native
from spikewatt.energy.activity.elements import build_elements
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.reader import LibertyFiles, read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.verilog import SOURCES, export

__all__ = ["Wanted", "build_ahead", "work"]

PATIENCE_S = 5.0
"""How long a worker may take to end what it started."""
_SOURCES = Sources((*SOURCES, "spikewatt.cosim", "spikewatt.energy", "spikewatt.synth"))


@dataclass(frozen=True)
class Wanted:
    """A core that will be run and priced.

    Parameters
    ----------
    blueprint, top:
        The core, and the name of its module, for which there is a native runner.
    traces:
        Kinds of waveform, for each of which there is a build of the simulator.
    """

    blueprint: Blueprint
    top: str
    traces: tuple[ModelTrace, ...] = ("states",)


@contextlib.contextmanager
def build_ahead(wanted: Sequence[Wanted], liberty: LibertyFiles | None = None) -> Iterator[None]:
    """Build in the background while the block runs; what fails is left to whoever asks for it.

    Parameters
    ----------
    wanted:
        Cores in the order in which they will be asked for.
    liberty:
        Library that they are mapped to; the built-in technology by default.
    """
    files = liberty or default_library_path()
    library = tuple(
        Path(file).absolute() for file in ([files] if isinstance(files, str | Path) else files)
    )
    if not wanted or len(os.sched_getaffinity(0)) < 2 or _all_there(wanted, library):
        yield
        return
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="spikewatt-")))
        (folder / "job").write_bytes(pickle.dumps((tuple(wanted), library)))
        for part in _PARTS:
            stack.enter_context(_worker(part, folder))
        yield
        made = [folder / part for part in _PARTS]
        if all(file.exists() for file in made):
            paths = [path for file in made for path in json.loads(file.read_text())]
            with contextlib.suppress(OSError):
                _list_of(wanted, library).write_text(json.dumps(paths))


def _list_of(wanted: Sequence[Wanted], library: Sequence[Path]) -> Path:
    """File with the paths of all that was built for these once."""
    parts = [f"{core.blueprint.key()} {core.top} {core.traces}" for core in wanted]
    parts += [str(library), _SOURCES.digest, sys.version]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    return cache_folder() / f"ahead-{digest}.json"


def _all_there(wanted: Sequence[Wanted], library: Sequence[Path]) -> bool:
    """Whether a command went through this before, and nothing of it was cleared away since.

    If it errs, a few builds are made later than they could, or a few processes find nothing to do.
    """
    try:
        return all(
            Path(path).exists() for path in json.loads(_list_of(wanted, library).read_text())
        )
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _worker(part: str, folder: Path) -> Iterator[None]:
    """A process that does one part of the job, and that ends with the block at the latest."""
    code = "import sys; from spikewatt.flow.ahead import work; work(*sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", code, part, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interrupt is for us: we end it in order
    )
    try:
        yield
    finally:
        # Its compilers have sessions of their own: it must have the time to end them.
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # itself, and what has no session of its own
        process.wait()


def work(part: str, folder: str) -> None:
    """Do one part of the job in a folder, and write there what was built: a worker's program."""
    catch_interrupts()
    wanted, library = pickle.loads((Path(folder) / "job").read_bytes())
    parent = os.getppid()
    paths: list[str] = []
    for build in _PARTS[part](wanted, library):
        if os.getppid() != parent:  # it was killed, and nobody waits for this any more
            return
        with contextlib.suppress(SpikewattError):
            paths += map(str, build())
    (Path(folder) / part).write_text(json.dumps(paths))


Builds = Iterator[Callable[[], Sequence[Path]]]


def _compilations(wanted: Sequence[Wanted], library: Sequence[Path]) -> Builds:
    """Simulators, in order; then gates from the end on, towards the worker that maps."""

    def compiled(core: Wanted, trace: ModelTrace) -> list[Path]:
        return [build_native(export(core.blueprint, core.top), top=core.top, trace=trace)]

    for core in wanted:
        for trace in core.traces:
            yield lambda core=core, trace=trace: compiled(core, trace)
    # Mapping takes longer than compiling: whoever is done first helps from the other end.
    for core in reversed(wanted):
        yield lambda core=core: _mapped(core, library)


def _mappings(wanted: Sequence[Wanted], library: Sequence[Path]) -> Builds:
    """Gates, in order."""
    for core in wanted:
        yield lambda core=core: _mapped(core, library)


def _mapped(core: Wanted, path: Sequence[Path]) -> list[Path]:
    """Files of a core's gates, which are left ready for the replay, too."""
    mapped = synthesise(export(core.blueprint, core.top), core.top, path)
    library = read_liberty(path)
    # For the cache alone: the run that asks for them finds them there.
    build_elements(read_netlist(mapped.netlist, library, top=core.top), library)
    return [mapped.netlist]


_PARTS = {"compilations": _compilations, "mappings": _mappings}
