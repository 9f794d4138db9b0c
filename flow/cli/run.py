"""The command ``spikewatt run``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikewatt.base.errors import SimulationError
from spikewatt.cosim.choices import Simulator, Trace
from spikewatt.flow.cli.data import first_samples, naming
from spikewatt.flow.cli.options import (
    Data,
    Images,
    Lanes,
    Liberty,
    Mesh,
    NetworkFile,
    Output,
    Router,
)
from spikewatt.flow.cli.show import show
from spikewatt.flow.console import progress_bar
from spikewatt.model.params import RouterKind
from spikewatt.targets.mesh_size import check_router

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from collections.abc import Callable, Mapping

    from spikewatt.base.progress import Progress
    from spikewatt.flow.cli.data import Samples
    from spikewatt.flow.compare.result import Comparison
    from spikewatt.model.network.graph import Network

__all__ = ["Job", "Pricing", "RunCommand", "Simulation", "report_run", "run"]


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What runs, and what is kept of it."""

    images: Images = None
    sim: Annotated[Simulator, typer.Option(help="Simulator of the RTL.")] = "verilator"
    trace: Annotated[Trace, typer.Option(help="Waveform to write into the --out folder.")] = "none"
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for report.json and the waveform.", show_default="out, if --trace"
        ),
    ] = None
    lanes: Lanes = 8


@dataclass(frozen=True, kw_only=True)
class Pricing:
    """What is priced, and by which library."""

    energy_images: Annotated[
        int, typer.Option(min=1, help="How many of the first images to price.")
    ] = 32
    liberty: Liberty = None


@dataclass(frozen=True, kw_only=True)
class RunCommand:
    """Options of ``spikewatt run``."""

    network: NetworkFile
    data: Data
    simulation: Simulation
    mesh: Mesh = None
    router: Router = None
    energy: Annotated[bool, typer.Option("--energy", help="End with a joule ledger.")] = False
    pricing: Pricing
    output: Output


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run as a command asks for it.

    Parameters
    ----------
    energy:
        End with joules.
    compare:
        Makes the comparisons that belong to the report.
    """

    simulation: Simulation
    energy: bool
    pricing: Pricing
    output: Output
    mesh: str | None = None
    router: RouterKind = RouterKind.CLICK
    compare: "Callable[[Progress], Mapping[str, Comparison]] | None" = None


def run(options: RunCommand) -> None:
    """Run a network on samples: RTL against the golden model, bit for bit."""
    from spikewatt.model.network.dataset import load_samples
    from spikewatt.model.network.file import load_network

    network = load_network(options.network)
    with naming(options.data):
        samples = load_samples(options.data)
        job = Job(
            simulation=options.simulation,
            energy=options.energy,
            pricing=options.pricing,
            output=options.output,
            mesh=options.mesh,
            router=check_router(options.router, options.mesh),
        )
        report_run(network, samples, job)


def report_run(network: "Network", samples: "Samples", job: Job) -> None:
    """Run, report, and raise if RTL and golden model differ."""
    from spikewatt.flow.run import run as run_network

    simulation = job.simulation
    x, y = first_samples(samples, simulation.images)
    with progress_bar(quiet=job.output.quiet) as progress:
        report = run_network(
            network,
            x,
            y,
            lanes=simulation.lanes,
            mesh=job.mesh,
            router=job.router.value,
            simulator=simulation.sim,
            trace=simulation.trace,
            energy=job.pricing.energy_images if job.energy else 0,
            liberty=job.pricing.liberty,
            compare=job.compare,
            out=simulation.out,
            progress=progress,
        )
    # Shown first: of a run that differs, the figures say how far it came.
    show(job.output, report, lambda report: (report.table(), report.ledger()))
    if not report.bit_exact:
        raise SimulationError(f"the RTL differs from the golden model: {report.difference}")
