"""What a neuron can be."""

from dataclasses import dataclass
from enum import IntEnum

from spikewatt.model.errors import ParameterError
from spikewatt.model.params.checks import within

__all__ = ["LEAK_FRACTION_BITS", "Compare", "Leak", "NeuronType", "Reset"]

LEAK_FRACTION_BITS = 12
"""Fraction bits of the leak multiplier: ``v`` becomes ``floor(v * m / 4096)``."""


class Leak(IntEnum):
    """What a membrane loses in a tick, before it integrates."""

    NONE = 0
    SUBTRACT = 1
    SHIFT = 2
    MULTIPLY = 3


class Reset(IntEnum):
    """What a spike does to the membrane."""

    ZERO = 0
    SUBTRACT = 1
    NONE = 2


class Compare(IntEnum):
    """How the membrane is held against the threshold."""

    GREATER_EQUAL = 0
    GREATER = 1


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
    """

    leak: Leak = Leak.NONE
    leak_amount: int = 0
    reset: Reset = Reset.ZERO
    compare: Compare = Compare.GREATER_EQUAL
    refractory: int = 0
    silent: bool = False

    def __post_init__(self) -> None:
        within("leak_amount", self.leak_amount, 0, (1 << 31) - 1)
        within("refractory", self.refractory, 0, 255)
        if not isinstance(self.silent, bool):
            raise ParameterError(f"silent must be true or false, not {self.silent!r}")
