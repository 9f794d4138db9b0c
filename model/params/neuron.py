"""What a neuron can be."""

from dataclasses import dataclass
from enum import IntEnum

from spikewatt.base.errors import ParameterError
from spikewatt.model.params.checks import within

__all__ = [
    "LEAK_BITS",
    "LEAK_FRACTION_BITS",
    "RESET_BITS",
    "WINDOW_END",
    "Compare",
    "Leak",
    "NeuronType",
    "Reset",
]

LEAK_FRACTION_BITS = 12
"""Fraction bits of the leak multiplier: ``v`` becomes ``floor(v * m / 4096)``."""
WINDOW_END = (1 << 12) - 1
"""Latest tick that a window can end before: the widest counter of ticks stays there."""


class Leak(IntEnum):
    """What a tick leaves of a membrane ``v``, before it integrates.

    - ``NONE``: ``v``
    - ``SUBTRACT``: ``sign(v) * max(abs(v) - amount, 0)``
    - ``SHIFT``: ``v - (v >> k)``, an arithmetic shift
    - ``MULTIPLY``: ``floor(v * m / 4096)``
    """

    NONE = 0
    SUBTRACT = 1
    SHIFT = 2
    MULTIPLY = 3


class Reset(IntEnum):
    """What a spike leaves of a membrane ``v``.

    - ``ZERO``: 0
    - ``SUBTRACT``: ``v - threshold``
    - ``NONE``: ``v``
    """

    ZERO = 0
    SUBTRACT = 1
    NONE = 2


class Compare(IntEnum):
    """How a membrane is held against the threshold: ``v >= threshold``, or ``v > threshold``."""

    GREATER_EQUAL = 0
    GREATER = 1


LEAK_BITS, RESET_BITS = (len(Leak) - 1).bit_length(), (len(Reset) - 1).bit_length()
"""Bits that name a kind in the table of types."""


@dataclass(frozen=True, kw_only=True)
class NeuronType:
    """Behaviour shared by all neurons of a group.

    Parameters
    ----------
    leak, leak_amount:
        Kind of leak and its parameter: the value subtracted, the shift ``k``, or the multiplier
        ``m`` in 1/4096.
    reset:
        What happens to the membrane at a spike.
    compare:
        Whether a membrane equal to the threshold fires.
    refractory:
        Ticks after a spike in which the neuron holds its membrane and discards its input.
    silent:
        A silent neuron integrates and never fires: a readout.
    window:
        ``(first, ticks)``, or none. With a window the neuron takes its bias in tick 0 only, fires
        only in the ticks ``first <= t < first + ticks``, and compares its membrane with
        ``ceil(threshold / 2)``; a reset by subtraction still takes the whole threshold.
    """

    leak: Leak = Leak.NONE
    leak_amount: int = 0
    reset: Reset = Reset.ZERO
    compare: Compare = Compare.GREATER_EQUAL
    refractory: int = 0
    silent: bool = False
    window: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        # What a core allows depends on its membrane: `CoreParams.check_type`.
        within("leak_amount", self.leak_amount, 0, (1 << 31) - 1)
        within("refractory", self.refractory, 0, 255)
        if not isinstance(self.silent, bool):
            raise ParameterError(f"silent must be true or false, not {self.silent!r}")
        if self.window is not None:
            self._check_window(self.window)

    @staticmethod
    def _check_window(window: object) -> None:
        if not isinstance(window, tuple) or len(window) != 2:
            raise ParameterError(f"window must be two integers, (first, ticks), not {window!r}")
        first, ticks = window
        within("window's first tick", first, 0, WINDOW_END - 1)
        within("window's ticks", ticks, 1, WINDOW_END)
        within("window's end (first + ticks)", first + ticks, 1, WINDOW_END)

    @property
    def windowed(self) -> bool:
        """Whether there is a window."""
        return self.window is not None

    @property
    def window_first(self) -> int:
        """First tick of the window; 0 without one."""
        return 0 if self.window is None else self.window[0]

    @property
    def window_end(self) -> int:
        """Tick after the window's last; 0 without one."""
        return 0 if self.window is None else sum(self.window)
