"""Corners of the spike's way: scheduler, synapse rows, sleeping groups, destination lists."""

import numpy as np

from spikewatt.model.params import Leak, NeuronType, Reset
from tests.cosim.small_core import (
    BOTTOM,
    CORE,
    LAST_DELAY,
    TOP,
    Corner,
    corner,
    fired,
    make_program,
    membranes,
)

__all__ = ["SPIKE_CORNERS"]

SILENT = NeuronType(silent=True)
ALL_AXONS = [(axon, 1) for axon in range(CORE.axons)]
SPIKE_CORNERS: dict[str, Corner] = {
    "zero-weight rows": corner(
        make_program(weights={0: 0, 1: 9, 2: np.arange(12) % 2}),
        [[(1, 1)], [(0, 1)], [(0, 1), (2, 1)], []],
        lambda trace: (
            membranes(trace) == [9] * 4
            and trace.synapse_words[0].tolist() == [3, 3, 6, 0]
            and trace.synaptic_ops[0, 1] == CORE.neurons
        ),
    ),
    "all axons at once": corner(
        make_program(weights={a: a - 4 for a in range(CORE.axons)}),
        [ALL_AXONS, ALL_AXONS, []],
        lambda trace: (
            membranes(trace) == [11, 22, 22] and trace.synapse_words[0, 0] == CORE.synapse_words
        ),
    ),
    "all axons at once, largest sum": corner(
        make_program(weights=dict.fromkeys(range(CORE.axons), 127), types=[SILENT], bias=31),
        [ALL_AXONS, []],
        lambda trace: membranes(trace) == [TOP, TOP],
    ),
    "all axons at once, smallest sum": corner(
        make_program(weights=dict.fromkeys(range(CORE.axons), -128), bias=-32),
        [ALL_AXONS, []],
        lambda trace: membranes(trace) == [BOTTOM, BOTTOM],
    ),
    "an axon hit twice in a tick": corner(
        make_program(weights={0: 11, 4: 1}),
        [[(0, 1), (0, 1)], [(0, 2), (4, 1)], [(0, 1), (4, 1), (0, 1)], []],
        lambda trace: (
            membranes(trace) == [11, 12, 24, 24] and trace.merges[0].tolist() == [1, 0, 2, 0, 0]
        ),
    ),
    "the core's own spikes meet on an axon": corner(
        make_program(
            weights={0: [50] * 6 + [0] * 6, 5: 3},
            threshold=40,
            fanout={n: [(5, 2, 0, 0), (5, 2, 0, 0)] for n in range(6)},
        ),
        [[(0, 1)], [(5, 2)], [], []],
        lambda trace: (
            trace.merges[0].tolist() == [0, 12, 0, 0, 0] and membranes(trace, 11) == [0, 0, 3, 3]
        ),
    ),
    "delay D-1 of an arrival": corner(
        make_program(weights={0: 1, 10: 16}),
        [[(0, LAST_DELAY), (10, 1)], *[[]] * (LAST_DELAY - 1), []],
        lambda trace: membranes(trace) == [16] * (LAST_DELAY - 1) + [17, 17],
    ),
    "delay D-1 of a spike": corner(
        make_program(
            weights={0: [60] + [0] * 11, 3: [0, 9] + [0] * 10},
            threshold=50,
            fanout={0: [(3, LAST_DELAY, 0, 0)]},
        ),
        [[(0, 1)], *[[]] * (LAST_DELAY + 1)],
        lambda trace: fired(trace) == [0] and membranes(trace, 1) == [0] * LAST_DELAY + [9, 9],
    ),
    "every delay, past the end of the slots": corner(
        make_program(weights={a: 1 << a for a in range(7)}, types=[SILENT]),
        [[(a, a + 1) for a in range(7)], *[[]] * 7, [(a, a + 1) for a in range(6)], *[[]] * 6],
        lambda trace: (
            [int(v) for v in np.diff([0, *membranes(trace)])][:8]
            == [
                1,
                2,
                4,
                8,
                16,
                32,
                64,
                0,
            ]
        ),
    ),
    "a sleeping group is woken": corner(
        make_program(weights={0: [0] * 8 + [25] * 4}, threshold=20),
        [[], [], [(0, 1)], [], [], []],
        lambda trace: fired(trace, 8) == [2] and fired(trace, 0) == [],
    ),
    "a group that fires without changing": corner(
        make_program(
            threshold=31,
            bias=31,
            types=[NeuronType(reset=Reset.SUBTRACT)],
            fanout={3: [(2, 1, -4, 3)]},
        ),
        [[]] * 5,
        lambda trace: fired(trace) == list(range(5)) and membranes(trace) == [0] * 5,
    ),
    "an input that cancels the bias": corner(
        make_program(weights={0: -8}, bias=8),
        [[], [(0, 1)], [], [(0, 1)], [(0, 1)], [], []],
        lambda trace: membranes(trace) == [8, 8, 16, 16, 16, 24, 32],
    ),
    "an input that cancels the leak": corner(
        make_program(weights={0: 40, 1: 5}, types=[NeuronType(leak=Leak.SUBTRACT, leak_amount=5)]),
        [[(0, 1)], [(1, 1)], [(1, 1)], [], []],
        lambda trace: membranes(trace) == [40, 40, 40, 35, 30],
    ),
    "a spike without destinations": corner(
        make_program(weights={0: 60}, threshold=50, fanout={2: [(0, 1, 0, 0)]}),
        [[(0, 1)], []],
        lambda trace: fired(trace, 0) == [0, 1] and trace.merges[0, 1] == 0,
    ),
    "a long destination list": corner(
        make_program(
            weights={0: 60, 9: 1},
            threshold=50,
            fanout={5: [(k % 11, 1 + k % 7, k % 8 - 4, k % 2) for k in range(24)]},
        ),
        [[(0, 1)], [], []],
        lambda trace: (trace.sent[:, 1] == 0).sum() == 21 and trace.merges[0, 1] == 0,
    ),
    "packets with every field at its ends": corner(
        make_program(
            weights={0: 60},
            threshold=50,
            fanout={0: [(0, 1, -4, 3), (10, 7, 3, -4), (10, 1, 0, -1), (0, 7, -1, 0)]},
        ),
        [[(0, 1)], []],
        lambda trace: (
            trace.sent[trace.sent[:, 1] == 0, 2:].tolist()
            == [
                [0, 1, -4, 3],
                [10, 7, 3, -4],
                [10, 1, 0, -1],
                [0, 7, -1, 0],
            ]
        ),
    ),
    "an axon without synapses": corner(
        make_program(weights={0: 6}),
        [[(3, 1)], [(3, 1), (0, 1)], [(10, 1)]],
        lambda trace: membranes(trace) == [0, 6, 6],
    ),
    "nothing at all": corner(
        make_program(weights={0: 6}),
        [[]] * 10,
        lambda trace: not trace.spikes.any() and not trace.synapse_words.any(),
    ),
}
