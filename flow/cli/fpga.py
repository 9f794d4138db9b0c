"""The command ``spikewatt fpga``: networks on boards."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from spikewatt.base.errors import DataError, ParameterError, SimulationError
from spikewatt.flow.console import progress_bar
from spikewatt.flow.synth.cores import KINDS, NEURO_SIZES, given_sizes
from spikewatt.model.params.host import BAUD

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.model.network.graph import Network
    from spikewatt.model.params import CoreParams

__all__ = ["fpga"]

SIMULATED = "simulated"
fpga = typer.Typer(
    help="Run networks on a board, over its serial port.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
Size = typer.Option(
    min=0, show_default=False, rich_help_panel="Sizes of the board's core, as in synth"
)
Kind = typer.Option(
    metavar="NAME,…", show_default=False, rich_help_panel="Sizes of the board's core, as in synth"
)
NetworkFile = Annotated[Path, typer.Argument(help="Network file (.swn).")]
Lanes = Annotated[
    int | None, typer.Option(min=1, max=64, help="Synapse units of the core.", show_default="8")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


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


@fpga.command()
def run(
    context: typer.Context,
    network: NetworkFile,
    data: Annotated[Path, typer.Option(help="NPZ with x[n, inputs] and, optionally, y[n].")],
    images: Annotated[
        int | None, typer.Option(min=1, help="Samples to run; all by default.")
    ] = None,
    lanes: Lanes = None,
    neurons: Annotated[int | None, Size] = None,
    axons: Annotated[int | None, Size] = None,
    weight_bits: Annotated[int | None, Size] = None,
    state_bits: Annotated[int | None, Size] = None,
    bias_bits: Annotated[int | None, Size] = None,
    delay_slots: Annotated[int | None, Size] = None,
    scheduler_bits: Annotated[int | None, Size] = None,
    synapse_words: Annotated[int | None, Size] = None,
    destinations: Annotated[int | None, Size] = None,
    refractory_bits: Annotated[int | None, Size] = None,
    window_bits: Annotated[int | None, Size] = None,
    types: Annotated[int | None, Size] = None,
    hop_bits: Annotated[int | None, Size] = None,
    leaks: Annotated[str | None, Kind] = None,
    resets: Annotated[str | None, Kind] = None,
    compares: Annotated[str | None, Kind] = None,
    as_json: Json = False,
) -> None:
    """Run a network on samples: the board against the golden model, bit for bit.

    Without sizes the board's core is the one that `spikewatt fpga core NETWORK` names. With any of
    them it is the core that `spikewatt synth --core neuro` builds from the same ones: any network
    that fits it runs.
    """
    given = given_sizes(locals())
    from spikewatt.model.network.dataset import load_samples
    from spikewatt.model.network.file import load_network

    where: _Port = context.obj
    if where.name is None:
        raise ParameterError("fpga run needs --port before run: like /dev/ttyUSB0, or simulated")
    if where.name == SIMULATED and where.baud is not None:
        raise ParameterError("--baud belongs to a real port: the simulated one has its own")
    loaded = load_network(network)
    try:
        x, y = load_samples(data)
        if images is not None and images > len(x):
            raise DataError(f"--images {images} asks for more than the {len(x)} samples there are")
        _run(where, loaded, x[:images], None if y is None else y[:images], given, as_json)
    except DataError as error:
        prefix = "" if str(error).startswith(str(data)) else f"{data}: "
        raise DataError(f"{prefix}{error}") from None


@fpga.command()
def core(network: NetworkFile, lanes: Lanes = None, as_json: Json = False) -> None:
    """Say which core a network takes, as options of `spikewatt synth`."""
    from spikewatt.model.compile.tap import board_params
    from spikewatt.model.network.file import load_network
    from spikewatt.model.params.host import core_identity

    params = board_params(load_network(network), lanes=8 if lanes is None else lanes)
    sizes = {name: getattr(params, name) for name in NEURO_SIZES}
    sizes |= {
        name: ",".join(member.name.lower().replace("_", "-") for member in getattr(params, name))
        for name in KINDS
    }
    if as_json:
        identity = f"{core_identity(params):08x}"
        print(json.dumps({"identity": identity, "core": sizes}, indent=1))
        return
    options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in sizes.items())
    print(f"--core neuro {options}")


def _run(
    where: _Port, network: "Network", x: Any, y: Any, sizes: dict[str, Any], as_json: bool
) -> None:
    """Run, report, and leave with status 1 if board and golden model differ."""
    from spikewatt.targets.board.run import run_on_board

    with progress_bar() as progress:
        report = run_on_board(
            network,
            x,
            y,
            port=where.name or SIMULATED,
            baud=where.baud or BAUD,
            lanes=sizes.get("lanes", 8),
            params=_params(sizes),
            progress=progress,
        )
    if as_json:
        print(report.to_text())
    else:
        Console(highlight=False).print(report.table())
    if not report.bit_exact:
        raise SimulationError(f"the board differs from the golden model: {report.difference}")


def _params(sizes: dict[str, Any]) -> "CoreParams | None":
    """The core of these sizes; ``None``, the network's own, where only lanes are named."""
    from spikewatt.model.params import CoreParams, Fabric

    if not sizes.keys() - {"lanes"}:
        return None
    return CoreParams(**sizes, fabric=Fabric.FPGA)
