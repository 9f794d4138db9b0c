"""A quantised network on a systolic core."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import ParameterError
from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.recording import PLAIN, Simulation
from spikewatt.cosim.systolic import NativeSystolic
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.systolic.categories import SYSTOLIC_CATEGORIES
from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.model.compile.systolic.program import SystolicProgram
from spikewatt.model.counts import Count, Counts
from spikewatt.model.golden.systolic import ACCESSES, run_systolic
from spikewatt.model.params.systolic import SystolicTable
from spikewatt.model.run import Keep, Run, together
from spikewatt.synth.verilog import export
from spikewatt.targets.price import Design, Work
from spikewatt.targets.target import EVERYTHING, Target

__all__ = ["SystolicTarget"]

IntArray = NDArray[np.int64]


class SystolicTarget(Target):
    """A systolic core; samples run in batches of the program's size, the last may be smaller."""

    top = "systolic"
    trace = "states"

    def __init__(self, program: SystolicProgram) -> None:
        self._program = program

    @property
    def program(self) -> SystolicProgram:
        """What is loaded into the core."""
        return self._program

    def golden(self, x: IntArray, keep: Keep = EVERYTHING) -> Run:
        """Run inputs int[n, inputs] on the golden model."""
        del keep  # it has no ticks
        return run_systolic(self._program, x)

    def simulate(self, x: IntArray, how: Simulation = PLAIN, progress: Progress = silent) -> Run:
        """Run inputs int[n, inputs] on the RTL; its answers always come back."""
        if how.simulator != "verilator":
            raise ParameterError(f"a systolic core runs on verilator, not {how.simulator}")
        program, runs = self._program, []
        progress("building the systolic core")
        with NativeSystolic(program.params, trace=how.trace, waveform=how.waveform) as core:
            core.configure(program)
            for first in range(0, len(x), program.batch):
                batch = x[first : first + program.batch]
                run = core.run(program, batch)
                runs.append(how.observe(first, run))
                done = first + len(batch)
                progress("simulating the systolic core", done, len(x))
            core.read_words(SystolicTable.LAYERS)  # the last cycle ends in the waveform
        return replace(together(runs), layout=runs[0].layout)

    def count(self, x: IntArray) -> Counts:
        """Words of each memory, and multiplications and additions of the array."""
        golden, network = self.golden(x), self._program.network
        totals = golden.accesses.sum(axis=0).tolist()

        def rows() -> Iterator[Count]:
            for name, total in zip(ACCESSES, totals, strict=True):
                memory, _, kind = name.rpartition("_")
                yield Count(memory, "read" if kind == "read" else "write", total)
            for layer, name in zip(network.layers, network.layer_names, strict=True):
                macs = layer.weights.size * len(x)
                yield Count("array", "multiply", macs, name)
                yield Count("array", "add", macs, name)

        return Counts.of(len(x), rows())

    def design(self) -> Design:
        """The RTL, for pricing."""
        core = Blueprint.of(SystolicCore, self._program.params)
        return Design(export(core, self.top), self.top, SYSTOLIC_CATEGORIES)

    def work(self, x: IntArray, golden: Run) -> Work:
        """Multiplications with additions of each sample; nothing spikes."""
        del golden
        # Dense: every weight meets every activation, zeros too.
        operations = np.full(len(x), self._program.network.macs, np.int64)
        return Work(operations=operations, spikes=np.zeros(len(x), np.int64), ticks=0)
