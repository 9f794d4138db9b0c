"""The joule ledger of a run on one of our cores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.estimate import Estimate, estimate, sram_for
from spikewatt.energy.ledger import LEDGER_GROUPS, TERMS, category_of
from spikewatt.energy.replay import Prepared, prepare
from spikewatt.energy.words import unpack
from spikewatt.model.errors import SimulationError
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path

__all__ = ["SWEEP", "CoreEnergy", "price_core"]

FloatArray = NDArray[np.float64]
Progress = Callable[[str, float], None]
SWEEP = (0.5, 1.0, 2.0, 4.0)
"""Factors on the energy of memories: the least certain figure (docs/sram.md)."""


@dataclass(frozen=True)
class CoreEnergy:
    """Energy of the first images of a run.

    Parameters
    ----------
    estimate, prepared:
        The window from the first image's clear to the last image's end, a block for each image.
    operations, spikes:
        int64[images], synaptic operations, and spikes of all neurons and inputs.
    ticks:
        Ticks of an image.
    period_s:
        Clock period of the simulation, s.
    category:
        ``control`` or ``datapath``, by the path of a module.
    netlist:
        File of the gates, yosys's JSON.
    """

    estimate: Estimate
    prepared: Prepared
    operations: NDArray[np.int64]
    spikes: NDArray[np.int64]
    ticks: int
    period_s: float
    category: Callable[[str], str]
    netlist: Path

    def per_image(self) -> FloatArray:
        """float64[images], J."""
        return self.estimate.ledger.blocks()

    def to_json(self) -> dict[str, Any]:
        """Plain data; J unless the name says otherwise, means over the images.

        ``per_synaptic_op`` splits the energy of an image: dynamic energy regressed on its synaptic
        operations gives ``marginal_j`` for each and ``fixed_per_image_j``; leakage is apart;
        ``all_in_j`` divides everything by the operations.
        """
        ledger, images = self.estimate.ledger, len(self.operations)
        joules = self.per_image()
        spread = joules.std(ddof=1) if images > 1 else 0.0
        categories = ledger.categories(self.category)
        report = self.estimate.to_json()
        mean = float(joules.mean())
        return {
            "images": images,
            "library": report["library"],
            "voltage_v": report["voltage_v"],
            "clock_period_s": self.period_s,
            "duration_s": report["duration_s"],
            "total_j": ledger.total,
            "per_image_j": mean,
            "per_image_ci95_j": 1.96 * float(spread) / images**0.5,
            "per_tick_j": mean / self.ticks,
            "per_spike_j": ledger.total / max(int(self.spikes.sum()), 1),
            "per_synaptic_op": self._operation(joules - categories[:, -1], categories[:, -1]),
            "power_w": ledger.total / report["duration_s"],
            "by_category": {
                name: value / images for name, value in ledger.by_category(self.category).items()
            },
            "by_module": {name: j / images for name, j in ledger.by_module().items()},
            "sram_sweep": {str(factor): self._with_sram(factor) / images for factor in SWEEP},
            "cells": report["instances"],
            "toggles": report["toggles"],
            "unmatched": report["unmatched"],
            "flip_flops_matched": report["flip_flops_matched"],
            "clock_edges_checked": report["clock_edges_checked"],
            "memories": report["memories"],
            "sram": report["sram"],
        }

    def _operation(self, dynamic: FloatArray, leakage: FloatArray) -> dict[str, float | None]:
        """Terms of a synaptic operation."""
        operations = self.operations.astype(np.float64)
        terms: dict[str, float | None] = {
            "marginal_j": None,
            "fixed_per_image_j": None,
            "leakage_per_image_j": float(leakage.mean()),
            "r2": None,
            "all_in_j": float((dynamic + leakage).sum() / max(operations.sum(), 1.0)),
        }
        if len(operations) > 2 and np.ptp(operations) > 0:
            slope, fixed = np.polyfit(operations, dynamic, 1)
            residual = dynamic - (slope * operations + fixed)
            spread = ((dynamic - dynamic.mean()) ** 2).sum()
            terms["marginal_j"], terms["fixed_per_image_j"] = float(slope), float(fixed)
            terms["r2"] = float(1 - (residual**2).sum() / spread) if spread else None
        return terms

    def _with_sram(self, factor: float) -> float:
        """J of everything with the memories' energy multiplied."""
        macros = self.estimate.ledger.joules[:, :, LEDGER_GROUPS.index("macro")]
        own = sum(macros[..., TERMS.index(term)].sum() for term in ("internal", "leakage"))
        return float(self.estimate.ledger.total + (factor - 1) * own)

    def cycles(self, image: int) -> tuple[FloatArray, FloatArray]:
        """Times float64[cycles + 1] in s and J float64[cycles, groups, terms] of an image."""
        begin, end = self.estimate.activity.edges_s[image : image + 2]
        edges = self.estimate.cycle_edges(self.prepared)
        inner = edges[(edges > begin) & (edges < end)]
        edges = np.concatenate([[begin], inner, [end]])
        return edges, self.estimate.per_cycle(self.prepared, edges)


def _borders(prepared: Prepared, starts: Sequence[int], end: int) -> tuple[FloatArray, float]:
    """Times (s) just before the clock edges of the given cycles, and the clock's period (s)."""
    samples = prepared.samples
    if not len(samples.root_rows):
        raise SimulationError("the waveform of the core has no clock: this is a defect")
    bits = unpack(samples.roots.read(0, samples.roots.words, samples.roots.words)[0])
    bits = bits[: len(samples.times)]
    rising = samples.times[np.flatnonzero((bits[1:] == 1) & (bits[:-1] == 0)) + 1]
    if end > len(rising):
        raise SimulationError(
            f"the waveform shows {len(rising)} cycles, and the run took {end}: this is a defect"
        )
    cuts = [int(rising[start]) - 1 for start in starts]
    cuts.append(int(rising[end]) - 1 if end < len(rising) else int(samples.times[-1]))
    period = float(np.median(np.diff(rising))) * prepared.tick_s
    return np.array(cuts) * prepared.tick_s, period


def price_core(
    verilog: str,
    top: str,
    waveform: Path,
    *,
    starts: Sequence[int],
    end: int,
    operations: NDArray[np.int64],
    spikes: NDArray[np.int64],
    ticks: int,
    categories: Mapping[str, str],
    library_path: Path | None = None,
    progress: Progress = lambda what, share: None,
) -> CoreEnergy:
    """Map a core to gates, replay its waveform, and price it image by image.

    Parameters
    ----------
    verilog, top:
        The RTL that was simulated.
    starts, end:
        Cycle at which each image begins, and the one after the last.
    categories:
        ``control`` or ``datapath`` by the path of an instance.
    library_path:
        Liberty file; the built-in technology by default.
    """
    path = library_path or default_library_path()
    library = read_liberty(path)
    mapped = synthesise(verilog, top, path, progress=lambda what: progress(what, 0.0))
    netlist = read_netlist(mapped.netlist, library, top=top)
    prepared = prepare(netlist, library, waveform, progress=progress)
    borders, period = _borders(prepared, starts, end)
    result = estimate(
        prepared,
        library,
        window=(float(borders[0]), float(borders[-1])),
        borders=borders.tolist(),
        sram=sram_for(library) if netlist.memories else None,
        progress=progress,
    )
    return CoreEnergy(
        estimate=result,
        prepared=prepared,
        operations=operations,
        spikes=spikes,
        ticks=ticks,
        period_s=period,
        category=category_of(categories),
        netlist=mapped.netlist,
    )
