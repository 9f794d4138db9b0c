"""Output of a command: all of its files, whole, or none."""

import atexit
import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from spikewatt.base.errors import SpikewattError
from spikewatt.base.interrupts import deferred

__all__ = [
    "Outputs",
    "full_folder",
    "make_temporary",
    "remove_temporary",
    "scratch",
    "staged",
    "what_was_written",
    "write_whole",
]

FOLDER = "choose another folder with --out"
FILE = "choose another file"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_LITTLE = 1 << 16
"""Bytes that a disk which is called full may still have."""
_PREFIX = ".spikewatt-"

# What the process has written so far: the last line of an interrupted command tells of it.
_written: list[Path] = []
# Temporary folders that are there, each with the process that made it.
_live: dict[Path, int] = {}


def what_was_written() -> str:
    """Say which outputs are there: ``nothing was written``, or which ones were."""
    if not _written:
        return "nothing was written"
    names = ", ".join(map(str, _written[:3])) + (" and more" if len(_written) > 3 else "")
    return f"{names} had been written by then, whole"


def full_folder(folders: Iterable[Path]) -> Path | None:
    """The first of these folders, or of their parents where they are not there, without space."""
    for folder in folders:
        # A full disk may have taken away the folder itself: what is left of its path tells.
        there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
        with contextlib.suppress(OSError):
            # `f_bavail`: without what is kept for the superuser.
            if os.statvfs(there).f_bavail * os.statvfs(there).f_frsize < _LITTLE:
                return there
    return None


def make_temporary(parent: Path | None = None, prefix: str = "spikewatt-") -> Path:
    """Make a folder that only we can enter; it is removed at the end of the process at the latest.

    An interrupt may come between any two lines, also between the end of some work and the first
    line of what cleans up after it: what was missed so goes at the end.
    """
    with deferred():
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        _live[folder] = os.getpid()
    return folder


def remove_temporary(folder: Path) -> None:
    """Remove a folder of `make_temporary`, or do nothing if it is not there any more."""
    with deferred():
        shutil.rmtree(folder, ignore_errors=True)
        _live.pop(folder, None)


@atexit.register
def _sweep() -> None:
    """Remove what an interrupt left; not in a child, which has only a copy of the list."""
    for folder, process in [*_live.items()]:
        if process == os.getpid():
            remove_temporary(folder)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Temporary folder that is gone afterwards, whatever happened within."""
    folder = make_temporary()
    try:
        yield folder
    finally:
        remove_temporary(folder)


@dataclass(frozen=True)
class _Staged:
    """A file, and what it shall become; ``name`` is as the user wrote it."""

    part: Path
    target: Path
    name: Path
    remedy: str


class Outputs:
    """Files that one command writes, as one transaction.

    Each is written beside its target, in a folder that only we can enter. At the end of the
    ``with`` block, if it is reached, all take their names: an error on the way takes the names
    back, an interrupt waits until all have theirs. Otherwise no target was touched.

    A device or a FIFO is written through to, not replaced. A symbolic link is refused: to follow
    one that somebody else made in a shared folder would be to write where they choose.

    Raises
    ------
    SpikewattError
        At once where a target cannot be written to, so that no long work is in vain.
    """

    def __init__(self) -> None:
        self._stages: list[Path] = []
        self._beside: dict[Path | None, Path] = {}
        self._files: list[_Staged] = []
        self._folders: list[_Staged] = []

    def __enter__(self) -> "Outputs":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._commit()
            elif isinstance(error, OSError) and (staged := self._blamed(error)):
                raise _unwritable(staged, error) from None
        finally:
            for stage in self._stages:
                remove_temporary(stage)

    def file(self, name: Path, remedy: str = FILE) -> Path:
        """Where to write the file that shall be called ``name``."""
        target = name.absolute()
        with _errors_of(_Staged(target, target, name, remedy)):
            # What goes through to a device cannot be staged beside it.
            where = None if _goes_through(target) else target.parent
            if where not in self._beside:
                self._beside[where] = self._stage(where or Path(tempfile.gettempdir()))
            if (part := self._beside[where] / target.name).exists():
                raise FileExistsError(errno.EEXIST, "two outputs have this name")
            part.touch()  # with the mode of the umask, which it keeps under its name
        self._files.append(_Staged(part, target, name, remedy))
        return part

    def folder(self, name: Path, remedy: str = FOLDER) -> Path:
        """Where to write the files that shall lie in the folder ``name``."""
        target = name.absolute()
        with _errors_of(_Staged(target, target, name, remedy)):
            if target.exists() and not target.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "it is not a folder")
            # Within the folder if it is there, for it may be another disk than what it lies in.
            part = self._stage(next(p for p in (target, *target.parents) if p.is_dir()))
        self._folders.append(_Staged(part, target, name, remedy))
        return part

    def write(self, name: Path, content: str | bytes, remedy: str = FILE) -> None:
        """Write the file that shall be called ``name``."""
        part = self.file(name, remedy)
        with _errors_of(self._files[-1]):
            part.write_bytes(content.encode() if isinstance(content, str) else content)

    def _stage(self, parent: Path) -> Path:
        """Folder of ours in ``parent``, on the same disk as what shall come out of it."""
        self._stages.append(make_temporary(parent, _PREFIX))
        return self._stages[-1]

    def _blamed(self, error: OSError) -> _Staged | None:
        """The output that an error within the block is about."""
        for staged in (*self._files, *self._folders):
            if error.filename is not None:
                path = Path(os.fsdecode(error.filename))
                if staged.part in (path, *path.parents):
                    return staged
            # A write, unlike an open, does not say of which file: the full disk does.
            elif error.errno in _FULL and full_folder([staged.part]):
                return staged
        return None

    def _commit(self) -> None:
        files = [*self._files]
        for folder in self._folders:
            files += [
                replace(folder, part=part, target=folder.target / part.relative_to(folder.part))
                for part in sorted(folder.part.rglob("*"))
                if not part.is_dir()
            ]
        # All are looked at once more before any is touched: hours may have gone by.
        through, renamed = [], []
        for staged in files:
            with _errors_of(staged):
                (through if _goes_through(staged.target) else renamed).append(staged)
        # First, because a reader may keep us waiting, or be gone: no name is taken by then.
        for staged in through:
            with (
                _errors_of(staged),
                staged.target.open("wb") as out,
                staged.part.open("rb") as part,
            ):
                shutil.copyfileobj(part, out)
        with deferred(), contextlib.ExitStack() as undo:
            for folder in self._folders:
                with _errors_of(folder):
                    _make_folder(folder.target, undo)
            for staged in renamed:
                with _errors_of(staged):
                    _make_folder(staged.target.parent, undo)
                    _rename(staged, undo)
            undo.pop_all()
            for staged in (*self._files, *self._folders):
                # Not what is part of another transaction, which may yet fail.
                if staged.name not in _written and _live.keys().isdisjoint(staged.target.parents):
                    _written.append(staged.name)


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Folder to write into; what is in it moves to ``out`` at the end, if the end is reached."""
    with Outputs() as outputs:
        yield outputs.folder(out)


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a single file, whole or not at all."""
    with Outputs() as outputs:
        outputs.write(path, content)


def _goes_through(target: Path) -> bool:
    """Whether a target is written to as it is; raise if it must be left alone."""
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(mode):
        # A device behind a link, such as /dev/stdout, is nothing that could be replaced.
        with contextlib.suppress(FileNotFoundError):
            mode = target.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode):
        return True
    if target.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed")
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "neither a file, a FIFO nor a device"
        raise OSError(errno.EINVAL, f"it is {kind}")
    return False


def _make_folder(folder: Path, undo: contextlib.ExitStack) -> None:
    # From the outside in, and taken back from the inside out.
    for path in reversed([p for p in (folder, *folder.parents) if not p.exists()]):
        path.mkdir()
        undo.callback(path.rmdir)


def _rename(staged: _Staged, undo: contextlib.ExitStack) -> None:
    """Give a file its name; to undo that gives the name back to the file that had it."""
    if staged.target.exists():
        # Aside, into our own folder, where no other process meets it.
        old = Path(tempfile.mkdtemp(dir=staged.part.parent)) / "old"
        staged.target.rename(old)
        undo.callback(old.replace, staged.target)
    staged.part.rename(staged.target)
    undo.callback(staged.target.unlink)


@contextlib.contextmanager
def _errors_of(staged: _Staged) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unwritable(staged, error) from None


def _unwritable(staged: _Staged, error: OSError) -> SpikewattError:
    full = f" on the disk of {staged.target.parent}" if error.errno in _FULL else ""
    reason = f"{error.strerror or error}{full}"
    return SpikewattError(f"cannot write to {staged.name} ({reason}): {staged.remedy}")
