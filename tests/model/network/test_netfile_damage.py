"""A file that is damaged or of another kind: loads the same network, or says what is wrong."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import NetworkError
from spikewatt.model.network.file import load_network
from spikewatt.model.network.graph import Network
from tests.model.builders import flatten
from tests.model.forging import array_name, forge, npy, pack, refusal, unpack

WEIGHTS = ("connections", 0, "weights")


@pytest.mark.parametrize("mask", [0x01, 0x06, 0x80, 0xFF])
def test_every_flipped_byte(saved: Path, small_network: Network, mask: int) -> None:
    raw, expected = saved.read_bytes(), flatten(small_network)
    messages = []
    for position in range(len(raw)):
        flipped = bytearray(raw)
        flipped[position] ^= mask
        saved.write_bytes(flipped)
        try:
            loaded = load_network(saved)
        except NetworkError as error:
            messages.append(str(error))
        else:
            assert flatten(loaded) == expected, position  # a date in the zip, say
    assert len(messages) > len(raw) / 2
    assert all(message.startswith(f"{saved}: ") for message in messages)


def test_every_truncation(saved: Path) -> None:
    raw = saved.read_bytes()
    assert len(raw) > 1000
    for length in range(len(raw)):
        saved.write_bytes(raw[:length])
        assert refusal(saved) == "not a network file, or truncated", length


def test_a_changed_weight_breaks_the_checksum(saved: Path) -> None:
    manifest, arrays = unpack(saved)
    arrays[manifest["connections"][0]["weights"]][0, 0] ^= 1
    contents = {"network.json": json.dumps(manifest).encode()}
    pack(saved, contents | {f"{name}.npy": npy(array) for name, array in arrays.items()})
    assert refusal(saved) == "its checksum does not match: the file is damaged"


@pytest.mark.parametrize("value", [None, 5, "0" * 64])
def test_a_wrong_checksum(saved: Path, value: object) -> None:
    manifest, arrays = unpack(saved)
    manifest["sha256"] = value
    contents = {"network.json": json.dumps(manifest).encode()}
    pack(saved, contents | {f"{name}.npy": npy(array) for name, array in arrays.items()})
    assert refusal(saved) == "its checksum does not match: the file is damaged"


def header(text: str) -> bytes:
    """An .npy member with this header and no data."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


HEADERS = [
    "{'descr': '<i4', 'fortran_order': False, 'shape': (1000000000000000,)}",
    "{'descr': '<i4', 'fortran_order': False, 'shape': (100000000000000000000000,)}",
    "{'descr': '<i4', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '<i4', 'fortran_order': False, 'shape': (3,",
    "{'descr': '<,4', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<i4', 'fortran_order': False, 'shape': (03L,)}",
    "{'descr': '<i4', 'fortran_order': False, 'shape': (3L,)}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<i4', 'shape': (3,)}",
    "(" * 2000,
    "",
]


@pytest.mark.parametrize("text", HEADERS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # NumPy warns of a header that Python 2 wrote
def test_an_array_that_numpy_cannot_read(saved: Path, text: str) -> None:
    with zipfile.ZipFile(saved) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    name = f"{array_name(saved, *WEIGHTS)}.npy"
    pack(saved, contents | {name: header(text)})
    assert refusal(saved).startswith(("malformed network file (", "not a network file, or trunc"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "null", "\ufeff{}", "{} {}", "[" * 100_000, '{"format": NaN}']
)
def test_a_manifest_that_is_no_object(saved: Path, text: str) -> None:
    pack(saved, {"network.json": text.encode()})
    assert refusal(saved).startswith(("malformed network file (", "not a network file: network.js"))


@pytest.mark.parametrize("data", [b"", b"PK", b"hello", bytes(4096), b"\x93NUMPY"])
def test_a_file_of_another_kind(saved: Path, data: bytes) -> None:
    saved.write_bytes(data)
    assert refusal(saved) == "not a network file, or truncated"


def test_a_zip_of_another_kind(saved: Path) -> None:
    pack(saved, {"readme.txt": b"hello"})
    assert refusal(saved) == "not a network file: it holds no network.json"


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.swn") == "No such file or directory"
    assert refusal(tmp_path) == "Is a directory"
    (tmp_path / "loop").symlink_to("loop")
    assert refusal(tmp_path / "loop") == "Too many levels of symbolic links"


def test_a_file_without_permission(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the system's refusal is put in by hand."""

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(saved))

    monkeypatch.setattr(zipfile, "ZipFile", deny)
    assert refusal(saved) == "Permission denied"


def test_a_member_that_claims_too_much(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikewatt.model.network.file.LARGEST_ARRAY", 4096)
    name = array_name(saved, *WEIGHTS)
    forge(saved, lambda manifest, arrays: arrays.update({name: np.zeros(5000, np.int8)}))
    assert refusal(saved) == f"{name}.npy is larger than 4096 bytes"
