"""Plots, as SVG."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.pricing.ledger import LEDGER_GROUPS, TERMS

if TYPE_CHECKING:  # imported where needed: it takes a second
    from matplotlib.figure import Figure

__all__ = ["drawing", "power_trace"]

_LAYERS = ("leakage", "clock", "logic", "memories")
_COLOURS = ("#9aa5b1", "#4c78a8", "#f58518", "#54a24b")


def power_trace(
    path: Path,
    edges_s: NDArray[np.float64],
    joules: NDArray[np.float64],
    title: str,
    *,
    small: bool = False,
) -> None:
    """Write the power of every clock cycle, stacked by what takes it.

    Parameters
    ----------
    edges_s:
        float64[cycles + 1], s.
    joules:
        float64[cycles, groups, terms], as in ``Ledger``.
    small:
        Draw the areas as pixels: a tenth of the file, and no zooming into cycles.
    """
    leakage, clock_pins = TERMS.index("leakage"), TERMS.index("clock_pins")
    clock, macro = LEDGER_GROUPS.index("clock"), LEDGER_GROUPS.index("macro")
    total = joules.sum((1, 2))
    parts = {"leakage": joules[:, :, leakage].sum(1)}
    parts["clock"] = joules[:, :, clock_pins].sum(1) + joules[:, clock, :clock_pins].sum(1)
    parts["memories"] = joules[:, macro, :clock_pins].sum(1)
    parts["logic"] = total - sum(parts.values())
    lasts = np.diff(edges_s)
    watts = np.array([parts[name] / lasts for name in _LAYERS]) * 1e3
    with drawing(path, (9, 3)) as figure:
        axes = figure.subplots()
        times = (edges_s[:-1] - edges_s[0]) * 1e6
        areas = axes.stackplot(
            times, watts, labels=_LAYERS, colors=_COLOURS, step="post", linewidth=0
        )
        for area in areas:
            area.set_rasterized(small)
        axes.set(
            xlabel="time, µs", ylabel="power, mW", title=title, xlim=(0, times[-1]), ylim=(0, None)
        )
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], loc="upper right", ncols=4, frameon=False)


@contextlib.contextmanager
def drawing(path: Path, size: tuple[float, float]) -> "Iterator[Figure]":
    """A figure of ``size`` inches in the house's manner; it is written at the end, as SVG.

    The same data give the same file, byte for byte.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "spikewatt", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=size, layout="constrained")
        yield figure
        for axes in figure.axes:
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        figure.savefig(path, format="svg", dpi=200, metadata={"Date": None})
