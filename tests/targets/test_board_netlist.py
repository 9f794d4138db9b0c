"""The whole board as gates: its mapped netlist equals the golden model, over its two pins.

The models of block RAM answer a read of a row that is being written with noise: nothing of the link
relies on one.
"""

from dataclasses import replace

import pytest

from spikewatt.cosim.board import BoardOptions, SimulatedBoard
from spikewatt.cosim.line import Faults, FaultyLine
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.synth.fpga.devices import Family, find_device
from spikewatt.synth.fpga.flow import map_fpga
from spikewatt.synth.fpga.models import with_models
from tests.cosim.netlists import NEURO, neuro_params
from tests.cosim.random_cores import random_case
from tests.targets.test_board_link import difference, opened

ROOM = 128


@pytest.mark.long
@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_netlist(family: Family) -> None:
    params = replace(neuro_params(NEURO[0], family), hop_bits=2)

    def mapped(verilog: str) -> str:
        folder = map_fpga(verilog, "board", find_device(family))
        return with_models((folder / "netlist.v").read_text(), family)

    requests = repeats = 0
    for faults in (Faults(), Faults(change=5e-4, lose=5e-4, repeat=0.1)):
        core = NeuroCore(params)
        with SimulatedBoard(core, BoardOptions(buffer_bytes=ROOM), mapped=mapped) as simulated:
            line = FaultyLine(simulated, faults, seed=1)
            for number in range(3):
                case = random_case("board", params, number)
                host = opened(line, case, ROOM)
                for _ in range(2):
                    assert difference(host.run(case.events), case) is None, case.name
                requests += host.traffic.requests
                repeats += host.traffic.repeats
    assert requests > 100
    assert repeats > 5
