"""The command ``spikewatt``."""

import os
import sys
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from spikewatt.base.errors import DataError, SimulationError, SpikewattError, TimingError
from spikewatt.base.interrupts import catch_interrupts
from spikewatt.flow.cli.compare import compare as compare_command
from spikewatt.flow.cli.doctor import doctor
from spikewatt.flow.cli.energy import energy
from spikewatt.flow.cli.export import export as export_command
from spikewatt.flow.cli.fpga import fpga
from spikewatt.flow.cli.synth import synth
from spikewatt.flow.cli.usage import usage_message
from spikewatt.flow.console import progress_bar
from spikewatt.model.params import RouterKind
from spikewatt.targets.mesh_size import check_router

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spikewatt.base.progress import Progress
    from spikewatt.flow.compare.result import Comparison
    from spikewatt.model.network.graph import Network

__all__ = ["app", "main"]

BAD_INPUT, FAILED_CHECK = 2, 1
INTERRUPTED = 130  # what typer makes of KeyboardInterrupt

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Simulator(StrEnum):
    """Simulators of the RTL."""

    VERILATOR = "verilator"
    ICARUS = "icarus"


class Trace(StrEnum):
    """Waveform formats."""

    NONE = "none"
    FST = "fst"
    VCD = "vcd"


Images = Annotated[int | None, typer.Option(min=1, help="Samples to run; all by default.")]
Sim = Annotated[Simulator, typer.Option(help="Simulator of the RTL.")]
Wave = Annotated[Trace, typer.Option(help="Waveform to write into the --out folder.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for report.json and the waveform.", show_default="out, if --trace"),
]
Mesh = Annotated[
    str | None,
    typer.Option(
        metavar="CxR|auto",
        help="Spread the network over columns x rows of cores, or as many as it needs.",
        show_default="one core",
    ),
]
Router = Annotated[
    RouterKind | None,
    typer.Option(help="What joins the cores of a mesh.", show_default="click"),
]
Lanes = Annotated[int, typer.Option(min=1, max=64, help="Synapse units of the core.")]
Liberty = Annotated[
    Path | None,
    typer.Option(help="Library to price with.", show_default="the built-in 45 nm one"),
]
Priced = Annotated[int, typer.Option(min=1, help="How many of the first images to price.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.callback(invoke_without_command=True)
def spikewatt(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Joules of spiking networks, from RTL that is proven bit-exact."""
    if show_version:
        print(version("spikewatt"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def demo(
    images: Images = None,
    sim: Sim = Simulator.VERILATOR,
    trace: Wave = Trace.NONE,
    out: Out = None,
    lanes: Lanes = 8,
    energy: Annotated[bool, typer.Option(help="End with a joule ledger.")] = True,
    energy_images: Priced = 32,
    compare: Annotated[
        bool, typer.Option(help="Compare with quantised networks on the systolic core.")
    ] = True,
    liberty: Liberty = None,
    as_json: Json = False,
) -> None:
    """Run the network that ships with spikewatt on real images of handwritten digits."""
    from spikewatt.model.network.dataset import load_digits

    priced = energy_images if energy else 0
    network, x, y = load_digits()
    made: dict[str, Comparison] = {}

    def comparisons(progress: "Progress") -> "dict[str, Comparison]":
        from spikewatt.flow.demo import shipped_comparisons

        count = min(energy_images, len(x) if images is None else images)
        made.update(shipped_comparisons(x, y, images=count, liberty=liberty, progress=progress))
        return made

    after = comparisons if compare and energy else None
    _simulate(network, x, y, images, sim, trace, out, lanes, priced, liberty, as_json, after)
    if made and not as_json:
        from spikewatt.flow.compare.output import show

        for found in made.values():
            show(found, variants=False)


@app.command()
def run(
    network: Annotated[Path, typer.Argument(help="Network file (.swn).")],
    data: Annotated[Path, typer.Option(help="NPZ with x[n, inputs] and, optionally, y[n].")],
    images: Images = None,
    sim: Sim = Simulator.VERILATOR,
    trace: Wave = Trace.NONE,
    out: Out = None,
    lanes: Lanes = 8,
    mesh: Mesh = None,
    router: Router = None,
    energy: Annotated[bool, typer.Option("--energy", help="End with a joule ledger.")] = False,
    energy_images: Priced = 32,
    liberty: Liberty = None,
    as_json: Json = False,
) -> None:
    """Run a network on samples: RTL against the golden model, bit for bit."""
    from spikewatt.model.network.dataset import load_samples
    from spikewatt.model.network.file import load_network

    loaded = load_network(network)
    try:
        samples = load_samples(data)
        priced = energy_images if energy else 0
        on = (mesh, check_router(router, mesh))
        _simulate(loaded, *samples, images, sim, trace, out, lanes, priced, liberty, as_json, on=on)
    except DataError as error:
        prefix = "" if str(error).startswith(str(data)) else f"{data}: "
        raise DataError(f"{prefix}{error}") from None


app.command("compare")(compare_command)
app.command()(synth)
app.command("export")(export_command)
app.command()(energy)
app.add_typer(fpga, name="fpga")
app.command()(doctor)


def _simulate(
    network: "Network",
    x: "NDArray",
    y: "NDArray | None",
    images: int | None,
    sim: Simulator,
    trace: Trace,
    out: Path | None,
    lanes: int,
    energy: int,
    liberty: Path | None,
    as_json: bool,
    compare: "Callable[[Progress], dict[str, Comparison]] | None" = None,
    on: tuple[str | None, RouterKind] = (None, RouterKind.CLICK),
) -> None:
    """Run, report, and leave with status 1 if RTL and golden model differ."""
    from spikewatt.flow.run import run as run_network

    if images is not None and images > len(x):
        raise DataError(f"--images {images} asks for more than the {len(x)} samples there are")
    x, y = x[:images], None if y is None else y[:images]
    with progress_bar() as progress:
        report = run_network(
            network,
            x,
            y,
            lanes=lanes,
            mesh=on[0],
            router=on[1].value,
            simulator=sim.value,
            trace=trace.value,
            energy=energy,
            liberty=liberty,
            compare=compare,
            out=out,
            progress=progress,
        )
    if as_json:
        print(report.to_text())
    else:
        console = Console(highlight=False)
        console.print(report.table())
        if (ledger := report.ledger()) is not None:
            console.print(ledger)
    if not report.bit_exact:
        _fail(f"the RTL differs from the golden model: {report.difference}", FAILED_CHECK)


def _fail(message: object, status: int) -> NoReturn:
    """One line on standard error, and out."""
    line = " ".join(str(message).split())
    print(f"spikewatt: {line}", file=sys.stderr)
    raise SystemExit(status)


def main() -> None:
    """Entry point: every error that is the user's becomes one line and exit status 2."""
    catch_interrupts()
    try:
        if app(standalone_mode=False) == INTERRUPTED:
            raise KeyboardInterrupt
        sys.stdout.flush()
    except typer.TyperException as error:
        _fail(usage_message(error, sys.argv), BAD_INPUT)
    except (SimulationError, TimingError) as error:
        _fail(error, FAILED_CHECK)
    except SpikewattError as error:
        _fail(error, BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted: nothing was written", BAD_INPUT)
    except BrokenPipeError:
        sys.stderr.close()
    except MemoryError as error:
        _fail(f"not enough memory ({error}): run fewer samples with --images", BAD_INPUT)
    except OSError as error:
        if error.filename is None:  # what is still buffered cannot be written either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"{error.filename or 'output'}: {error.strerror or error}", BAD_INPUT)
