"""A network of a million neurons: mapped onto a mesh, and run, in bounded memory."""

import resource

import numpy as np
import pytest

from spikewatt.model.compile.mesh.mapping import MeshFit, TileLimits, map_mesh
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.graph import Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import Leak, NeuronType, Reset
from spikewatt.model.run import Keep, Run

HUB, TICKS = 64, 20


def broadcast(populations: int, size: int) -> Network:
    """A hub of ``HUB`` neurons that drives many populations, all with the same weights."""
    rng = np.random.default_rng(3)
    weights = rng.integers(-20, 40, (HUB, size))
    names = [f"p{k}" for k in range(populations)]
    leaky = NeuronType(leak=Leak.SHIFT, leak_amount=2, reset=Reset.SUBTRACT)
    return Network(
        name="broadcast",
        encoder=Encoder(inputs=HUB, timesteps=TICKS),
        populations=(
            Population(name="hub", neuron=leaky, threshold=np.full(HUB, 300)),
            *(Population(name=n, neuron=leaky, threshold=np.full(size, 400)) for n in names),
        ),
        connections=(
            Connection(source="input", target="hub", weights=rng.integers(-20, 40, (HUB, HUB))),
            *(Connection(source="hub", target=name, weights=weights) for name in names),
        ),
        readout=Readout(population="p0"),
    )


def show(populations: int, size: int) -> tuple[MeshProgram, Run]:
    """Its mesh of cores as large as they come, and what one sample does."""
    limits = TileLimits(neurons=1 << 16, axons=1 << 16, synapse_words=1 << 20, destinations=1 << 16)
    program = map_mesh(broadcast(populations, size), MeshFit(lanes=32, limits=limits))
    spikes = np.random.default_rng(4).random((1, TICKS, HUB)) < 0.3
    return program, run_mesh(program, spikes, Keep(spikes=("hub", "p0"), membranes=("p0",)))


def assert_alike(trace: Run, populations: int) -> None:
    """All populations do the same, and not nothing."""
    first = trace.of("spike_counts", "p0")
    assert first.any()
    for k in range(populations):
        assert np.array_equal(trace.of("spike_counts", f"p{k}"), first)
    work = trace.of("spikes", "hub")[0, :-1].sum() * trace.of("spike_counts", "p0").shape[1]
    own = trace.by_sample("synaptic_ops")[0] - work * populations
    assert 0 < own <= HUB * HUB * TICKS  # what the input did to the hub


def test_four_populations_of_it() -> None:
    assert_alike(show(4, 96)[1], 4)


@pytest.mark.long
def test_a_million_neurons_fit() -> None:
    """64 million synapses. The network itself has them in 64 bits each: half a gigabyte."""
    program, trace = show(64, 1 << 14)
    assert program.params.tiles * program.params.core.neurons >= 1 << 20
    assert_alike(trace, 64)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert peak < 3 << 30, f"{peak / 2**30:.1f} GiB"
