"""Sample files: an NPZ with ``x`` and perhaps ``y``, or one line that says what is wrong."""

from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import DataError
from spikewatt.model.network.dataset import load_digits, load_samples
from tests.model.forging import npy, pack

X = np.arange(6, dtype=np.uint8).reshape(3, 2)


def refusal(path: Path) -> str:
    """Message with which ``path`` is refused, after the file's name."""
    with pytest.raises(DataError) as caught:
        load_samples(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.npz"


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "bool"])
def test_samples_with_and_without_classes(path: Path, dtype: str) -> None:
    np.savez_compressed(path, x=X.astype(dtype), y=np.array([2, 0, 1], np.uint8))
    x, y = load_samples(str(path))
    assert np.array_equal(x, X.astype(dtype))
    assert x.dtype == dtype
    assert y is not None
    assert (y.tolist(), y.dtype) == ([2, 0, 1], np.int64)
    np.savez(path, x=X)
    assert load_samples(path)[1] is None


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": X, "b": X}, "no array 'x' (it holds a, b)"),
        ({}, "no array 'x' (it holds nothing)"),
        ({"x": X, "y": X}, "y must hold one integer for each of the 3 samples, not uint8[3, 2]"),
        ({"x": X, "y": X[0]}, "y must hold one integer for each of the 3 samples, not uint8[2]"),
        ({"x": X, "y": np.ones(3)}, "y must hold one integer for each of the 3 samples, not float"),
        ({"x": X[0, 0], "y": X[:, 0]}, "x must have shape (n, inputs), not ()"),
        ({"x": np.array([None])}, "not an NPZ file of plain arrays, or damaged"),
    ],
)
def test_arrays_that_are_wrong(path: Path, arrays: dict, message: str) -> None:
    np.savez(path, **arrays)
    assert refusal(path).startswith(message)


HUGE = b"{'descr': '<i4', 'fortran_order': False, 'shape': (1000000000000000,)}"


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (b"hello", "'x' is not an array"),
        (b"", "'x' is not an array"),
        (npy(X)[:-1], "not an NPZ file of plain arrays, or damaged"),
        (b"\x93NUMPY\x01\x00\x05\x00(((((", "not an NPZ file of plain arrays, or damaged"),
        (b"\x93NUMPY\x01\x00" + bytes([len(HUGE), 0]) + HUGE, "not an NPZ file of plain arrays, o"),
    ],
)
def test_members_that_are_no_arrays(path: Path, member: bytes, message: str) -> None:
    pack(path, {"x.npy": member})
    assert refusal(path).startswith(message)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.npz") == "No such file or directory"
    assert refusal(tmp_path) == "Is a directory"
    np.save(tmp_path / "x.npy", X)
    assert refusal(tmp_path / "x.npy").startswith("not an NPZ file: save it with numpy.savez(")


@pytest.mark.parametrize("mask", [0x01, 0x06, 0xFF])
def test_every_flipped_byte(path: Path, mask: int) -> None:
    np.savez_compressed(path, x=X)
    raw = path.read_bytes()
    messages = []
    for position in range(len(raw)):
        flipped = bytearray(raw)
        flipped[position] ^= mask
        path.write_bytes(flipped)
        try:
            x, _ = load_samples(path)
        except DataError as error:
            messages.append(str(error))
        else:
            assert np.array_equal(x, X), position
    assert len(messages) > len(raw) / 3
    assert all(message.startswith(f"{path}: ") for message in messages)


def test_every_truncation(path: Path) -> None:
    np.savez_compressed(path, x=X)
    raw = path.read_bytes()
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        assert refusal(path).startswith("not an NPZ file"), length


def test_the_digits() -> None:
    network, x, y = load_digits()
    assert (network.name, x.shape, y.shape) == ("digits", (360, 64), (360,))
