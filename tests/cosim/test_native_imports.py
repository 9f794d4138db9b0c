"""A run on the native runner needs no cocotb: it is for the benches inside a simulator."""

import subprocess
import sys

PROGRAM = """
import sys
import numpy as np
from spikewatt.targets.neuro import NeuroTarget
from tests.model.pairs import layered
network = layered((3, 4, 2), (5,), 2, bias=4, T=3)
run = NeuroTarget(network, lanes=2).simulate(network.stimulus(np.ones((1, 3))))
assert run.samples == 1
print(*(name for name in sys.modules if name.partition(".")[0] == "cocotb"))
"""


def test_a_native_run_imports_no_cocotb() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.split()) == (0, []), ran.stderr + ran.stdout
