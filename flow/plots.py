"""Plots: each gives a matplotlib figure, and writes it as SVG where a path is given."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.pricing.ledger import LEDGER_GROUPS, TERMS
from spikewatt.flow.colours import COLOURS, word

if TYPE_CHECKING:  # imported where needed: it takes a second
    from matplotlib.figure import Figure

__all__ = ["drawing", "power_trace"]

_PARTS = ("leakage", "clock", "logic", "sram")
MOST_VECTORS = 200
"""Cycles from which on areas are drawn as pixels: as vectors a run's picture took megabytes."""


def power_trace(
    path: Path | None, edges_s: NDArray[np.float64], joules: NDArray[np.float64], title: str
) -> "Figure":
    """Draw the power of every clock cycle, stacked by what takes it.

    Parameters
    ----------
    path:
        SVG to write; ``None``: none.
    edges_s:
        float64[cycles + 1], s.
    joules:
        float64[cycles, groups, terms], as in ``Ledger``.
    """
    leakage, clock_pins = TERMS.index("leakage"), TERMS.index("clock_pins")
    clock, macro = LEDGER_GROUPS.index("clock"), LEDGER_GROUPS.index("macro")
    parts = {"leakage": joules[:, :, leakage].sum(1)}
    parts["clock"] = joules[:, :, clock_pins].sum(1) + joules[:, clock, :clock_pins].sum(1)
    parts["sram"] = joules[:, macro, :clock_pins].sum(1)
    # What is left, so that the areas add up to the whole whatever the groups are.
    parts["logic"] = joules.sum((1, 2)) - sum(parts.values())
    watts = np.array([parts[name] for name in _PARTS]) / np.diff(edges_s) * 1e3
    with drawing(path, (9, 3.2)) as figure:
        axes = figure.subplots()
        times = (edges_s[:-1] - edges_s[0]) * 1e6
        areas = axes.stackplot(
            times,
            watts,
            labels=[word(name) for name in _PARTS],
            colors=[COLOURS[name] for name in _PARTS],
            step="post",
            linewidth=0,
        )
        for area in areas:
            # Axes and words stay vectors.
            area.set_rasterized(len(times) > MOST_VECTORS)
        axes.set(
            xlabel="time, µs", ylabel="power, mW", title=title, xlim=(0, times[-1]), ylim=(0, None)
        )
        # Beside the axes: within them it covered the peaks.
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="outside right upper", frameon=False)
    return figure


@contextlib.contextmanager
def drawing(path: Path | None, size: tuple[float, float]) -> "Iterator[Figure]":
    """A figure of ``size`` inches in the house's manner; with a path it is written, as SVG.

    The same data give the same file, byte for byte.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # The salt names the parts of an SVG: without it each file has names of its own.
    with mpl.rc_context({"svg.hashsalt": "spikewatt", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=size, layout="constrained")
        yield figure
        for axes in figure.axes:
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        if path is not None:
            figure.savefig(path, format="svg", dpi=200, metadata={"Date": None})
