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


def comparison_table(found: Comparison) -> Table:
    """Both cores side by side: the systolic one with its cheapest batch, and one by one."""
    single = min(found.systolic)
    batches = list(dict.fromkeys([found.headline, single]))
    title = Text(
        f"{found.kind}: {found.network} ({found.mode}, T = {found.timesteps}) and {found.rival} "
        f"({found.activation_bits}-bit activations)",
        style="italic",
    )
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column(f"{found.images} images")
    table.add_column("neuromorphic", justify="right")
    for batch in batches:
        table.add_column(f"systolic ×{batch}", justify="right")
    neuro, others = found.neuro.best, [found.systolic[batch].best for batch in batches]
    assert neuro is not None
    columns = [neuro, *(one for one in others if one is not None)]

    def row(name: str, values: list[str]) -> None:
        table.add_row(name, *(Text(value) for value in values))

    row("core", [one.label.partition(",")[0] for one in columns])
    accuracy = [found.accuracy[0], *[found.accuracy[1]] * len(batches)]
    row(f"accuracy of {found.samples}", [_percent(value) for value in accuracy])
    exact = ["yes" if one.proven == found.images else "NOT SHOWN" for one in columns]
    row("RTL equals the model", exact)
    row("an inference", [si(one.energy_per_inference_j, "J") for one in columns])
    for name in (name for name in CATEGORIES if any(name in one.by_category for one in columns)):
        row(f"  {name}", [si(one.by_category.get(name, 0.0), "J") for one in columns])
    row("latency", [si(one.latency_s, "s") for one in columns])
    row(
        "energy × delay",
        [f"{one.energy_per_inference_j * one.latency_s * 1e15:.4g} nJ·µs" for one in columns],
    )
    row("inferences a second", [f"{1 / one.seconds_per_inference:,.0f}" for one in columns])
    row(f"power at {COMMON_RATE:,.0f} a second", [si(_power(one), "W") for one in columns])
    row("area: logic", [f"{one.area_um2['logic']:,.0f} µm²" for one in columns])
    row("area: memories, about", [f"{one.area_um2['memory']:,.0f} µm²" for one in columns])
    row("shortest period", [si(one.shortest_period_s, "s") for one in columns])
    row(
        "work",
        [f"{found.synaptic_ops_per_inference:,.0f} adds"]
        + [f"{found.macs_per_inference:,} MACs"] * len(batches),
    )
    row(
        "spike rate · zeros",
        [_percent(found.spike_rate)] + [_percent(found.sparsity)] * len(batches),
    )
    row("neuro / systolic", ["", *(_ratio(found, batch) for batch in batches)])
    row("verdict flips in", ["", *(_flips(found, batch) for batch in batches)])
    return table


def _power(one: Measured) -> float:
    dynamic = one.energy_per_inference_j - one.by_category["leakage"]
    return COMMON_RATE * dynamic + one.leakage_w


def _ratio(found: Comparison, batch: int) -> str:
    ratio = found.ratio(batch)
    if ratio.ci95 is None:
        return f"{ratio.mean:.2f}"
    return f"{ratio.mean:.2f} ({ratio.ci95[0]:.2f}–{ratio.ci95[1]:.2f})"


def _flips(found: Comparison, batch: int) -> str:
    if batch not in found.bounds:
        return "–"
    count = len(found.bounds[batch].flips)
    return f"{count} of {len(found.bounds[batch].scenarios) - 1}"


def variants_table(found: Comparison) -> Table:
    """Every core that was priced, cheapest first within its kind."""
    table = Table(box=SIMPLE, title=Text("every core that was priced", style="italic"))
    for name in ("core", "variant", "an inference", "latency", "logic", "period"):
        table.add_column(name, justify="left" if name in ("core", "variant") else "right")
    rows = [("neuromorphic", one) for one in found.neuro.tried]
    rows += [("systolic", one) for each in found.systolic.values() for one in each.tried]
    for core, one in sorted(rows, key=lambda r: (r[0], r[1].batch, r[1].energy_per_inference_j)):
        table.add_row(
            core,
            Text(one.label),
            Text(si(one.energy_per_inference_j, "J")),
            Text(si(one.latency_s, "s")),
            f"{one.area_um2['logic']:,.0f} µm²",
            Text(si(one.shortest_period_s, "s") + ("" if one.meets_clock else ", too long")),
        )
    return table
