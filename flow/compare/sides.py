"""Each side of a comparison: what it computes, and its run on a core, proven and priced."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import CapacityError
from spikewatt.base.progress import Progress, silent, worded
from spikewatt.flow.compare.variants import NeuroVariant, SystolicVariant
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.program import Program
from spikewatt.model.compile.systolic.program import SystolicProgram, map_quantised
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.graph import Network
from spikewatt.model.network.quantised import QuantisedNetwork
from spikewatt.model.network.readout import Readout
from spikewatt.model.run import COUNTERS, Run
from spikewatt.synth.liberty.reader import LibertyFiles
from spikewatt.targets.mesh import MeshTarget
from spikewatt.targets.mesh_size import parse_mesh
from spikewatt.targets.neuro import NeuroTarget
from spikewatt.targets.price import PricedRun
from spikewatt.targets.systolic import SystolicTarget
from spikewatt.targets.target import Stimulus, Target, spikes_of

__all__ = ["NeuroSide", "Pricing", "SystolicSide"]

IntArray = NDArray[np.int64]
"""Called with what is being done, and the number of samples done so far."""


@dataclass(frozen=True)
class Pricing:
    """What is priced, and by what: the first ``count`` samples, with the prices of a library."""

    count: int
    library: LibertyFiles | None = None
    progress: Progress = silent

    def of(self, target: Target, x: Stimulus) -> PricedRun:
        """Price a target."""
        return target.price(x[: self.count], self.library, self.progress)

    def named(self, name: str) -> "Pricing":
        """The same, told with the name of a variant."""
        return replace(self, progress=worded(self.progress, f"{name}: "))


@dataclass(frozen=True, eq=False)
class NeuroSide:
    """A spiking network and its input spikes.

    Parameters
    ----------
    spikes:
        bool[n, ticks, inputs], drain ticks included.
    """

    network: Network
    spikes: NDArray[np.bool_]

    @cached_property
    def golden(self) -> Run:
        """The golden model's run of all samples; on which core makes no difference."""
        return run_batch(self._any_program, self.spikes, keep=COUNTERS)

    @cached_property
    def _any_program(self) -> Program:
        """On the core of fewest lanes that holds the network; many lanes need fewer words."""
        # Wider rows need fewer of them: what 8 lanes cannot hold may fit 64.
        refused: CapacityError | None = None
        for lanes in (8, 16, 32, 64):
            try:
                return map_network(self.network, lanes=lanes)
            except CapacityError as error:
                refused = error
        assert refused is not None
        raise refused

    @cached_property
    def classes(self) -> IntArray:
        """int64[n], what the network answers."""
        return self.network.readout.classes(self.golden)

    def fired(self, population: str) -> IntArray:
        """Spike counts int64[n, neurons] of a population."""
        return self.golden.of("spike_counts", population)

    @cached_property
    def counts(self) -> list[IntArray]:
        """Spike counts int64[n, neurons] of each hidden population, from the input on."""
        return [self.fired(p.name) for p in self.network.populations if not p.neuron.silent]

    @property
    def spike_counts(self) -> IntArray:
        """int64[n], spikes of inputs and of all neurons in each sample."""
        return self.golden.by_sample("spike_counts") + spikes_of(self.spikes)

    @property
    def spike_rate(self) -> float:
        """Spikes for each input and hidden neuron and timestep of the encoder."""
        sizes = self.spikes.shape[2] + sum(counts.shape[1] for counts in self.counts)
        fired = int(self.spikes.sum()) + sum(int(counts.sum()) for counts in self.counts)
        return fired / (len(self.spikes) * sizes * self.network.encoder.timesteps)

    def target(self, variant: NeuroVariant, fitted: Network | None = None) -> Target:
        """The network on a core, or a mesh of them.

        ``fitted``: the network that the core is sized for, if it is another.
        """
        if variant.mesh is None:
            return NeuroTarget(self.network, lanes=variant.lanes, fitted=fitted)
        mesh = parse_mesh(variant.mesh)
        return MeshTarget(self.network, mesh=mesh, lanes=variant.lanes, router=variant.router)

    def price(
        self, variant: NeuroVariant, pricing: Pricing, fitted: Network | None = None
    ) -> PricedRun:
        """Run the first samples on the RTL, hold them against the model, price them."""
        return pricing.of(self.target(variant, fitted), self.spikes)


@dataclass(frozen=True, eq=False)
class SystolicSide:
    """A quantised network and its inputs, int64[n, inputs]."""

    network: QuantisedNetwork
    x: IntArray

    @cached_property
    def golden(self) -> list[IntArray]:
        """What each layer gives, accumulators last: int64[n, outputs] each."""
        return self.network.run(self.x)

    @cached_property
    def classes(self) -> IntArray:
        """int64[n], what the network answers."""
        return Readout.decide(self.golden[-1])

    @property
    def sparsity(self) -> float:
        """Part of all activations, inputs included, that are zero."""
        # Not the accumulators at the end: they are no activations.
        values = np.concatenate([self.x, *self.golden[:-1]], axis=1)
        return float((values == 0).mean())

    def program(self, variant: SystolicVariant) -> SystolicProgram:
        """The network on the smallest core of this kind."""
        return map_quantised(self.network, batch=variant.batch, **variant.fields)

    def price(
        self, variant: SystolicVariant, pricing: Pricing, program: SystolicProgram | None = None
    ) -> PricedRun:
        """Run the first samples on the RTL, hold them against the model, price them."""
        return pricing.of(SystolicTarget(program or self.program(variant)), self.x)
