"""From what a run left behind to its figures."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.cosim.bench.record import Recording
from spikewatt.cosim.trace import RtlTrace, first_difference
from spikewatt.model.batch import BatchTrace
from spikewatt.model.configuration import scheduler_bits
from spikewatt.model.encoding import read_class
from spikewatt.model.errors import DataError, NetworkError
from spikewatt.model.network import Network
from spikewatt.model.params import TableId
from spikewatt.model.program import Program
from spikewatt.model.reference import run_float

__all__ = ["Evaluation", "check_classes"]

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


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A run of B samples, and the golden model's of the same.

    ``spikes``: bool[B, ticks, inputs], drain ticks included. ``classes``: int64[B], if known.
    """

    network: Network
    program: Program
    spikes: NDArray[np.bool_]
    classes: NDArray[np.int64] | None
    golden: BatchTrace
    recording: Recording

    def figures(self) -> dict[str, Any]:
        """Fields of a `spikewatt.flow.report.RunReport` that come from the run itself."""
        recording, golden, samples = self.recording, self.golden, len(self.spikes)
        cycles, operations = sum(recording.cycles), int(golden.synaptic_ops.sum())
        predictions = [int(read_class(self._scores(rtl))) for rtl in recording.traces]
        difference = self.difference()
        spikes, rates = self._activity()
        return {
            "images": samples,
            "ticks": samples * self.network.ticks,
            "bit_exact": difference is None,
            "difference": difference,
            "accuracy": {
                "float": self._float_accuracy(),
                "quantised": self._accuracy(read_class(self._scores(golden))),
                "rtl": self._accuracy(np.array(predictions)),
            },
            "spikes": spikes,
            "spike_rate": rates,
            "synaptic_ops": operations,
            "synapse_words": int(golden.synapse_words.sum()),
            "merges": int(golden.merges.sum()),
            "cycles": cycles,
            "cycles_per_image": cycles / samples,
            "sop_per_cycle": operations / cycles,
            "rtl_cycles_per_second": cycles / recording.seconds,
            "core": {name: getattr(self.program.params, name) for name in CORE_SIZES},
            "predictions": predictions,
        }

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
        golden, params = self.golden, self.program.params
        state = self.recording.tables[TableId.STATE]
        scheduler = scheduler_bits(params, self.recording.tables[TableId.SCHEDULER])
        pairs = {
            "membrane": (state["membrane"].ravel(), golden.membranes[-1, -1]),
            "scheduler": (scheduler[:, : params.axons], golden.scheduler[-1]),
        }
        if params.refractory_bits:
            pairs["refractory"] = (state["refractory"].ravel(), golden.refractory[-1])
        for name, (got, expected) in pairs.items():
            if not np.array_equal(got, expected):
                return f"the {name} SRAM after the last sample differs from the model"
        return None

    def _scores(self, trace: BatchTrace | RtlTrace) -> NDArray[np.number]:
        """Scores of the readout [..., classes], from arrays [..., ticks, neurons]."""
        neurons = self.program.neurons_of[self.network.readout.population]
        columns = slice(neurons.start, neurons.stop)
        if self.network.readout.kind == "membrane":
            return trace.membranes[..., -1, columns]
        return trace.spikes[..., columns].sum(axis=-2)

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
        fired = 0
        for population in hidden:
            neurons = self.program.neurons_of[population.name]
            fired += int(self.golden.spikes[:, :, neurons.start : neurons.stop].sum())
        counts = {"input": int(self.spikes.sum()), "hidden": fired}
        sizes = {"input": encoder.inputs, "hidden": sum(p.size for p in hidden)}
        counts["all"], sizes["all"] = sum(counts.values()), sum(sizes.values())
        steps = len(self.spikes) * encoder.timesteps
        return counts, {key: counts[key] / (steps * max(sizes[key], 1)) for key in counts}
