"""Build cache: what was built from the same content is not built again.

An entry is a folder with a manifest: the SHA-256 digest of each of its files, and the versions of
the tools that made them. Shared libraries are loaded from here and netlists are priced, so that
nothing is used that somebody else could have written, or that is not what was built.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from spikewatt.base.errors import ToolError
from spikewatt.base.files import full_folder, make_temporary, remove_temporary
from spikewatt.base.locks import one_at_a_time

__all__ = ["Entry", "cache_folder", "cached", "entries", "prune", "usable_cache_folder"]

_MANIFEST = "manifest.json"
_LAYOUT = "2"
"""Of entries: one of another layout has another name, and is never met."""
_LOCK = "lock"
_BUILDING, _DAMAGED = ".building-", ".damaged-"
_IS_BUILT, _IS_LEFT, _IS_DAMAGED = "being built", "left over", "damaged"
_DAMAGED_SECONDS = 7 * 24 * 3600
"""How long a damaged entry is kept for people to look into."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH

# Entries that this process found whole, by their manifest: hashing is fast, but not for nothing.
_verified: dict[Path, tuple[int, int]] = {}


def cache_folder() -> Path:
    """Folder of the cache: ``SPIKEWATT_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("SPIKEWATT_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("spikewatt")


def usable_cache_folder() -> Path:
    """`cache_folder`, made if it is not there, where nobody but the user can write into it.

    Raises
    ------
    ToolError
        It belongs to somebody else, others may write into it, or it cannot be made.
    """
    folder = cache_folder().absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "it is not a folder")
    except OSError as error:
        raise _unwritable(folder, error) from None
    if status.st_uid != os.geteuid():
        raise ToolError(
            f"the build cache {folder} belongs to another user, who could have put anything into "
            "it: set SPIKEWATT_CACHE to a folder of your own"
        )
    if status.st_mode & _OTHERS_WRITE:
        raise ToolError(
            f"others may write into the build cache {folder}, and what is in it is run: "
            f"empty it and type chmod go-w {folder}, or set SPIKEWATT_CACHE to another folder"
        )
    return folder


def cached(
    kind: str,
    content: Iterable[str],
    build: Callable[[Path], None],
    *,
    tools: Mapping[str, str] | None = None,
) -> Path:
    """Folder of what ``build`` made from ``content``, now or earlier.

    Parameters
    ----------
    kind:
        Names the folder, for people who look into the cache.
    content:
        Everything that the result depends on: sources, flags, versions.
    build:
        Fills the folder it is given. It runs in a folder beside the final one, which takes the
        final name only when complete, so that an interrupted build leaves nothing.
    tools:
        Versions of the tools that ``build`` runs, by name. The result depends on them, too.

    Raises
    ------
    ToolError
        The cache cannot be written, or is not the user's alone.
    """
    versions = dict(sorted((tools or {}).items()))
    # Zero bytes keep the parts apart: texts hold none.
    parts = [_LAYOUT, *content, json.dumps(versions)]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    folder = usable_cache_folder()
    final = folder / f"{kind}-{key[:24]}"
    if _take(final, key):
        return final
    _collect(folder)  # only where something is built anyway: it looks at every temporary folder
    with one_at_a_time(folder / f".{final.name}.lock"):
        if _take(final, key):  # another process built it while we waited
            return final
        with _building(folder, kind) as part:
            build(part)
            _seal(part, key, versions)
            _publish(part, final, key)
    return final


@dataclass(frozen=True)
class Entry:
    """What lies in the cache: its size in bytes, and when it was last asked for, s since 1970.

    ``kind`` is that of `cached`, or says that it is damaged, or left over from a build.
    """

    path: Path
    kind: str
    size: int
    used: float


def entries() -> list[Entry]:
    """Everything in the cache, what was asked for last at the end."""
    folder = cache_folder()
    listed = []
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):  # another process may be faster
                if path.is_dir():
                    listed.append(_entry(path))
    return sorted(listed, key=lambda entry: entry.used)


def prune(max_bytes: int | None = None) -> list[Entry]:
    """Remove what is damaged or left over; returns what is gone.

    Parameters
    ----------
    max_bytes:
        Remove also what was not asked for the longest, until no more than so much is left. What is
        being built stays.
    """
    usable_cache_folder()
    listed = entries()
    gone = [entry for entry in listed if entry.kind in (_IS_DAMAGED, _IS_LEFT)]
    whole = [entry for entry in listed if entry.kind not in (_IS_DAMAGED, _IS_LEFT, _IS_BUILT)]
    size = sum(entry.size for entry in whole)
    for entry in whole:
        if max_bytes is None or size <= max_bytes:
            break
        gone.append(entry)
        size -= entry.size
    for entry in gone:
        _remove(entry.path)
    return gone


def _take(final: Path, key: str) -> bool:
    """Whether an entry is there and whole; one that is not is put aside."""
    if not final.exists():
        return False
    if not _whole(final, key):
        with _locked(final.parent):
            # Another process may have put it aside, and built it again, in the meantime.
            if not final.exists():
                return False
            if not _whole(final, key):
                _put_aside(final)
                return False
    with contextlib.suppress(OSError):
        os.utime(final)  # when it was asked for last, for `prune`
    return True


def _whole(final: Path, key: str) -> bool:
    """Whether an entry is ours alone, made for ``key``, and as it was built."""
    try:
        manifest = final / _MANIFEST
        status = manifest.lstat()  # not `stat`: a link could lead to anybody's file
        seen = status.st_ino, status.st_mtime_ns
        if _verified.get(final) == seen:
            return True
        if not _ours(final.lstat()) or not _ours(status):
            return False
        content = json.loads(manifest.read_bytes())
        if content["key"] != key or content["files"] != _digests(final):
            return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    _verified[final] = seen
    return True


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder; raises `ValueError` where one is not ours alone."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if not _ours(status) or not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise ValueError(path)
        name = str(path.relative_to(folder))
        if stat.S_ISREG(status.st_mode) and name != _MANIFEST:
            with path.open("rb") as file:
                digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_WRITE


def _seal(part: Path, key: str, versions: Mapping[str, str]) -> None:
    """Take the right to write from others, whatever the umask, and write the manifest."""
    for path in (part, *part.rglob("*")):
        if path.is_symlink():
            raise ToolError(f"{path.name} is a symbolic link: a cache entry holds none")
        path.chmod(path.stat().st_mode & ~_OTHERS_WRITE & 0o7777)
    # The digests last, of files that nobody else can write to any more.
    manifest = {"key": key, "tools": dict(versions), "files": _digests(part)}
    (part / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    (part / _MANIFEST).chmod(0o600)


def _publish(part: Path, final: Path, key: str) -> None:
    """Give a sealed entry its name, unless another process was faster."""
    with _locked(final.parent):
        if final.exists():
            if _whole(final, key):
                return  # `_building` removes ours
            _put_aside(final)
        part.rename(final)
    status = (final / _MANIFEST).stat()
    _verified[final] = status.st_ino, status.st_mtime_ns


@contextlib.contextmanager
def _building(folder: Path, kind: str) -> Iterator[Path]:
    """Folder to build in. It is locked while its process lives: `_collect` takes the others."""
    part, handle = None, None
    try:
        part = make_temporary(folder, f"{_BUILDING}{kind}-")
        # The kernel gives the lock back however we end: a process id in a file could be reused.
        handle = os.open(part, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_SH)
        yield part
    except OSError as error:
        # `build` writes elsewhere, too: whose disk is full decides whose error it is.
        full = error.errno in _FULL and full_folder([folder]) is not None
        if part is None or full:
            raise _unwritable(folder, error) from None
        raise
    finally:
        if part is not None:
            remove_temporary(part)
        if handle is not None:
            os.close(handle)


def _collect(folder: Path) -> None:
    """Remove what killed processes left, and what has been damaged for long."""
    for path in folder.glob(".*"):
        with contextlib.suppress(OSError):
            old = time.time() - path.stat().st_mtime >= _DAMAGED_SECONDS
            useless = old if path.name.startswith(_DAMAGED) else _dead(path)
            if useless and path.name.startswith((_DAMAGED, _BUILDING)):
                _remove(path)


def _dead(path: Path) -> bool:
    """Whether the process that builds in a folder is gone."""
    if time.time() - path.stat().st_mtime < 10:  # it may be about to take its lock
        return False
    handle = os.open(path, os.O_RDONLY)
    try:  # nobody gets the folder to itself while its builder lives
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _put_aside(final: Path) -> None:
    """Take a damaged entry out of use; it stays for some days, for people to look into."""
    _verified.pop(final, None)
    # In a folder of its own: several damaged ones of one name may come together.
    aside = Path(tempfile.mkdtemp(prefix=f"{_DAMAGED}{final.name}-", dir=final.parent))
    final.rename(aside / final.name)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time change which entries there are."""
    handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _entry(path: Path) -> Entry:
    name = path.name
    if name.startswith(_BUILDING):
        kind = _IS_LEFT if _dead(path) else _IS_BUILT
    elif name.startswith(_DAMAGED):
        kind = _IS_DAMAGED
    else:
        kind = name.rpartition("-")[0] or name
    size = sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())
    return Entry(path, kind, size, path.lstat().st_mtime)


def _remove(path: Path) -> None:
    _verified.pop(path, None)
    if not path.name.startswith("."):  # first out of the way: half of an entry is none
        path = path.rename(path.with_name(f"{_BUILDING}{path.name}-{secrets.token_hex(8)}"))
    shutil.rmtree(path, ignore_errors=True)


def _unwritable(folder: Path, error: OSError) -> ToolError:
    remedy = "set SPIKEWATT_CACHE to a writable folder"
    if error.errno in _FULL:
        remedy = "make room on its disk (spikewatt cache clear), or set SPIKEWATT_CACHE to another"
    return ToolError(f"cannot write the build cache {folder} ({error.strerror}): {remedy}")
