"""Corners of the neuron: saturation, leak, threshold, reset, refractoriness."""

from spikewatt.model.params import Compare, Leak, NeuronType, Reset
from tests.cosim.small_core import (
    BOTTOM,
    TOP,
    Corner,
    corner,
    fired,
    make_program,
    membranes,
)

__all__ = ["NEURON_CORNERS"]

SILENT = NeuronType(silent=True)
NEURON_CORNERS: dict[str, Corner] = {
    "saturation above": corner(
        make_program(weights={0: 100, 1: -1}, types=[SILENT]),
        [[(0, 1)], [(0, 1)], [(0, 1)], [(1, 1)], []],
        lambda trace: membranes(trace) == [100, TOP, TOP, TOP - 1, TOP - 1],
    ),
    "saturation below": corner(
        make_program(weights={0: -100, 1: 1}),
        [[(0, 1)], [(0, 1)], [(0, 1)], [(1, 1)], []],
        lambda trace: membranes(trace) == [-100, BOTTOM, BOTTOM, BOTTOM + 1, BOTTOM + 1],
    ),
    "saturation exactly reached": corner(
        make_program(weights={0: TOP, 1: 1, 2: BOTTOM, 3: -1, 4: BOTTOM}, types=[SILENT]),
        [[(0, 1)], [(1, 1)], [(2, 1)], [(3, 1)], [(4, 1)], [(3, 1)]],
        lambda trace: membranes(trace) == [TOP, TOP, -1, -2, BOTTOM, BOTTOM],
    ),
    "saturation once a tick, not once an event": corner(
        make_program(weights={0: 127, 1: 127, 2: -128, 3: -128, 4: 5}, types=[SILENT]),
        [[(4, 1)], [(0, 1), (1, 1), (2, 1), (3, 1)], [(0, 1), (1, 1), (2, 1)], []],
        lambda trace: membranes(trace) == [5, 3, TOP, TOP],
    ),
    "the bias counts before saturation": corner(
        make_program(weights={0: 127, 1: 30, 2: -128}, bias=-32, types=[SILENT]),
        [[(0, 1), (1, 1)], [(0, 1)], [(2, 1)], [(2, 1)]],
        lambda trace: membranes(trace) == [125, TOP, -33, BOTTOM],
    ),
    "the spike is decided after saturation": corner(
        make_program(
            weights={0: 127, 1: 127}, threshold=100, types=[NeuronType(reset=Reset.SUBTRACT)]
        ),
        [[(0, 1), (1, 1)], []],
        lambda trace: membranes(trace) == [TOP - 100] * 2 and fired(trace) == [0],
    ),
    "negative weights": corner(
        make_program(weights={0: -7, 1: 20}, threshold=10),
        [[(0, 1)], [(0, 1), (1, 1)], [(1, 1)], [(0, 1)]],
        lambda trace: membranes(trace) == [-7, 6, 0, -7] and fired(trace) == [2],
    ),
    "refractory": corner(
        make_program(weights={0: 60, 1: -9}, threshold=50, types=[NeuronType(refractory=3)]),
        [[(0, 1)], [(0, 1)], [(0, 1), (1, 1)], [], [(1, 1)], [(0, 1)]],
        lambda trace: (
            membranes(trace) == [0, 0, 0, 0, -9, 0]
            and fired(trace) == [0, 5]
            and trace.refractory[0, :, 0].tolist() == [3, 2, 1, 0, 0, 3]
        ),
    ),
    "refractory for longest, with leak and bias": corner(
        make_program(
            weights={0: 90},
            threshold=50,
            bias=4,
            types=[NeuronType(leak=Leak.SHIFT, leak_amount=1, reset=Reset.SUBTRACT, refractory=7)],
        ),
        [[(0, 1)]] * 10,
        lambda trace: membranes(trace)[:8] == [44] * 8 and fired(trace) == [0, 8],
    ),
    "refractory while the group has nothing to do": corner(
        make_program(weights={0: 60}, threshold=50, types=[NeuronType(refractory=2)]),
        [[(0, 1)], [], [], [], [(0, 1)]],
        lambda trace: fired(trace) == [0, 4],
    ),
    "a membrane at the threshold": corner(
        make_program(
            weights={0: 20},
            threshold=20,
            types=[NeuronType(), NeuronType(compare=Compare.GREATER)],
            group_type=[0, 1, 0],
        ),
        [[(0, 1)], [], [(0, 1)]],
        lambda trace: (
            fired(trace) == [0, 2] and fired(trace, 4) == [2] and membranes(trace, 4) == [20, 20, 0]
        ),
    ),
    "threshold 0": corner(
        make_program(
            weights={0: -1},
            threshold=0,
            types=[NeuronType(), NeuronType(compare=Compare.GREATER)],
            group_type=[0, 1, 0],
            fanout={0: [(1, 1, 1, 0)]},
        ),
        [[], [], [(0, 1)], []],
        lambda trace: fired(trace) == [0, 1] and fired(trace, 4) == [],
    ),
    "resets": corner(
        make_program(
            weights={0: 47},
            threshold=30,
            types=[NeuronType(reset=kind) for kind in Reset],
            group_type=[0, 1, 2],
        ),
        [[(0, 1)], [], [(0, 1)]],
        lambda trace: (
            membranes(trace, 0) == [0, 0, 0]
            and membranes(trace, 4) == [17, 17, 34]
            and membranes(trace, 8) == [47, 47, 94]
            and fired(trace, 8) == [0, 1, 2]
        ),
    ),
    "a silent neuron above its threshold": corner(
        make_program(weights={0: 50}, threshold=1, types=[SILENT], fanout={0: [(0, 1, 0, 0)]}),
        [[(0, 1)], []],
        lambda trace: membranes(trace) == [50, 50] and fired(trace) == [],
    ),
    "subtract leak stops at 0": corner(
        make_program(weights={0: 9, 1: -9}, types=[NeuronType(leak=Leak.SUBTRACT, leak_amount=5)]),
        [[(0, 1)], [], [], [(1, 1)], [], []],
        lambda trace: membranes(trace) == [9, 4, 0, -9, -4, 0],
    ),
    "largest subtract leak": corner(
        make_program(
            weights={0: TOP, 1: BOTTOM}, types=[NeuronType(leak=Leak.SUBTRACT, leak_amount=TOP)]
        ),
        [[(0, 1)], [], [(1, 1)], [], []],
        lambda trace: membranes(trace)[1:] == [0, BOTTOM, -1, 0],
    ),
    "shift leak of either sign": corner(
        make_program(
            weights={0: 9, 1: -50},
            types=[NeuronType(leak=Leak.SHIFT, leak_amount=k) for k in (1, 3, 7)],
            group_type=[0, 1, 2],
        ),
        [[(0, 1)], [], [], [], [(1, 1)], [], []],
        lambda trace: (
            membranes(trace) == [9, 5, 3, 2, -49, -24, -12]
            and membranes(trace, 4) == [9, 8, 7, 7, -43, -37, -32]
            and membranes(trace, 8) == [9, 9, 9, 9, -41, -40, -39]
        ),
    ),
    "multiply leak of either sign": corner(
        make_program(
            weights={0: 100, 1: -100},
            types=[NeuronType(leak=Leak.MULTIPLY, leak_amount=m) for m in (4095, 2048, 0)],
            group_type=[0, 1, 2],
        ),
        [[(0, 1)], [], [], [(1, 1)], [(1, 1)], [], []],
        lambda trace: (
            membranes(trace)[:3] == [100, 99, 98]
            and membranes(trace, 4) == [100, 50, 25, -88, BOTTOM, -64, -32]
            and membranes(trace, 8) == [100, 0, 0, -100, -100, 0, 0]
        ),
    ),
}
