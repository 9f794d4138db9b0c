"""A comparison for people: tables in the terminal."""

from rich.box import SIMPLE, SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from spikewatt.base.units import si
from spikewatt.energy.pricing.ledger import CATEGORIES
from spikewatt.flow.compare.result import COMMON_RATE, Comparison
from spikewatt.flow.compare.search import Measured

__all__ = ["comparison_table", "variants_table"]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def comparison_table(comparison: Comparison) -> Table:
    """Both cores side by side: the systolic one with its cheapest batch, and one by one."""
    single = min(comparison.systolic)
    batches = list(dict.fromkeys([comparison.headline, single]))
    title = Text(
        f"{comparison.kind}: {comparison.network} ({comparison.mode}, "
        f"T = {comparison.timesteps}) and {comparison.rival} "
        f"({comparison.activation_bits}-bit activations)",
        style="italic",
    )
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column(f"{comparison.images} images")
    table.add_column("neuromorphic", justify="right")
    for batch in batches:
        table.add_column(f"systolic ×{batch}", justify="right")
    neuro, others = comparison.neuro.best, [comparison.systolic[batch].best for batch in batches]
    assert neuro is not None
    # A search without a core that meets the clock has raised before this.
    columns = [neuro, *(best for best in others if best is not None)]

    def row(name: str, values: list[str]) -> None:
        table.add_row(name, *(Text(value) for value in values))

    row("core", [best.label.partition(",")[0] for best in columns])
    accuracy = [comparison.accuracy[0], *[comparison.accuracy[1]] * len(batches)]
    row(f"accuracy of {comparison.samples}", [_percent(value) for value in accuracy])
    exact = ["yes" if best.proven == comparison.images else "NOT SHOWN" for best in columns]
    row("RTL equals the model", exact)
    row("an inference", [si(best.energy_per_inference_j, "J") for best in columns])
    for name in (name for name in CATEGORIES if any(name in best.by_category for best in columns)):
        row(f"  {name}", [si(best.by_category.get(name, 0.0), "J") for best in columns])
    row("latency", [si(best.latency_s, "s") for best in columns])
    row(
        "energy × delay",
        [f"{best.energy_per_inference_j * best.latency_s * 1e15:.4g} nJ·µs" for best in columns],
    )
    row("inferences a second", [f"{1 / best.seconds_per_inference:,.0f}" for best in columns])
    row(f"power at {COMMON_RATE:,.0f} a second", [si(_power(best), "W") for best in columns])
    row("area: logic", [f"{best.area_um2['logic']:,.0f} µm²" for best in columns])
    row("area: memories, about", [f"{best.area_um2['memory']:,.0f} µm²" for best in columns])
    row("shortest period", [si(best.shortest_period_s, "s") for best in columns])
    row(
        "work",
        [f"{comparison.synaptic_ops_per_inference:,.0f} adds"]
        + [f"{comparison.macs_per_inference:,} MACs"] * len(batches),
    )
    row(
        "spike rate · zeros",
        [_percent(comparison.spike_rate)] + [_percent(comparison.sparsity)] * len(batches),
    )
    row("neuro / systolic", ["", *(_ratio(comparison, batch) for batch in batches)])
    row("verdict flips in", ["", *(_flips(comparison, batch) for batch in batches)])
    return table


def _power(best: Measured) -> float:
    dynamic = best.energy_per_inference_j - best.by_category["leakage"]
    return COMMON_RATE * dynamic + best.leakage_w


def _ratio(comparison: Comparison, batch: int) -> str:
    ratio = comparison.ratio(batch)
    if ratio.ci95 is None:
        return f"{ratio.mean:.2f}"
    return f"{ratio.mean:.2f} ({ratio.ci95[0]:.2f}–{ratio.ci95[1]:.2f})"


def _flips(comparison: Comparison, batch: int) -> str:
    if batch not in comparison.bounds:
        return "–"
    count = len(comparison.bounds[batch].flips)
    return f"{count} of {len(comparison.bounds[batch].scenarios) - 1}"


def variants_table(comparison: Comparison) -> Table:
    """Every core that was priced, cheapest first within its kind."""
    table = Table(box=SIMPLE, title=Text("every core that was priced", style="italic"))
    for name in ("core", "variant", "an inference", "latency", "logic", "period"):
        table.add_column(name, justify="left" if name in ("core", "variant") else "right")
    rows = [("neuromorphic", tried) for tried in comparison.neuro.tried]
    rows += [("systolic", tried) for each in comparison.systolic.values() for tried in each.tried]
    for core, tried in sorted(rows, key=lambda r: (r[0], r[1].batch, r[1].energy_per_inference_j)):
        table.add_row(
            core,
            Text(tried.label),
            Text(si(tried.energy_per_inference_j, "J")),
            Text(si(tried.latency_s, "s")),
            f"{tried.area_um2['logic']:,.0f} µm²",
            Text(si(tried.shortest_period_s, "s") + ("" if tried.meets_clock else ", too long")),
        )
    return table
