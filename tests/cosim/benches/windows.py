"""Runs inside the simulator: windows over membranes that were written from outside."""

from dataclasses import replace
from typing import Any

import cocotb
import numpy as np

from spikewatt.cosim.bench.aer import Scoreboard
from spikewatt.cosim.bench.core import CoreBench
from spikewatt.model.compile.codec import encode_writes
from spikewatt.model.compile.configuration import pack_table, table_addresses
from spikewatt.model.golden.core import initial_state, run
from spikewatt.model.params import Leak, NeuronType, TableId
from tests.cosim.benches.lively import LIMIT, NOTHING
from tests.cosim.corners_of_windows import WINDOW_CORE, window_program


@cocotb.test(**LIMIT)
async def a_bias_that_holds_a_leak_up_does_so_once(dut: Any) -> None:
    """In tick 0 nothing changes, no group has input, and yet all must be visited in tick 1."""
    bench, board = CoreBench(dut, WINDOW_CORE, stall=0.0, seed=3), Scoreboard("held up")
    await bench.reset()
    kinds = [
        NeuronType(leak=Leak.SUBTRACT, leak_amount=3, silent=silent, window=(5, 2))
        for silent in (True, False)
    ]
    program = window_program(threshold=100, bias=3, types=kinds, group_type=[0, 1, 0])
    await bench.load(program)
    table = WINDOW_CORE.tables[TableId.STATE]
    membrane = np.full(WINDOW_CORE.neurons, 20)
    rows = {"membrane": membrane, "refractory": np.zeros_like(membrane)}
    words = zip(table_addresses(table).ravel(), pack_table(table, rows).ravel(), strict=True)
    bench.config.send(int(encode_writes(int(a), int(w))) for a, w in words)
    await bench.config.drain()
    bench.monitor.membrane[:] = membrane
    events = [NOTHING] * 4
    golden = run(program, events, replace(initial_state(WINDOW_CORE), membrane=membrane))
    assert golden.membranes[0, :, 0].tolist() == [20, 17, 14, 11]
    for k, arriving in enumerate(events):
        await bench.tick(arriving, early=False)
        await bench.idle()
        bench.check_tick(golden, k, board)
    assert board.checks >= len(events)
