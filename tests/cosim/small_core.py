"""One small core, and programs of it written down by hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.model.compile.program import Program
from spikewatt.model.params import CoreParams, NeuronType
from spikewatt.model.run import Run

__all__ = [
    "BOTTOM",
    "CORE",
    "LAST_DELAY",
    "TOP",
    "Corner",
    "corner",
    "fired",
    "make_program",
    "membranes",
]

CORE = CoreParams(
    neurons=12,
    axons=11,
    weight_bits=8,
    state_bits=8,
    bias_bits=6,
    lanes=4,
    delay_slots=8,
    scheduler_bits=4,
    destinations=24,
    refractory_bits=3,
    types=3,
    shifts=(1, 3, 7),
    hop_bits=3,
)
"""Build of all corners: three groups of four neurons, membranes from -128 to 127."""
TOP, BOTTOM = CORE.membrane_range[1], CORE.membrane_range[0]
LAST_DELAY = CORE.delay_slots - 1
IntArray = NDArray[np.int64]
Destination = tuple[int, int, int, int]
Event = tuple[int, int]


def make_program(
    *,
    params: CoreParams = CORE,
    weights: Mapping[int, ArrayLike] | None = None,
    threshold: ArrayLike = TOP,
    bias: ArrayLike = 0,
    types: Sequence[NeuronType] = (NeuronType(),),
    group_type: ArrayLike = 0,
    fanout: Mapping[int, Sequence[Destination]] | None = None,
) -> Program:
    """Program of a small core; ``weights[axon]`` is a row, or one value for all neurons of it."""
    weights, fanout = weights or {}, fanout or {}
    lists = [list(fanout.get(n, ())) for n in range(params.neurons)]
    entries = np.zeros((params.destinations, 4), np.int64)
    flat = np.array([entry for run in lists for entry in run], np.int64).reshape(-1, 4)
    entries[: len(flat)] = flat
    count = np.array([len(run) for run in lists])
    present = np.isin(np.arange(params.axons), list(weights))
    synapses = np.zeros((params.axons, params.neurons), np.int64)
    for axon, row in weights.items():
        synapses[axon] = row
    base = params.groups * np.arange(params.axons)
    return Program(
        params=params,
        types=tuple(types),
        group_type=np.broadcast_to(np.asarray(group_type), params.groups),
        threshold=np.broadcast_to(np.asarray(threshold), params.neurons),
        bias=np.broadcast_to(np.asarray(bias), params.neurons),
        synapses=synapses.reshape(params.synapse_words, params.lanes),
        row_first=np.zeros(params.axons, np.int64),
        row_last=np.where(present, params.groups - 1, -1),
        row_base=base,
        fan_out=np.where(present, params.neurons, 0),
        fanout_start=np.cumsum(count) - count,
        fanout_count=count,
        axon=entries[:, 0],
        delay=entries[:, 1],
        dx=entries[:, 2],
        dy=entries[:, 3],
    )


@dataclass(frozen=True, kw_only=True)
class Corner:
    """``met`` says of the golden run that the corner is in it."""

    program: Program
    events: list[IntArray]
    met: Callable[[Run], bool]


def corner(
    program: Program, events: Sequence[Sequence[Event]], met: Callable[[Run], bool]
) -> Corner:
    """Corner with the events (axon, delay) before each tick."""
    arrays = [np.array(list(tick), np.int64).reshape(-1, 2) for tick in events]
    return Corner(program=program, events=arrays, met=met)


def membranes(run: Run, neuron: int = 0) -> list[int]:
    """Membrane of a neuron after each tick."""
    return run.membranes[0, :, neuron].tolist()


def fired(run: Run, neuron: int = 0) -> list[int]:
    """Ticks in which a neuron fires."""
    return np.flatnonzero(run.spikes[0, :, neuron]).tolist()
