"""Who comes second waits, and finds the work done."""

import os
import threading
import time
from pathlib import Path

import pytest

from spikewatt.base.cache import cached
from spikewatt.base.locks import one_at_a_time


def test_one_works_at_a_time(tmp_path: Path) -> None:
    lock, inside, most = tmp_path / "lock", 0, 0

    def work() -> None:
        nonlocal inside, most
        with one_at_a_time(lock):
            inside += 1
            most = max(most, inside)
            time.sleep(0.05)
            inside -= 1

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert not lock.exists()


def test_a_lock_that_cannot_be_made_stops_nobody(tmp_path: Path) -> None:
    with one_at_a_time(tmp_path / "missing" / "lock"):
        pass


def test_a_failure_frees_the_lock(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="no"), one_at_a_time(tmp_path / "lock"):
            raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_what_another_process_builds_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path))
    begun = tmp_path / "begun"

    def slow(folder: Path) -> None:
        begun.touch()
        time.sleep(0.5)
        (folder / "who").write_text("the first")

    def other(folder: Path) -> None:
        (folder / "who").write_text("the second")

    if not (child := os.fork()):
        try:
            cached("kind", ["a"], slow)
        finally:
            os._exit(0)
    while not begun.exists():
        time.sleep(0.01)
    assert (cached("kind", ["a"], other) / "who").read_text() == "the first"
    os.waitpid(child, 0)
    assert (cached("kind", ["b"], other) / "who").read_text() == "the second"
