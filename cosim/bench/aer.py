"""Address events, spikes and verdicts: the parts of a bench for the neuromorphic core."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge
from numpy.typing import NDArray

from spikewatt.cosim.bench.streams import StreamSource
from spikewatt.model.compile.codec import encode_events
from spikewatt.model.compile.configuration import unpack_table
from spikewatt.model.params import CoreParams, TableId

__all__ = ["AerDriver", "Scoreboard", "SpikeMonitor"]


class AerDriver(StreamSource):
    """Sends address events: (axon, delay) pairs."""

    def __init__(self, dut: Any, params: CoreParams, **options: Any) -> None:
        self._params = params
        super().__init__(dut, "i", dut.clk, **options)

    def send_events(self, events: NDArray[np.int64]) -> None:
        """Queue events int64[n, 2] (axon, delay)."""
        self.send(encode_events(self._params, events).tolist())


class SpikeMonitor:
    """Follows the core's probe: spikes, membranes and refractory counters, merges, words read.

    ``spikes``: bool[neurons] of the tick so far. ``membrane``, ``refractory``: int64[neurons].
    ``words``, ``updates``: synapse words read and groups updated so far. ``merges``: since
    `take_merges`.
    """

    def __init__(self, dut: Any, params: CoreParams) -> None:
        self._dut, self._params = dut, params
        self.reset()
        self.merges = self.words = self.updates = 0
        cocotb.start_soon(self._watch())

    def reset(self) -> None:
        """State as after CLEAR."""
        self.spikes = np.zeros(self._params.neurons, np.bool_)
        self.membrane = np.zeros(self._params.neurons, np.int64)
        self.refractory = np.zeros(self._params.neurons, np.int64)

    def take_merges(self) -> int:
        """Merges since the last call."""
        merges, self.merges = self.merges, 0
        return merges

    async def _watch(self) -> None:
        dut, params = self._dut, self._params
        table = params.tables[TableId.STATE]
        while True:
            await RisingEdge(dut.clk)
            if dut.rst.value == 1:
                continue
            self.merges += int(dut.probe__merge.value)
            self.words += int(dut.probe__synapse.value)
            # The probe shows a group at a time, and only those that are updated: what is not shown
            # stayed.
            if dut.probe__update.value == 1:
                self.updates += 1
                first = int(dut.probe__group.value) * params.lanes
                group = slice(first, first + params.lanes)
                mask = int(dut.probe__spikes.value)
                self.spikes[group] = [mask >> lane & 1 for lane in range(params.lanes)]
                state = int(dut.probe__state.value)
                words = [state >> 32 * k & 0xFFFFFFFF for k in range(table.chunks)]
                columns = unpack_table(table, np.array([words], np.uint32))
                self.membrane[group] = columns["membrane"][0]
                if params.refractory_bits:
                    self.refractory[group] = columns["refractory"][0]


class Scoreboard:
    """Compares the core with the golden model, and names the first difference."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.checks = 0

    def check(self, label: str, got: Any, expected: Any) -> None:
        """Raise `AssertionError` unless the arrays are equal."""
        got, expected = np.asarray(got), np.asarray(expected)
        self.checks += 1
        assert got.shape == expected.shape, f"{self.name}: {label}: {got.shape} {expected.shape}"
        if not np.array_equal(got, expected):
            at = tuple(int(i) for i in np.argwhere(got != expected)[0])
            raise AssertionError(
                f"{self.name}: {label}{list(at)} is {got[at]} in RTL, {expected[at]} in the model"
            )
