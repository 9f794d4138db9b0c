"""The command ``spikewatt fpga``: networks on boards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikewatt.base.errors import ParameterError, SimulationError
from spikewatt.flow.cli.data import first_samples, naming
from spikewatt.flow.cli.help import Commands
from spikewatt.flow.cli.options import Data, Images, NetworkFile, Output, Table, command
from spikewatt.flow.cli.show import show
from spikewatt.flow.console import progress_bar
from spikewatt.flow.synth.cores import KINDS, NEURO_SIZES, named_kinds
from spikewatt.model.params.host import BAUD

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.flow.cli.data import Samples
    from spikewatt.model.network.graph import Network
    from spikewatt.model.params import CoreParams

__all__ = ["fpga"]

SIMULATED = "simulated"
fpga = typer.Typer(
    cls=Commands,
    help="Run networks on a board, over its serial port.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
Lanes = Annotated[
    int | None, typer.Option(min=1, max=64, help="Synapse units of the core.", show_default="8")
]


def _sizes() -> Table:
    """An option for each size of a neuromorphic core but its lanes."""
    size = typer.Option(min=0, show_default=False, help="Of the board's core, as in synth.")
    kind = typer.Option(
        metavar="NAME,…", show_default=False, help="What the board's core can do, as in synth."
    )
    options = {name: Annotated[int | None, size] for name in NEURO_SIZES if name != "lanes"}
    return Table({**options, **dict.fromkeys(KINDS, Annotated[str | None, kind])})


@dataclass(frozen=True)
class _Port:
    name: str | None
    baud: int | None


@fpga.callback()
def at_port(
    context: typer.Context,
    port: Annotated[
        str | None,
        typer.Option(
            metavar="PORT", help="Serial port like /dev/ttyUSB0; simulated: no board but its RTL."
        ),
    ] = None,
    baud: Annotated[
        int | None, typer.Option(min=1, help="Bits a second.", show_default=str(BAUD))
    ] = None,
) -> None:
    """Run networks on a board, over its serial port."""
    context.obj = _Port(port, baud)


@dataclass(frozen=True, kw_only=True)
class BoardRunCommand:
    """Options of ``spikewatt fpga run``."""

    context: typer.Context
    network: NetworkFile
    data: Data
    images: Images = None
    lanes: Lanes = None
    sizes: Annotated[Mapping[str, Any], _sizes()]
    output: Output

    def params(self) -> "CoreParams | None":
        """The core of these sizes; ``None``, the network's own, where only lanes are named."""
        from spikewatt.model.params import CoreParams, Fabric

        sizes = named_kinds(self.sizes)
        if not sizes:
            return None
        if self.lanes is not None:
            sizes["lanes"] = self.lanes
        return CoreParams(**sizes, fabric=Fabric.FPGA)


@dataclass(frozen=True, kw_only=True)
class BoardCoreCommand:
    """Options of ``spikewatt fpga core``."""

    network: NetworkFile
    lanes: Lanes = None
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False


@fpga.command()
@command
def run(options: BoardRunCommand) -> None:
    """Run a network on samples: the board against the golden model, bit for bit.

    Without sizes the board's core is the one that `spikewatt fpga core NETWORK` names. With any of
    them it is the core that `spikewatt synth --core neuro` builds from the same ones: any network
    that fits it runs.
    """
    params = options.params()
    from spikewatt.model.network.dataset import load_samples
    from spikewatt.model.network.file import load_network

    port: _Port = options.context.obj
    if port.name is None:
        raise ParameterError("fpga run needs --port before run: like /dev/ttyUSB0, or simulated")
    if port.name == SIMULATED and port.baud is not None:
        raise ParameterError("--baud belongs to a real port: the simulated one has its own")
    network = load_network(options.network)
    with naming(options.data):
        samples = first_samples(load_samples(options.data), options.images)
        _run(network, samples, options, params)


@fpga.command()
@command
def core(options: BoardCoreCommand) -> None:
    """Say which core a network takes, as options of `spikewatt synth`."""
    from spikewatt.model.compile.tap import board_params
    from spikewatt.model.network.file import load_network
    from spikewatt.model.params.host import core_identity

    lanes = 8 if options.lanes is None else options.lanes
    params = board_params(load_network(options.network), lanes=lanes)
    sizes = {name: getattr(params, name) for name in NEURO_SIZES}
    sizes |= {
        name: ",".join(member.name.lower().replace("_", "-") for member in getattr(params, name))
        for name in KINDS
    }
    if options.as_json:
        identity = f"{core_identity(params):08x}"
        print(json.dumps({"identity": identity, "core": sizes}, indent=1))
        return
    words = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in sizes.items())
    print(f"--core neuro {words}")


def _run(
    network: "Network", samples: "Samples", options: BoardRunCommand, params: "CoreParams | None"
) -> None:
    """Run, report, and raise if board and golden model differ."""
    from spikewatt.model.compile.tap import board_params
    from spikewatt.targets.board.run import Port, run_on_board

    (x, y), port = samples, options.context.obj
    lanes = 8 if options.lanes is None else options.lanes
    with progress_bar(quiet=options.output.quiet) as progress:
        report = run_on_board(
            network,
            x,
            y,
            port=Port(port.name, port.baud or BAUD),
            params=params or board_params(network, lanes=lanes),
            progress=progress,
        )
    show(options.output, report, lambda report: (report.table(),))
    if not report.bit_exact:
        raise SimulationError(f"the board differs from the golden model: {report.difference}")
