"""Slews, propagated once over the levelised netlist."""

from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from spikewatt.energy.pricing.cell_kinds import CellKind

__all__ = ["arc_depths", "net_slews"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ROUNDS, SETTLED = 20, 1e-9
"""Most rounds through loops, and the relative change that ends them."""
_DEEPEST = 5000
"""Arcs in a path; more than that is a cycle through latches."""


def net_slews(
    kinds: Sequence[CellKind],
    load: FloatArray,
    clock_net: NDArray[np.bool_],
    recorded: Collection[int] = (),
) -> FloatArray:
    """float64[nets, 2]: rise and fall, the largest over the arcs, in the order of the arcs.

    Loops are cut at the ``recorded`` nets (`Netlist.recorded`), and gone through until they
    have settled.
    """
    slew = np.zeros((len(load), 2))
    cut = list(recorded)
    level = _arc_levels(kinds, len(load), clock_net, cut)
    work: dict[int, list[tuple[CellKind, str, IntArray]]] = defaultdict(list)
    for kind in kinds:
        for name, nets in kind.nets.items():
            if kind.cell.pins[name].direction == "output":
                driven = (nets > 1) & ~clock_net[nets]  # the clock network stays ideal
                for depth in np.unique(level[nets]):
                    chosen = np.flatnonzero((level[nets] == depth) & driven)
                    work[int(depth)].append((kind, name, chosen))
    for _ in range(ROUNDS if cut else 1):
        before = slew[cut]
        # From nothing each time, for slews are only ever raised: but the cut nets keep theirs.
        slew = np.zeros_like(slew)
        slew[cut] = before
        for depth in sorted(work):
            for kind, name, chosen in work[depth]:
                _drive(kind, name, chosen, slew, load)
        if np.allclose(slew[cut], before, rtol=SETTLED, atol=0.0):
            break
    return slew


def _drive(kind: CellKind, name: str, chosen: IntArray, slew: FloatArray, load: FloatArray) -> None:
    """Raise the slews of an output's nets to those of its arcs."""
    out = kind.nets[name][chosen]
    for arc in kind.cell.pins[name].timing:
        if arc.related not in kind.nets:
            continue
        rise, fall = slew[kind.nets[arc.related][chosen]].T
        if arc.kind == "rising_edge":
            cases = ((0, (rise,)), (1, (rise,)))
        elif arc.kind == "falling_edge":
            cases = ((0, (fall,)), (1, (fall,)))
        elif arc.sense == "positive_unate":
            cases = ((0, (rise,)), (1, (fall,)))
        elif arc.sense == "negative_unate":
            cases = ((0, (fall,)), (1, (rise,)))
        else:
            cases = ((0, (rise, fall)), (1, (rise, fall)))
        for edge, inputs in cases:
            table = arc.fall_transition if edge else arc.rise_transition
            if table is None:
                continue
            for value in inputs:
                # `at`, because a net that several gates of a kind drive stands there several times.
                np.maximum.at(slew[:, edge], out, table.at(value, load[out, edge]))


def _arc_levels(
    kinds: Sequence[CellKind], nets: int, clock_net: NDArray[np.bool_], cut: list[int]
) -> IntArray:
    """Depth of each net in arcs; nets on a cycle of latches keep the depth where it was cut."""
    sources, targets = [], []
    for kind in kinds:
        for name, out in kind.nets.items():
            pin = kind.cell.pins[name]
            if pin.direction != "output":
                continue
            for related in {arc.related for arc in pin.timing} & set(kind.nets):
                sources.append(kind.nets[related])
                targets.append(out)
    if not sources:
        return np.zeros(nets, np.int64)
    source, target = np.concatenate(sources), np.concatenate(targets)
    keep = (source > 1) & (target > 1) & ~clock_net[source] & ~np.isin(source, cut)
    return arc_depths(source[keep], target[keep], nets)


def arc_depths(source: IntArray, target: IntArray, nets: int) -> IntArray:
    """int64[nets]: the most arcs, from net ``source[k]`` to ``target[k]``, that lead to each net.

    On a cycle the count ends somewhere: there a source is not below its target.
    """
    level = np.zeros(nets, np.int64)
    for _ in range(nets):  # no path without a cycle has more arcs than there are nets
        wanted = level.copy()
        np.maximum.at(wanted, target, level[source] + 1)
        if (wanted == level).all() or wanted.max() > nets:
            break
        level = wanted
        if level.max() > _DEEPEST:
            break
    return level
