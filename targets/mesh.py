"""A network over a mesh of cores."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import ParameterError
from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.mesh_samples import run_mesh_samples
from spikewatt.cosim.recording import PLAIN, Simulation
from spikewatt.energy.activity.replay import ReplayOptions
from spikewatt.energy.pricing.options import PricingOptions
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_waveform
from spikewatt.hdl.router.categories import mesh_categories
from spikewatt.model.compile.mesh.mapping import MeshFit, map_mesh
from spikewatt.model.compile.mesh.picture import mesh_svg
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.counts import Counts
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.graph import Network
from spikewatt.model.params import CoreParams, RouterKind, TableId
from spikewatt.model.run import COUNTERS, Keep, Run
from spikewatt.synth.verilog import export_mesh
from spikewatt.targets.mesh_network import NetworkEnergy
from spikewatt.targets.mesh_size import MeshSize
from spikewatt.targets.neuro import spiking_counts, spiking_work
from spikewatt.targets.price import Design, NetworkFigures, PricedRun, Work, clock_borders
from spikewatt.targets.target import EVERYTHING, Target

__all__ = ["MeshTarget"]


class MeshTarget(Target):
    """A mesh of cores that are as small as the network allows."""

    top = "mesh"
    rest = 256
    """Clock cycles of rest that are priced: nothing is asked of it, nothing is on its way."""

    def __init__(
        self, network: Network, *, mesh: MeshSize = None, lanes: int = 8, router: str = "click"
    ) -> None:
        self._network = network
        self._program = map_mesh(
            network, MeshFit(mesh=mesh, lanes=lanes, router=RouterKind(router)), placement="search"
        )

    @property
    def program(self) -> MeshProgram:
        """What is loaded into the mesh."""
        return self._program

    @property
    def core(self) -> CoreParams:
        """Every core."""
        return self._program.params.core

    def golden(self, x: NDArray[np.bool_], keep: Keep = EVERYTHING) -> Run:
        """Run spikes bool[B, ticks, inputs] on the golden model."""
        return run_mesh(self._program, x, keep)

    def simulate(
        self, x: NDArray[np.bool_], how: Simulation = PLAIN, progress: Progress = silent
    ) -> Run:
        """Run spikes bool[B, ticks, inputs] on the RTL."""
        if how.simulator != "verilator":
            raise ParameterError(
                f"a mesh runs on verilator, not {how.simulator}: leave --sim out, or --mesh"
            )
        return run_mesh_samples(self._program, list(x), how, readout=self._read, progress=progress)

    def count(self, x: NDArray[np.bool_]) -> Counts:
        """How often what happens where, by the golden model."""
        return spiking_counts(self._network, x, self.golden(x, COUNTERS))

    def design(self) -> Design:
        """The RTL, for pricing: the clockless parts as gates of the library."""
        params = self._program.params
        return Design(export_mesh(params, cells=False), self.top, mesh_categories(params))

    def work(self, x: NDArray[np.bool_], golden: Run) -> Work:
        """Synaptic operations and spikes of each sample."""
        return spiking_work(x, golden)

    def figures(self, run: Run) -> Mapping[str, Any]:
        """Size of the mesh, and what moved between its cores."""
        return vars(self._moved(run))

    def finish(self, price: PricedRun) -> PricedRun:
        """Add what moved between the cores, and the power at rest."""
        moved = self._moved(price.run)
        network = NetworkEnergy(
            params=self._program.params,
            packets=moved.packets,
            hops=moved.hops + price.run.samples * self._readout_hops(),
            idle=_at_rest(price),
        )
        return replace(price, network=moved, between=network)

    def draw(self, folder: Path, golden: Run) -> None:
        """Write ``mesh.svg``, the placed mesh with the traffic of the run."""
        (folder / "mesh.svg").write_text(mesh_svg(self._program, golden.traffic))

    @property
    def _read(self) -> str | None:
        """Population whose membranes are the answer."""
        readout = self._network.readout
        return readout.population if readout.kind == "membrane" else None

    def _moved(self, run: Run) -> NetworkFigures:
        params = self._program.params
        return NetworkFigures(
            mesh=f"{params.columns}x{params.rows}",
            router=params.router.value,
            packets=run.total("packets"),
            hops=run.total("hops"),
            barrier_cycles=run.total("barrier"),
        )

    def _readout_hops(self) -> int:
        """Routers that the packets of one readout pass: questions, and answers."""
        if self._read is None:
            return 0
        params, core = self._program.params, self.core
        chunks, hops = core.tables[TableId.STATE].chunks, 0
        each = params.packet.word_packets + params.packet.reply_packets
        for piece in self._program.neurons_of[self._read]:
            groups = -(-piece.neurons.stop // core.lanes) - piece.neurons.start // core.lanes
            # As far there as back: the host is beside the router of (0, 0).
            hops += groups * chunks * each * (sum(params.place(piece.tile)) + 1)
        return hops


def _at_rest(price: PricedRun) -> PricedActivity:
    """The mesh in the cycles before the first sample, when it has come to rest."""
    first, end = price.run.rest.tolist()
    # Without the first quarter, in which what configuration left comes to rest.
    borders, _ = clock_borders(price.prepared, [first + (end - first) // 4], end)
    return price_waveform(
        price.prepared,
        price.estimate.library,
        PricingOptions(sram=price.estimate.sram),
        replaying=ReplayOptions(
            window=(float(borders[0]), float(borders[-1])), borders=borders.tolist()
        ),
    )
