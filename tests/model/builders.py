"""Programs written by hand, and random networks and programs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.program import InputPort, Program
from spikewatt.model.golden.core import CoreState
from spikewatt.model.network.graph import INPUT, Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import Compare, CoreParams, Leak, NeuronType, Reset
from spikewatt.model.run import Run

__all__ = [
    "at",
    "dense_network",
    "flatten",
    "make_program",
    "membranes",
    "random_network",
    "random_program",
    "spikes",
    "state_after",
]

Sends = Mapping[int, Sequence[tuple[int, int, int, int]]]


def at(*pairs: tuple[int, int]) -> NDArray[np.int64]:
    """Events of (axon, delay) pairs."""
    return np.array(pairs, np.int64).reshape(-1, 2)


def membranes(run: Run, neuron: int = 0) -> list[int]:
    """Membrane of a neuron after each tick of the only sample."""
    return run.membranes[0, :, neuron].tolist()


def spikes(run: Run, neuron: int = 0) -> list[int]:
    """Spikes, 0 or 1, of a neuron in each tick of the only sample."""
    return run.spikes[0, :, neuron].astype(int).tolist()


def state_after(run: Run, t: int) -> CoreState:
    """What a core remembers after a run of one sample, whose last tick was ``t``."""
    return CoreState(
        t=t,
        membrane=run.final_membranes[0].astype(np.int64),
        refractory=run.final_refractory[0].astype(np.int64),
        scheduler=run.final_scheduler[0],
    )


def make_program(
    weights: ArrayLike,
    *,
    kinds: Sequence[NeuronType] = (NeuronType(),),
    threshold: ArrayLike = 100,
    bias: ArrayLike = 0,
    sends: Sends | None = None,
    inputs: tuple[InputPort, ...] = (),
    **sizes: Any,
) -> Program:
    """Program of dense ``weights[axons, neurons]``, one lane, written table by table.

    ``kinds``: one for all neurons, or one each. ``sends[n]``: (axon, delay, dx, dy) of neuron n.
    Membranes have 8 bits, weights 9, unless ``sizes`` say otherwise.
    """
    matrix = np.asarray(weights, np.int64)
    axons, neurons = matrix.shape
    sends = sends or {}
    entries = [entry for n in sorted(sends) for entry in sends[n]]
    counts = np.array([len(sends.get(n, ())) for n in range(neurons)])
    flat = np.array(entries or [(0, 0, 0, 0)], np.int64)
    types = tuple(kinds) if len(kinds) == neurons else (kinds[0],) * neurons
    defaults: dict[str, Any] = {
        "weight_bits": 9,
        "state_bits": 8,
        "delay_slots": 4,
        "types": neurons,
    }
    defaults["shifts"] = tuple(range(1, 8))
    params = CoreParams(
        neurons=neurons, axons=axons, lanes=1, destinations=len(flat), **(defaults | sizes)
    )
    return Program(
        params=params,
        inputs=inputs,
        types=types,
        group_type=np.arange(neurons),
        threshold=np.broadcast_to(threshold, neurons).astype(np.int64),
        bias=np.broadcast_to(bias, neurons).astype(np.int64),
        row_first=np.zeros(axons, np.int64),
        row_last=np.full(axons, neurons - 1),
        row_base=np.arange(axons) * neurons,
        synapses=matrix.reshape(-1, 1),
        fanout_start=np.cumsum(counts) - counts,
        fanout_count=counts,
        axon=flat[:, 0],
        delay=flat[:, 1],
        dx=flat[:, 2],
        dy=flat[:, 3],
        fan_out=np.full(axons, neurons),
    )


def dense_network(*sizes: int, neuron: NeuronType | None = None, **options) -> Network:
    """Layers of ``sizes`` neurons after ``sizes[0]`` inputs, 8-bit weights 1, 2, 3, …."""
    names = [INPUT, *(f"layer {i}" for i in range(1, len(sizes)))]
    neuron = neuron or NeuronType()
    return Network(
        name="layers",
        encoder=Encoder(inputs=sizes[0], timesteps=8),
        populations=tuple(
            Population(name=name, neuron=neuron, threshold=np.full(size, 100))
            for name, size in zip(names[1:], sizes[1:], strict=True)
        ),
        connections=tuple(
            Connection(
                source=names[i],
                target=names[i + 1],
                weights=np.arange(sizes[i] * sizes[i + 1]).reshape(sizes[i], -1) % 100 + 1,
            )
            for i in range(len(sizes) - 1)
        ),
        readout=Readout(population=names[-1]),
        **options,
    )


def random_type(rng: np.random.Generator, state_bits: int) -> NeuronType:
    """Any neuron type that ``state_bits`` allow."""
    leak = list(Leak)[rng.integers(len(Leak))]
    limit = min(9, (1 << state_bits - 1) - 1)
    top = {Leak.NONE: 0, Leak.SUBTRACT: limit, Leak.SHIFT: state_bits - 1, Leak.MULTIPLY: 4095}[
        leak
    ]
    window = int(rng.integers(6)), int(rng.integers(1, 9))
    return NeuronType(
        leak=leak,
        leak_amount=int(rng.integers(1, top + 1)) if top else 0,
        reset=list(Reset)[rng.integers(len(Reset))],
        compare=Compare(rng.integers(2)),
        refractory=int(rng.integers(4)) if rng.random() < 0.5 else 0,
        silent=bool(rng.random() < 0.1),
        window=window if rng.random() < 0.3 else None,
    )


def random_connection(rng: np.random.Generator, source: str, target: str, **sizes: int):
    """Dense random weights of random width and delay between two populations."""
    bits = int(rng.integers(1, 10))
    low, high = (0, 2) if bits == 1 else (-(1 << bits - 1), 1 << bits - 1)
    weights = rng.integers(low, high, (sizes[source], sizes[target]))
    return Connection(
        source=source,
        target=target,
        weights=weights,
        weight_bits=bits,
        delay=int(rng.choice([1, 1, 2, 3, 7])),
    )


def random_network(seed: int) -> Network:
    """Up to three populations, recurrence, one or two connections from the input."""
    rng = np.random.default_rng(seed)
    state_bits = int(rng.choice([4, 6, 9, 12, 16]))
    sizes = {f"p{i}": int(rng.integers(1, 13)) for i in range(rng.integers(1, 4))}
    names = list(sizes)
    inputs = int(rng.integers(1, 9))
    with_bias, top = rng.random() < 0.5, (1 << state_bits - 1) - 1
    populations = [
        Population(
            name=name,
            neuron=random_type(rng, state_bits),
            threshold=rng.integers(0, min(top, 300) + 1, size),
            bias=rng.integers(-4, 5, size) if with_bias else None,
        )
        for name, size in sizes.items()
    ]
    ends = [(INPUT, names[0]), *((a, b) for a in names for b in names if rng.random() < 0.6)]
    if rng.random() < 0.5:
        ends.append((INPUT, names[-1]))
    return Network(
        name=f"random {seed}",
        encoder=Encoder(inputs=inputs, timesteps=10),
        populations=tuple(populations),
        connections=tuple(random_connection(rng, *e, **sizes, **{INPUT: inputs}) for e in ends),
        readout=Readout(population=names[-1]),
        state_bits=state_bits,
    )


def random_program(seed: int) -> Program:
    """Mapped random network; every second one with its destination lists and ports shuffled.

    A mapped network never merges events. The shuffled ones do, and send packets to other cores.
    """
    rng = np.random.default_rng([seed, 1])
    network = random_network(seed)
    program = map_network(network, lanes=int(rng.choice([1, 2, 3, 4, 8])))
    params = program.params
    if seed % 2 == 0:
        return program
    entries, slots = params.destinations, params.delay_slots
    start = rng.integers(0, entries, params.neurons)
    last_port = params.axons - network.encoder.inputs
    return replace(
        program,
        fanout_start=start,
        fanout_count=np.minimum(rng.integers(0, 4, params.neurons), entries - start),
        axon=rng.integers(0, params.axons, entries),
        delay=rng.integers(1, slots, entries),
        dx=-(rng.random(entries) < 0.1).astype(np.int64),
        dy=-(rng.random(entries) < 0.1).astype(np.int64),
        inputs=tuple(
            InputPort(int(rng.integers(last_port + 1)), int(rng.integers(1, slots)))
            for _ in range(2)
        ),
    )


def flatten(network: Network) -> list[Any]:
    """Everything a network holds, as plain values that ``==`` compares."""

    def plain(item: Any) -> dict[str, Any]:
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(item).items()
        }

    parts = [*network.populations, *network.connections, network.encoder, network.readout]
    own = {k: v for k, v in vars(network).items() if isinstance(v, str | int)}
    return [own, dict(network.metadata), *map(plain, parts)]
