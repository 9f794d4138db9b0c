"""For all tests."""

import os
import signal

import pytest

from spikewatt.base.cache import cache_folder

# A shell that starts the tests in the background has them ignore an interrupt, `nohup` a hang-up,
# and so would what they start: the tests of interrupts would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Most simulations of the tests are short, and what they wait for is the compiler.
os.environ.setdefault("SPIKEWATT_BUILDS", "quick")

# Commands that begin with a cache of their own need not compile the kernels once more.
os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_folder() / "numba-tests"))

COLLECTED = pytest.StashKey[list[str]]()


# After pytest has put the tests in order, and before `-m` and `-k` take theirs out: the last
# plugin comes first, and a conftest lies between the two.
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[COLLECTED] = [item.nodeid for item in items]


@pytest.fixture
def collected(request: pytest.FixtureRequest) -> list[str]:
    """Names of all tests of this run in their order, those too that `-m` or `-k` leave out."""
    return request.config.stash[COLLECTED]
