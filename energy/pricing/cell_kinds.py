"""Instances by the cell that they are, and probabilities of their pins' states."""

import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.values import remembered
from spikewatt.synth.liberty.function import Function
from spikewatt.synth.liberty.library import Cell, Library
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["CellKind", "Terms", "cell_kinds", "deciding", "holding", "probability"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Terms = tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]
"""Names of pins, and assignments of them."""


@dataclass(frozen=True)
class CellKind:
    """All instances of one cell: their indices, and the nets of each pin (0 if unconnected)."""

    cell: Cell
    index: IntArray
    nets: Mapping[str, IntArray]


def cell_kinds(netlist: Netlist, library: Library) -> list[CellKind]:
    """All kinds of a netlist; of one that was read, they are remembered."""
    if not (netlist.digest and library.digest):  # made by hand, or changed since it was read
        return _cell_kinds(netlist, library)
    content = [netlist.digest, library.digest]
    return remembered("cell kinds", content, lambda: _cell_kinds(netlist, library))


def _cell_kinds(netlist: Netlist, library: Library) -> list[CellKind]:
    by_type: dict[str, list[int]] = defaultdict(list)
    for at, instance in enumerate(netlist.instances):
        by_type[instance.type].append(at)
    kinds = []
    for name, indices in by_type.items():
        cell = library.cells[name]
        nets = {
            # What is not connected is at net 0, the constant: whatever it is given there is lost.
            pin: np.array([netlist.instances[i].pins.get(pin, 0) for i in indices], np.int64)
            for pin in cell.pins
        }
        kinds.append(CellKind(cell, np.array(indices, np.int64), nets))
    return kinds


@cache
def deciding(function: Function, pin: str) -> Terms:
    """Other inputs, and the assignments of them at which ``pin`` decides the function."""
    # The Boolean difference: where the function with `pin` at 0 and at 1 are not the same.
    others = tuple(name for name in function.inputs if name != pin)
    terms = []
    for bits in itertools.product((0, 1), repeat=len(others)):
        values = dict(zip(others, bits, strict=True))
        low = function.evaluate({**values, pin: 0}, 1) & 1
        high = function.evaluate({**values, pin: 1}, 1) & 1
        if low != high:
            terms.append(bits)
    return others, tuple(terms)


def probability(terms: Terms, kind: CellKind, duty: FloatArray) -> FloatArray:
    """Probability of any of the assignments, inputs taken as independent; float64[instances]."""
    names, assignments = terms
    total = np.zeros(len(kind.index))
    # The state of a flip-flop is no pin: it is taken to be 1 half of the time.
    levels = [
        duty[kind.nets[name]] if name in kind.nets else np.full(len(kind.index), 0.5)
        for name in names
    ]
    for bits in assignments:  # they exclude one another, so that their probabilities add up
        part = np.ones(len(kind.index))
        for bit, level in zip(bits, levels, strict=True):
            part = part * (level if bit else 1 - level)
        total += part
    return total


@cache
def holding(function: Function) -> Terms:
    """Inputs, and the assignments at which the function holds."""
    names = tuple(function.inputs)
    terms = tuple(
        bits
        for bits in itertools.product((0, 1), repeat=len(names))
        if function.evaluate(dict(zip(names, bits, strict=True)), 1) & 1
    )
    return names, terms
