"""What the demo shows beside the run: both comparisons, on the cores that a search found."""

from pathlib import Path

from numpy.typing import ArrayLike

from spikewatt.base.progress import Progress, silent
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.compare.run import Plan, compare
from spikewatt.model.network.dataset import load_shipped

__all__ = ["shipped_comparisons"]

PLAN = Plan(lanes=(16,), sizes=((8, 8),), refine=False, glitches=False)
"""The cheapest neuromorphic core of the search, and an array near its cheapest; docs/comparison.md
has all of them."""
TIMESTEPS = 7


def shipped_comparisons(
    x: ArrayLike,
    y: ArrayLike,
    *,
    images: int = 32,
    liberty: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Comparison]:
    """``equal_function`` and ``equal_accuracy`` of the digits, over the first ``images``."""
    options = {"images": images, "plan": PLAN, "liberty": liberty, "progress": progress}
    pair, rival = load_shipped(f"digits_t{TIMESTEPS}"), load_shipped("digits_qnn")
    return {
        "equal_function": compare(pair, x, y, **options),
        "equal_accuracy": compare(load_shipped("digits"), x, y, rival=rival, **options),
    }
