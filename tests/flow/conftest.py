"""The command line, and files as a user would bring them."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from spikewatt.model.network.dataset import load_digits
from spikewatt.model.network.file import save_network
from tests.flow.command import COMMAND, Cli


@pytest.fixture(autouse=True)
def _no_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine takes long enough for them; they are tested by themselves."""
    monkeypatch.setattr("spikewatt.flow.console.LINE_SECONDS", 1e6)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    def run(*words: object, env: dict[str, str] | None = None):
        return subprocess.run(
            [*COMMAND, *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def digits(tmp_path: Path) -> tuple[Path, Path]:
    """The shipped network and eight of its images, as files of a user's."""
    network, x, y = load_digits()
    save_network(network, tmp_path / "net.swn")
    np.savez(tmp_path / "data.npz", x=x[:8], y=y[:8])
    return tmp_path / "net.swn", tmp_path / "data.npz"
