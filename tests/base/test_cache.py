"""The build cache: what is taken from it is what was built, by nobody else."""

import fcntl
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikewatt.base import cache
from spikewatt.base.cache import cached, entries, prune
from spikewatt.base.errors import ToolError
from tests.processes import Start


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Build:
    """Builds two files, and counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, folder: Path) -> None:
        self.times += 1
        (folder / "deep").mkdir()
        (folder / "deep" / "netlist").write_text("NAND2")
        (folder / "native").write_bytes(bytes(10_000))

    def entry(self, content: str = "a") -> Path:
        """Path of the entry, as a process that begins anew sees it."""
        cache._verified.clear()
        return cached("kind", [content], self, tools={"yosys": "0.70"})


def test_built_once(here: Path) -> None:
    build = Build()
    assert build.entry() == build.entry()
    assert build.times == 1
    assert build.entry("b") != build.entry()
    assert build.times == 2
    assert cached("kind", ["a"], build, tools={"yosys": "0.71"}) != build.entry()
    assert cached("kind", ["a"], build) != build.entry()


def test_manifest(here: Path) -> None:
    entry = Build().entry()
    manifest = json.loads((entry / "manifest.json").read_text())
    assert manifest["tools"] == {"yosys": "0.70"}
    assert sorted(manifest["files"]) == ["deep/netlist", "native"]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in manifest["files"].values())
    assert f"kind-{manifest['key'][:24]}" == entry.name


DAMAGE = {
    "cut short": lambda entry: os.truncate(entry / "native", 4096),
    "edited": lambda entry: (entry / "deep" / "netlist").write_text("NOR2_"),
    "a file is gone": lambda entry: (entry / "deep" / "netlist").unlink(),
    "a file came": lambda entry: (entry / "more.o").touch(),
    "a link": lambda entry: (entry / "more.o").symlink_to("native"),
    "no manifest": lambda entry: (entry / "manifest.json").unlink(),
    "a broken manifest": lambda entry: (entry / "manifest.json").write_text("{}"),
    "no json": lambda entry: (entry / "manifest.json").write_text("\x00"),
    "another entry's": lambda entry: (entry / "manifest.json").write_text(
        (entry / "manifest.json").read_text().replace('"key": "', '"key": "0')
    ),
    "others write": lambda entry: (entry / "native").chmod(0o666),
    "others write into it": lambda entry: entry.chmod(0o777),
    "its group writes": lambda entry: (entry / "manifest.json").chmod(0o620),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_not_what_was_built_is_built_again(here: Path, damage: str) -> None:
    build = Build()
    entry = build.entry()
    DAMAGE[damage](entry)
    assert build.entry() == entry
    assert build.times == 2
    assert (entry / "native").read_bytes() == bytes(10_000)
    assert (entry / "deep" / "netlist").read_text() == "NAND2"
    assert build.entry() == entry
    assert build.times == 2
    assert [found.kind for found in entries()] == ["damaged", "kind"]  # put aside, to look into
    assert [found.kind for found in prune()] == ["damaged"]
    assert [found.kind for found in entries()] == ["kind"]


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give files away")
@pytest.mark.parametrize("path", [".", "native", "deep", "manifest.json"])
def test_an_entry_of_somebody_else(here: Path, path: str) -> None:
    build = Build()
    entry = build.entry()
    os.chown(entry / path, 1000, 1000)
    assert build.entry() == entry
    assert build.times == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can give folders away")
def test_a_cache_of_somebody_else(here: Path) -> None:
    build = Build()
    build.entry()
    os.chown(here, 1000, 1000)
    with pytest.raises(ToolError, match=r"belongs to another user.* set SPIKEWATT_CACHE"):
        build.entry()


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775, 0o702])
def test_a_cache_that_others_write(here: Path, mode: int) -> None:
    build = Build()
    build.entry()
    here.chmod(mode)
    with pytest.raises(ToolError, match=r"others may write .* chmod go-w .*cache"):
        build.entry()
    assert build.times == 1


def test_the_umask_opens_nothing(here: Path) -> None:
    before = os.umask(0)
    try:
        entry = Build().entry()
    finally:
        os.umask(before)
    for path in (here, entry, *entry.rglob("*")):
        assert not path.stat().st_mode & 0o022, path


def test_a_failed_build_leaves_nothing(here: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        cached("kind", ["a"], fail)
    assert list(here.iterdir()) == []


def test_dead_builds_are_collected(here: Path) -> None:
    """Those of killed processes; what a living one builds stays, and so does a new one."""
    Build().entry()
    dead, living, new = (here / f".building-kind-{name}" for name in ("dead", "living", "new"))
    for folder in (dead, living, new):
        folder.mkdir()
        (folder / "half").touch()
    for folder in (dead, living):
        os.utime(folder, (0, time.time() - 60))
    handle = os.open(living, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        kinds = {entry.path: entry.kind for entry in entries()}
        assert (kinds[dead], kinds[living], kinds[new]) == ("left over", *["being built"] * 2)
        Build().entry("another")
        assert not dead.exists()
        assert living.exists()
        assert new.exists()
    finally:
        os.close(handle)
    assert [entry.path for entry in prune()] == [living]


def test_what_is_being_built_is_not_collected(here: Path) -> None:
    """However long it takes: its lock says that its process lives."""

    def build(folder: Path) -> None:
        os.utime(folder, (0, time.time() - 1000))
        cache._collect(here)
        assert folder.exists()
        assert [entry.kind for entry in entries()] == ["being built"]

    cached("kind", ["a"], build)


def test_prune_takes_what_was_not_asked_for_the_longest(here: Path) -> None:
    build = Build()
    paths = [build.entry(content) for content in "abc"]
    for age, path in enumerate(paths):
        os.utime(path, (0, time.time() - 100 + age))
    build.entry("a")
    size = entries()[0].size
    assert 10_000 < size < 12_000
    assert prune(3 * size) == []
    assert [entry.path for entry in prune(2 * size)] == [paths[1]]
    assert {entry.path for entry in prune(0)} == {paths[0], paths[2]}
    assert entries() == []


MANY = """
import sys, time
from pathlib import Path
from spikewatt.base.cache import cached
def build(folder):
    (folder / "a").write_text("a" * 100_000)
    time.sleep(0.05)
for k in range(5):
    entry = cached("kind", [str(k)], build)
    assert (entry / "a").read_text() == "a" * 100_000
print(entry)
"""


def test_processes_at_once(start: Start, here: Path) -> None:
    runs = [start([sys.executable, "-c", MANY], stdout=subprocess.PIPE) for _ in range(4)]
    told = {run.communicate(timeout=120)[0] for run in runs}
    assert [run.returncode for run in runs] == [0] * 4
    assert len(told) == 1
    assert sorted(entry.kind for entry in entries()) == ["kind"] * 5


def test_a_whole_entry_is_hashed_once_in_a_process(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Build()
    build.entry()
    build.entry()  # forgets, and hashes again

    def refuse(folder: Path) -> dict[str, str]:
        raise AssertionError(f"{folder} is hashed again")

    monkeypatch.setattr(cache, "_digests", refuse)
    cached("kind", ["a"], build, tools={"yosys": "0.70"})
    with pytest.raises(AssertionError, match="hashed again"):
        build.entry()
