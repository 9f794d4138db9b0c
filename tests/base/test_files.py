"""Outputs of a command: all of them whole, or none."""

import os
import secrets
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spikewatt.base import files
from spikewatt.base.errors import SpikewattError
from spikewatt.base.files import Outputs, full_folder, scratch, staged, write_whole
from tests.base.disks import needs_mount, on_small_disk


def left(folder: Path) -> list[str]:
    """What lies in a folder, and below."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_all_or_none(tmp_path: Path) -> None:
    """Files and a folder take their names together, when the block ends."""
    (tmp_path / "a.json").write_text("old")
    with Outputs() as outputs:
        outputs.file(tmp_path / "a.json").write_text("new")
        outputs.write(tmp_path / "b.csv", b"1,2")
        inside = outputs.folder(tmp_path / "x" / "out")
        (inside / "deep").mkdir()
        (inside / "deep" / "c").write_text("c")
        assert (tmp_path / "a.json").read_text() == "old"
        assert not (tmp_path / "b.csv").exists()
        assert not (tmp_path / "x").exists()
    assert left(tmp_path) == ["a.json", "b.csv", "x", "x/out", "x/out/deep", "x/out/deep/c"]
    assert (tmp_path / "a.json").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a").write_text("old")

    def work() -> None:
        with Outputs() as outputs:
            outputs.write(tmp_path / "a", "new")
            (outputs.folder(tmp_path / "out") / "b").touch()
            raise error

    with pytest.raises(error):
        work()
    assert left(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_an_error_on_the_way_takes_all_names_back(tmp_path: Path) -> None:
    """The last of three cannot take its name: the first two give theirs back."""
    (tmp_path / "a").write_text("old")
    (tmp_path / "out" / "mine").mkdir(parents=True)

    def work() -> None:
        with Outputs() as it:
            it.write(tmp_path / "a", "new")
            it.write(tmp_path / "b", "new")
            (it.folder(tmp_path / "out") / "mine").touch()

    with pytest.raises(SpikewattError, match=r"cannot write to .*out .*: choose"):
        work()
    assert left(tmp_path) == ["a", "out", "out/mine"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_name_that_fails_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, where it is the system that refuses the last one."""
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if target == tmp_path / "new" / "c":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    (tmp_path / "a").write_text("old")

    def work() -> None:
        with Outputs() as outputs:
            outputs.write(tmp_path / "a", "new")
            outputs.write(tmp_path / "b", "new")
            (outputs.folder(tmp_path / "new") / "c").touch()

    with pytest.raises(SpikewattError, match="Input/output error"):
        work()
    assert left(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no/such/a", "No such file or directory"),
        ("file/a", "Not a directory"),
        ("folder", "it is a folder"),
        ("link", "it is a symbolic link, which is not followed"),
        ("dangling", "it is a symbolic link, which is not followed"),
        ("twice", "two outputs have this name"),
    ],
)
def test_refused_at_once(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nothing")
    before = left(tmp_path)

    def work() -> None:
        with Outputs() as outputs:
            outputs.file(tmp_path / "twice")
            outputs.file(tmp_path / name)
            raise AssertionError("it went on")

    with pytest.raises(SpikewattError) as caught:
        work()
    assert str(caught.value) == f"cannot write to {tmp_path / name} ({why}): choose another file"
    assert left(tmp_path) == before
    assert (tmp_path / "file").read_text() == "mine"


def test_a_link_that_comes_while_we_work(tmp_path: Path) -> None:
    def work() -> None:
        with Outputs() as outputs:
            (outputs.folder(tmp_path) / "report.json").touch()
            outputs.write(tmp_path / "b", "new")
            (tmp_path / "report.json").symlink_to("victim")

    with pytest.raises(SpikewattError, match="symbolic link"):
        work()
    assert left(tmp_path) == ["report.json"]


def test_a_fifo_is_written_through(tmp_path: Path) -> None:
    fifo, come = tmp_path / "fifo", list[str]()
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: come.append(fifo.read_text()), daemon=True)
    reader.start()
    write_whole(fifo, "through")
    reader.join(10)
    assert come == ["through"]
    assert stat.S_ISFIFO(fifo.lstat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can make a device")
def test_a_device_stays_one(tmp_path: Path) -> None:
    device = tmp_path / "null"
    os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    write_whole(device, "into nothing")
    (tmp_path / "out").mkdir()
    device.rename(tmp_path / "out" / "report.json")
    with staged(tmp_path / "out") as part:
        (part / "report.json").write_text("into nothing")
    assert stat.S_ISCHR((tmp_path / "out" / "report.json").lstat().st_mode)
    assert left(tmp_path) == ["out", "out/report.json"]


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as line:
        line.bind("s")
        with pytest.raises(SpikewattError, match="neither a file, a FIFO nor a device"):
            write_whole(Path("s"), "")
    assert left(tmp_path) == ["s"]


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o002])
def test_modes_follow_the_umask(tmp_path: Path, umask: int) -> None:
    (tmp_path / "old").touch(0o600)
    before = os.umask(umask)
    try:
        with Outputs() as outputs:
            for name in ("new", "old"):
                outputs.write(tmp_path / name, "")
            (outputs.folder(tmp_path / "out") / "in").touch()
    finally:
        os.umask(before)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in left(tmp_path)}
    file, folder = 0o666 & ~umask, 0o777 & ~umask
    assert modes == {"new": file, "old": file, "out": folder, "out/in": file}


def test_nobody_else_can_enter_what_is_not_done(tmp_path: Path) -> None:
    """Names are not to be guessed, nor files to be planted under them."""
    seen = set()
    for _ in range(3):
        with Outputs() as outputs:
            part = outputs.file(tmp_path / "a")
            assert part.parent.stat().st_mode & 0o777 == 0o700
            assert str(os.getpid()) not in part.parent.name
            seen.add(part.parent)
    assert len(seen) == 3


FULL = """
from pathlib import Path
from spikewatt.base.errors import SpikewattError
from spikewatt.base.files import Outputs, full_folder
import tempfile
try:
    with Outputs() as outputs:
        part = outputs.file(Path("small/a.vcd"))
        with part.open("w") as file:
            file.write("x" * 100_000)
except SpikewattError as error:
    print(error)
print(sorted(path.name for path in Path("small").iterdir()))
Path("small/b").write_bytes(b"x" * 61_440)
print(full_folder([Path("."), Path("small/not/there")]).name)
"""


@needs_mount
def test_a_full_disk(tmp_path: Path) -> None:
    run = on_small_disk(tmp_path, [sys.executable, "-c", FULL])
    where = tmp_path / "small"
    message = f"(No space left on device on the disk of {where}): choose another file"
    assert run.stdout.splitlines() == [f"cannot write to small/a.vcd {message}", "[]", "small"]
    assert full_folder([tmp_path]) is None


def test_scratch_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def work() -> None:
        with scratch() as folder:
            (folder / "a").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert left(tmp_path) == []


def test_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_written", [])
    monkeypatch.chdir(tmp_path)
    assert files.what_was_written() == "nothing was written"

    def work() -> None:
        with Outputs() as outputs:
            # A transaction within: what it wrote goes when the outer one goes.
            write_whole(outputs.folder(Path("out")) / "a", "")
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        work()
    assert files.what_was_written() == "nothing was written"
    write_whole(Path("b"), "")
    assert files.what_was_written() == "b had been written by then, whole"


LATE = """
import os, signal, sys
from pathlib import Path
from spikewatt.base import files
from spikewatt.base.interrupts import catch_interrupts, interrupt_status
catch_interrupts()
rename = Path.rename
def slowly(self, target):
    done = rename(self, target)
    if target.name == sys.argv[1]:
        os.kill(os.getpid(), int(sys.argv[2]))
    return done
Path.rename = slowly
try:
    with files.Outputs() as outputs:
        for name in "abc":
            outputs.write(Path(name), name)
except KeyboardInterrupt:
    print(files.what_was_written())
    raise SystemExit(interrupt_status())
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("at", ["a", "b", "c"])
def test_an_interrupt_waits_until_all_have_their_names(
    tmp_path: Path, at: str, stop: signal.Signals
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", LATE, at, str(int(stop))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 128 + stop, run.stderr
    assert run.stdout == "a, b, c had been written by then, whole\n"
    assert left(tmp_path) == ["a", "b", "c"]


def test_names_are_those_of_the_system(tmp_path: Path) -> None:
    """Bytes that are no text, and a name that fills what a name may have."""
    for name in (os.fsdecode(b"\xff"), "n" * 255, f"-{secrets.token_hex(2)} ()"):
        write_whole(tmp_path / name, "x")
        assert (tmp_path / name).read_text() == "x"


GAP = """
import os, signal, sys
from pathlib import Path
from spikewatt.base import files
from spikewatt.base.interrupts import catch_interrupts, interrupt_status
catch_interrupts()
def gap(frame, event, argument):
    # Python runs handlers between any two lines: here before the first one of what cleans up.
    if event == "call" and frame.f_code is files.remove_temporary.__code__:
        sys.setprofile(None)
        os.kill(os.getpid(), signal.SIGTERM)
try:
    sys.setprofile(gap)
    {block}
except KeyboardInterrupt:
    print(files.what_was_written(), *os.listdir())
    raise SystemExit(interrupt_status())
"""


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("files.write_whole(Path('a'), '')", "a had been written by then, whole"),
        ("with files.scratch(): pass", "nothing was written"),
    ],
    ids=["outputs", "scratch"],
)
def test_an_interrupt_before_the_cleaning(tmp_path: Path, block: str, told: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", GAP.format(block=block)],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 128 + signal.SIGTERM, run.stderr
    assert run.stdout.startswith(told)
    assert "spikewatt-" in run.stdout, "it was not between"
    assert left(tmp_path) == (["a"] if "a had" in told else [])


def test_a_forked_child_leaves_our_folders_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch() as folder:
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            files._sweep()
        assert folder.exists()
        files._sweep()
        assert not folder.exists()
