"""The command line, and files as a user would bring them."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from spikewatt.model.network.dataset import load_digits
from spikewatt.model.network.file import save_network
from tests.flow.command import Cli, CommandServer


@pytest.fixture(autouse=True)
def _no_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine takes long enough for them; they are tested by themselves."""
    monkeypatch.setattr("spikewatt.flow.console.LINE_SECONDS", 1e6)


@pytest.fixture(scope="session")
def server() -> Iterator[CommandServer]:
    server = CommandServer()
    yield server
    server.close()


@pytest.fixture
def cli(server: CommandServer, tmp_path: Path) -> Cli:
    def run(*words: object, env: dict[str, str] | None = None):
        with tempfile.TemporaryDirectory(prefix="spikewatt-") as scratch:
            return server.run(*words, cwd=tmp_path, scratch=Path(scratch), env=env or {})

    return run


@pytest.fixture
def digits(tmp_path: Path) -> tuple[Path, Path]:
    """The shipped network and eight of its images, as files of a user's."""
    network, x, y = load_digits()
    save_network(network, tmp_path / "net.swn")
    np.savez(tmp_path / "data.npz", x=x[:8], y=y[:8])
    return tmp_path / "net.swn", tmp_path / "data.npz"
