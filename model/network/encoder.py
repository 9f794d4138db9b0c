"""Rate code of inputs into spikes, and reading a class out of neurons."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.base.errors import DataError
from spikewatt.model.network.graph import Encoder

__all__ = ["check_samples", "encode", "levels", "read_class"]

PHASE_BITS = 16
"""Fraction bits of the encoder's phase."""


def check_samples(x: ArrayLike, encoder: Encoder) -> NDArray[np.float64]:
    """Return samples as float64[n, inputs], or say what is wrong with them.

    Raises
    ------
    DataError
        On a wrong shape, a type that is not a number, NaN, or a value outside the encoder's range.
    """
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise DataError(f"x must hold numbers, not {array.dtype}")
    if array.ndim != 2 or array.shape[1] != encoder.inputs:
        raise DataError(f"x must have shape (n, {encoder.inputs}), not {array.shape}")
    if not len(array):
        raise DataError("x holds no sample: give at least one row")
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise DataError(f"x[{row}, {column}] is {values[row, column]}: every value must be finite")
    outside = (values < encoder.low) | (values > encoder.high)
    if outside.any():
        row, column = (int(i) for i in np.argwhere(outside)[0])
        raise DataError(
            f"x[{row}, {column}] is {values[row, column]:g}, outside the encoder's range "
            f"{encoder.low:g}..{encoder.high:g}: rescale the data"
        )
    return values


def levels(x: NDArray[np.float64], encoder: Encoder) -> NDArray[np.int64]:
    """Phase step of each value, int64 in 0..65536: ``floor(p * 65536 + 1/2)``."""
    p = encoder.gain * (x - encoder.low) / (encoder.high - encoder.low)
    return np.floor(p * (1 << PHASE_BITS) + 0.5).astype(np.int64)


def encode(x: ArrayLike, encoder: Encoder) -> NDArray[np.bool_]:
    """Spikes of samples ``x[n, inputs]`` as bool[n, timesteps, inputs].

    Tick ``k`` carries a spike where the phase ``1/2 + (k + 1) p`` passes an integer.
    """
    step = levels(check_samples(x, encoder), encoder)
    spikes = np.empty((len(step), encoder.timesteps, encoder.inputs), np.bool_)
    phase = np.full(step.shape, 1 << PHASE_BITS - 1)
    for tick in range(encoder.timesteps):
        phase += step
        spikes[:, tick] = phase >> PHASE_BITS
        phase &= (1 << PHASE_BITS) - 1
    return spikes


def read_class(scores: NDArray[np.number]) -> NDArray[np.int64]:
    """Class of each sample: argmax over the last axis, lowest index on a tie."""
    return np.argmax(scores, axis=-1)
