"""Silicon area of memories: what a Liberty file of standard cells does not tell."""

from spikewatt.base.errors import ParameterError

__all__ = ["memory_area_um2"]

# Area (µm²) of a six-transistor cell at 45 nm: Mistry et al., IEDM 2007, 247-250 (0.346 µm²).
_CELL, _NODE = 0.346, 45
# Part of a small macro that is cells: the rest is decoders, sense amplifiers and drivers. Ours, a
# round figure and no measurement: areas of memories are good for an order of size.
_EFFICIENCY = 0.5


def memory_area_um2(words: int, width: int, node_nm: int) -> float:
    """Area (µm²) of an SRAM of ``words`` words of ``width`` bits.

    ``words * width * 0.346 µm² * (node / 45)² / 0.5``: the published cell of the 45 nm node, scaled
    with the square of the feature size, at an array efficiency of one half.

    Raises
    ------
    ParameterError
        ``words``, ``width`` or ``node_nm`` below 1.
    """
    for name, value in (("words", words), ("width", width), ("node_nm", node_nm)):
        if value < 1:
            raise ParameterError(f"{name} must be 1 or more, not {value!r}")
    return words * width * _CELL * (node_nm / _NODE) ** 2 / _EFFICIENCY
