"""Joules of any design's waveform: what ``spikewatt energy`` does, for Python."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spikewatt.base.errors import ParameterError
from spikewatt.base.progress import Progress, silent
from spikewatt.energy.activity.replay import DEFAULT as REPLAY
from spikewatt.energy.activity.replay import ReplayOptions, prepare
from spikewatt.energy.pricing.options import DEFAULT as PRICING
from spikewatt.energy.pricing.options import PricingOptions
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_waveform
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path

__all__ = ["EnergyOptions", "energy"]


@dataclass(frozen=True, kw_only=True)
class EnergyOptions:
    """How a waveform is priced.

    Parameters
    ----------
    liberty:
        Library (.lib, .lib.gz); the built-in 45 nm one by default.
    top:
        Top module of the netlist, where it has several.
    scope:
        The design in the waveform, like ``tb.dut``; found by its names if left out.
    pricing:
        Clock, memories, wires, voltage.
    replaying:
        The window in time, and what becomes of X and Z.
    """

    liberty: Path | str | None = None
    top: str | None = None
    scope: str | None = None
    pricing: PricingOptions = PRICING
    replaying: ReplayOptions = REPLAY


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
        FST or VCD.
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
        A file that cannot be read, or a waveform that is not the netlist's.
    """
    waveform = Path(waveform)
    if waveform.suffix == ".saif":
        raise ParameterError(
            "SAIF holds totals only: spikewatt energy prices it, energy() does not"
        )
    options = replace(options or EnergyOptions(), **changes)
    progress("reading the library")
    library = read_liberty(Path(options.liberty or default_library_path()))
    design = read_netlist(Path(netlist), library, top=options.top)
    prepared = prepare(design, library, waveform, options.scope, progress=progress)
    return price_waveform(
        prepared, library, options.pricing, replaying=options.replaying, progress=progress
    )
