"""One colour and one word for one thing, in every picture."""

from collections.abc import Mapping

__all__ = ["COLOURS", "LAYERS", "WORDS", "colour_of_layer", "word"]

COLOURS: Mapping[str, str] = {
    "clock": "#4c78a8",
    "control": "#72b7b2",
    "datapath": "#f58518",
    "logic": "#d9a441",  # control and datapath together, where a picture cannot tell them apart
    "sram": "#54a24b",
    "router": "#b279a2",
    "leakage": "#9aa5b1",
    "neuro": "#e45756",
    "systolic": "#2f4b7c",
}
"""By category of the ledger, and by core."""
WORDS: Mapping[str, str] = {"sram": "memories", "neuro": "neuromorphic"}
"""What people read, where it is not the name that the data have."""
LAYERS = ("#3b528b", "#5ec962", "#21918c", "#fde725", "#440154")
"""One layer after another; none is a category's."""


def word(name: str) -> str:
    """What a picture calls a category or a core."""
    return WORDS.get(name, name)


def colour_of_layer(index: int) -> str:
    """Colour of a layer by its place in the network."""
    return LAYERS[index % len(LAYERS)]
