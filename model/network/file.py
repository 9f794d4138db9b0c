"""The network file: a zip of one JSON manifest and NumPy arrays, versioned and checksummed.

`docs/network-format.md` is the specification. Files are reproducible byte for byte.
"""

import dataclasses
import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spikewatt.base.errors import NetworkError
from spikewatt.base.files import write_whole
from spikewatt.model.network.graph import Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import Compare, Leak, NeuronType, Reset

__all__ = ["FORMAT", "FORMAT_VERSION", "load_network", "save_network"]

FORMAT = "spikewatt-network"
FORMAT_VERSION = 1
MANIFEST = "network.json"
LARGEST_ARRAY = 1 << 30
"""Bytes; a member that claims more is refused before it is unpacked."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save_network(network: Network, path: str | os.PathLike[str]) -> None:
    """Write ``network`` to ``path``, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    manifest = _plain(_describe(network, arrays))
    manifest["sha256"] = _checksum(manifest, arrays)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _add(archive, MANIFEST, json.dumps(manifest, indent=1).encode())
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            _add(archive, f"{name}.npy", member.getvalue())
    write_whole(Path(path), buffer.getvalue())


def load_network(path: str | os.PathLike[str]) -> Network:
    """Read a network file.

    Raises
    ------
    NetworkError
        Names the file and what is wrong: missing, not a network, newer, truncated or damaged.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _read_manifest(archive)
            arrays = {
                info.filename.removesuffix(".npy"): _read_array(archive, info)
                for info in archive.infolist()
                if info.filename != MANIFEST
            }
        if manifest.get("sha256") != _checksum(manifest, arrays):
            raise NetworkError("its checksum does not match: the file is damaged")
        return _build(manifest, arrays)
    except NetworkError as error:
        raise NetworkError(f"{path}: {error}") from None
    except OSError as error:
        raise NetworkError(f"{path}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise NetworkError(f"{path}: not a network file, or truncated") from None
    except Exception as error:  # zipfile, json and NumPy raise anything at a forged file
        raise NetworkError(f"{path}: malformed network file ({_one_line(error)})") from None


def _plain(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest as a reader will see it: the checksum is over that."""
    try:
        return json.loads(json.dumps(manifest, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise NetworkError(f"metadata must be plain JSON ({error})") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # Nothing of the time or of who writes: the same network is the same file.
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, data, compresslevel=9)


def _narrow(array: np.ndarray) -> np.ndarray:
    """Smallest little-endian signed type that holds the integers; float32 for reals."""
    if array.dtype.kind == "f":
        return array.astype("<f4")
    # The byte order is said: a file is the same on every machine.
    kinds = ("|i1", "<i2", "<i4")
    return array.astype(next(k for k in kinds if np.array_equal(array, array.astype(k))))


def _describe(network: Network, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    def store(name: str, array: np.ndarray | None) -> str | None:
        if array is None:
            return None
        arrays[name] = _narrow(array)
        return name

    def population(index: int, item: Population) -> dict[str, Any]:
        neuron = item.neuron
        return {
            "name": item.name,
            "neuron": {
                "leak": neuron.leak.name.lower(),
                "leak_amount": neuron.leak_amount,
                "reset": neuron.reset.name.lower(),
                "compare": neuron.compare.name.lower(),
                "refractory": neuron.refractory,
                "silent": neuron.silent,
                **({"window": list(neuron.window)} if neuron.window else {}),
            },
            **{
                key: store(f"populations/{index}/{key}", getattr(item, key))
                for key in ("threshold", "bias", "threshold_float", "bias_float")
            },
        }

    def connection(index: int, item: Connection) -> dict[str, Any]:
        return {
            "kind": "dense",
            "source": item.source,
            "target": item.target,
            "weight_bits": item.weight_bits,
            "delay": item.delay,
            **{
                key: store(f"connections/{index}/{key}", getattr(item, key))
                for key in ("weights", "weights_float")
            },
        }

    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "name": network.name,
        "encoder": {"kind": "rate", **dataclasses.asdict(network.encoder)},
        "readout": dataclasses.asdict(network.readout),
        "state_bits": network.state_bits,
        "drain_ticks": network.drain_ticks,
        "populations": [population(i, item) for i, item in enumerate(network.populations)],
        "connections": [connection(i, item) for i, item in enumerate(network.connections)],
        "metadata": dict(network.metadata),
    }


def _checksum(manifest: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over the manifest without its checksum, then name, type, shape and bytes of each."""
    # Without blanks and sorted: how the JSON is written makes no difference.
    bare = {key: value for key, value in manifest.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(bare, sort_keys=True, separators=(",", ":")).encode())
    # Not in the archive's order: packed anew it is the same network.
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if MANIFEST not in archive.namelist():
        raise NetworkError(f"not a network file: it holds no {MANIFEST}")
    if archive.getinfo(MANIFEST).file_size > LARGEST_ARRAY:
        raise NetworkError(f"{MANIFEST} is larger than {LARGEST_ARRAY} bytes")
    manifest = json.loads(archive.read(MANIFEST))
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise NetworkError(f"not a network file: {MANIFEST} does not say {FORMAT!r}")
    version = manifest.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise NetworkError(f"unknown format version {version!r}")
    if version > FORMAT_VERSION:
        raise NetworkError(
            f"format version {version} is newer than this spikewatt reads "
            f"({FORMAT_VERSION}): upgrade spikewatt"
        )
    return manifest


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    # Before it is unpacked: a forged file of kilobytes could name terabytes.
    if info.file_size > LARGEST_ARRAY:
        raise NetworkError(f"{info.filename} is larger than {LARGEST_ARRAY} bytes")
    return np.lib.format.read_array(io.BytesIO(archive.read(info)), allow_pickle=False)


def _build(manifest: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Network:
    encoder = dict(manifest["encoder"])
    if (kind := encoder.pop("kind")) != "rate":
        raise NetworkError(f"encoder {kind!r} is not one this spikewatt knows (rate)")

    def fetch(item: Mapping[str, Any], *keys: str) -> dict[str, Any]:
        return {key: None if item.get(key) is None else arrays[item[key]] for key in keys}

    def population(item: Mapping[str, Any]) -> Population:
        neuron = dict(item["neuron"])
        for key, kind in (("leak", Leak), ("reset", Reset), ("compare", Compare)):
            neuron[key] = kind[neuron[key].upper()]
        if isinstance(neuron.get("window"), list):
            neuron["window"] = tuple(neuron["window"])
        keys = ("threshold", "bias", "threshold_float", "bias_float")
        return Population(name=item["name"], neuron=NeuronType(**neuron), **fetch(item, *keys))

    def connection(item: Mapping[str, Any]) -> Connection:
        if item["kind"] != "dense":
            raise NetworkError(
                f"connection kind {item['kind']!r} is not one this spikewatt maps (dense)"
            )
        plain = {key: item[key] for key in ("source", "target", "weight_bits", "delay")}
        return Connection(**plain, **fetch(item, "weights", "weights_float"))

    return Network(
        name=manifest["name"],
        encoder=Encoder(**encoder),
        populations=tuple(population(item) for item in manifest["populations"]),
        connections=tuple(connection(item) for item in manifest["connections"]),
        readout=Readout(**manifest["readout"]),
        state_bits=manifest["state_bits"],
        drain_ticks=manifest["drain_ticks"],
        metadata=manifest["metadata"],
    )
