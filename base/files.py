"""Output that is whole or not there."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from spikewatt.base.errors import SpikewattError

__all__ = ["staged", "write_whole"]

FOLDER = "choose another folder with --out"


def _unwritable(out: Path, error: OSError, remedy: str) -> SpikewattError:
    return SpikewattError(f"cannot write to {out} ({error.strerror or error}): {remedy}")


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Folder to write into; what is in it moves to ``out`` at the end, if the end is reached."""
    out = out.absolute()
    try:
        if out.exists() and not out.is_dir():
            raise NotADirectoryError(0, "it is not a folder")
        parent = next(p for p in (out, *out.parents) if p.is_dir())
        part = Path(tempfile.mkdtemp(prefix=".spikewatt-", dir=parent))
    except OSError as error:
        raise _unwritable(out, error, FOLDER) from None
    try:
        yield part
        out.mkdir(parents=True, exist_ok=True)
        for path in part.iterdir():
            path.replace(out / path.name)
    except OSError as error:
        raise _unwritable(out, error, FOLDER) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file beside its final name, and move it there when it is complete."""
    part = path.absolute().parent / f".{path.name}-{os.getpid()}"
    try:
        part.write_text(text)
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error, "name another file") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
