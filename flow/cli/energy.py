"""The command ``spikewatt energy``: joules from a waveform of any design."""

import csv
import io
import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikewatt.base.errors import ParameterError
from spikewatt.base.units import si
from spikewatt.flow.console import progress_bar

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from collections.abc import Sequence

    from spikewatt.energy.activity.prepared import Prepared
    from spikewatt.energy.activity.replay import Window
    from spikewatt.energy.pricing.figures import EnergyRow
    from spikewatt.energy.pricing.options import PricingOptions
    from spikewatt.energy.pricing.priced_activity import PricedActivity
    from spikewatt.synth.liberty.library import Library
    from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["View", "energy", "parse_window"]

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15}
_TIME = re.compile(r"^([\d.]+(?:e[-+]?\d+)?)\s*([munpfµ]?s)?$", re.IGNORECASE)
_SHOWN = 20
_TERMS = ("switching", "internal", "leakage", "total")
_UNBOUNDED = 10_000
"""A width at which no table is folded."""


class View(StrEnum):
    """What the energy is listed by."""

    MODULE = "module"
    CATEGORY = "category"
    NET = "net"
    CELL = "cell"


class Unknown(StrEnum):
    """What becomes of X and Z."""

    REFUSE = "refuse"
    HOLD = "hold"


def _seconds(text: str) -> float:
    match = _TIME.match(text.strip())
    try:
        if match:
            return float(match[1]) * _UNITS[(match[2] or "ns").lower()]
    except ValueError:
        pass
    raise ParameterError(f"{text!r} is not a time: write it as 250ns, 1.5us or 250 (ns)")


def parse_window(text: str) -> "Window":
    """Parse ``BEGIN:END`` to s; an end left out is the waveform's (``None``).

    Times without a unit are in ns.
    """
    begin, colon, end = text.partition(":")
    if not colon or not (begin.strip() or end.strip()):
        raise ParameterError(
            f"the window is BEGIN:END, BEGIN: or :END, as in 100ns:2us, not {text!r}"
        )
    window = tuple(_seconds(time) if time.strip() else None for time in (begin, end))
    if window[0] is not None and window[1] is not None and window[0] >= window[1]:
        raise ParameterError(f"the window {text} ends before it begins")
    return window[0], window[1]


def energy(
    waveform: Annotated[Path, typer.Option(help="FST, VCD, or SAIF of all nets.")],
    netlist: Annotated[Path, typer.Option(help="Gate netlist: yosys's JSON, or Verilog.")],
    scope: Annotated[
        str | None, typer.Option(help="The design in the waveform (tb.dut); found if left out.")
    ] = None,
    liberty: Annotated[
        Path | None,
        typer.Option(help="Library (.lib, .lib.gz).", show_default="the built-in 45 nm one"),
    ] = None,
    top: Annotated[str | None, typer.Option(help="Top module of the netlist.")] = None,
    clock: Annotated[str | None, typer.Option(help="Port of an ideal clock.")] = None,
    period: Annotated[float | None, typer.Option(help="Its period, ns.")] = None,
    window: Annotated[
        str | None,
        typer.Option(help="BEGIN:END (100ns:2us), either left out: ns without a unit."),
    ] = None,
    unknown: Annotated[
        Unknown, typer.Option(help="X and Z within the window: refuse, or hold the last value.")
    ] = Unknown.REFUSE,
    by: Annotated[View, typer.Option(help="What to list the energy by.")] = View.MODULE,
    per_cycle: Annotated[Path | None, typer.Option(help="CSV of energy per clock cycle.")] = None,
    saif_out: Annotated[Path | None, typer.Option(help="SAIF of all nets.")] = None,
    wire: Annotated[float, typer.Option(min=0, help="Wire capacitance for each sink, fF.")] = 0.0,
    clock_wire: Annotated[float, typer.Option(min=0, help="The same in the clock network.")] = 0.0,
    sram_node: Annotated[int | None, typer.Option(help="Node of memories, nm.")] = None,
    sram_factor: Annotated[float, typer.Option(help="Factor on the energy of memories.")] = 1.0,
    report_out: Annotated[
        Path | None, typer.Option("--report", help="File for the report as JSON.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Switching, internal and leakage energy of a gate netlist, from a waveform of its RTL."""
    from spikewatt.base.files import Outputs
    from spikewatt.energy.activity.replay import ReplayOptions, prepare
    from spikewatt.energy.activity.totals import write_activity
    from spikewatt.energy.pricing.options import Clock, PricingOptions, Wires, sram_for
    from spikewatt.energy.pricing.priced_activity import price_waveform
    from spikewatt.synth.liberty.reader import read_liberty
    from spikewatt.synth.netlist.reader import read_netlist
    from spikewatt.synth.technology.library import default_library_path

    span = parse_window(window) if window else None
    ideal = _clock(clock, period)
    with Outputs() as outputs, progress_bar() as progress:
        # Told before the long work where one of them cannot be written.
        csv_part, saif_part, report_part = (
            None if path is None else outputs.file(path)
            for path in (per_cycle, saif_out, report_out)
        )
        progress("reading the library")
        library = read_liberty(liberty or default_library_path())
        design = read_netlist(netlist, library, top=top)
        options = PricingOptions(
            clock=Clock(ideal[0], ideal[1]) if ideal else None,
            sram=sram_for(library, sram_node, sram_factor) if design.memories else None,
            wires=Wires(wire * 1e-15, clock_wire * 1e-15),
        )
        prepared = None
        if waveform.suffix == ".saif":
            if span or per_cycle or saif_out:
                raise ParameterError(
                    "SAIF holds totals only: windows, cycles and another SAIF need an FST or VCD"
                )
            result = _from_saif(waveform, design, library, scope, options)
        else:
            prepared = prepare(design, library, waveform, scope, progress=progress)
            replaying = ReplayOptions(window=span, unknown=unknown.value)
            result = price_waveform(
                prepared, library, options, replaying=replaying, progress=progress
            )
        text = result.report(by.value).to_text()
        if csv_part and prepared:
            csv_part.write_text(_cycles(result, prepared, unknown.value))
        if saif_part and prepared:
            write_activity(saif_part, prepared, result.activity)
        if report_part:
            report_part.write_text(text + "\n")
    if as_json:
        print(text)
        return
    console = Console(highlight=False)
    console.print(_summary(result, console.width))
    for line in _notes(result, whole=span is None):
        console.print(Text(line))
    console.print(_view(result.rows(by.value), by))


def _clock(port: str | None, period: float | None) -> tuple[str, float] | None:
    if (port is None) != (period is None):
        raise ParameterError("--clock and --period go together: a port, and its period in ns")
    if port is None or period is None:
        return None
    if not 0 < period < float("inf"):
        raise ParameterError(f"--period must be above 0 ns, not {period:g}")
    return port, period * 1e-9


def _from_saif(
    path: Path,
    design: "Netlist",
    library: "Library",
    scope: str | None,
    options: "PricingOptions",
) -> "PricedActivity":
    from spikewatt.energy.activity.elements import build_elements
    from spikewatt.energy.activity.prepared import clock_inputs
    from spikewatt.energy.activity.totals import activity_from_saif
    from spikewatt.energy.pricing.priced_activity import price_activity

    if scope is None:
        raise ParameterError("SAIF needs --scope: the instance that is the design (tb.dut)")
    if design.memories:
        raise ParameterError("SAIF does not hold the accesses of memories: give an FST or VCD")
    activity = activity_from_saif(path, design, scope)
    clocks = clock_inputs(design, build_elements(design, library))
    most = max((int(activity.totals[net]) for net in clocks), default=0)
    roots = [net for net in clocks if 4 * int(activity.totals[net]) >= most]
    return price_activity(activity, design, library, options, roots=roots)


def _cycles(result: "PricedActivity", prepared: "Prepared", unknown: Any) -> str:
    """CSV of the energy of every clock cycle in the window."""
    edges = result.cycle_edges(prepared)
    joules = result.per_cycle(prepared, edges, unknown=unknown).sum((1, 2))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["begin_s", "end_s", "energy_j", "power_w"])
    for begin, end, joule in zip(edges[:-1], edges[1:], joules, strict=True):
        row = (begin, end, joule, joule / (end - begin))
        writer.writerow([f"{value:.9g}" for value in row])
    return out.getvalue()


def _summary(result: "PricedActivity", width: int) -> Table:
    """Mean power by group and term, W; in a narrow terminal the terms come below one another.

    A number cut short is another number (3.4e-07 read as 3.4), so that only names may be broken.
    """
    watts = {**result.power_by_group(), "instances": result.power()}
    power = {name: vars(terms.figures()) for name, terms in watts.items()}
    names = {name: name for name in power}
    if result.netlist.memories and not result.has_macro_cells:
        names["macro"] = "memories"
    ports = f"{result.ledger.ports / result.duration_s:.5g}"
    title = Text(f"{result.netlist.name} in {result.library.name}", style="italic")
    wide = _numbers(title, "W", *_TERMS)
    for name, parts in power.items():
        wide.add_row(names[name], *(f"{parts[term]:.5g}" for term in _TERMS))
    wide.add_row("port nets", ports, "", "", ports)
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


def _notes(result: "PricedActivity", *, whole: bool) -> list[str]:
    """Say which time was priced, how much happened in it, and what was checked."""
    activity, total = result.activity, si(result.ledger.total, "J")
    begin, end = (si(float(t), "s") if t else "0 s" for t in activity.edges_s[[0, -1]])
    which = "all that the waveform shows, reset and configuration too" if whole else "--window"
    names = f": {', '.join(activity.unmatched[:5])}" if activity.unmatched else ""
    counts = activity.count_origins().items()
    origins = " · ".join(f"{count:,} {origin}" for origin, count in counts)
    lines = (
        f"priced: {begin} to {end} ({which})",
        f"{result.total_toggles:,} toggles of {result.driven_nets:,} nets: {total} in all",
        _accesses(result),
        f"checked: {_checked(result)}",
        f"nets: {origins}",
        f"{len(activity.unmatched)} unmatched{names}",
    )
    return [line for line in lines if line]


def _checked(result: "PricedActivity") -> str:
    """Say at how many edges flip-flops were held against the waveform, or why at none."""
    activity, cells = result.activity, result.library.cells
    if activity.matched:
        return f"{activity.judged:,} clock edges of {activity.matched:,} flip-flops"
    if any(cells[instance.type].sequential for instance in result.netlist.instances):
        return "nothing, for no flip-flop is shown over time"
    return "nothing, for the design has no flip-flop"


def _accesses(result: "PricedActivity") -> str:
    """Say how often the memories were read and written; nothing without memories."""
    memories = result.memory_accesses()
    if not memories:
        return ""
    reads, writes = (
        sum(getattr(memory, kind) for memory in memories) for kind in ("reads", "writes")
    )
    kinds = "1 memory" if len(memories) == 1 else f"{len(memories)} memories"
    return f"{reads:,} reads and {writes:,} writes of {kinds}, whose data are the waveform's"


def _view(rows: "Sequence[EnergyRow]", view: View) -> Table:
    """The largest rows of the view."""
    table = _numbers(None, view.value, "energy")
    for row in rows[:_SHOWN]:
        table.add_row(Text(getattr(row, view.value) or "(top)"), si(row.total, "J"))
    if len(rows) > _SHOWN:
        rest = sum(row.total for row in rows[_SHOWN:])
        table.add_row(f"{len(rows) - _SHOWN} more", si(rest, "J"))
    if not rows:
        table.add_row(f"no {view.value}s", "")
    return table
