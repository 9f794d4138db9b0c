"""Hardware that the random tests build: every parameter at its edges and in between."""

from dataclasses import replace
from typing import Any

from spikewatt.model.params import Compare, CoreParams, Fabric, Leak, Reset

__all__ = ["BUILDS", "ON_FPGA"]

_SIZES = (
    *("neurons", "axons", "weight_bits", "state_bits", "bias_bits", "lanes", "delay_slots"),
    *("scheduler_bits", "destinations", "refractory_bits", "types"),
)


def _core(*sizes: int, **more: Any) -> CoreParams:
    """Sizes in the order of ``_SIZES``; the shifts are those that the membrane allows."""
    named = dict(zip(_SIZES, sizes, strict=True))
    shifts = tuple(range(1, min(named["state_bits"], 9)))
    return CoreParams(**{"shifts": shifts, **named, **more})


_MIXED = (Leak.MULTIPLY, Leak.SHIFT, Leak.SUBTRACT, Leak.NONE)
_SPIKE_AND_KEEP = (Reset.NONE, Reset.SUBTRACT)
_STRICT = (Compare.GREATER,)
_LAX = (Compare.GREATER_EQUAL,)
_SWAPPED = (Compare.GREATER, Compare.GREATER_EQUAL)

BUILDS: dict[str, CoreParams] = {
    "one neuron": _core(1, 1, 4, 5, 3, 1, 2, 1, 2, 1, 1, shifts=(1,), hop_bits=1),
    "many axons": _core(1, 37, 3, 7, 2, 1, 4, 8, 5, 2, 2, shifts=(1, 2, 6), hop_bits=2),
    "one group": _core(8, 24, 8, 12, 6, 8, 8, 32, 20, 3, 3),
    "three lanes": _core(15, 22, 6, 11, 4, 3, 8, 16, 30, 3, 5, hop_bits=3),
    "five lanes": _core(20, 18, 7, 13, 13, 5, 16, 8, 33, 4, 4),
    "six lanes": _core(18, 25, 2, 6, 6, 6, 2, 64, 18, 1, 2, shifts=(5, 1), hop_bits=10),
    "seven lanes": _core(28, 16, 9, 20, 7, 7, 4, 2, 40, 2, 3, shifts=(19, 4, 11)),
    "eight lanes": _core(32, 33, 8, 16, 8, 8, 16, 32, 48, 4, 4),
    "32 groups": _core(32, 14, 6, 9, 4, 1, 4, 8, 40, 2, 3),
    "33 groups": _core(33, 12, 6, 9, 4, 1, 4, 8, 40, 2, 3),
    "64 groups": _core(128, 10, 4, 8, 0, 2, 2, 4, 130, 0, 2),
    "80 groups": _core(80, 15, 6, 10, 5, 1, 4, 16, 90, 2, 4),
    "1-bit weights": _core(16, 30, 1, 6, 3, 4, 8, 8, 32, 2, 3, shifts=(1, 2, 3)),
    "1-bit weights, one axon": _core(4, 1, 1, 4, 2, 4, 4, 1, 8, 1, 2, shifts=(3,), hop_bits=1),
    "2-bit weights, 4-bit membranes": _core(12, 40, 2, 4, 4, 4, 4, 16, 24, 3, 4),
    "9-bit weights, 8-bit membranes": _core(9, 21, 9, 8, 8, 3, 4, 4, 18, 1, 3, shifts=(7, 2)),
    "equal widths": _core(6, 2, 7, 8, 8, 3, 4, 2, 6, 1, 2, shifts=(3, 7)),
    "8-bit refractory": _core(10, 12, 5, 9, 5, 5, 4, 4, 16, 8, 16),
    "64 slots": _core(8, 9, 5, 9, 4, 4, 64, 4, 24, 1, 2),
    "leak none only": _core(
        *(12, 17, 6, 10, 1, 4, 4, 1, 12, 2, 2),
        leaks=(Leak.NONE,),
        resets=_SPIKE_AND_KEEP,
        compares=_STRICT,
    ),
    "leak subtract only": _core(
        *(12, 17, 6, 10, 5, 4, 4, 8, 12, 2, 2),
        leaks=(Leak.SUBTRACT,),
        resets=(Reset.SUBTRACT,),
        compares=_LAX,
    ),
    "leak shift only": _core(
        *(12, 17, 6, 10, 5, 4, 4, 8, 12, 2, 2),
        leaks=(Leak.SHIFT,),
        shifts=(9, 3, 1, 2),
        resets=(Reset.NONE,),
        compares=_SWAPPED,
    ),
    "leak multiply only": _core(
        *(12, 17, 6, 10, 5, 4, 4, 8, 12, 2, 1),
        leaks=(Leak.MULTIPLY,),
        resets=(Reset.ZERO,),
    ),
    "wide membranes": _core(6, 11, 9, 20, 20, 2, 4, 4, 12, 2, 3, leaks=_MIXED, shifts=(1, 19)),
    "shared rows": _core(24, 40, 8, 14, 6, 4, 4, 16, 30, 2, 3, synapse_words=11),
    "windows": _core(*(32, 20, 6, 10, 5, 4, 4, 8, 40, 2, 4), window_bits=3),
    "windows without leak": _core(
        *(24, 18, 5, 9, 6, 8, 2, 8, 30, 0, 3),
        window_bits=4,
        leaks=(Leak.NONE,),
        resets=(Reset.SUBTRACT,),
        compares=_LAX,
    ),
    "windows, 40 groups": _core(
        *(40, 12, 6, 9, 4, 1, 4, 8, 40, 0, 5), window_bits=3, leaks=(Leak.NONE,), compares=_STRICT
    ),
    "windows of one tick": _core(*(6, 9, 7, 9, 0, 3, 4, 4, 12, 1, 2), window_bits=1, shifts=(1, 2)),
    "widest windows": _core(
        *(12, 16, 4, 8, 3, 4, 8, 8, 24, 1, 2), window_bits=12, clock_gating=False
    ),
    "free clock, five lanes": _core(35, 19, 4, 9, 3, 5, 32, 4, 50, 1, 2, clock_gating=False),
}
"""Builds of the random tests by name."""

ON_FPGA: dict[str, CoreParams] = {
    f"{name}, on an FPGA": replace(params, fabric=Fabric.FPGA, clock_gating=False)
    for name, params in BUILDS.items()
}
"""The same with registers behind the memories."""
