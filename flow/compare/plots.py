"""Plots of a comparison: each gives a figure, and writes it as SVG where a path is given."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikewatt.energy.pricing.ledger import CATEGORIES
from spikewatt.flow.colours import COLOURS, colour_of_layer, word
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.compare.search import Measured
from spikewatt.flow.compare.sweep import Sweep
from spikewatt.flow.plots import drawing, power_trace

if TYPE_CHECKING:  # imported where needed: it takes a second
    from matplotlib.figure import Figure

__all__ = ["energy_bars", "layer_bars", "plot_comparison", "plot_sweep"]


def _bars(comparison: Comparison) -> list[tuple[str, Measured, float]]:
    """Label of each cheapest core, its figures, and its energy over the neuromorphic core's."""
    bests = [("neuromorphic", comparison.neuro.best)]
    bests += [
        (f"systolic, batch {batch}", search.best)
        for batch, search in sorted(comparison.systolic.items())
    ]
    cores = [(name, best) for name, best in bests if best is not None]
    neuro = cores[0][1].energy_per_inference_j
    return [(_named(name, best), best, best.energy_per_inference_j / neuro) for name, best in cores]


def _named(name: str, best: Measured) -> str:
    """The bar, and which core it is."""
    return f"{name}\n{best.label.replace(f', batch {best.batch}', '')}"


def energy_bars(path: Path | None, *comparisons: Comparison) -> "Figure":
    """Energy of an inference by category, the cheapest core of each kind.

    Several comparisons stand below each other on one scale. Each bar has its 95 % confidence
    interval, where there is one, and its ratio to the neuromorphic core's.
    """
    bars = [_bars(comparison) for comparison in comparisons]
    named = {name for rows in bars for _, best, _ in rows for name in best.by_category}
    shown = [name for name in CATEGORIES if name in named]
    height = 0.9 + sum(0.3 + 0.55 * len(rows) for rows in bars)
    with drawing(path, (6.5, height)) as figure:
        panels = figure.subplots(len(comparisons), sharex=True, squeeze=False)[:, 0]
        for axes, comparison, rows in zip(panels, comparisons, bars, strict=True):
            _stack(axes, rows, shown)
            both = " and ".join(dict.fromkeys([comparison.network, comparison.rival]))
            axes.set_title(f"{comparison.kind}: {both}, T = {comparison.timesteps}")
        # Room for the numbers behind the longest bar.
        most = max(best.energy_per_inference_j for rows in bars for _, best, _ in rows)
        panels[-1].set(xlabel="energy of an inference, nJ", xlim=(0, most * 1e9 * 1.4))
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=len(shown), frameon=False, fontsize=8
        )
    return figure


def _stack(axes: Any, rows: list[tuple[str, Measured, float]], shown: list[str]) -> None:
    """Stack the categories of each core, with error and ratio at the end of the bar."""
    names, low = [name for name, _, _ in rows], [0.0] * len(rows)
    for category in shown:
        values = [best.by_category.get(category, 0.0) * 1e9 for _, best, _ in rows]
        colour = COLOURS[category]
        axes.barh(names, values, left=low, color=colour, label=word(category), height=0.6)
        low = [a + b for a, b in zip(low, values, strict=True)]
    for at, (_, best, ratio) in enumerate(rows):
        error = 1.96e9 * (best.standard_error_j or 0.0)
        if error:
            axes.errorbar(low[at], at, xerr=error, color="black", capsize=2, linewidth=1)
        times = "" if ratio == 1 else f" · {ratio:.2f} ×"
        axes.text(low[at] + error, at, f"  {low[at]:.3g} nJ{times}", va="center")
    axes.invert_yaxis()


def layer_bars(path: Path | None, comparison: Comparison) -> "Figure":
    """Energy of an inference by layer, for each core."""
    layers = comparison.layers
    with drawing(path, (6, 2.8)) as figure:
        axes = figure.subplots()
        low = [0.0] * len(layers)
        # Names are those of the populations; cores may have layers that the others lack.
        for at, name in enumerate(dict.fromkeys(name for core in layers.values() for name in core)):
            values = [core.get(name, 0.0) * 1e9 for core in layers.values()]
            colour = colour_of_layer(at)
            axes.barh(list(layers), values, left=low, color=colour, label=name, height=0.6)
            low = [a + b for a, b in zip(low, values, strict=True)]
        axes.invert_yaxis()
        axes.set(xlabel="energy of an inference, nJ", title="energy by layer")
        figure.legend(loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    return figure


def plot_comparison(folder: Path, comparison: Comparison) -> None:
    """Write energy.svg, layers.svg, and the power over time of both cores."""
    energy_bars(folder / "energy.svg", comparison)
    layer_bars(folder / "layers.svg", comparison)
    for name, batch in (("neuro", None), ("systolic", comparison.headline)):
        title = "neuromorphic core: one inference"
        if batch is not None:
            title = f"systolic core: a batch of {batch}" if batch > 1 else "systolic core"
        path = folder / f"power-{name}.svg"
        power_trace(path, *comparison.price(batch).block_cycles(0), title)


def plot_sweep(path: Path | None, sweep: Sweep) -> "Figure":
    """Energy of both cores against spikes, and against neurons."""
    lines = sweep.lines()
    with drawing(path, (9, 3.4)) as figure:
        left, right = figure.subplots(1, 2)
        for axes, points, x, name in (
            (left, sweep.rates, "spikes", "spikes"),
            (right, sweep.sizes, "neurons", "neurons"),
        ):
            at = [getattr(point, x) for point in points]
            for core, colour in ((name, COLOURS[name]) for name in ("neuro", "systolic")):
                joules = [getattr(point, f"{core}_j") * 1e9 for point in points]
                line = lines[f"{core}_against_{name}"]
                fit = "" if line.r2 is None else f", R² {line.r2:.3f}"
                label = f"{word(core)}: {line.slope_j * 1e12:.3g} pJ each{fit}"
                axes.plot(at, joules, "o", color=colour, label=label, markersize=4)
                ends = [min(at), max(at)]
                fitted = [(line.intercept_j + line.slope_j * end) * 1e9 for end in ends]
                axes.plot(ends, fitted, "-", color=colour, linewidth=1)
            axes.set(xlabel=f"{name} of an inference", ylabel="energy, nJ", ylim=(0, None))
            axes.legend(frameon=False, fontsize=8)
        right.set_xlabel("hidden and output neurons")
        figure.suptitle(f"{sweep.network}, {sweep.mode}, systolic batch {sweep.batch}")
    return figure
