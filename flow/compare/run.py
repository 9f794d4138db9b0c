"""The comparison: two networks, two cores, one price list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.base.errors import DataError, NetworkError, SimulationError, ToolError
from spikewatt.base.progress import Progress, silent
from spikewatt.base.tools import icarus
from spikewatt.flow.compare.bounds import Bounds, bound, measure_glitches
from spikewatt.flow.compare.layers import neuro_layers, systolic_layers
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.compare.search import Found, search_neuro, search_systolic
from spikewatt.flow.compare.sides import NeuroSide, Pricing, SystolicSide
from spikewatt.flow.compare.variants import (
    LANES,
    SIZES,
    NeuroVariant,
    SystolicVariant,
    cut_batch,
    usual_batches,
)
from spikewatt.model.network.encoder import check_samples, encode
from spikewatt.model.network.graph import Network
from spikewatt.model.network.pair import Mode, spiking_pair
from spikewatt.model.network.quantised_pair import quantised_pair
from spikewatt.model.network.readout import accuracy
from spikewatt.synth.liberty.reader import LibertyFiles, read_liberty
from spikewatt.targets.evaluate import check_classes

__all__ = ["CompareOptions", "Plan", "compare", "sides"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """Which cores a comparison tries.

    Parameters
    ----------
    lanes, mesh, router:
        Lanes of the neuromorphic core, or of every core of a mesh: ``CxR`` or ``auto``, joined by
        a ``click`` or ``sync`` router.
    sizes:
        Rows and columns of the array.
    batches:
        Inferences that run together on it; none may be larger than the images are many. By default
        1 and 32, or as many as there are images.
    refine:
        Try every option of the array on the cheapest size.
    glitches:
        Simulate both cheapest cores with delays, to bound what glitches add (needs Icarus).
    """

    lanes: Sequence[int] = LANES
    mesh: str | None = None
    router: str = "click"
    sizes: Sequence[tuple[int, int]] = SIZES
    batches: Sequence[int] | None = None
    refine: bool = True
    glitches: bool = True

    def batches_of(self, images: int) -> list[int]:
        """Batches of so many images, in rising order.

        Raises
        ------
        DataError
            A batch that was asked for needs more images.
        """
        if self.batches is None:
            return usual_batches(images)
        if (largest := max(self.batches)) > images:
            raise DataError(
                f"a batch of {largest} needs as many images, and {images} are compared: "
                f"choose more images or a smaller batch"
            )
        return sorted(set(self.batches))


PLAN = Plan()


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What is compared, and how.

    Parameters
    ----------
    images:
        How many of the first samples run as RTL and are priced; all by default. Accuracies are
        over all samples, by the golden models that the RTL is held against.
    rival:
        A quantised network of the same task, for a network that has no exact equal.
    timesteps, mode:
        Of the pair, where there is no ``rival``.
    plan:
        The cores that are tried.
    liberty:
        Library to price with; the built-in technology by default.
    """

    images: int | None = None
    rival: Network | None = None
    timesteps: int | None = None
    mode: Mode = "window"
    plan: Plan = PLAN
    liberty: LibertyFiles | None = None

    def chosen(self, samples: int) -> int:
        """How many of so many samples are compared."""
        chosen = samples if self.images is None else self.images
        if not 1 <= chosen <= samples:
            raise DataError(f"--images {chosen} is not within the {samples} samples there are")
        return chosen


def sides(
    network: Network,
    x: ArrayLike,
    *,
    rival: Network | None = None,
    timesteps: int | None = None,
    mode: Mode = "window",
) -> tuple[NeuroSide, SystolicSide]:
    """Both networks with what enters them, in an order that does not depend on that of ``x``.

    Parameters
    ----------
    x:
        Samples [n, inputs], within both encoders' ranges.
    rival:
        The quantised network's description, for a network that has no exact equal; otherwise the
        network is its own.
    """
    spiking = (
        network if rival is not None else spiking_pair(network, timesteps=timesteps, mode=mode)
    )
    other = network if rival is None else rival
    steps = timesteps if rival is None else None
    quantised = quantised_pair(other, timesteps=steps)
    counts = encode(x, spiking_pair(other, timesteps=steps).encoder).sum(1)
    return NeuroSide(spiking, spiking.stimulus(x)), SystolicSide(quantised, counts)


def canonical(x: ArrayLike) -> IntArray:
    """Order int64[n] of samples that depends on what they are, not on where they stand."""
    return np.lexsort(np.asarray(x).T[::-1])


def compare(
    network: Network,
    x: ArrayLike,
    y: ArrayLike | None = None,
    options: CompareOptions | None = None,
    *,
    progress: Progress = silent,
    **changes: Any,
) -> Comparison:
    """Run a spiking network and its quantised rival as RTL, and price both alike.

    Without ``rival`` the networks compute the same function (``mode`` "window"), or nearly
    ("every-tick"); with it, the spiking network runs as it is, and ``rival`` is a network of the
    same task.

    Parameters
    ----------
    x, y:
        Samples [n, inputs], and their classes int[n].
    options, changes:
        Options, and those that are named by themselves: `CompareOptions` has them all.

    Raises
    ------
    NetworkError
        A network that has no exact rival, and none was given.
    SimulationError
        RTL and golden model differ.
    ToolError
        A tool is missing, or failed.
    """
    options = replace(options or CompareOptions(), **changes)
    plan, rival = options.plan, options.rival
    # Before hours of simulation, not behind them; the same for a library that cannot be read.
    if plan.glitches:
        _need_icarus()
    if options.liberty is not None:
        read_liberty(options.liberty)
    values = _checked(x, network, rival)
    chosen = options.chosen(len(values))
    batches = plan.batches_of(chosen)
    # What ran before a sample changes its energy a little: one order, whatever order they come in.
    order = np.concatenate(
        [canonical(values[:chosen]), chosen + np.arange(len(values) - chosen)]
    ).astype(np.int64)
    neuro, systolic = sides(
        network, values[order], rival=rival, timesteps=options.timesteps, mode=options.mode
    )
    classes = check_classes(y, len(values), network)
    labels = None if classes is None else classes[order]
    differing = None if rival is not None else _differing(neuro, systolic)
    # In window mode equality is a theorem (`network.pair`): what contradicts it is no result.
    if differing is not None and options.mode == "window" and differing[0]:
        raise SimulationError(f"{differing[0]} spike counts are not the rival's: this is a defect")
    ours, theirs = _search(
        neuro, systolic, plan, batches, Pricing(chosen, options.liberty, progress)
    )
    progress("bounding what is left out")
    bounds = _bounds(ours, theirs, plan.glitches)
    return Comparison(
        kind="equal function" if rival is None else "equal accuracy",
        network=network.name,
        rival=systolic.network.name,
        mode=options.mode if rival is None else "as trained",
        timesteps=neuro.network.encoder.timesteps,
        activation_bits=systolic.network.activation_bits,
        weight_bits=(
            max(link.weight_bits for link in network.connections),
            systolic.network.weight_bits,
        ),
        images=chosen,
        samples=len(values),
        batch_cut_from=cut_batch(chosen) if plan.batches is None else None,
        accuracy=(accuracy(neuro.classes, labels), accuracy(systolic.classes, labels)),
        differing=differing,
        spike_rate=neuro.spike_rate,
        spikes_per_inference=float(neuro.spike_counts.mean()),
        synaptic_ops_per_inference=float(neuro.golden.by_sample("synaptic_ops").mean()),
        macs_per_inference=systolic.network.macs,
        sparsity=systolic.sparsity,
        neuro=ours,
        systolic=theirs,
        bounds=bounds,
        layers={
            "neuromorphic": neuro_layers(neuro, ours),
            **{f"systolic, batch {b}": systolic_layers(systolic, f) for b, f in theirs.items()},
        },
    )


def _search(
    neuro: NeuroSide, systolic: SystolicSide, plan: Plan, batches: Sequence[int], pricing: Pricing
) -> tuple[Found[NeuroVariant], dict[int, Found[SystolicVariant]]]:
    """The cheapest core of each side, and of each batch."""
    cores = [NeuroVariant(lanes, plan.mesh, plan.router) for lanes in plan.lanes]
    ours = search_neuro(neuro, cores, pricing)
    theirs = {
        batch: search_systolic(systolic, plan.sizes, batch, pricing, refine=plan.refine)
        for batch in batches
    }
    for kind, search in (("neuromorphic", ours), *(("systolic", each) for each in theirs.values())):
        if search.price is None:
            raise SimulationError(f"no {kind} core of the search meets the clock")
    return ours, theirs


def _checked(x: ArrayLike, network: Network, rival: Network | None) -> NDArray[np.float64]:
    """Samples that both encoders take; errors name rows as they stand in ``x``."""
    values = check_samples(x, network.encoder)
    if rival is None:
        return values
    for quantity, theirs, ours in (
        ("inputs", rival.encoder.inputs, network.encoder.inputs),
        ("classes", _classes(rival), _classes(network)),
    ):
        if theirs != ours:
            raise NetworkError(
                f"rival {rival.name!r} has {theirs} {quantity}, and {network.name!r} has {ours}"
            )
    return check_samples(values, rival.encoder)


def _classes(network: Network) -> int:
    return network.population(network.readout.population).size


def _need_icarus() -> None:
    """Raise before hours of work, not after."""
    try:
        icarus()
    except ToolError as error:
        remedy = str(error).partition(": ")[2].partition(",")[0]
        raise ToolError(
            f"bounding glitches needs Icarus Verilog: {remedy}, or compare with --no-glitches"
        ) from None


def _bounds(
    ours: Found[NeuroVariant], theirs: dict[int, Found[SystolicVariant]], glitches: bool
) -> dict[int, Bounds]:
    """The verdict of each batch, under all that is uncertain."""
    assert ours.price is not None
    factor = measure_glitches(ours.price) if glitches else None
    return {
        batch: bound(
            ours.price, search.price, (factor, measure_glitches(search.price) if glitches else None)
        )
        for batch, search in theirs.items()
        if search.price is not None
    }


def _differing(neuro: NeuroSide, systolic: SystolicSide) -> tuple[int, int]:
    """Hidden activations that are not the rival's, and how many there are."""
    pairs = list(zip(neuro.counts, systolic.golden[:-1], strict=True))
    return (
        sum(int((ours != theirs).sum()) for ours, theirs in pairs),
        sum(ours.size for ours, _ in pairs),
    )
