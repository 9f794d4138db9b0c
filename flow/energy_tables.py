"""What ``spikewatt energy`` shows in the terminal: power, what was priced and checked, a view."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE, SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from spikewatt.base.units import si
from spikewatt.energy.choices import View
from spikewatt.energy.pricing.figures import EnergyRow
from spikewatt.energy.pricing.priced_activity import PricedActivity

__all__ = ["energy_tables"]

_SHOWN = 20
_TERMS = ("switching", "internal", "leakage", "total")
_UNBOUNDED = 10_000
"""A width at which no table is folded."""


def energy_tables(
    priced: PricedActivity, by: View, *, whole: bool, width: int
) -> Iterator[RenderableType]:
    """The tables of a command, to be printed below one another.

    Parameters
    ----------
    whole:
        All that the waveform shows was priced, and no window of it.
    width:
        Of the terminal.
    """
    yield _summary(priced, width)
    yield from map(Text, _notes(priced, whole=whole))
    yield _coverage(priced, width)
    yield _view(priced.rows(by), by)


def _summary(priced: PricedActivity, width: int) -> Table:
    """Mean power by group and term, W; in a narrow terminal the terms come below one another.

    A number cut short is another number (3.4e-07 read as 3.4), so that only names may be broken.
    """
    watts = {**priced.power_by_group(), "instances": priced.power()}
    power = {name: vars(terms.figures()) for name, terms in watts.items()}
    names = {name: name for name in power}
    # OpenSTA's word, where no macro of the library is meant, only memories that have no cell.
    if priced.netlist.memories and not priced.has_macro_cells:
        names["macro"] = "memories"
    ports = f"{priced.ledger.ports / priced.duration_s:.5g}"
    title = Text(f"{priced.netlist.name} in {priced.library.name}", style="italic")
    wide = _numbers(title, "W", *_TERMS)
    for name, parts in power.items():
        wide.add_row(names[name], *(f"{parts[term]:.5g}" for term in _TERMS))
    wide.add_row("port nets", ports, "", "", ports)
    # Rich fits a table to its console, folding what it may: asked without a limit, it says all.
    if Console(width=_UNBOUNDED).measure(wide).maximum <= width:
        return wide
    narrow = _numbers(title, "W", "total")
    for name, parts in power.items():
        narrow.add_row(names[name], f"{parts['total']:.5g}")
        for term in _TERMS[:-1]:
            narrow.add_row(f" {term}", f"{parts[term]:.5g}")
    narrow.add_row("port nets", ports)
    return narrow


def _numbers(title: Text | None, name: str, *columns: str) -> Table:
    """A table whose first column may be folded, and whose others, of numbers, may not."""
    box = SIMPLE if title is None else SIMPLE_HEAD
    table = Table(title=title, title_justify="left", box=box)
    table.add_column(name, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _notes(priced: PricedActivity, *, whole: bool) -> list[str]:
    """Say which time was priced, how much happened in it, and what was checked."""
    activity, total = priced.activity, si(priced.ledger.total, "J")
    begin, end = (si(float(t), "s") if t else "0 s" for t in activity.edges_s[[0, -1]])
    which = "all that the waveform shows, reset and configuration too" if whole else "--window"
    names = f": {', '.join(activity.unmatched[:5])}" if activity.unmatched else ""
    lines = (
        f"priced: {begin} to {end} ({which})",
        f"{priced.total_toggles:,} toggles of {priced.driven_nets:,} nets: {total} in all",
        _accesses(priced),
        f"checked: {_checked(priced)}",
        f"{len(activity.unmatched)} unmatched{names}",
        *(f"note: {note}" for note in priced.notes),
    )
    return [line for line in lines if line]


def _checked(priced: PricedActivity) -> str:
    """Say at how many edges flip-flops were held against the waveform, or why at none."""
    activity, cells = priced.activity, priced.library.cells
    checked = []
    if activity.judged:
        checked.append(f"{activity.judged:,} clock edges of {activity.matched:,} flip-flops")
    if activity.compared:
        checked.append(f"{activity.compared:,} samples of output ports")
    if activity.reads:
        checked.append(f"{activity.reads:,} bits that memories read")
    if activity.summed:
        checked.append(f"the times of {activity.summed:,} nets of the SAIF")
    if checked:
        return ", ".join(checked)
    if any(cells[instance.type].sequential for instance in priced.netlist.instances):
        return "nothing, for no flip-flop is shown over time"
    return "nothing, for the design has no flip-flop"


def _coverage(priced: PricedActivity, width: int) -> Table:
    """How the activity of nets is known, and how much energy rests on that."""
    counts, joules = priced.activity.count_origins(), priced.by_origin
    wide = _numbers(None, "activity", "nets", "energy", "share")
    narrow = _numbers(None, "activity", "share")
    whole = sum(joules.values()) or 1.0
    for origin, count in counts.items():
        if count and origin != "unused":
            share = f"{joules[origin] / whole:.1%}"
            wide.add_row(origin, f"{count:,}", si(joules[origin], "J"), share)
            narrow.add_row(origin, share)
    fits = Console(width=_UNBOUNDED).measure(wide).maximum <= width
    return wide if fits else narrow


def _accesses(priced: PricedActivity) -> str:
    """Say how often the memories were read and written; nothing without memories."""
    memories = priced.memory_accesses()
    if not memories:
        return ""
    reads, writes = (
        sum(getattr(memory, kind) for memory in memories) for kind in ("reads", "writes")
    )
    kinds = "1 memory" if len(memories) == 1 else f"{len(memories)} memories"
    return f"{reads:,} reads and {writes:,} writes of {kinds}, whose data are the waveform's"


def _view(rows: Sequence[EnergyRow], view: View) -> Table:
    """The largest rows of the view."""
    table = _numbers(None, view, "energy")
    for row in rows[:_SHOWN]:
        # `Text`, for a name with brackets, `q[3]`, is markup to rich.
        table.add_row(Text(getattr(row, view) or "(top)"), si(row.total, "J"))
    if len(rows) > _SHOWN:
        rest = sum(row.total for row in rows[_SHOWN:])
        table.add_row(f"{len(rows) - _SHOWN} more", si(rest, "J"))
    if not rows:
        table.add_row(f"no {view}s", "")
    return table
