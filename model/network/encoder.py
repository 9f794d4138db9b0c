"""Rate code of inputs into spikes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.base.errors import DataError
from spikewatt.model.network.checks import is_integer, require

__all__ = ["Encoder", "check_samples", "encode", "levels"]

PHASE_BITS = 16
"""Fraction bits of the encoder's phase."""


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """Deterministic rate code of a real-valued input.

    A value ``x`` becomes the probability-like level ``p = gain * (x - low) / (high - low)``, held
    as ``floor(p * 65536 + 1/2)``. A phase that starts at one half takes that step in every tick and
    sends a spike when it reaches one: ``floor(T * p + 1/2)`` spikes in T ticks, evenly spread.

    Parameters
    ----------
    inputs:
        Values of one sample.
    timesteps:
        Ticks T for which a sample is shown.
    low, high:
        Range of ``x``; a value outside it is an error, not clipped.
    gain:
        Level of ``x = high``, above 0 and at most 1.
    """

    inputs: int
    timesteps: int
    low: float = 0.0
    high: float = 1.0
    gain: float = 1.0

    def __post_init__(self) -> None:
        require(
            is_integer(self.inputs, 1, 1 << 16),
            f"encoder inputs must be an integer from 1 to 65536, not {self.inputs!r}",
        )
        require(
            is_integer(self.timesteps, 1, 4096),
            f"encoder timesteps must be an integer from 1 to 4096, not {self.timesteps!r}",
        )
        require(
            bool(np.isfinite([self.low, self.high, self.high - self.low]).all())
            and self.low < self.high,
            f"encoder range must be finite and low < high, not {self.low!r}..{self.high!r}",
        )
        require(0 < self.gain <= 1, f"encoder gain must be in (0, 1], not {self.gain!r}")


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
    # From one half on, T steps pass floor(T p + 1/2) integers: rounded, not cut off.
    phase = np.full(step.shape, 1 << PHASE_BITS - 1)
    for tick in range(encoder.timesteps):
        phase += step
        # At most one: p is at most 1, so that the phase stays below 2.
        spikes[:, tick] = phase >> PHASE_BITS
        phase &= (1 << PHASE_BITS) - 1
    return spikes
