"""What a comparison found: figures, JSON, CSV, the verdict in words."""

import csv
import io
import math
from dataclasses import asdict, dataclass
from typing import Any

from spikewatt.base.html import html_table
from spikewatt.base.report import Reported
from spikewatt.base.units import si
from spikewatt.energy.pricing.ledger import CATEGORIES
from spikewatt.flow.compare.bounds import Bounds
from spikewatt.flow.compare.figures import (
    Activations,
    Assumptions,
    ComparisonReport,
    NeuroFigures,
    RatioFigures,
    Side,
    SingleFigures,
    SystolicFigures,
)
from spikewatt.flow.compare.search import Found, Measured
from spikewatt.flow.compare.variants import NeuroVariant, SystolicVariant
from spikewatt.targets.price import PricedRun

__all__ = ["Comparison", "Ratio"]

COMMON_RATE = 1000.0
"""Inferences per second at which mean powers are given."""
FEWEST_BLOCKS = 10
"""Batches from which on their spread is worth more than that of single inferences."""


@dataclass(frozen=True)
class Ratio:
    """E_neuro / E_systolic with its 95 % confidence interval over images."""

    mean: float
    ci95: tuple[float, float] | None
    """``None`` where there is one image."""

    @classmethod
    def of(cls, neuro: Measured, systolic: Measured, fallback_j: float | None) -> "Ratio":
        """Ratio of the means; relative errors of both added in quadrature, on a logarithmic scale.

        So the interval is above 0, and that of the inverse is its inverse. Both cores run the same
        images, and more spikes cost both more: taken as independent, the errors make the interval
        rather too wide.

        ``fallback_j``: standard error of the systolic core one by one, which is used where it ran
        fewer than ten batches.
        """
        mean = neuro.energy_per_inference_j / systolic.energy_per_inference_j
        theirs = systolic.standard_error_j if systolic.blocks >= FEWEST_BLOCKS else fallback_j
        if neuro.standard_error_j is None or theirs is None:
            return cls(mean, None)
        parts = (
            neuro.standard_error_j / neuro.energy_per_inference_j,
            theirs / systolic.energy_per_inference_j,
        )
        # 1.96 standard deviations to each side of a normal distribution hold 95 %.
        factor = math.exp(1.96 * math.hypot(*parts))
        return cls(mean, (mean / factor, mean * factor))

    def figures(self) -> RatioFigures:
        """The ratio as data."""
        return RatioFigures(mean=self.mean, ci95=self.ci95)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Reported):
    """A spiking network on its core, and a quantised one on its own, in joules.

    Parameters
    ----------
    kind:
        ``equal function`` or ``equal accuracy``.
    mode:
        ``window``, ``every-tick``, or ``as trained`` for a network that has no exact rival.
    accuracy:
        Of the neuromorphic and the systolic side over all ``samples``, where classes are known.
    batch_cut_from:
        The usual batch that the images were too few for, so that batches of all of them ran;
        ``None`` where none was cut down.
    differing:
        Hidden activations that differ between both networks, and how many there are; ``None``
        where the networks are not a pair.
    layers:
        J of an inference by layer, for each core; `spikewatt.flow.compare.layers` says how.
    """

    kind: str
    network: str
    rival: str
    mode: str
    timesteps: int
    activation_bits: int
    weight_bits: tuple[int, int]
    images: int
    samples: int
    batch_cut_from: int | None
    accuracy: tuple[float | None, float | None]
    differing: tuple[int, int] | None
    spike_rate: float
    spikes_per_inference: float
    synaptic_ops_per_inference: float
    macs_per_inference: int
    sparsity: float
    neuro: Found[NeuroVariant]
    systolic: dict[int, Found[SystolicVariant]]
    bounds: dict[int, Bounds]
    layers: dict[str, dict[str, float]]

    def __repr__(self) -> str:
        return f"<Comparison of {self.network!r} and {self.rival!r}: {self.verdict()}>"

    def _repr_html_(self) -> str:
        rows = [(f"batch {batch}", self.verdict(batch)) for batch in self.systolic]
        return html_table(f"{self.kind}: {self.network} and {self.rival}", rows)

    @property
    def headline(self) -> int:
        """The batch at which the systolic core is cheapest."""
        return min(self.systolic, key=lambda batch: self._systolic(batch).energy_per_inference_j)

    def _neuro(self) -> Measured:
        assert self.neuro.best is not None
        return self.neuro.best

    def _systolic(self, batch: int) -> Measured:
        best = self.systolic[batch].best
        assert best is not None
        return best

    def price(self, batch: int | None = None) -> PricedRun:
        """The priced run of the cheapest neuromorphic core, or systolic core of a batch."""
        search = self.neuro if batch is None else self.systolic[batch]
        assert search.price is not None
        return search.price

    def ratio(self, batch: int | None = None) -> Ratio:
        """E_neuro / E_systolic at a batch; the cheapest by default."""
        single = self.systolic[min(self.systolic)].best
        fallback = single.standard_error_j if single else None
        return Ratio.of(
            self._neuro(), self._systolic(self.headline if batch is None else batch), fallback
        )

    def verdict(self, batch: int | None = None) -> str:
        """Who wins, by how much, and what that rests on."""
        batch = self.headline if batch is None else batch
        neuro, systolic, ratio = self._neuro(), self._systolic(batch), self.ratio(batch)
        wins = "systolic core" if ratio.mean > 1 else "neuromorphic core"
        times = max(ratio.mean, 1 / ratio.mean)
        # Said as a number above 1 whoever wins: where the other does, the interval is turned over.
        ends = ratio.ci95 or (ratio.mean, ratio.mean)
        low, high = sorted(ends if ratio.mean > 1 else [1 / end for end in ends])
        energies = (
            f"{si(neuro.energy_per_inference_j, 'J')} spiking against "
            f"{si(systolic.energy_per_inference_j, 'J')} quantised"
        )
        certain = "" if low > 1 else "; within the confidence interval either may win"
        return (
            f"the {wins} takes {times:.2f} times less energy ({low:.2f} to {high:.2f}): "
            f"{energies} an inference{certain}"
        )

    def rests_on(self, batch: int | None = None) -> Assumptions:
        """The assumptions behind a verdict."""
        batch = self.headline if batch is None else batch
        estimate = self.price().estimate
        sram = estimate.sram
        return Assumptions(
            mode=self.mode,
            timesteps=self.timesteps,
            activation_bits=self.activation_bits,
            neuro_core=self._neuro().label,
            systolic_core=self._systolic(batch).label,
            batch=batch,
            clock_gates={
                "neuro": self.price().mapped.gating,
                "systolic": self.price(batch).mapped.gating,
            },
            library=estimate.library.name,
            voltage_v=estimate.library.voltage,
            clock_period_s=self.price().period_s,
            sram_node_nm=None if sram is None else sram.node_nm,
            sram_factor=None if sram is None else sram.factor,
            verdict_flips_under=list(self.bounds[batch].flips) if batch in self.bounds else None,
        )

    def report(self) -> ComparisonReport:
        """All figures, as docs/comparison.md documents them."""
        single, headline = min(self.systolic), self.headline
        neuro = self._neuro()
        differing, activations = self.differing, None
        if differing is not None:
            activations = Activations(differing=differing[0], of=differing[1])
        return ComparisonReport(
            kind=self.kind,
            network=self.network,
            rival=self.rival,
            mode=self.mode,
            timesteps=self.timesteps,
            activation_bits=self.activation_bits,
            weight_bits={"neuro": self.weight_bits[0], "systolic": self.weight_bits[1]},
            images=self.images,
            samples=self.samples,
            batch_cut_from=self.batch_cut_from,
            activations=activations,
            neuro=NeuroFigures(
                **self._side(neuro, self.accuracy[0]),
                spike_rate=self.spike_rate,
                spikes_per_inference=self.spikes_per_inference,
                synaptic_ops_per_inference=self.synaptic_ops_per_inference,
                variants=self.neuro.tried,
            ),
            systolic=SystolicFigures(
                **self._side(self._systolic(headline), self.accuracy[1]),
                activation_sparsity=self.sparsity,
                macs_per_inference=self.macs_per_inference,
                variants=[tried for search in self.systolic.values() for tried in search.tried],
            ),
            ratio=self.ratio().figures(),
            verdict=self.verdict(),
            rests_on=self.rests_on(),
            mesh=neuro.mesh,
            router=neuro.router,
            packets=neuro.packets,
            hops=neuro.hops,
            barrier_cycles=neuro.barrier_cycles,
            single=SingleFigures(
                batch=single,
                systolic=Side(**self._side(self._systolic(single), self.accuracy[1])),
                ratio=self.ratio(single).figures(),
                verdict=self.verdict(single),
            ),
            layers=self.layers,
            bounds={str(batch): bounds.figures() for batch, bounds in self.bounds.items()},
        )

    def _side(self, best: Measured, accuracy: float | None) -> dict[str, Any]:
        """Fields of a `Side`."""
        energy = best.energy_per_inference_j
        idle = energy - best.by_category["leakage"]
        return {
            "accuracy": accuracy,
            "bit_exact": best.proven == self.images,
            **asdict(best),
            "energy_delay_js": energy * best.latency_s,
            "power_w": {f"{COMMON_RATE:g}": COMMON_RATE * idle + best.leakage_w},
        }

    def to_csv(self) -> str:
        """A line for each variant of both cores."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        rows = [("neuro", tried) for tried in self.neuro.tried]
        rows += [("systolic", tried) for search in self.systolic.values() for tried in search.tried]
        categories = [n for n in CATEGORIES if any(n in tried.by_category for _, tried in rows)]
        writer.writerow(
            [
                *("core", "variant", "batch", "energy_per_inference_j", "standard_error_j"),
                *(f"{name}_j" for name in categories),
                *("latency_s", "seconds_per_inference", "leakage_w", "logic_um2", "memory_um2"),
                *("cells", "shortest_period_s", "meets_clock"),
            ]
        )
        for core, tried in rows:
            writer.writerow(
                [
                    *(core, tried.label, tried.batch, tried.energy_per_inference_j),
                    "" if tried.standard_error_j is None else tried.standard_error_j,
                    *(tried.by_category.get(name, 0.0) for name in categories),
                    *(tried.latency_s, tried.seconds_per_inference, tried.leakage_w),
                    *(tried.area_um2["logic"], tried.area_um2["memory"]),
                    *(tried.cells, tried.shortest_period_s, int(tried.meets_clock)),
                ]
            )
        return out.getvalue()
