"""Joules of any design's waveform: what ``spikewatt energy`` does, for Python."""

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spikewatt.base.errors import ParameterError
from spikewatt.base.files import Outputs
from spikewatt.base.progress import Progress, silent
from spikewatt.energy.activity.elements import build_elements
from spikewatt.energy.activity.prepared import Prepared, clock_inputs
from spikewatt.energy.activity.replay import DEFAULT as REPLAY
from spikewatt.energy.activity.replay import (
    MismatchError,
    ReplayOptions,
    find_disagreements,
    prepare,
)
from spikewatt.energy.activity.saif import is_saif
from spikewatt.energy.activity.totals import activity_from_saif, write_activity
from spikewatt.energy.activity.waveform import Waveform, open_waveform
from spikewatt.energy.choices import InputOrder, UnknownPolicy, View
from spikewatt.energy.pricing.options import DEFAULT as PRICING
from spikewatt.energy.pricing.options import Clock, PricingOptions, with_sram
from spikewatt.energy.pricing.priced_activity import (
    PricedActivity,
    price_activity,
    price_waveform,
)
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import Duplicates, LibertyFiles, read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path

__all__ = ["EnergyOptions", "energy"]

PERIOD_TOLERANCE = 0.01
"""By how much a waveform's clock may miss the period that was given: clocks have jitter."""


@dataclass(frozen=True, kw_only=True)
class EnergyOptions:
    """How a waveform is priced, and what is kept of it.

    Parameters
    ----------
    liberty:
        Library (.lib, .lib.gz), or several files of one; the built-in 45 nm one by default.
    duplicates:
        A cell that two files have: an ``error``, or the one of the ``first`` file counts.
    top:
        Top module of the netlist, where it has several.
    scope:
        The design in the waveform, like ``tb.dut``; found by its names if left out, but for SAIF.
    timescale_s:
        Length of a tick, s, of a VCD that does not tell it.
    pricing:
        Clock, memories, wires, voltage.
    sram_node, sram_factor:
        Node of the memories, nm, which the library's supply tells by default, and a factor on their
        energy; they stand where ``pricing`` has no model of memories.
    replaying:
        The window in time, and what becomes of X and Z.
    inputs:
        Whether inputs that change at the very time of a clock edge do so ``before`` it or
        ``after`` it; found out by default: after, unless only before agrees with the waveform.
    by:
        What the report lists the energy by: ``module``, ``category``, ``net`` or ``cell``.
    report, per_cycle, saif:
        Files to write: the report as JSON, a CSV of the energy of every clock cycle, and SAIF of
        all nets.
    """

    liberty: LibertyFiles | None = None
    duplicates: Duplicates = "error"
    top: str | None = None
    scope: str | None = None
    timescale_s: float | None = None
    pricing: PricingOptions = PRICING
    sram_node: int | None = None
    sram_factor: float = 1.0
    replaying: ReplayOptions = REPLAY
    inputs: InputOrder | None = None
    by: View = "module"
    report: Path | str | None = None
    per_cycle: Path | str | None = None
    saif: Path | str | None = None


def energy(
    waveform: Path | str,
    netlist: Path | str,
    options: EnergyOptions | None = None,
    *,
    progress: Progress = silent,
    **changes: Any,
) -> PricedActivity:
    """Switching, internal and leakage energy of a gate netlist, from a waveform of its RTL.

    Parameters
    ----------
    waveform:
        FST or VCD; or SAIF, which holds totals only: it has no window and no cycles, and does not
        hold the accesses of memories. Any of them may be gzipped.
    netlist:
        yosys's JSON, or Verilog.
    options, changes:
        Options, and those that are named by themselves: `EnergyOptions` has them all.

    Returns
    -------
    PricedActivity
        ``ledger`` has the joules by time, module and category.

    Raises
    ------
    SpikewattError
        A file that cannot be read or written, or a waveform that is not the netlist's.
    """
    options = replace(options or EnergyOptions(), **changes)
    waveform = Path(waveform)
    with Outputs() as outputs:
        # Told before the long work where one of them cannot be written.
        cycles_part, saif_part, report_part = (
            None if path is None else outputs.file(Path(path))
            for path in (options.per_cycle, options.saif, options.report)
        )
        progress("reading the library")
        library = read_liberty(options.liberty or default_library_path(), options.duplicates)
        design = read_netlist(Path(netlist), library, top=options.top)
        pricing = options.pricing
        if design.memories:
            pricing = with_sram(pricing, library, options.sram_node, options.sram_factor)
        if is_saif(waveform):
            priced = _price_saif(waveform, design, library, replace(options, pricing=pricing))
        else:
            wave = open_waveform(waveform, tick_s=options.timescale_s)
            job = replace(options, pricing=pricing)
            prepared, priced = _price_waveform(wave, design, library, job, progress)
            if cycles_part:
                cycles_part.write_text(_cycles(priced, prepared, options.replaying.unknown))
            if saif_part:
                write_activity(saif_part, prepared, priced.activity)
        if report_part:
            report_part.write_text(priced.report(options.by).to_text() + "\n")
    return priced


def _price_waveform(
    wave: Waveform, design: Netlist, library: Library, options: EnergyOptions, progress: Progress
) -> tuple[Prepared, PricedActivity]:
    """Price a waveform, judged in the first of the ways in which it agrees with the netlist."""
    disagreement: MismatchError | None = None

    def attempt(prepared: Prepared, *, delays: bool) -> PricedActivity | None:
        nonlocal disagreement
        how = replace(options.replaying, delays=delays)
        try:
            return price_waveform(
                prepared, library, options.pricing, replaying=how, progress=progress
            )
        except MismatchError as error:
            disagreement = disagreement or error
            return None

    for inputs in (options.inputs,) if options.inputs else ("after", "before"):
        prepared = prepare(
            design, library, wave, options.scope, inputs=inputs, reads=True, progress=progress
        )
        remarks = _clock_remarks(prepared, options.pricing.clock)
        for delays in (False, True):
            if (priced := attempt(prepared, delays=delays)) is not None:
                return prepared, replace(priced, remarks=remarks)
        if not options.inputs and inputs == "before":
            # A race that the simulator decided now so, now so: the states tell, edge by edge.
            # An edge without another change is found at the input's, half a tick before.
            but = (find_disagreements(prepared, progress=progress) + 1) // 2
            prepared = prepare(
                design,
                library,
                wave,
                options.scope,
                inputs=inputs,
                but=but,
                reads=True,
                progress=progress,
            )
            if (priced := attempt(prepared, delays=False)) is not None:
                return prepared, replace(priced, remarks=remarks)
    assert disagreement is not None
    raise disagreement


def _clock_remarks(prepared: Prepared, clock: Clock | None) -> tuple[str, ...]:
    """What is to be said of the clock that was named: whether the waveform's has its period.

    Raises
    ------
    ParameterError
        It clocks nothing.
    """
    port = None if clock is None else prepared.netlist.ports.get(clock.port)
    if clock is None or port is None or port.direction == "output" or len(port.nets) != 1:
        return ()  # what is no clock is refused where it is priced
    clocks = clock_inputs(prepared.netlist, prepared.elements)
    if not set(port.nets) & set(clocks):
        names = prepared.netlist.names
        others = ", ".join(names[net][0] for net in clocks) or "none"
        raise ParameterError(
            f"--clock {clock.port} clocks nothing of {prepared.netlist.name}, whose clocks are "
            f"{others}"
        )
    bits = prepared.samples.bits_of(port.nets[0])
    rises = prepared.samples.times[np.flatnonzero((bits[1:] == 1) & (bits[:-1] == 0)) + 1]
    if len(rises) < 3:
        return ()
    # The median, for a clock may rest.
    period = float(np.median(np.diff(rises))) * prepared.tick_s
    if abs(period / clock.period_s - 1) <= PERIOD_TOLERANCE:
        return ()
    shown, asked = period * 1e9, clock.period_s * 1e9
    remark = (
        f"{clock.port} has a period of {shown:g} ns in the waveform, and is priced as one of "
        f"{asked:g} ns, beside data that change with the former"
    )
    return (remark,)


def _price_saif(
    path: Path, design: Netlist, library: Library, options: EnergyOptions
) -> PricedActivity:
    if options.replaying.window or options.per_cycle or options.saif:
        raise ParameterError(
            "SAIF holds totals only: windows, cycles and another SAIF need an FST or VCD"
        )
    if options.scope is None:
        raise ParameterError("SAIF needs --scope: the instance that is the design (tb.dut)")
    if design.memories:
        raise ParameterError("SAIF does not hold the accesses of memories: give an FST or VCD")
    activity = activity_from_saif(path, design, options.scope, library)
    clocks = clock_inputs(design, build_elements(design, library))
    # An input that reaches a clock pin may be an enable: clocks are those that toggle like one.
    most = max((int(activity.totals[net]) for net in clocks), default=0)
    roots = [net for net in clocks if 4 * int(activity.totals[net]) >= most]
    return price_activity(activity, design, library, options.pricing, roots=roots)


def _cycles(priced: PricedActivity, prepared: Prepared, unknown: UnknownPolicy) -> str:
    """CSV of the energy of every clock cycle in the window."""
    edges = priced.cycle_edges(prepared)
    joules = priced.per_cycle(prepared, edges, unknown=unknown).sum((1, 2))
    seconds = np.diff(edges)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["begin_s", "end_s", "energy_j", "power_w"])
    for row in zip(edges[:-1], edges[1:], joules, joules / seconds, strict=True):
        writer.writerow([f"{value:.9g}" for value in row])
    return out.getvalue()
