"""The claims of the field, checked: joules against spikes, and against neurons."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import NetworkError, ParameterError
from spikewatt.base.progress import Progress, silent
from spikewatt.base.report import Report, Reported
from spikewatt.flow.compare.sides import NeuroSide, Pricing, SystolicSide
from spikewatt.flow.compare.variants import (
    NeuroVariant,
    SystolicVariant,
    cut_batch,
    usual,
    usual_batches,
)
from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.network.graph import INPUT, Network
from spikewatt.model.network.pair import Mode, spiking_pair
from spikewatt.model.network.quantised_pair import quantised_pair
from spikewatt.synth.liberty.reader import LibertyFiles

__all__ = [
    "Line",
    "Sweep",
    "SweepOptions",
    "SweepPoint",
    "SweepReport",
    "parse_rates",
    "sweep",
    "trimmed",
]

IntArray = NDArray[np.int64]
PARTS = (0.25, 0.5, 0.75, 1.0)
"""Parts of the first hidden population that the sweep over neurons keeps."""


@dataclass(frozen=True)
class SweepPoint:
    """Mean figures of an inference at an input rate, with so many neurons."""

    rate: float
    neurons: int
    spikes: float
    synaptic_ops: float
    neuro_j: float
    systolic_j: float


@dataclass(frozen=True)
class Line:
    """Least-squares line; ``r2`` is ``None`` where the energy does not vary at all."""

    slope_j: float
    intercept_j: float
    r2: float | None

    @classmethod
    def through(cls, x: Sequence[float], y: Sequence[float]) -> "Line":
        """Fit J against counts; flat where these do not vary."""
        ours, joules = np.asarray(x), np.asarray(y)
        if not np.ptp(ours):
            return cls(0.0, float(joules.mean()), None)
        slope, intercept = np.polyfit(ours, joules, 1)
        spread = float(((joules - joules.mean()) ** 2).sum())
        rest = float(((joules - slope * ours - intercept) ** 2).sum())
        return cls(float(slope), float(intercept), 1 - rest / spread if spread else None)


@dataclass(frozen=True)
class Sweep(Reported):
    """Points over input rates, points over neurons, and lines through them.

    ``batch_cut_from``: the usual batch that the images were too few for, so that ``batch`` is all
    of them.
    """

    network: str
    mode: str
    batch: int
    batch_cut_from: int | None
    images: int
    rates: tuple[SweepPoint, ...]
    sizes: tuple[SweepPoint, ...]

    def lines(self) -> dict[str, Line]:
        """Energy of each core against spikes, and against neurons."""
        spikes = [point.spikes for point in self.rates]
        neurons = [float(point.neurons) for point in self.sizes]
        return {
            "neuro_against_spikes": Line.through(spikes, [p.neuro_j for p in self.rates]),
            "systolic_against_spikes": Line.through(spikes, [p.systolic_j for p in self.rates]),
            "neuro_against_neurons": Line.through(neurons, [p.neuro_j for p in self.sizes]),
            "systolic_against_neurons": Line.through(neurons, [p.systolic_j for p in self.sizes]),
        }

    def swing(self) -> dict[str, float]:
        """Highest energy over lowest, over the rates, of each core."""
        ours, theirs = (
            [getattr(p, name) for p in self.rates] for name in ("neuro_j", "systolic_j")
        )
        return {"neuro": max(ours) / min(ours), "systolic": max(theirs) / min(theirs)}

    def report(self) -> "SweepReport":
        """All figures."""
        return SweepReport(
            network=self.network,
            mode=self.mode,
            batch=self.batch,
            batch_cut_from=self.batch_cut_from,
            images=self.images,
            rates=list(self.rates),
            sizes=list(self.sizes),
            lines=self.lines(),
            swing=self.swing(),
        )

    def to_csv(self) -> str:
        """A line for each point."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        names = list(asdict(self.rates[0]))
        writer.writerow(["sweep", *names])
        for kind, points in (("rate", self.rates), ("neurons", self.sizes)):
            writer.writerows([kind, *(getattr(p, name) for name in names)] for p in points)
        return out.getvalue()


@dataclass(frozen=True, kw_only=True)
class SweepReport(Report):
    """A sweep as data; ``lines`` and ``swing`` are those of `Sweep`."""

    schema: Literal["spikewatt.sweep/1"] = "spikewatt.sweep/1"
    network: str
    mode: str
    batch: int
    batch_cut_from: int | None
    images: int
    rates: list[SweepPoint]
    sizes: list[SweepPoint]
    lines: dict[str, Line]
    swing: dict[str, float]


def parse_rates(text: str) -> list[float]:
    """Rates of ``a:b:n``: n of them, evenly spaced from a to b.

    Raises
    ------
    ParameterError
        Anything else, or rates outside 0 to 1.
    """
    try:
        first, last, count = text.split(":")
        low, high, steps = float(first), float(last), int(count)
    except ValueError:
        low = high = steps = -1
    if not (0 < low < high <= 1 and 2 <= steps <= 100):
        raise ParameterError(
            f"--sweep-rate must be first:last:points like 0.01:0.3:8, with rates above 0 and up to "
            f"1 and 2 to 100 points, not {text!r}"
        )
    return np.linspace(low, high, steps).tolist()


def trimmed(network: Network, keep: int) -> Network:
    """The network with only the first ``keep`` neurons of its first hidden population."""
    first = next(link for link in network.connections if link.source == INPUT).target

    def population(old: Any) -> Any:
        if old.name != first:
            return old
        floats = {
            name: None if getattr(old, name) is None else getattr(old, name)[:keep]
            for name in ("threshold_float", "bias_float")
        }
        bias = None if old.bias is None else old.bias[:keep]
        return replace(old, threshold=old.threshold[:keep], bias=bias, **floats)

    def connection(link: Any) -> Any:
        weights, real = link.weights, link.weights_float
        if link.source == first:
            weights, real = weights[:keep], None if real is None else real[:keep]
        if link.target == first:
            weights, real = weights[:, :keep], None if real is None else real[:, :keep]
        return replace(link, weights=weights, weights_float=real)

    return replace(
        network,
        populations=tuple(population(old) for old in network.populations),
        connections=tuple(connection(link) for link in network.connections),
    )


SIXTEEN_LANES = NeuroVariant(16)


@dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """What is swept, and on which cores.

    Parameters
    ----------
    timesteps, mode:
        Of the pair.
    neuro, systolic:
        Both cores; the systolic one is of ``size``, and its batch of up to 32, by default.
    size:
        Rows and columns of the array, where ``systolic`` does not say.
    images:
        Random inputs of each point.
    liberty:
        Library to price with; the built-in technology by default.
    seed:
        Of the inputs; each point has the same stream of random numbers.
    """

    timesteps: int | None = None
    mode: Mode = "window"
    neuro: NeuroVariant = SIXTEEN_LANES
    systolic: SystolicVariant | None = None
    size: tuple[int, int] = (8, 8)
    images: int = 32
    liberty: LibertyFiles | None = None
    seed: int = 0

    @property
    def array(self) -> SystolicVariant:
        """The systolic core."""
        return self.systolic or usual(*self.size, usual_batches(self.images)[-1])


def sweep(
    network: Network,
    rates: Sequence[float],
    options: SweepOptions | None = None,
    *,
    progress: Progress = silent,
    **changes: Any,
) -> Sweep:
    """Price both sides of a pair on random spikes of every rate, and with fewer neurons.

    Parameters
    ----------
    rates:
        Probability that an input sends a spike in a timestep.
    options, changes:
        Options, and those that are named by themselves: `SweepOptions` has them all.
    """
    options = replace(options or SweepOptions(), **changes)
    middle = rates[len(rates) // 2]
    spiking = spiking_pair(network, timesteps=options.timesteps, mode=options.mode)
    if len(spiking.populations) < 2:
        raise NetworkError(f"network {network.name!r} has no hidden population: nothing to sweep")
    hidden = next(p for p in spiking.populations if not p.neuron.silent).size
    # Both cores are those of the whole network at every point, so that only the work differs.
    quantised = quantised_pair(network, timesteps=options.timesteps)
    core = SystolicSide(quantised, np.zeros((1, 1), np.int64)).program(options.array).params
    pricing = Pricing(options.images, options.liberty, progress)

    def point(rate: float, part: float) -> SweepPoint:
        keep = max(1, round(hidden * part))
        smaller = network if keep == hidden else trimmed(network, keep)
        ours, theirs = _sides(smaller, rate, options, spiking.state_bits)
        named = pricing.named(f"rate {rate:.3f}, {keep} hidden neurons")
        first = ours.price(options.neuro, named, spiking)
        second = theirs.price(
            options.array, named, SystolicProgram(core, theirs.network, options.array.batch)
        )
        return SweepPoint(
            rate=rate,
            neurons=sum(layer.outputs for layer in theirs.network.layers),
            spikes=float(ours.spike_counts.mean()),
            synaptic_ops=float(ours.golden.by_sample("synaptic_ops").mean()),
            neuro_j=first.per_inference_j,
            systolic_j=second.per_inference_j,
        )

    along = tuple(point(rate, 1.0) for rate in rates)
    across = [point(middle, part) for part in PARTS[:-1]]
    return Sweep(
        network=network.name,
        mode=options.mode,
        batch=options.array.batch,
        batch_cut_from=None if options.systolic else cut_batch(options.images),
        images=options.images,
        rates=along,
        sizes=(*across, along[len(rates) // 2]),
    )


def _sides(
    network: Network, rate: float, options: SweepOptions, state_bits: int
) -> tuple[NeuroSide, SystolicSide]:
    """Both sides with random spikes, drawn once for both; membranes as wide as the core's."""
    spiking = spiking_pair(network, timesteps=options.timesteps, mode=options.mode)
    # A smaller network could do with narrower membranes: that would be another core.
    spiking = replace(spiking, state_bits=state_bits)
    shape = (options.images, spiking.encoder.timesteps, spiking.encoder.inputs)
    spikes = np.random.default_rng(options.seed).random(shape) < rate
    quantised = quantised_pair(network, timesteps=options.timesteps)
    counts = spikes.sum(1).astype(np.int64)
    return NeuroSide(spiking, spiking.drained(spikes)), SystolicSide(quantised, counts)
