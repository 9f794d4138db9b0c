"""Runs inside the simulator: waits until a router has passed all traffic."""

import os
from typing import Any

import cocotb
from cocotb.triggers import Timer

__all__ = ["all_traffic_passes"]

_LOOK = 500_000  # ps; longer than a source or a sink ever waits
_STUCK = 100


@cocotb.test()
async def all_traffic_passes(dut: Any) -> None:
    """Every source gets rid of its packets; then nothing comes for a while."""
    packets = int(os.environ["TRAFFIC_PACKETS"])
    before, same = -1, 0
    while True:
        await Timer(_LOOK, "ps")
        finished = dut.all_finished.value == 1
        now = int(dut.taken.value)
        assert now <= packets, f"{now} packets came of {packets}"
        # Twice the same: what is still inside after the last source has finished has had time to
        # come out.
        same = same + 1 if now == before else 0
        before = now
        if finished and same >= 2:
            return
        assert same < _STUCK, f"the router is stuck: pending {dut.pending.value}"
