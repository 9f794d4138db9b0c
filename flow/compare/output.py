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


def fill(folder: Path, found: Comparison) -> None:
    """Write comparison.json, variants.csv and the plots into a folder that exists."""
    (folder / "comparison.json").write_text(found.to_text() + "\n")
    (folder / "variants.csv").write_text(found.to_csv())
    plot_comparison(folder, found)


def write(out: Path, found: Comparison) -> None:
    """`fill` a folder, all of it or nothing."""
    with staged(out) as part:
        fill(part, found)


def show(found: Comparison, *, variants: bool = True) -> None:
    """Print the tables and the verdict."""
    console = Console(highlight=False)
    console.print(comparison_table(found))
    if variants:
        console.print(variants_table(found))
    if found.differing is not None:
        differing, count = found.differing
        console.print(f"{differing:,} of {count:,} hidden activations differ from the rival's")
    if found.batch_cut_from is not None:
        console.print(cut_sentence(found.batch_cut_from, found.images))
    for batch in dict.fromkeys([found.headline, min(found.systolic)]):
        rests = found.rests_on(batch)
        console.print(f"batch {batch}: {found.verdict(batch)}.")
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
            else f"  No scenario flips it, one at a time: {_varied(found, batch)}."
        )


def _varied(found: Comparison, batch: int) -> str:
    """What the bounds varied."""
    if batch not in found.bounds:
        return "none was tried"
    measured = any(one.name == "glitches" for one in found.bounds[batch].scenarios)
    return "memories, wires, clock period" + (", glitches" if measured else "; glitches not tried")


def _gates(gating: Gates) -> str:
    """Where the clock gates come from, in words."""
    words = {"library": "of the library", "none": "none in the library", "off": "off"}
    return " and ".join(
        dict.fromkeys(words[kind] for kind in (gating["neuro"], gating["systolic"]))
    )


def write_sweep(out: Path, found: Sweep) -> None:
    """Write sweep.json, sweep.csv and sweep.svg, all or nothing."""
    with staged(out) as part:
        (part / "sweep.json").write_text(found.to_text() + "\n")
        (part / "sweep.csv").write_text(found.to_csv())
        plot_sweep(part / "sweep.svg", found)


def show_sweep(found: Sweep) -> None:
    """Print points and lines."""
    console = Console(highlight=False)
    title = Text(f"{found.network}, {found.mode}, systolic batch {found.batch}", style="italic")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for name in ("input rate", "neurons", "spikes", "operations", "neuromorphic", "systolic"):
        table.add_column(name, justify="right")
    for point in (*found.rates, *found.sizes):
        table.add_row(
            f"{point.rate:.3f}",
            f"{point.neurons:,}",
            f"{point.spikes:,.0f}",
            f"{point.synaptic_ops:,.0f}",
            Text(si(point.neuro_j, "J")),
            Text(si(point.systolic_j, "J")),
        )
    console.print(table)
    if found.batch_cut_from is not None:
        console.print(cut_sentence(found.batch_cut_from, found.images))
    for name, line in found.lines().items():
        fit = "" if line.r2 is None else f", R² {line.r2:.4f}"
        console.print(
            f"{name.replace('_', ' ')}: {si(line.slope_j, 'J')} each, "
            f"{si(line.intercept_j, 'J')} at none{fit}"
        )
    swing = found.swing()
    console.print(
        f"over the rates the neuromorphic core's energy varies {swing['neuro']:.2f}-fold, the "
        f"systolic core's {swing['systolic']:.2f}-fold"
    )
