"""The command ``spikewatt energy``: joules from a waveform of any design."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from spikewatt.base.errors import ParameterError
from spikewatt.energy.choices import InputOrder, UnknownPolicy, View
from spikewatt.flow.cli.options import DuplicateCells, Liberty, Output
from spikewatt.flow.cli.show import show
from spikewatt.flow.console import progress_bar

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.energy.activity.replay import Window
    from spikewatt.energy.pricing.options import Clock

__all__ = ["EnergyCommand", "energy", "parse_window"]

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15}
_TIME = re.compile(r"^([\d.]+(?:e[-+]?\d+)?)\s*([munpfµ]?s)?$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Design:
    """What is priced."""

    waveform: Annotated[Path, typer.Option(help="FST, VCD or SAIF, gzipped or not.")]
    netlist: Annotated[Path, typer.Option(help="Gate netlist: yosys's JSON, or Verilog.")]
    scope: Annotated[
        str | None, typer.Option(help="The design in the waveform (tb.dut); found if left out.")
    ] = None
    liberty: Liberty = None
    duplicate_cells: DuplicateCells = "error"
    top: Annotated[str | None, typer.Option(help="Top module of the netlist.")] = None


@dataclass(frozen=True, kw_only=True)
class Time:
    """The clock, and which time is priced."""

    clock: Annotated[str | None, typer.Option(help="Port of an ideal clock.")] = None
    period: Annotated[float | None, typer.Option(help="Its period, ns.")] = None
    window: Annotated[
        str | None,
        typer.Option(help="BEGIN:END (100ns:2us), either left out: ns without a unit."),
    ] = None
    timescale: Annotated[
        str | None, typer.Option(help="Length of a tick (1ns), of a VCD without $timescale.")
    ] = None
    unknown: Annotated[
        UnknownPolicy,
        typer.Option(help="X and Z within the window: refuse, or hold the last value."),
    ] = "refuse"


@dataclass(frozen=True, kw_only=True)
class Checks:
    """How the waveform is held against the netlist."""

    inputs: Annotated[
        InputOrder | None,
        typer.Option(help="Inputs that change at a clock edge do so before or after it."),
    ] = None
    tolerate: Annotated[
        int, typer.Option(min=0, help="Go on after so many differences from the netlist.")
    ] = 0
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Status 0 even if nothing could be checked.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class Results:
    """What is listed, and written to files."""

    by: Annotated[View, typer.Option(help="What to list the energy by.")] = "module"
    per_cycle: Annotated[Path | None, typer.Option(help="CSV of energy per clock cycle.")] = None
    saif_out: Annotated[Path | None, typer.Option(help="SAIF of all nets.")] = None
    report_out: Annotated[
        Path | None, typer.Option("--report", help="File for the report as JSON.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a netlist does not tell."""

    wire: Annotated[float, typer.Option(min=0, help="Wire capacitance for each sink, fF.")] = 0.0
    clock_wire: Annotated[float, typer.Option(min=0, help="The same in the clock network.")] = 0.0
    sram_node: Annotated[int | None, typer.Option(help="Node of memories, nm.")] = None
    sram_factor: Annotated[float, typer.Option(help="Factor on the energy of memories.")] = 1.0


@dataclass(frozen=True, kw_only=True)
class EnergyCommand:
    """Options of ``spikewatt energy``."""

    design: Design
    time: Time
    checks: Checks
    results: Results
    conditions: Conditions
    output: Output


def energy(options: EnergyCommand) -> None:
    """Switching, internal and leakage energy of a gate netlist, from a waveform of its RTL."""
    # What was typed is checked before the imports, which take a second.
    window = parse_window(options.time.window) if options.time.window else None
    clock = _clock(options.time)
    tick = _seconds(options.time.timescale) if options.time.timescale else None
    if tick is not None and not 0 < tick <= 1:
        raise ParameterError(f"--timescale must be above 0 s and up to 1 s, not {tick:g} s")

    from spikewatt.energy.activity.replay import ReplayOptions
    from spikewatt.energy.pricing.options import PricingOptions, Wires
    from spikewatt.flow.energy import EnergyOptions
    from spikewatt.flow.energy import energy as price_energy
    from spikewatt.flow.energy_tables import energy_tables

    design, results, conditions = options.design, options.results, options.conditions
    wires = Wires(conditions.wire * 1e-15, conditions.clock_wire * 1e-15)  # fF
    job = EnergyOptions(
        liberty=design.liberty,
        duplicates=design.duplicate_cells,
        top=design.top,
        scope=design.scope,
        timescale_s=tick,
        pricing=PricingOptions(clock=clock, wires=wires),
        sram_node=conditions.sram_node,
        sram_factor=conditions.sram_factor,
        replaying=ReplayOptions(
            window=window, unknown=options.time.unknown, tolerate=options.checks.tolerate
        ),
        inputs=options.checks.inputs,
        by=results.by,
        report=results.report_out,
        per_cycle=results.per_cycle,
        saif=results.saif_out,
    )
    with progress_bar(quiet=options.output.quiet) as progress:
        priced = price_energy(design.waveform, design.netlist, job, progress=progress)
    show(
        options.output,
        priced.report(results.by),
        lambda _: energy_tables(priced, results.by, whole=window is None, width=Console().width),
    )
    if not priced.activity.checked and not options.checks.unchecked:
        typer.echo(
            "spikewatt: nothing of this could be checked against the waveform: show a flip-flop or "
            "an output of the design, or accept it with --unchecked",
            err=True,
        )
        raise typer.Exit(1)


def _clock(time: Time) -> "Clock | None":
    port, period = time.clock, time.period
    if (port is None) != (period is None):
        raise ParameterError("--clock and --period go together: a port, and its period in ns")
    if port is None or period is None:
        return None
    if not 0 < period < float("inf"):
        raise ParameterError(f"--period must be above 0 ns, not {period:g}")
    from spikewatt.energy.pricing.options import Clock

    return Clock(port, period * 1e-9)


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
