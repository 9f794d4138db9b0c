"""Samples that a user names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from spikewatt.base.errors import DataError

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from numpy.typing import NDArray

    Samples = tuple[NDArray, NDArray | None]

__all__ = ["first_samples", "naming"]


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the data within name their file."""
    try:
        yield
    except DataError as error:
        prefix = "" if str(error).startswith(str(path)) else f"{path}: "
        raise DataError(f"{prefix}{error}") from None


def first_samples(samples: "Samples", images: int | None) -> "Samples":
    """The first samples and their classes; all where no number was given.

    Raises
    ------
    DataError
        There are not so many.
    """
    x, y = samples
    if images is not None and images > len(x):
        raise DataError(f"--images {images} asks for more than the {len(x)} samples there are")
    return x[:images], None if y is None else y[:images]
