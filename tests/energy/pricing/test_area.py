"""Area of memories."""

import re

import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.energy.pricing.area import memory_area_um2


@pytest.mark.parametrize(
    ("words", "width", "node", "um2"),
    [
        (1, 1, 45, 0.692),  # 0.346 µm² for the cell, as much for its share of the rest
        (1024, 32, 45, 22675.456),
        (1024, 32, 90, 90701.824),  # twice the feature size
        (100, 8, 15, 61.5111111111),  # a third of it: 800 * 0.692 / 9
    ],
)
def test_by_hand(words: int, width: int, node: int, um2: float) -> None:
    assert memory_area_um2(words, width, node) == pytest.approx(um2, rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 8, 45), "words must be 1 or more, not 0"),
        ((8, -1, 45), "width must be 1 or more, not -1"),
        ((8, 8, 0), "node_nm must be 1 or more, not 0"),
    ],
)
def test_refused(sizes: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        memory_area_um2(*sizes)
