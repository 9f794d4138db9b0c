"""numba, with what it compiled in our build cache.

By itself it puts its files beside the sources: into an installation that may be read-only, or that
several users share, who would then run what one of them compiled. Import numba from here before a
function is decorated: that is when its cache is chosen. ``NUMBA_CACHE_DIR`` goes before.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numba
from numba.core import config as numba_config

from spikewatt.base.cache import usable_cache_folder
from spikewatt.base.errors import ToolError

__all__ = ["numba"]


def _folder() -> Path:
    """Where compiled functions are kept: other versions of numba and of Python have other ones."""
    try:
        folder = usable_cache_folder()
    except ToolError:  # it is a help, not a need
        folder = Path(tempfile.mkdtemp(prefix="spikewatt-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    kept = folder / f"numba-{numba.__version__}-{sys.implementation.cache_tag}"
    kept.mkdir(mode=0o700, exist_ok=True)
    os.utime(kept)  # when it was asked for last, for `spikewatt cache prune`
    return kept


_config: Any = numba_config  # it fills itself when loaded: a type checker sees nothing of it
if not _config.CACHE_DIR:
    _config.CACHE_DIR = str(_folder())
