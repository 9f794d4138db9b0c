"""For all tests."""

import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spikewatt.base.cache import cache_folder
from tests.processes import Start, processes

FOLDER = Path(__file__).parent

# A shell that starts the tests in the background has them ignore an interrupt, `nohup` a hang-up,
# and so would what they start: the tests of interrupts would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Most simulations of the tests are short, and what they wait for is the compiler.
os.environ.setdefault("SPIKEWATT_BUILDS", "quick")

# Commands that begin with a cache of their own need not compile the kernels once more.
os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder() / "numba-tests"))

# Commands and simulators start Python some hundred times. Where the environment forbids it to keep
# what it compiled, each of them compiles all of ours once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

COLLECTED = pytest.StashKey[list[str]]()

# What takes longest first, so that both workers come to their ends together.
ROOMS = ("cosim", "flow", "targets", "hdl", "synth", "energy", "model")

# Files whose tests share what is made once for a process: one comparison, one run on a mesh.
SHARING = {
    **dict.fromkeys(
        ("flow/test_compare.py", "flow/test_compare_search.py", "targets/test_price.py"),
        "comparison",
    ),
    **dict.fromkeys(
        (
            *("flow/test_mesh_compare.py", "flow/cli/test_mesh_command.py"),
            *("targets/test_mesh_energy.py", "targets/test_mesh_target.py"),
        ),
        "mesh",
    ),
}


def _place(item: pytest.Item) -> int:
    """Where in the order of rooms a test is."""
    room = item.path.relative_to(FOLDER).parts[0]
    return ROOMS.index(room) if room in ROOMS else len(ROOMS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let the tests of a file run in one worker.

    They ask for the same builds: in two workers, one would wait for what the other compiles, and
    make again what the other has made.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return SHARING.get(file.removeprefix("tests/"), file)

    config.option.loadscopereorder = False  # by the number of tests: a slow file may have one
    return ByFile(config, log)


# After pytest has put the tests in order, and before `-m` and `-k` take theirs out: the last
# plugin comes first, and a conftest lies between the two.
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=_place)
    config.stash[COLLECTED] = [item.nodeid for item in items]
    # What is loaded by now stays: the search for garbage, a tenth of the time, leaves it out.
    gc.collect()
    gc.freeze()


@pytest.fixture
def collected(request: pytest.FixtureRequest) -> list[str]:
    """Names of all tests of this run in their order, those too that `-m` or `-k` leave out."""
    return request.config.stash[COLLECTED]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a process that does not outlive the test."""
    with processes() as start_one:
        yield start_one
