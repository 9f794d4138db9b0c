"""Build cache: what was built from the same content is not built again."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import platformdirs

from spikewatt.base.errors import ToolError

__all__ = ["cache_folder", "cached"]

_DONE = ".complete"


def cache_folder() -> Path:
    """Folder of the cache: ``SPIKEWATT_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("SPIKEWATT_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("spikewatt")


def cached(kind: str, content: Iterable[str], build: Callable[[Path], None]) -> Path:
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
    """
    digest = hashlib.sha256("\0".join(content).encode()).hexdigest()[:24]
    final = cache_folder() / f"{kind}-{digest}"
    if (final / _DONE).exists():
        return final
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{kind}-", dir=final.parent))
    except OSError as error:
        raise ToolError(
            f"cannot write the build cache {final.parent} ({error.strerror}): "
            "set SPIKEWATT_CACHE to a writable folder"
        ) from None
    try:
        build(part)
        (part / _DONE).touch()
        try:
            part.rename(final)
        except OSError:  # another process was faster
            if not (final / _DONE).exists():
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return final
