"""Inside the simulator: a program in which much happens, and small steps of a bench."""

from typing import Any

import numpy as np
from cocotb.triggers import RisingEdge
from numpy.typing import NDArray

from spikewatt.cosim.bench.core import CoreBench
from spikewatt.model.params import Leak, NeuronType, Reset
from tests.cosim.small_core import CORE, make_program

__all__ = [
    "ALL_AXONS",
    "LIMIT",
    "LIVELY",
    "LIVELY_EVENTS",
    "NOTHING",
    "PERIOD",
    "IntArray",
    "cycles",
    "started",
]

IntArray = NDArray[np.int64]
PERIOD = 10
"""Clock period, ns."""
LIMIT = {"timeout_time": 2, "timeout_unit": "ms"}
ALL_AXONS = np.array([(axon, 1) for axon in range(CORE.axons)], np.int64)
NOTHING = np.zeros((0, 2), np.int64)

LIVELY = make_program(
    weights={axon: np.arange(12) * 3 - axon for axon in range(CORE.axons)},
    threshold=40,
    bias=np.arange(12) % 4,
    types=[
        NeuronType(refractory=1),
        NeuronType(leak=Leak.SHIFT, leak_amount=3, reset=Reset.SUBTRACT),
    ],
    group_type=[0, 1, 0],
    fanout={n: [(n % 11, 1 + n % 7, 0, 0), (n % 5, 2, n % 4 - 1, 1)] for n in range(12)},
)
"""Fires in every group, at itself and at others."""
LIVELY_EVENTS = [ALL_AXONS, ALL_AXONS[::2], NOTHING, ALL_AXONS[:4], NOTHING, NOTHING]


async def started(dut: Any, *, stall: float = 0.0) -> CoreBench:
    """Bench of a core that was just reset."""
    bench = CoreBench(dut, CORE, stall=stall, seed=11)
    await bench.reset()
    return bench


async def cycles(dut: Any, count: int) -> None:
    """Let cycles pass."""
    for _ in range(count):
        await RisingEdge(dut.clk)
