"""The path behind an arrival, in the names of the project."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.delays.arcs import Arcs
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["EDGES", "Step", "worst_path"]

FloatArray = NDArray[np.float64]
EDGES = ("rise", "fall")


@dataclass(frozen=True, slots=True)
class Step:
    """A point of a path: what drives ``net``, and when its ``edge`` is there.

    ``instance`` is a cell or memory, or empty for a port of the top.
    """

    instance: str
    pin: str
    net: str
    arrival_s: float
    edge: str


def worst_path(
    netlist: Netlist, library: Library, arcs: Arcs, arrival: FloatArray, phase: int, node: int
) -> tuple[Step, ...]:
    """The path that makes the arrival at a node, backwards along arcs that make up all of it."""
    nodes = [node]
    late = arrival[phase]
    while True:
        into = np.flatnonzero(arcs.target == nodes[-1])
        # Equal to the last bit: `propagate` made the arrival of this very sum.
        exact = late[arcs.source[into]] + arcs.delay[into] == late[nodes[-1]]
        if not exact.any():
            break
        nodes.append(int(arcs.source[into[exact][0]]))
    drivers = _drivers(netlist, library, {step >> 1 for step in nodes})
    return tuple(
        Step(*drivers[step >> 1], netlist.names[step >> 1][0], float(late[step]), EDGES[step & 1])
        for step in reversed(nodes)
    )


def _drivers(netlist: Netlist, library: Library, nets: set[int]) -> dict[int, tuple[str, str]]:
    """Instance and pin that drive each of the nets."""
    ends: dict[int, tuple[str, str]] = dict.fromkeys(nets, ("", ""))
    # Cells last: an output port names the net that a cell drives, too.
    for name, port in netlist.ports.items():
        ends |= dict.fromkeys(nets & set(port.nets), ("", name))
    for memory in netlist.memories:
        for number, port in enumerate(memory.ports):
            if port.kind == "read":
                label = f"read{number}.data"
                ends |= dict.fromkeys(nets & set(port.data), (memory.name, label))
    for instance in netlist.instances:
        for pin, net in instance.pins.items():
            if net in nets and library.cells[instance.type].pins[pin].direction == "output":
                ends[net] = (instance.name, pin)
    return ends
