"""For all tests."""

import os
import signal

import pytest

# A shell that starts the tests in the background has them ignore an interrupt, `nohup` a hang-up,
# and so would what they start: the tests of interrupts would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Most simulations of the tests are short, and what they wait for is the compiler.
os.environ.setdefault("SPIKEWATT_BUILDS", "quick")

COLLECTED = pytest.StashKey[list[str]]()


# After pytest has put the tests in order, and before `-m` and `-k` take theirs out: the last
# plugin comes first, and a conftest lies between the two.
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[COLLECTED] = [item.nodeid for item in items]


@pytest.fixture
def collected(request: pytest.FixtureRequest) -> list[str]:
    """Names of all tests of this run in their order, those too that `-m` or `-k` leave out."""
    return request.config.stash[COLLECTED]
