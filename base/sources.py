"""Digests of our own sources: what was computed by other code is not found again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from importlib.util import find_spec

__all__ = ["Sources", "source_digest"]

_NOT_SOURCES = (".pyc", ".nbi", ".nbc")
"""What Python and numba put beside the sources."""


@dataclass(frozen=True)
class Sources:
    """Our sources as they were when this process began, or nearly: an editor may write meanwhile.

    Parameters
    ----------
    names:
        Of packages and modules, as for `source_digest`.
    """

    names: tuple[str, ...]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", source_digest(*self.names))

    def edited(self) -> bool:
        """Whether the files say something else now: then what runs is not what they say."""
        return source_digest(*self.names) != self.digest


def source_digest(*names: str) -> str:
    """Digest of what packages and modules are made of, data files included.

    Parameters
    ----------
    names:
        Packages, with all that lies below them (``spikewatt.hdl``), and modules
        (``spikewatt.synth.verilog``).
    """
    digest = hashlib.sha256()
    for name in sorted(names):
        for path, content in _files(name):
            # Lengths keep files apart: else what ends one could begin the next.
            digest.update(f"{path} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _files(name: str) -> Iterator[tuple[str, bytes]]:
    """Every source by its path, in an order that no file system chooses."""
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"there is no {name}", name=name)
    if spec.submodule_search_locations is not None:
        yield from _below(resources.files(name), name)
        return
    # A package's folder need not have its name: only the package itself knows where it lies.
    parent, _, last = name.rpartition(".")
    yield name, resources.files(parent).joinpath(f"{last}.py").read_bytes()


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _below(item, f"{path}/{item.name}")
        elif not item.name.endswith(_NOT_SOURCES):
            yield f"{path}/{item.name}", item.read_bytes()
