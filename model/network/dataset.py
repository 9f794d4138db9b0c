"""Samples on disk, and the ones that ship with spikewatt."""

import os
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import DataError
from spikewatt.model.network.file import load_network
from spikewatt.model.network.graph import Network

__all__ = ["load_digits", "load_samples", "load_shipped"]


def load_samples(
    path: str | os.PathLike[str],
) -> tuple[NDArray[np.generic], NDArray[np.int64] | None]:
    """Samples ``x[n, inputs]`` and, where the file has them, classes ``y`` int64[n].

    Raises
    ------
    DataError
        Names the file and what is wrong: missing, not an NPZ, damaged, no ``x``, odd ``y``.
    """
    path = Path(path)
    try:
        x, y = _read(path)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    except Exception:  # zipfile and NumPy raise anything at a damaged file
        raise DataError(f"{path}: not an NPZ file of plain arrays, or damaged") from None
    if x.ndim == 0:
        raise DataError(f"{path}: x must have shape (n, inputs), not {x.shape}")
    if y is None:
        return x, None
    if y.dtype.kind not in "iu" or y.shape != x.shape[:1]:
        raise DataError(
            f"{path}: y must hold one integer for each of the {len(x)} samples, "
            f"not {y.dtype}{list(y.shape)}"
        )
    return x, y.astype(np.int64)


def _read(path: Path) -> tuple[NDArray[np.generic], NDArray[np.generic] | None]:
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            raise DataError(f"{path}: not an NPZ file: save it with numpy.savez(x=..., y=...)")
        file.seek(0)
        # A pickle runs code of whoever made the file.
        with np.load(file, allow_pickle=False) as archive:
            if "x" not in archive:
                held = ", ".join(archive.files) or "nothing"
                raise DataError(f"{path}: no array 'x' (it holds {held})")
            arrays = archive["x"], archive.get("y")
    for name, array in zip("xy", arrays, strict=True):
        if not isinstance(array, np.ndarray | None):
            raise DataError(f"{path}: {name!r} is not an array")
    return arrays


def load_shipped(name: str) -> Network:
    """One of the networks that ship with spikewatt.

    ``digits``: the leaky spiking network; ``digits_t3``, ``digits_t7``, ``digits_t15``: networks
    with an exact equal of 2, 3 and 4-bit activations; ``digits_qnn``: the cheapest quantised
    network that is as accurate as the first. ``examples/digits`` trained them.
    """
    file = resources.files("spikewatt.model").joinpath("data", f"{name}.swn")
    with resources.as_file(file) as path:
        return load_network(path)


def load_digits() -> tuple[Network, NDArray[np.generic], NDArray[np.int64]]:
    """Network trained on the handwritten digits, with its 360 held-out images and their classes.

    ``x``: uint8[360, 64], pixels 0 to 16. ``examples/digits`` says how both came to be.
    """
    folder = resources.files("spikewatt.model").joinpath("data")
    with resources.as_file(folder.joinpath("digits_test.npz")) as images:
        x, y = load_samples(images)
        if y is None:
            raise DataError(f"{images}: the shipped images have lost their classes")
        return load_shipped("digits"), x, y
