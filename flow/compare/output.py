"""Where a comparison goes: the terminal, and a folder."""

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikewatt.base.files import staged
from spikewatt.base.units import si
from spikewatt.flow.compare.figures import Gates
from spikewatt.flow.compare.plots import plot_comparison, plot_sweep
from spikewatt.flow.compare.report import comparison_table, variants_table
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.compare.sweep import Sweep
from spikewatt.flow.compare.variants import cut_sentence

__all__ = ["fill", "show", "show_sweep", "write", "write_sweep"]


def fill(folder: Path, result: Comparison) -> None:
    """Write comparison.json, variants.csv and the plots into a folder that exists."""
    (folder / "comparison.json").write_text(result.to_text() + "\n")
    (folder / "variants.csv").write_text(result.to_csv())
    plot_comparison(folder, result)


def write(out: Path, result: Comparison) -> None:
    """`fill` a folder, all of it or nothing."""
    with staged(out) as part:
        fill(part, result)


def show(result: Comparison, *, variants: bool = True) -> None:
    """Print the tables and the verdict."""
    console = Console(highlight=False)
    console.print(comparison_table(result))
    if variants:
        console.print(variants_table(result))
    if result.differing is not None:
        differing, count = result.differing
        console.print(f"{differing:,} of {count:,} hidden activations differ from the rival's")
    if result.batch_cut_from is not None:
        console.print(cut_sentence(result.batch_cut_from, result.images))
    # Once, where one by one is what is cheapest.
    for batch in dict.fromkeys([result.headline, min(result.systolic)]):
        rests = result.rests_on(batch)
        console.print(f"batch {batch}: {result.verdict(batch)}.")
        console.print(
            f"  It rests on: mode {rests.mode}, T = {rests.timesteps}, "
            f"b = {rests.activation_bits}, array {rests.systolic_core}, "
            f"{rests.neuro_core}, clock gates {_gates(rests.clock_gates)}, "
            f"{rests.library} at "
            f"{rests.voltage_v:g} V, memories x{rests.sram_factor:g}."
        )
        flips = rests.verdict_flips_under
        console.print(
            f"  The verdict flips under: {', '.join(flips)}."
            if flips
            else f"  No scenario flips it, one at a time: {_varied(result, batch)}."
        )


def _varied(result: Comparison, batch: int) -> str:
    """What the bounds varied."""
    if batch not in result.bounds:
        return "none was tried"
    measured = any(scenario.name == "glitches" for scenario in result.bounds[batch].scenarios)
    return "memories, wires, clock period" + (", glitches" if measured else "; glitches not tried")


def _gates(gating: Gates) -> str:
    """Where the clock gates come from, in words."""
    words = {"library": "of the library", "none": "none in the library", "off": "off"}
    return " and ".join(
        dict.fromkeys(words[kind] for kind in (gating["neuro"], gating["systolic"]))
    )


def write_sweep(out: Path, result: Sweep) -> None:
    """Write sweep.json, sweep.csv and sweep.svg, all or nothing."""
    with staged(out) as part:
        (part / "sweep.json").write_text(result.to_text() + "\n")
        (part / "sweep.csv").write_text(result.to_csv())
        plot_sweep(part / "sweep.svg", result)


def show_sweep(result: Sweep) -> None:
    """Print points and lines."""
    console = Console(highlight=False)
    title = Text(f"{result.network}, {result.mode}, systolic batch {result.batch}", style="italic")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in ("input rate", "neurons", "spikes", "operations", "neuromorphic", "systolic"):
        table.add_column(name, justify="right")
    for point in (*result.rates, *result.sizes):
        table.add_row(
            f"{point.rate:.3f}",
            f"{point.neurons:,}",
            f"{point.spikes:,.0f}",
            f"{point.synaptic_ops:,.0f}",
            Text(si(point.neuro_j, "J")),
            Text(si(point.systolic_j, "J")),
        )
    console.print(table)
    if result.batch_cut_from is not None:
        console.print(cut_sentence(result.batch_cut_from, result.images))
    for name, line in result.lines().items():
        fit = "" if line.r2 is None else f", R² {line.r2:.4f}"
        console.print(
            f"{name.replace('_', ' ')}: {si(line.slope_j, 'J')} each, "
            f"{si(line.intercept_j, 'J')} at none{fit}"
        )
    swing = result.swing()
    console.print(
        f"over the rates the neuromorphic core's energy varies {swing['neuro']:.2f}-fold, the "
        f"systolic core's {swing['systolic']:.2f}-fold"
    )
