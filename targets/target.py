"""What a network can run on: one interface, so that nothing else asks which hardware it is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import SimulationError
from spikewatt.base.files import scratch
from spikewatt.base.progress import Progress, silent, worded
from spikewatt.cosim.choices import ModelTrace
from spikewatt.cosim.recording import PLAIN, MemoryWaveform, Simulation
from spikewatt.model.counts import Counts
from spikewatt.model.run import Keep, Run
from spikewatt.synth.liberty.reader import LibertyFiles
from spikewatt.targets.price import Blocks, Design, PricedRun, Work, price_blocks
from spikewatt.targets.proof import Proof

__all__ = ["Stimulus", "Target"]

Stimulus = NDArray[Any]
"""What enters: spikes bool[B, ticks, inputs] with drain ticks, or activations int[B, inputs]."""
EVERYTHING = Keep()


class Target(ABC):
    """Hardware with a network on it.

    ``top`` is its module, and the name of its waveform. ``trace`` is what a priced run of it
    records. ``rest`` is for how many clock cycles it rests before the first sample of such a run.
    """

    top: ClassVar[str]
    trace: ClassVar[ModelTrace] = "vcd"
    rest: ClassVar[int] = 0

    @property
    @abstractmethod
    def program(self) -> Any:
        """What is loaded into the hardware."""

    @abstractmethod
    def golden(self, x: Stimulus, keep: Keep = EVERYTHING) -> Run:
        """What the hardware has to do, by the golden model."""

    @abstractmethod
    def simulate(self, x: Stimulus, how: Simulation = PLAIN, progress: Progress = silent) -> Run:
        """What the hardware does: its RTL in a simulator, or a board."""

    @abstractmethod
    def count(self, x: Stimulus) -> Counts:
        """How often what happens where, by the golden model: no RTL runs."""

    @abstractmethod
    def design(self) -> Design:
        """The RTL, for pricing."""

    @abstractmethod
    def work(self, x: Stimulus, golden: Run) -> Work:
        """The work of each sample, to divide its energy by."""

    def price(
        self, x: Stimulus, library: LibertyFiles | None = None, progress: Progress = silent
    ) -> PricedRun:
        """Energy of samples: they run with a waveform of their own, held against the model.

        Raises
        ------
        SimulationError
            The RTL is not the golden model.
        """
        proof, design = Proof(self.golden, x), self.design()
        with scratch() as folder:
            # In memory as far as it fits: the replay follows in the same process.
            waveform = MemoryWaveform(folder / f"{self.top}.vcd")
            how = Simulation(
                trace=self.trace,
                waveform=waveform,
                readout=True,
                rest=self.rest,
                observe=proof.observer,
            )
            run = self.simulate(x, how, worded(progress, after=", with a waveform"))
            if parting := proof.difference(run):
                raise SimulationError(f"with a waveform the RTL is another: {parting}")
            price = price_blocks(design, waveform, Blocks.of(run), library, progress)
        return self.finish(replace(price, run=run, work=self.work(x, proof.golden)))

    def figures(self, run: Run) -> Mapping[str, Any]:
        """What a report says of a run on this kind of hardware, beside what it says of any."""
        del run
        return {}

    def draw(self, folder: Path, golden: Run) -> None:
        """Write pictures of the target and the run, where there are any."""
        del folder, golden

    def finish(self, price: PricedRun) -> PricedRun:
        """Add what only this kind of hardware has a price for."""
        return price


def spikes_of(x: Stimulus) -> NDArray[np.int64]:
    """Spikes int64[B] that enter with each sample."""
    return x.sum(axis=(1, 2), dtype=np.int64)
