"""A simulated run held against the golden model while it goes on, sample by sample.

Spikes and membranes of every tick are most of what a run is, and nobody needs them once they are
proven: so each sample is compared as soon as it is done, and only its counters stay. What is kept
of the golden model is a block of samples, and of the simulation one.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.recording import Observer
from spikewatt.model.run import COUNTERS, DENSE, Difference, Keep, Run, difference

__all__ = ["Proof"]

Stimulus = NDArray[np.generic]
BLOCK_BYTES = 1 << 26
"""Of spikes and membranes that the golden model may have ahead."""
_TICK_BYTES = 5  # of a neuron: a membrane of 32 bits, and whether it spiked


class Proof:
    """The golden model of samples, and whether a run of them is the same.

    Parameters
    ----------
    golden:
        Runs some of the samples on the golden model, keeping what it is told to.
    x:
        The samples.
    observe:
        Sees every simulated run before it is compared, whole.

    Attributes
    ----------
    golden:
        Counters and final states of all samples, by the golden model.
    """

    def __init__(
        self,
        golden: Callable[[Stimulus, Keep], Run],
        x: Stimulus,
        observe: Callable[[Run], None] = lambda run: None,
    ) -> None:
        self._run, self._x, self._observe = golden, x, observe
        self.golden = golden(x, COUNTERS)
        neurons = sum(
            core.final_membranes.shape[1]
            for core in self.golden.cores or (self.golden,)
            if "final_membranes" in core.arrays
        )
        # A run without ticks has nothing that grows with them: all of it is one block.
        size = neurons * self.golden.ticks * _TICK_BYTES
        self._size = max(1, BLOCK_BYTES // size) if size else len(x)
        self._block, self._ahead = range(0), self.golden
        self._first: Difference | None = None

    @property
    def observer(self) -> Observer:
        """What a simulation has to call with the samples that are done."""
        return self._compare

    def difference(self, run: Run) -> Difference | None:
        """The first place where the samples that were observed, or else ``run``, part.

        ``run`` is the whole of the simulation: its counters, and what it left in its memories.
        """
        return self._first or difference(run, self.golden)

    def _compare(self, first: int, run: Run) -> Run:
        """Compare samples from the number ``first`` on, and keep what is not `DENSE` of them."""
        self._observe(run)
        for at in range(run.samples):
            if self._first is None:
                sample = slice(at, at + 1)
                parting = difference(run.part(sample), self._golden(first + at))
                self._first = None if parting is None else parting.of_sample(first + at)
        return run.without(*DENSE)

    def _golden(self, number: int) -> Run:
        """A sample by the golden model, out of a block that is run at once."""
        if number not in self._block:
            self._block = range(number, min(number + self._size, len(self._x)))
            self._ahead = self._run(self._x[number : self._block.stop], Keep())
        at = number - self._block.start
        return self._ahead.part(slice(at, at + 1))
