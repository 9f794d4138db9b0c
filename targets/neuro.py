"""A network on one neuromorphic core."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.recording import PLAIN, Simulation
from spikewatt.cosim.samples import run_samples
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.categories import CATEGORIES
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.mapping import fit_params, map_network
from spikewatt.model.compile.program import Program
from spikewatt.model.counts import Count, Counts
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.graph import INPUT, Network
from spikewatt.model.params import CoreParams
from spikewatt.model.run import COUNTERS, Keep, Run
from spikewatt.synth.verilog import export
from spikewatt.targets.price import Design, Work
from spikewatt.targets.target import EVERYTHING, Target, spikes_of

__all__ = ["NeuroTarget", "readout_groups", "spiking_counts"]


class NeuroTarget(Target):
    """One core, of the network's size unless ``params`` are given.

    Parameters
    ----------
    lanes:
        Synapse units of the core.
    fitted:
        The network that the core is sized for, if it is another.
    """

    top = "neuro"
    trace = "states"

    def __init__(self, network: Network, *, lanes: int = 8, fitted: Network | None = None) -> None:
        self._network = network
        self._program = map_network(network, fit_params(fitted or network, lanes=lanes))

    @property
    def program(self) -> Program:
        """What is loaded into the core."""
        return self._program

    @property
    def core(self) -> CoreParams:
        """The core."""
        return self._program.params

    def golden(self, x: NDArray[np.bool_], keep: Keep = EVERYTHING) -> Run:
        """Run spikes bool[B, ticks, inputs] on the golden model."""
        return run_batch(self._program, x, keep=keep)

    def simulate(
        self, x: NDArray[np.bool_], how: Simulation = PLAIN, progress: Progress = silent
    ) -> Run:
        """Run spikes bool[B, ticks, inputs] on the RTL."""
        samples = [self._program.input_events(sample) for sample in x]
        groups = readout_groups(self._network, self._program)
        return run_samples(self._program, samples, how, readout=groups, progress=progress)

    def count(self, x: NDArray[np.bool_]) -> Counts:
        """How often what happens where, by the golden model."""
        return spiking_counts(self._network, x, self.golden(x, COUNTERS))

    def design(self) -> Design:
        """The RTL, for pricing."""
        core = Blueprint.of(NeuroCore, self.core)
        return Design(export(core, self.top), self.top, CATEGORIES)

    def work(self, x: NDArray[np.bool_], golden: Run) -> Work:
        """Synaptic operations and spikes of each sample."""
        return spiking_work(x, golden)


def readout_groups(network: Network, program: Program) -> range | None:
    """Groups whose states hold the answer; ``None`` where spike counts are the answer."""
    if network.readout.kind != "membrane":
        return None
    # Whole groups: the host reads words of the state memory, not single membranes.
    neurons, lanes = program.neurons_of[network.readout.population], program.params.lanes
    return range(neurons.start // lanes, -(-neurons.stop // lanes))


def spiking_work(x: NDArray[np.bool_], golden: Run) -> Work:
    """Synaptic operations and spikes of each sample, those of the inputs too."""
    return Work(
        operations=golden.by_sample("synaptic_ops"),
        spikes=golden.by_sample("spike_counts") + spikes_of(x),
        ticks=x.shape[1],
    )


def spiking_counts(network: Network, x: NDArray[np.bool_], golden: Run) -> Counts:
    """Counts of a spiking network's run.

    An update is a neuron's in a tick, whether the core visits it or lets it sleep.
    """

    def rows() -> Iterator[Count]:
        yield Count("synapses", "read", golden.total("synapse_words"))
        yield Count("datapath", "add", golden.total("synaptic_ops"))
        yield Count("input", "event", int(x.sum()), INPUT)
        for population in network.populations:
            fired = int(golden.of("spike_counts", population.name).sum())
            yield Count("neurons", "event", fired, population.name)
            # What the network asks for; that sleeping groups are not visited is the core's merit.
            updates = population.size * x.shape[0] * x.shape[1]
            yield Count("neurons", "update", updates, population.name)
        if "hops" in golden.arrays:
            yield Count("network", "event", golden.total("packets"))
            yield Count("routers", "hop", golden.total("hops"))

    return Counts.of(len(x), rows())
