"""Reading a class out of neurons."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.network.checks import require
from spikewatt.model.run import Run

__all__ = ["Readout", "accuracy"]


@dataclass(frozen=True, kw_only=True)
class Readout:
    """How a class is read: argmax over ``population``'s ``kind``, lowest index on a tie."""

    population: str
    kind: Literal["membrane", "count"] = "membrane"

    def __post_init__(self) -> None:
        require(
            self.kind in ("membrane", "count"),
            f"readout kind must be 'membrane' or 'count', not {self.kind!r}",
        )

    def scores(self, run: Run) -> NDArray[Any]:
        """Scores [B, classes] of a run: membranes after the last tick, or spikes of all ticks.

        Raises
        ------
        DataError
            The run did not keep them.
        """
        name = "final_membranes" if self.kind == "membrane" else "spike_counts"
        return run.of(name, self.population)

    def classes(self, run: Run) -> NDArray[np.int64]:
        """Class of each sample of a run, int64[B]."""
        return self.decide(self.scores(run))

    @staticmethod
    def decide(scores: NDArray[Any]) -> NDArray[np.int64]:
        """Class of each sample: argmax over the last axis, lowest index on a tie."""
        return np.argmax(scores, axis=-1)


def accuracy(answers: NDArray[np.int64], classes: NDArray[np.int64] | None) -> float | None:
    """Share of the samples whose class is right; ``None`` where the classes are not known."""
    return None if classes is None else float(np.mean(answers == classes))
