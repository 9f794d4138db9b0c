"""What a network can run on: one core, or a mesh of them."""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.progress import Progress
from spikewatt.cosim.samples import run_samples
from spikewatt.cosim.simulate import Simulator
from spikewatt.cosim.verilated import Trace
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.graph import Network
from spikewatt.targets.evaluate import Evaluation, RunEvaluation
from spikewatt.targets.ledger import SpikingEnergy, price_samples, readout_groups

__all__ = ["Classes", "CoreTarget", "Spikes", "Target"]

Spikes = NDArray[np.bool_]
Classes = NDArray[np.int64] | None


class Target(ABC):
    """Hardware with a network on it.

    ``top`` is its module, and the name of its waveform.
    """

    top: str

    @abstractmethod
    def run(
        self,
        spikes: Spikes,
        classes: Classes,
        *,
        simulator: Simulator,
        trace: Trace,
        waveform: Path | None,
        progress: Progress,
    ) -> RunEvaluation:
        """Run samples bool[B, ticks, inputs], drain ticks included, in RTL and golden model."""

    @abstractmethod
    def price(
        self, evaluation: RunEvaluation, count: int, liberty: Path | str | None, progress: Progress
    ) -> SpikingEnergy:
        """Energy of the first ``count`` samples of a run, from a waveform of their own."""

    def draw(self, folder: Path, evaluation: RunEvaluation) -> None:
        """Write pictures of the target and the run, where there are any."""
        del folder, evaluation


class CoreTarget(Target):
    """One core of the network's size."""

    top = "neuro"

    def __init__(self, network: Network, *, lanes: int) -> None:
        self._network = network
        self._program = map_network(network, lanes=lanes)

    def run(
        self,
        spikes: Spikes,
        classes: Classes,
        *,
        simulator: Simulator,
        trace: Trace,
        waveform: Path | None,
        progress: Progress,
    ) -> Evaluation:
        """Run samples bool[B, ticks, inputs], drain ticks included, in RTL and golden model."""
        golden = run_batch(self._program, spikes)
        recording = run_samples(
            self._program,
            [self._program.input_events(sample) for sample in spikes],
            simulator=simulator,
            trace=trace,
            waveform=waveform,
            progress=progress,
        )
        return Evaluation(
            network=self._network,
            program=self._program,
            spikes=spikes,
            classes=classes,
            golden=golden,
            recording=recording,
        )

    def price(
        self, evaluation: RunEvaluation, count: int, liberty: Path | str | None, progress: Progress
    ) -> SpikingEnergy:
        """Energy of the first ``count`` samples of a run, from a waveform of their own."""
        assert isinstance(evaluation, Evaluation)
        return price_samples(
            self._program,
            [self._program.input_events(sample) for sample in evaluation.spikes[:count]],
            evaluation.golden,
            evaluation.spikes,
            liberty,
            readout=readout_groups(self._network, self._program),
            progress=progress,
        )
