"""Corners of the window: when it opens, what it withholds, what it compares with."""

from dataclasses import replace
from functools import partial

from spikewatt.model.params import Compare, Leak, NeuronType, Reset
from tests.cosim import small_core
from tests.cosim.small_core import BOTTOM, CORE, TOP, Corner, corner, fired, membranes

__all__ = ["WINDOW_CORE", "WINDOW_CORNERS", "window_program"]

WINDOW_CORE = replace(CORE, window_bits=3)
"""The small core with windows that end before tick 7 at the latest."""
window_program = partial(small_core.make_program, params=WINDOW_CORE)


def kind(first: int, ticks: int, **more) -> NeuronType:
    return NeuronType(**{"reset": Reset.SUBTRACT, "window": (first, ticks), **more})


PLAIN = NeuronType(reset=Reset.SUBTRACT)
WINDOW_CORNERS: dict[str, Corner] = {
    "a window opens over a group that sleeps": corner(
        window_program(
            weights={0: 60}, threshold=90, types=[kind(4, 2)], fanout={0: [(1, 1, 1, 0)]}
        ),
        [[(0, 1)], [], [], [], [], [], []],
        lambda trace: fired(trace) == [4] and membranes(trace) == [60, 60, 60, 60, -30, -30, -30],
    ),
    "two windows open over sleeping groups": corner(
        window_program(
            weights={0: 60},
            threshold=90,
            types=[PLAIN, kind(3, 1), kind(6, 1)],
            group_type=[2, 0, 1],
        ),
        [[(0, 1)], *[[]] * 8],
        lambda trace: [fired(trace, n) for n in (0, 4, 8)] == [[6], [], [3]],
    ),
    "the bias comes once": corner(
        window_program(
            bias=-7, types=[kind(2, 2), kind(0, 1, silent=True), PLAIN], group_type=[0, 1, 2]
        ),
        [[]] * 4,
        lambda trace: (
            membranes(trace, 0) == membranes(trace, 4) == [-7] * 4
            and membranes(trace, 8) == [-7, -14, -21, -28]
        ),
    ),
    "a spike a tick, and none before or after": corner(
        window_program(weights={0: 120}, threshold=10, types=[kind(1, 3)]),
        [[(0, 1)], *[[]] * 6],
        lambda trace: fired(trace) == [1, 2, 3] and membranes(trace) == [120, 110, 100] + [90] * 4,
    ),
    "half a threshold, rounded up": corner(
        window_program(
            weights={0: [2, 2, 3, 3] * 2 + [2] * 4},
            threshold=[4, 5, 5, 6] * 3,
            types=[kind(0, 1), kind(0, 1, compare=Compare.GREATER), PLAIN],
            group_type=[0, 1, 2],
        ),
        [[(0, 1)], []],
        lambda trace: (
            trace.spikes[0, 0].tolist() == [True, False, True, True] + [False] * 8
            and trace.membranes[0, 0].tolist() == [-2, 2, -2, -3, 2, 2, 3, 3, 2, 2, 2, 2]
        ),
    ),
    "more than half a threshold": corner(
        window_program(
            weights={0: [3, 3, 4, 4] * 3},
            threshold=[4, 5, 5, 6] * 3,
            types=[kind(0, 1, compare=Compare.GREATER), kind(0, 1, compare=Compare.GREATER), PLAIN],
            group_type=[0, 1, 2],
        ),
        [[(0, 1)], []],
        lambda trace: (
            trace.membranes[0, 0].tolist() == [-1, 3, -1, -2] * 2 + [3, 3, 4, 4]
            and trace.spikes[0, 0].tolist() == [True, False, True, True] * 2 + [False] * 4
        ),
    ),
    "ends of the threshold": corner(
        window_program(
            weights={0: [0, 63, 64, TOP] * 3, 1: -1},
            threshold=[0, TOP, TOP, TOP] * 3,
            types=[kind(0, 7), kind(0, 7, compare=Compare.GREATER)],
            group_type=[0, 1, 0],
        ),
        [[(0, 1)], [], [(1, 1)]],
        lambda trace: (
            trace.membranes[0, 1, :8].tolist() == [0, 63, -63, 0, 0, 63, 64, 0]
            and fired(trace, 0) == [0, 1]
            and fired(trace, 4) == []
        ),
    ),
    "the counter of ticks stays at its end": corner(
        window_program(
            weights={0: 5},
            threshold=10,
            bias=3,
            types=[kind(0, 7), kind(0, 1)],
            group_type=[0, 1, 0],
        ),
        [[(0, 1)]] * 18,
        lambda trace: (
            fired(trace) == [0, 2, 4, 6] and membranes(trace)[-1] == 53 and fired(trace, 4) == [0]
        ),
    ),
    "silent within a window": corner(
        window_program(weights={0: 50}, threshold=1, bias=1, types=[kind(0, 7, silent=True)]),
        [[(0, 1)], [], []],
        lambda trace: membranes(trace) == [51] * 3 and fired(trace) == [],
    ),
    "refractory across the ends of a window": corner(
        window_program(weights={0: 60, 1: 1}, threshold=50, types=[kind(1, 4, refractory=2)]),
        [[(0, 1)], [(0, 1)], [(0, 1)], [], [], [(1, 1)], [(1, 1)], [(1, 1)]],
        lambda trace: (
            fired(trace) == [1, 4] and membranes(trace) == [60, 70, 70, 70, 20, 20, 20, 21]
        ),
    ),
    "a leak goes on beneath a window": corner(
        window_program(
            weights={0: -100},
            bias=-9,
            threshold=9,
            types=[kind(2, 1, leak=Leak.SHIFT, leak_amount=1)],
        ),
        [[(0, 1)], [], [], [], []],
        lambda trace: membranes(trace) == [-109, -54, -27, -13, -6],
    ),
    "saturated, with a window": corner(
        window_program(weights={0: TOP, 1: BOTTOM}, threshold=TOP, bias=31, types=[kind(1, 6)]),
        [[(0, 1)], [], [(1, 1)], [(1, 1)]],
        lambda trace: membranes(trace) == [TOP, 0, BOTTOM, BOTTOM] and fired(trace) == [1],
    ),
}
