"""The cores that a comparison may choose from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spikewatt.base.errors import ParameterError
from spikewatt.model.params.systolic import Loading

__all__ = [
    "BATCHES",
    "LANES",
    "SIZES",
    "NeuroVariant",
    "SystolicVariant",
    "cut_batch",
    "cut_sentence",
    "parse_array",
    "refinements",
    "usual",
    "usual_batches",
]

LANES = (4, 8, 16, 32)
"""Lanes of the neuromorphic core that a search tries."""
SIZES = ((4, 4), (8, 8), (16, 16))
"""Rows and columns of the array that a search tries."""
BATCHES = (1, 32)
"""Inferences that run together on the systolic core; the spiking core has no use for a batch."""


def usual_batches(images: int) -> list[int]:
    """`BATCHES` in rising order, cut down to the images that there are."""
    return sorted({min(batch, images) for batch in BATCHES})


def cut_batch(images: int) -> int | None:
    """The usual batch that so many images do not fill; ``None`` where they fill all."""
    return max(BATCHES) if images < max(BATCHES) else None


def cut_sentence(usual_batch: int, images: int) -> str:
    """What people have to know of a batch that was cut down."""
    return (
        f"The usual batch of {usual_batch} needs as many images: with {images} the systolic core "
        f"ran batches of {images}, in which it reads its weights for fewer inferences at a time."
    )


@dataclass(frozen=True)
class NeuroVariant:
    """A neuromorphic core, or a mesh of them.

    Parameters
    ----------
    lanes:
        Of each core.
    mesh, router:
        Columns x rows, or ``auto``, and what joins the cores; ``None``: one core.
    """

    lanes: int = 8
    mesh: str | None = None
    router: str = "click"

    @property
    def label(self) -> str:
        """What tells it from the others."""
        lanes = f"{self.lanes} lanes"
        return lanes if self.mesh is None else f"{lanes}, mesh {self.mesh}, {self.router} router"


@dataclass(frozen=True)
class SystolicVariant:
    """A systolic core, and how it is used.

    Parameters
    ----------
    rows, columns, batch:
        Size of the array, and inferences that run together.
    options:
        Other fields of `SystolicParams` that differ from the default.
    """

    rows: int = 8
    columns: int = 8
    batch: int = 1
    options: tuple[tuple[str, Any], ...] = field(default=())

    def with_option(self, name: str, value: Any) -> "SystolicVariant":
        """The same core with one more option."""
        kept = tuple(pair for pair in self.options if pair[0] != name)
        return replace(self, options=(*kept, (name, value)))

    @property
    def label(self) -> str:
        """What tells it from the others."""
        words = [f"{self.rows}x{self.columns}", f"batch {self.batch}"]
        for name, value in self.options:
            if name == "tile_columns" and value == self.columns:
                words.append("broadcast")
            elif name == "loading":
                words.append(f"loaded by {value.name.lower()}")
            elif isinstance(value, bool):
                words.append(_WORDS[name][value])
            else:
                words.append(f"{name.replace('_', ' ')} {value}")
        return ", ".join(words)

    @property
    def fields(self) -> dict[str, Any]:
        """Arguments of `spikewatt.model.compile.systolic.program.fit_systolic`, but the batch."""
        return {"rows": self.rows, "columns": self.columns, **dict(self.options)}


_WORDS = {  # off and on
    "double_buffer": ("one buffer", "two buffers"),
    "isolate_activations": ("zero activations not isolated", "zero activations isolated"),
    "isolate_weights": ("zero weights not isolated", "zero weights isolated"),
    "gate_idle": ("idle rows and columns not gated", "idle rows and columns gated"),
}


def usual(rows: int, columns: int, batch: int) -> SystolicVariant:
    """The array that a search begins with: activations go to all columns at once, one buffer.

    At 100 MHz neither registers between columns nor a second buffer of weights paid on the cheapest
    size of either batch (docs/comparison.md); a search tries both again.
    """
    plain = SystolicVariant(rows, columns, batch)
    return plain.with_option("tile_columns", columns).with_option("double_buffer", False)


def refinements(best: SystolicVariant) -> Sequence[SystolicVariant]:
    """What a search tries on the cheapest size: one option after another, each kept if it pays."""
    return (
        best.with_option("tile_columns", 1),
        best.with_option("double_buffer", True),
        best.with_option("isolate_weights", True),
        best.with_option("isolate_activations", True),
        best.with_option("gate_idle", True),
        best.with_option("loading", Loading.SHIFT),
    )


def parse_array(text: str) -> tuple[int, int]:
    """Rows and columns of ``RxC``.

    Raises
    ------
    ParameterError
        Anything else.
    """
    match = re.fullmatch("([0-9]{1,3})x([0-9]{1,3})", text.lower())
    rows, columns = map(int, match.groups()) if match else (0, 0)
    if not (1 <= rows <= 256 and 1 <= columns <= 256):
        raise ParameterError(
            f"--array must be rows x columns like 8x8, 1 to 256 each, not {text!r}"
        )
    return rows, columns
