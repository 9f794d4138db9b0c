"""The joule ledger of a run on one of our cores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError
from spikewatt.base.files import scratch
from spikewatt.base.progress import Progress, silent, worded
from spikewatt.cosim.samples import run_samples
from spikewatt.cosim.trace import first_difference
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.categories import CATEGORIES
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.program import Program
from spikewatt.model.network.graph import Network
from spikewatt.model.run import Run
from spikewatt.synth.verilog import export
from spikewatt.targets.price import PricedCore, price_core

__all__ = ["SWEEP", "SpikingEnergy", "price_samples", "readout_groups"]

IntArray = NDArray[np.int64]

FloatArray = NDArray[np.float64]
SWEEP = (0.5, 1.0, 2.0, 4.0)
"""Factors on the energy of memories: the least certain figure (docs/sram.md)."""


@dataclass(frozen=True)
class SpikingEnergy:
    """Energy of the first images of a run, a block for each.

    Parameters
    ----------
    price:
        The window from the first image's clear to the last image's end.
    operations, spikes:
        int64[images], synaptic operations, and spikes of all neurons and inputs.
    ticks:
        Ticks of an image.
    """

    price: PricedCore
    operations: NDArray[np.int64]
    spikes: NDArray[np.int64]
    ticks: int

    def to_json(self) -> dict[str, Any]:
        """Plain data; J unless the name says otherwise, means over the images.

        ``per_synaptic_op`` splits the energy of an image: dynamic energy regressed on its synaptic
        operations gives ``marginal_j`` for each and ``fixed_per_image_j``; leakage is apart;
        ``all_in_j`` divides everything by the operations.
        """
        price, images = self.price, len(self.operations)
        ledger, joules = price.estimate.ledger, price.blocks_j
        categories = ledger.categories(price.category)
        report = price.estimate.to_json()
        mean = price.per_inference_j
        return {
            "images": images,
            "library": report["library"],
            "voltage_v": report["voltage_v"],
            "clock_period_s": price.period_s,
            "shortest_period_s": price.timing.period_s,
            "duration_s": report["duration_s"],
            "total_j": ledger.total,
            "per_image_j": mean,
            "per_image_ci95_j": 1.96 * (price.standard_error_j or 0.0),
            "per_tick_j": mean / self.ticks,
            "per_spike_j": ledger.total / max(int(self.spikes.sum()), 1),
            "per_synaptic_op": self._operation(joules - categories[:, -1], categories[:, -1]),
            "power_w": ledger.total / report["duration_s"],
            "area_um2": price.area_um2,
            "by_category": price.by_category,
            "by_module": {name: j / images for name, j in ledger.by_module().items()},
            "sram_sweep": {str(factor): price.with_sram(factor) for factor in SWEEP},
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


def price_samples(
    program: Program,
    samples: Sequence[Sequence[IntArray]],
    golden: Run,
    spikes: NDArray[np.bool_],
    liberty: Path | str | None = None,
    readout: range | None = None,
    progress: Progress = silent,
) -> SpikingEnergy:
    """Energy of some samples, from a waveform of their own.

    Parameters
    ----------
    samples, spikes:
        Events of each sample and tick; the same as bool[samples, ticks, inputs].
    golden:
        The golden model's run of them, or of more.
    readout:
        Groups that the host reads back after each sample: an answer that nobody reads costs less.

    Raises
    ------
    SimulationError
        The RTL differs from the golden model.
    """
    count = len(samples)
    with scratch() as folder:
        waveform = folder / "neuro.vcd"
        recording = run_samples(
            program,
            samples,
            trace="vcd",
            waveform=waveform,
            readout=readout,
            progress=worded(progress, after=", with a waveform"),
        )
        for sample, trace in enumerate(recording.traces):
            if found := first_difference(trace, golden, sample):
                raise SimulationError(f"with a waveform the RTL is another: {found}")
        for sample, membranes in enumerate(recording.readouts):
            first = readout.start * program.params.lanes if readout else 0
            expected = golden.membranes[sample, -1, first : first + len(membranes)]
            if not np.array_equal(membranes, expected):
                raise SimulationError(f"sample {sample}: the host reads other membranes back")
        priced = price_core(
            export(Blueprint.of(NeuroCore, program.params), "neuro"),
            "neuro",
            waveform,
            starts=recording.starts,
            end=recording.starts[-1] + recording.cycles[-1],
            images=np.ones(count, np.int64),
            categories=CATEGORIES,
            library_path=Path(liberty) if liberty else None,
            progress=progress,
        )
    return SpikingEnergy(
        price=replace(priced, proven=len(recording.traces)),
        operations=golden.synaptic_ops[:count].reshape(count, -1).sum(1),
        spikes=golden.spikes[:count].sum((1, 2)) + spikes[:count].sum((1, 2)),
        ticks=spikes.shape[1],
    )


def readout_groups(network: Network, program: Program) -> range | None:
    """Groups whose states hold the answer; ``None`` where spike counts are the answer."""
    if network.readout.kind != "membrane":
        return None
    neurons, lanes = program.neurons_of[network.readout.population], program.params.lanes
    return range(neurons.start // lanes, -(-neurons.stop // lanes))
