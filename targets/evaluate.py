"""The figures of a spiking run: how often what, how accurate, and whether it is the model's."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.base.errors import DataError, NetworkError
from spikewatt.base.progress import Progress
from spikewatt.cosim.recording import Simulation
from spikewatt.model.golden.reference import run_reference
from spikewatt.model.network.graph import Network
from spikewatt.model.network.readout import accuracy
from spikewatt.model.params import CoreParams
from spikewatt.model.run import Difference, Run
from spikewatt.targets.proof import Proof
from spikewatt.targets.target import Target

__all__ = ["CORE_SIZES", "Proven", "Samples", "check_classes", "prove", "run_figures"]

CORE_SIZES = ("neurons", "axons", "lanes", "weight_bits", "state_bits", "delay_slots")


@dataclass(frozen=True, eq=False)
class Samples:
    """What a network was shown.

    ``spikes``: bool[B, ticks, inputs], drain ticks included. ``classes``: int64[B], if known.
    """

    network: Network
    spikes: NDArray[np.bool_]
    classes: NDArray[np.int64] | None = None


def check_classes(y: ArrayLike | None, samples: int, network: Network) -> NDArray[np.int64] | None:
    """Classes int64[n], one for each sample and each a neuron of the readout."""
    if y is None:
        return None
    classes, size = np.asarray(y), network.population(network.readout.population).size
    if classes.shape != (samples,) or classes.dtype.kind not in "iu":
        raise DataError(f"y must hold {samples} integers, not {classes.dtype}{classes.shape}")
    if (wrong := (classes < 0) | (classes >= size)).any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(f"y[{at}] is {classes[at]}, and the readout has classes 0..{size - 1}")
    return classes.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Proven:
    """A simulated run and the golden one, where they first part, and what the simulation answers.

    ``classes``: int64[B].
    """

    rtl: Run
    golden: Run
    difference: Difference | None
    classes: NDArray[np.int64]


def prove(target: Target, samples: Samples, how: Simulation, progress: Progress) -> Proven:
    """Simulate samples, and hold each against the golden model as soon as it is done."""
    progress("running the golden model")
    classes: list[NDArray[np.int64]] = []
    proof = Proof(
        target.golden,
        samples.spikes,
        lambda run: classes.append(samples.network.readout.classes(run)),
    )
    rtl = target.simulate(samples.spikes, replace(how, observe=proof.observer), progress)
    return Proven(rtl, proof.golden, proof.difference(rtl), np.concatenate(classes))


def run_figures(samples: Samples, core: CoreParams, proven: Proven) -> dict[str, Any]:
    """Fields of a `spikewatt.flow.report.RunReport` that any spiking hardware has."""
    rtl, golden, parting = proven.rtl, proven.golden, proven.difference
    network, count = samples.network, len(samples.spikes)
    operations, cycles = golden.total("synaptic_ops"), rtl.total("cycles")
    spikes, rates = _activity(samples, golden)
    return {
        "images": count,
        "ticks": count * network.ticks,
        "bit_exact": parting is None,
        "difference": None if parting is None else str(parting),
        "accuracy": {
            "float": _float_accuracy(samples),
            "quantised": accuracy(network.readout.classes(golden), samples.classes),
            "rtl": accuracy(proven.classes, samples.classes),
        },
        "spikes": spikes,
        "spike_rate": rates,
        "synaptic_ops": operations,
        "synapse_words": golden.total("synapse_words"),
        "merges": golden.total("merges"),
        "cycles": cycles,
        "cycles_per_image": cycles / count,
        "sop_per_cycle": operations / cycles,
        "rtl_cycles_per_second": cycles / rtl.seconds,
        "core": {name: getattr(core, name) for name in CORE_SIZES},
        "predictions": proven.classes.tolist(),
    }


def _float_accuracy(samples: Samples) -> float | None:
    """Accuracy before quantisation; ``None`` where the network has no real-valued form."""
    try:
        run = run_reference(samples.network, samples.spikes)
    except NetworkError:
        return None
    return accuracy(samples.network.readout.classes(run), samples.classes)


def _activity(samples: Samples, golden: Run) -> tuple[dict[str, int], dict[str, float]]:
    """Spikes, and spikes per neuron and timestep, of inputs and of hidden populations."""
    network = samples.network
    hidden = [p for p in network.populations if p.name != network.readout.population]
    fired = sum(int(golden.of("spike_counts", p.name).sum()) for p in hidden)
    counts = {"input": int(samples.spikes.sum()), "hidden": fired}
    sizes = {"input": network.encoder.inputs, "hidden": sum(p.size for p in hidden)}
    counts["all"], sizes["all"] = sum(counts.values()), sum(sizes.values())
    # Not of the drain ticks: nothing enters there, and a rate is one of a shown sample.
    steps = len(samples.spikes) * network.encoder.timesteps
    return counts, {key: counts[key] / (steps * max(sizes[key], 1)) for key in counts}
