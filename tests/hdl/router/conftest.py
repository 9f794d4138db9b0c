"""Benches of ours run inside the simulators, which see the path that we see."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _benches_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[3])
