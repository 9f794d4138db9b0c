"""Networks for a core whose host sees memories and packets, and nothing inside."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import CapacityError
from spikewatt.model.compile.mapping import fit_params, map_network
from spikewatt.model.compile.program import Program
from spikewatt.model.network.graph import INPUT, Network
from spikewatt.model.params import CoreParams, Fabric
from spikewatt.model.params.core import DEFAULT_SHIFTS

__all__ = ["board_params", "count_taps", "map_for_board", "tap"]

_WEST = -1  # where taps point: any place but the core's own


def board_params(network: Network, *, lanes: int = 8) -> CoreParams:
    """Return the smallest core for an FPGA that `map_for_board` can use.

    Its leak shifts are the default ones where they are enough, so that sizes and kinds name it.
    """
    params = fit_params(network, lanes=lanes, clock_gating=False)
    shifts = DEFAULT_SHIFTS if set(params.shifts) <= set(DEFAULT_SHIFTS) else params.shifts
    taps = network.population(network.readout.population).size if _counts(network) else 0
    inside = [link for link in network.connections if link.source != INPUT]
    used = sum(link.weights.shape[0] for link in inside)
    return replace(
        params,
        scheduler_bits=min(params.scheduler_bits, 8),  # as a core for an FPGA has by default
        destinations=max(used + taps, 1),
        shifts=shifts,
        fabric=Fabric.FPGA,
    )


def map_for_board(network: Network, params: CoreParams) -> Program:
    """Place a network on a core; where spikes are counted for the class, they leave the core too.

    Raises
    ------
    CapacityError
        Names the limit that is too small and the value that would do.
    """
    program = map_network(network, params)
    return tap(program, network.readout.population) if _counts(network) else program


def _counts(network: Network) -> bool:
    return network.readout.kind == "count"


def tap(program: Program, population: str) -> Program:
    """Return the program with one more destination for each neuron of a population: the outside.

    Raises
    ------
    CapacityError
        The core has no room for these destinations.
    """
    params = program.params
    tapped = program.neurons_of[population]
    needed = int(program.fanout_count.sum()) + len(tapped)
    if needed > params.destinations:
        raise CapacityError(
            f"to count the spikes of {population!r} the core needs destinations = {needed}, and "
            f"this core has {params.destinations}: choose a core with destinations >= {needed}"
        )
    if len(tapped) > (room := params.axons * (params.delay_slots - 1)):
        raise CapacityError(
            f"packets of this core tell {room} neurons apart, and {population!r} has "
            f"{len(tapped)}: choose a core with more axons"
        )
    names = ("axon", "delay", "dx", "dy")
    entries = {name: np.zeros(params.destinations, np.int64) for name in names}
    start, count = np.zeros(params.neurons, np.int64), program.fanout_count.copy()
    at = 0
    for neuron in range(params.neurons):
        # Lists are laid out anew: each grows where it is, by the tap behind its own entries.
        old = slice(first := program.fanout_start[neuron], first + count[neuron])
        start[neuron] = at
        for name in names:
            entries[name][at : at + count[neuron]] = getattr(program, name)[old]
        at += count[neuron]
        if neuron in tapped:
            index = neuron - tapped.start
            # Axon and delay together number the neuron: who counts them knows how. Delays begin at
            # 1.
            entries["axon"][at] = index % params.axons
            entries["delay"][at] = 1 + index // params.axons
            entries["dx"][at] = _WEST
            count[neuron] += 1
            at += 1
    return replace(program, fanout_start=start, fanout_count=count, **entries)


def count_taps(packets: NDArray[np.int64], program: Program, population: str) -> NDArray[np.int64]:
    """Spikes int64[size] of a tapped population.

    Parameters
    ----------
    packets:
        int64[n, 4], (axon, delay, dx, dy) that left the core.
    """
    index = packets[:, 0] + program.params.axons * (packets[:, 1] - 1)
    return np.bincount(index, minlength=len(program.neurons_of[population]))
