"""Plots of a comparison, as SVG."""

from pathlib import Path

from spikewatt.energy.pricing.ledger import CATEGORIES
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.compare.search import Measured
from spikewatt.flow.compare.sweep import Sweep
from spikewatt.flow.plots import drawing, power_trace

__all__ = ["energy_bars", "layer_bars", "plot_comparison", "plot_sweep"]

_COLOURS = dict(
    zip(CATEGORIES, ("#4c78a8", "#72b7b2", "#f58518", "#54a24b", "#b279a2", "#9aa5b1"), strict=True)
)
_NEURO, _SYSTOLIC = "#e45756", "#4c78a8"


def _columns(found: Comparison) -> dict[str, Measured]:
    bests = {"neuromorphic": found.neuro.best}
    for batch in sorted(found.systolic):
        bests[f"systolic, batch {batch}"] = found.systolic[batch].best
    return {name: best for name, best in bests.items() if best is not None}


def _named(name: str, one: Measured) -> str:
    """The column, and which core it is."""
    return f"{name}\n{one.label.replace(f', batch {one.batch}', '')}"


def energy_bars(path: Path, found: Comparison) -> None:
    """Energy of an inference by category, the cheapest core of each kind."""
    columns = _columns(found)
    with drawing(path, (6, 3.2)) as figure:
        axes = figure.subplots()
        names, low = [_named(*item) for item in columns.items()], [0.0] * len(columns)
        named = {name for one in columns.values() for name in one.by_category}
        for category in (name for name in CATEGORIES if name in named):
            values = [one.by_category.get(category, 0.0) * 1e9 for one in columns.values()]
            axes.barh(names, values, left=low, color=_COLOURS[category], label=category, height=0.6)
            low = [a + b for a, b in zip(low, values, strict=True)]
        for at, total in enumerate(low):
            axes.text(total, at, f"  {total:.3g} nJ", va="center")
        axes.invert_yaxis()
        both = " and ".join(dict.fromkeys([found.network, found.rival]))
        axes.set(
            xlabel="energy of an inference, nJ",
            title=f"{found.kind}: {both}, T = {found.timesteps}",
            xlim=(0, max(low) * 1.3),
        )
        axes.legend(loc="lower right", frameon=False, fontsize=8)


def layer_bars(path: Path, found: Comparison) -> None:
    """Energy of an inference by layer, for each core."""
    names = list(next(iter(found.layers.values())))
    with drawing(path, (6, 2.6)) as figure:
        axes = figure.subplots()
        low = [0.0] * len(found.layers)
        for at, name in enumerate(names):
            values = [layers.get(name, 0.0) * 1e9 for layers in found.layers.values()]
            colour = tuple(_COLOURS.values())[at % len(_COLOURS)]
            axes.barh(list(found.layers), values, left=low, color=colour, label=name, height=0.6)
            low = [a + b for a, b in zip(low, values, strict=True)]
        axes.invert_yaxis()
        axes.set(xlabel="energy of an inference, nJ", title="energy by layer")
        axes.legend(loc="lower right", frameon=False, fontsize=8)


def plot_comparison(folder: Path, found: Comparison) -> None:
    """Write energy.svg, layers.svg, and the power over time of both cores."""
    energy_bars(folder / "energy.svg", found)
    layer_bars(folder / "layers.svg", found)
    for name, batch in (("neuro", None), ("systolic", found.headline)):
        title = "neuromorphic core: one inference"
        if batch is not None:
            title = f"systolic core: a batch of {batch}" if batch > 1 else "systolic core"
        path = folder / f"power-{name}.svg"
        power_trace(path, *found.price(batch).block_cycles(0), title, small=True)


def plot_sweep(path: Path, found: Sweep) -> None:
    """Energy of both cores against spikes, and against neurons."""
    lines = found.lines()
    with drawing(path, (9, 3.4)) as figure:
        left, right = figure.subplots(1, 2)
        for axes, points, x, name in (
            (left, found.rates, "spikes", "spikes"),
            (right, found.sizes, "neurons", "neurons"),
        ):
            at = [getattr(point, x) for point in points]
            for core, colour in (("neuro", _NEURO), ("systolic", _SYSTOLIC)):
                joules = [getattr(point, f"{core}_j") * 1e9 for point in points]
                line = lines[f"{core}_against_{name}"]
                fit = "" if line.r2 is None else f", R² {line.r2:.3f}"
                label = f"{core}: {line.slope_j * 1e12:.3g} pJ each{fit}"
                axes.plot(at, joules, "o", color=colour, label=label, markersize=4)
                ends = [min(at), max(at)]
                fitted = [(line.intercept_j + line.slope_j * end) * 1e9 for end in ends]
                axes.plot(ends, fitted, "-", color=colour, linewidth=1)
            axes.set(xlabel=f"{name} of an inference", ylabel="energy, nJ", ylim=(0, None))
            axes.legend(frameon=False, fontsize=8)
        right.set_xlabel("hidden and output neurons")
        figure.suptitle(f"{found.network}, {found.mode}, systolic batch {found.batch}")
