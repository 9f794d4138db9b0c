"""A network over a mesh of cores."""

from pathlib import Path

from spikewatt.base.errors import ParameterError
from spikewatt.base.progress import Progress
from spikewatt.cosim.mesh_samples import MeshRecording, run_mesh_samples
from spikewatt.cosim.simulate import Simulator
from spikewatt.cosim.verilated import Trace
from spikewatt.model.compile.mesh.mapping import map_mesh
from spikewatt.model.compile.mesh.picture import mesh_svg
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.graph import Network
from spikewatt.model.params import RouterKind
from spikewatt.targets.evaluate import RunEvaluation
from spikewatt.targets.ledger import SpikingEnergy
from spikewatt.targets.mesh_evaluate import MeshEvaluation
from spikewatt.targets.mesh_ledger import price_mesh_samples
from spikewatt.targets.mesh_size import MeshSize
from spikewatt.targets.target import Classes, Spikes, Target

__all__ = ["MeshTarget"]


class MeshTarget(Target):
    """A mesh of cores that are as small as the network allows."""

    top = "mesh"

    def __init__(self, network: Network, *, mesh: MeshSize, lanes: int, router: str) -> None:
        self._network = network
        self._program = map_mesh(
            network, mesh=mesh, lanes=lanes, router=RouterKind(router), placement="search"
        )

    @property
    def program(self) -> MeshProgram:
        """What is loaded into the mesh."""
        return self._program

    def run(
        self,
        spikes: Spikes,
        classes: Classes,
        *,
        simulator: Simulator,
        trace: Trace,
        waveform: Path | None,
        progress: Progress,
    ) -> MeshEvaluation:
        """Run samples bool[B, ticks, inputs], drain ticks included, in RTL and golden model."""
        if simulator != "verilator":
            raise ParameterError(
                f"a mesh runs on verilator, not {simulator}: leave --sim out, or --mesh"
            )
        golden = run_mesh(self._program, spikes)
        recording = run_mesh_samples(
            self._program, list(spikes), trace=trace, waveform=waveform, progress=progress
        )
        return MeshEvaluation(
            network=self._network,
            program=self._program,
            spikes=spikes,
            classes=classes,
            golden=golden,
            recording=recording,
        )

    def price(
        self, evaluation: RunEvaluation, count: int, liberty: Path | str | None, progress: Progress
    ) -> SpikingEnergy:
        """Energy of the first ``count`` samples of a run, from a waveform of their own."""
        assert isinstance(evaluation, MeshEvaluation)
        return price_mesh_samples(evaluation, count, liberty, progress)

    def price_samples(
        self, spikes: Spikes, liberty: Path | str | None, progress: Progress
    ) -> SpikingEnergy:
        """Energy of samples bool[B, ticks, inputs] that were not run before."""
        evaluation = MeshEvaluation(
            network=self._network,
            program=self._program,
            spikes=spikes,
            classes=None,
            golden=run_mesh(self._program, spikes),
            recording=MeshRecording(),
        )
        return self.price(evaluation, len(spikes), liberty, progress)

    def draw(self, folder: Path, evaluation: RunEvaluation) -> None:
        """Write ``mesh.svg``, the placed mesh with the traffic of the run."""
        assert isinstance(evaluation, MeshEvaluation)
        (folder / "mesh.svg").write_text(mesh_svg(self._program, evaluation.golden.traffic))
