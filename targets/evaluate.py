"""From what a run left behind to its figures."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.base.errors import DataError, NetworkError
from spikewatt.cosim.bench.record import Recording
from spikewatt.cosim.trace import first_difference
from spikewatt.model.compile.configuration import scheduler_bits
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.reference import run_float
from spikewatt.model.network.graph import Network
from spikewatt.model.network.readout import read_class
from spikewatt.model.params import CoreParams, TableId
from spikewatt.model.run import Run

__all__ = ["Evaluation", "RunEvaluation", "check_classes", "differing_memory"]

CORE_SIZES = ("neurons", "axons", "lanes", "weight_bits", "state_bits", "delay_slots")


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


def differing_memory(
    params: CoreParams,
    tables: Mapping[TableId, dict[str, NDArray[np.int64]]],
    golden: Run,
) -> str | None:
    """Name a memory whose content is not what the golden model has after the last sample."""
    state = tables[TableId.STATE]
    scheduler = scheduler_bits(params, tables[TableId.SCHEDULER])
    pairs = {
        "membrane": (state["membrane"].ravel(), golden.final_membranes[-1]),
        "scheduler": (scheduler[:, : params.axons], golden.final_scheduler[-1]),
    }
    if params.refractory_bits:
        pairs["refractory"] = (state["refractory"].ravel(), golden.final_refractory[-1])
    for name, (got, expected) in pairs.items():
        if not np.array_equal(got, expected):
            return name
    return None


@dataclass(frozen=True, kw_only=True)
class RunEvaluation(ABC):
    """A run of B samples on some hardware, and the golden model's of the same.

    ``spikes``: bool[B, ticks, inputs], drain ticks included. ``classes``: int64[B], if known.
    """

    network: Network
    spikes: NDArray[np.bool_]
    classes: NDArray[np.int64] | None

    @abstractmethod
    def difference(self) -> str | None:
        """First place at which the RTL left the golden model; ``None`` if nowhere."""

    @abstractmethod
    def of_golden(self, name: str, population: str) -> NDArray[Any]:
        """``spikes`` or ``membranes`` [B, ticks, size] of a population, by the golden model."""

    @abstractmethod
    def of_rtl(self, name: str, population: str) -> list[NDArray[Any]]:
        """The same of each sample [ticks, size], by the RTL."""

    @abstractmethod
    def total(self, name: str) -> int:
        """Sum of a counter of the golden model over all samples, ticks and cores."""

    @property
    @abstractmethod
    def core(self) -> CoreParams:
        """The core, or every core of a mesh."""

    def _figures(self, cycles: Sequence[int], seconds: float) -> dict[str, Any]:
        """Fields of a `spikewatt.flow.report.RunReport` that come from the run itself."""
        samples, operations = len(self.spikes), self.total("synaptic_ops")
        readout = self.network.readout.population
        name = "membranes" if self.network.readout.kind == "membrane" else "spikes"
        predictions = [
            int(read_class(self._scores(values))) for values in self.of_rtl(name, readout)
        ]
        expected = read_class(self._scores(self.of_golden(name, readout)))
        difference = self.difference()
        spikes, rates = self._activity()
        return {
            "images": samples,
            "ticks": samples * self.network.ticks,
            "bit_exact": difference is None,
            "difference": difference,
            "accuracy": {
                "float": self._float_accuracy(),
                "quantised": self._accuracy(expected),
                "rtl": self._accuracy(np.array(predictions)),
            },
            "spikes": spikes,
            "spike_rate": rates,
            "synaptic_ops": operations,
            "synapse_words": self.total("synapse_words"),
            "merges": self.total("merges"),
            "cycles": sum(cycles),
            "cycles_per_image": sum(cycles) / samples,
            "sop_per_cycle": operations / sum(cycles),
            "rtl_cycles_per_second": sum(cycles) / seconds,
            "core": {name: getattr(self.core, name) for name in CORE_SIZES},
            "predictions": predictions,
        }

    def _scores(self, values: NDArray[Any]) -> NDArray[np.number]:
        """Scores [..., classes] of a readout's membranes or spikes [..., ticks, classes]."""
        if self.network.readout.kind == "membrane":
            return values[..., -1, :]
        return values.sum(axis=-2)

    def _accuracy(self, predictions: NDArray[np.int64]) -> float | None:
        return None if self.classes is None else float(np.mean(predictions == self.classes))

    def _float_accuracy(self) -> float | None:
        """Accuracy before quantisation; ``None`` where the network has no real-valued form."""
        try:
            return self._accuracy(read_class(run_float(self.network, self.spikes)))
        except NetworkError:
            return None

    def _activity(self) -> tuple[dict[str, int], dict[str, float]]:
        """Spikes, and spikes per neuron and timestep, of inputs and of hidden populations."""
        encoder = self.network.encoder
        readout = self.network.readout.population
        hidden = [p for p in self.network.populations if p.name != readout]
        fired = sum(int(self.of_golden("spikes", p.name).sum()) for p in hidden)
        counts = {"input": int(self.spikes.sum()), "hidden": fired}
        sizes = {"input": encoder.inputs, "hidden": sum(p.size for p in hidden)}
        counts["all"], sizes["all"] = sum(counts.values()), sum(sizes.values())
        steps = len(self.spikes) * encoder.timesteps
        return counts, {key: counts[key] / (steps * max(sizes[key], 1)) for key in counts}


@dataclass(frozen=True, kw_only=True)
class Evaluation(RunEvaluation):
    """A run on one core."""

    program: Program
    golden: Run
    recording: Recording

    def figures(self) -> dict[str, Any]:
        """Fields of a `spikewatt.flow.report.RunReport` that come from the run itself."""
        return self._figures(self.recording.cycles, self.recording.seconds)

    @property
    def core(self) -> CoreParams:
        """The core."""
        return self.program.params

    def total(self, name: str) -> int:
        """Sum of a counter of the golden model over all samples and ticks."""
        return int(getattr(self.golden, name).sum())

    def of_golden(self, name: str, population: str) -> NDArray[Any]:
        """``spikes`` or ``membranes`` [B, ticks, size] of a population, by the golden model."""
        return getattr(self.golden, name)[..., self._columns(population)]

    def of_rtl(self, name: str, population: str) -> list[NDArray[Any]]:
        """The same of each sample [ticks, size], by the RTL."""
        columns = self._columns(population)
        return [getattr(trace, name)[:, columns] for trace in self.recording.traces]

    def _columns(self, population: str) -> slice:
        neurons = self.program.neurons_of[population]
        return slice(neurons.start, neurons.stop)

    def difference(self) -> str | None:
        """First place at which the RTL left the golden model; ``None`` if nowhere."""
        if len(self.recording.traces) != len(self.spikes):
            return f"{len(self.recording.traces)} of {len(self.spikes)} samples were simulated"
        for sample, rtl in enumerate(self.recording.traces):
            if found := first_difference(rtl, self.golden, sample):
                return found
        return self._final_difference()

    def _final_difference(self) -> str | None:
        """Compare the memories, read back after the last sample, with the golden model's."""
        name = differing_memory(self.core, self.recording.tables, self.golden)
        return name and f"the {name} SRAM after the last sample differs from the model"
