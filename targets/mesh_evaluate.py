"""How a run over a mesh of cores compares with the golden model."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.mesh_samples import MeshRecording
from spikewatt.cosim.trace import first_difference
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.params import CoreParams
from spikewatt.model.run import Run
from spikewatt.targets.evaluate import RunEvaluation, differing_memory

__all__ = ["MeshEvaluation"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class MeshEvaluation(RunEvaluation):
    """A run on a mesh."""

    program: MeshProgram
    golden: Run
    recording: MeshRecording

    def figures(self) -> dict[str, Any]:
        """Fields of a `spikewatt.flow.report.RunReport` that come from the run itself."""
        params, recording = self.program.params, self.recording
        packets = self.packets()
        return {
            **self._figures(recording.cycles, recording.seconds),
            "mesh": f"{params.columns}x{params.rows}",
            "router": params.router.value,
            "packets": int(sum(len(each) for each in packets)),
            "hops": int(sum(each[:, 1].sum() for each in packets)),
            "barrier_cycles": int(sum(trace.barrier.sum() for trace in recording.traces)),
        }

    @property
    def core(self) -> CoreParams:
        """Every core."""
        return self.program.params.core

    def total(self, name: str) -> int:
        """Sum of a counter of the golden model over all samples, ticks and cores."""
        return int(sum(getattr(tile, name).sum() for tile in self.golden.cores))

    def of_golden(self, name: str, population: str) -> NDArray[Any]:
        """``spikes`` or ``membranes`` [B, ticks, size] of a population, by the golden model."""
        return self.program.gather([getattr(t, name) for t in self.golden.cores], population)

    def of_rtl(self, name: str, population: str) -> list[NDArray[Any]]:
        """The same of each sample [ticks, size], by the RTL."""
        return [
            self.program.gather([getattr(tile, name) for tile in trace.tiles], population)
            for trace in self.recording.traces
        ]

    def packets(self) -> list[IntArray]:
        """For each sample, tick and routers passed of each packet, int64[n, 2], by the RTL.

        Those of the host are counted where they are sent: the RTL takes every one of them.
        """
        found = []
        for spikes, trace in zip(self.spikes, self.recording.traces, strict=True):
            rows = [np.zeros((0, 2), np.int64)]
            for tick, events in enumerate(self.program.input_packets(spikes)):
                x, y = events[:, 0] % self._columns, events[:, 0] // self._columns
                rows.append(np.stack([np.full_like(x, tick - 1), x + y + 1], axis=1))
            for index, tile in enumerate(trace.tiles):
                tick, _, _, dx, dy = tile.packets.T
                to_host = self.program.params.place(index)[1] + dy < 0
                rows.append(np.stack([tick, abs(dx) + abs(dy) + ~to_host], axis=1))
            found.append(np.concatenate(rows))
        return found

    @property
    def _columns(self) -> int:
        return self.program.params.columns

    def difference(self, *, complete: bool = True) -> str | None:
        """First place at which the RTL left the golden model; ``None`` if nowhere.

        ``complete``: these are all the samples of the golden run, so that the memories must be as
        it left them.
        """
        traces = self.recording.traces
        if len(traces) != len(self.spikes):
            return f"{len(traces)} of {len(self.spikes)} samples were simulated"
        for sample, trace in enumerate(traces):
            for index, (tile, golden) in enumerate(
                zip(trace.tiles, self.golden.cores, strict=True)
            ):
                if found := first_difference(tile, golden, sample):
                    return f"tile {self.program.params.place(index)}, {found}"
        return self._differing_packets() or (self._final_difference() if complete else None)

    def _differing_packets(self) -> str | None:
        """Compare the number of packets of each tick, and the routers that they passed."""
        for sample, rows in enumerate(self.packets()):
            for name, weights in (("packets", None), ("hops", rows[:, 1])):
                expected = getattr(self.golden, name)[sample]
                got = np.bincount(rows[:, 0] + 1, weights, minlength=len(expected))
                if not np.array_equal(got, expected):
                    tick = int(np.flatnonzero(got != expected)[0]) - 1
                    return (
                        f"sample {sample}, tick {tick}: {int(got[tick + 1])} {name} in RTL, "
                        f"{int(expected[tick + 1])} in the model"
                    )
            host = np.bincount(
                self.recording.traces[sample].host[:, 0], minlength=self.program.host_axons
            )
            if not np.array_equal(host, self.golden.host_counts[sample]):
                return f"sample {sample}: the host got other spikes than in the model"
        return None

    def _final_difference(self) -> str | None:
        """Compare the memories, read back after the last sample, with the golden model's."""
        for index, (tables, golden) in enumerate(
            zip(self.recording.tables, self.golden.cores, strict=True)
        ):
            if name := differing_memory(self.core, tables, golden):
                place = self.program.params.place(index)
                return f"the {name} SRAM of tile {place} after the last sample differs"
        return None
