"""Network files made by hand: any content, with a checksum that fits it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import NetworkError
from spikewatt.model.network.file import load_network

__all__ = ["array_name", "forge", "npy", "pack", "refusal", "unpack"]

Manifest = dict[str, Any]
Arrays = dict[str, np.ndarray]


def refusal(path: Path) -> str:
    """Message with which ``path`` is refused, without the file's name that it must begin with."""
    with pytest.raises(NetworkError) as caught:
        load_network(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def pack(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


def unpack(path: Path) -> tuple[Manifest, Arrays]:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "network.json"}
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("network.json")), arrays


def forge(path: Path, change: Callable[[Manifest, Arrays], object]) -> Path:
    """Rewrite the file with a changed content and a checksum that fits it."""
    manifest, arrays = unpack(path)
    change(manifest, arrays)
    manifest.pop("sha256")
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode())
    for name in sorted(arrays):
        digest.update(f"\n{name} {arrays[name].dtype.str} {arrays[name].shape}\n".encode())
        digest.update(b"" if arrays[name].dtype.hasobject else arrays[name].tobytes())
    manifest["sha256"] = digest.hexdigest()
    contents = {"network.json": json.dumps(manifest).encode()}
    return pack(path, contents | {f"{name}.npy": npy(array) for name, array in arrays.items()})


def array_name(saved: Path, *keys: str | int) -> str:
    """Name of the array that the manifest gives under ``keys``."""
    item: Any = unpack(saved)[0]
    for key in keys:
        item = item[key]
    return item
