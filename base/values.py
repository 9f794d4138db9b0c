"""Values in the build cache, and in memory: what came of the same content is not made again."""

import gc
import hashlib
import pickle
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from spikewatt.base.cache import cached
from spikewatt.base.errors import ToolError
from spikewatt.base.sources import Sources

__all__ = ["cached_value", "forget_values", "remembered"]

Value = TypeVar("Value")
KEPT = 24
"""Values in memory: those of a few netlists, for a command prices one core several times."""

_FILE = "value.pickle"
_kept: OrderedDict[str, Any] = OrderedDict()
_lock = threading.Lock()


def cached_value(
    kind: str, content: Iterable[str], sources: Sources, make: Callable[[], Value]
) -> Value:
    """What ``make`` makes of ``content``: from memory, else from the build cache, else made now.

    Parameters
    ----------
    kind:
        Names the folder, for people who look into the cache.
    content:
        Everything that the value depends on, but our sources.
    sources:
        Those that it depends on. While they are edited nothing is kept: the code in memory is the
        old one, and the files are new.
    make:
        Makes it. Whoever gets the value shares it: it must not be changed, and it must be one that
        `pickle` reproduces.
    """
    # What is pickled holds classes of ours, and arrays of NumPy's, as they are at this version.
    parts = [*content, sources.digest, sys.version, version("numpy")]
    key = _key(kind, parts)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    if sources.edited():
        return make()
    begun, made = False, []

    def build(folder: Path) -> None:
        nonlocal begun
        begun = True
        made.append(make())
        with (folder / _FILE).open("wb") as file:
            pickle.dump(made[0], file, pickle.HIGHEST_PROTOCOL)

    # Not under the lock: other threads go on while one makes, at worst the same a second time.
    try:
        folder = cached(kind, parts, build)
    except ToolError:  # no cache where one may write: it would have been a help, not a need
        if begun:
            raise
        return make()
    return _keep(key, made[0] if made else _load(folder / _FILE))


def remembered(kind: str, content: Iterable[str], make: Callable[[], Value]) -> Value:
    """What ``make`` makes of ``content``, from memory if this process has it; see `cached_value`.

    For what is quickly made, or holds what `pickle` would make another of.
    """
    key = _key(kind, content)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    return _keep(key, make())


def _key(kind: str, content: Iterable[str]) -> str:
    return hashlib.sha256("\0".join([kind, *content]).encode()).hexdigest()


def _keep(key: str, value: Value) -> Value:
    with _lock:
        _kept[key] = value
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return value


def forget_values() -> None:
    """Forget what is kept in memory."""
    with _lock:
        _kept.clear()


def _load(path: Path) -> Any:
    with path.open("rb") as file, _no_collection():
        return pickle.load(file)


@contextmanager
def _no_collection() -> Iterator[None]:
    """A hundred thousand new objects would have the collector look at all of them many times."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
