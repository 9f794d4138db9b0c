"""The command ``spikewatt compare``."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikewatt.base.errors import CapacityError, NetworkError, ParameterError
from spikewatt.flow.cli.data import naming
from spikewatt.flow.cli.options import Liberty, Mesh, Output, Router
from spikewatt.flow.console import progress_bar
from spikewatt.model.network.modes import Mode
from spikewatt.targets.mesh_size import check_router, parse_mesh

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.flow.compare.run import Plan
    from spikewatt.model.network.graph import Network

__all__ = ["CompareCommand", "compare"]

IMAGES = 64
"""Samples that a comparison runs unless it is told otherwise."""


@dataclass(frozen=True, kw_only=True)
class CompareCommand:
    """Options of ``spikewatt compare``."""

    network: Annotated[
        Path | None, typer.Argument(help="Network file (.swn). A sweep has one of its own.")
    ] = None
    data: Annotated[
        Path | None,
        typer.Option(help="NPZ with x[n, inputs] and, optionally, y[n].", show_default="none"),
    ] = None
    images: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many samples to run and price.", show_default="64, or all there are"
        ),
    ] = None
    timesteps: Annotated[
        int | None,
        typer.Option(
            min=1, max=255, help="T, the timesteps of the pair.", show_default="the network's"
        ),
    ] = None
    mode: Annotated[Mode, typer.Option(help="When layers fire.")] = "window"
    rival: Annotated[
        Path | None,
        typer.Option(
            help="Quantised network of the same task, for a network that has no exact equal.",
            show_default="the network itself",
        ),
    ] = None
    array: Annotated[
        str | None,
        typer.Option(help="Rows x columns of the array, like 8x8.", show_default="search"),
    ] = None
    lanes: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Lanes of the spiking core.", show_default="search"),
    ] = None
    mesh: Mesh = None
    router: Router = None
    refine: Annotated[bool, typer.Option(help="Try the array's options on the cheapest size.")] = (
        True
    )
    glitches: Annotated[
        bool, typer.Option(help="Bound glitches by a simulation with delays (Icarus).")
    ] = True
    sweep_rate: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST:LAST:POINTS",
            help="Instead of --data: random inputs of these spike rates, like 0.01:0.3:8.",
            show_default="no sweep",
        ),
    ] = None
    liberty: Liberty = None
    out: Annotated[
        Path | None, typer.Option(help="Folder for JSON, CSV and plots.", show_default="none")
    ] = None
    output: Output


def compare(options: CompareCommand) -> None:
    """Price a spiking network and its quantised rival, both as RTL, both proven bit-exact."""
    from spikewatt.model.network.dataset import load_shipped
    from spikewatt.model.network.file import load_network

    plan = _plan(options)
    if options.network is None and options.sweep_rate is None:
        raise ParameterError("NETWORK is missing: name a network file (.swn)")
    network = (
        load_shipped("digits_t7") if options.network is None else load_network(options.network)
    )
    if options.sweep_rate is not None:
        _sweep(network, options.sweep_rate, options)
        return
    if options.data is None:
        raise ParameterError("--data is missing: name an NPZ with the samples, or --sweep-rate")
    _compare(network, options.data, plan, options)


def _plan(options: CompareCommand) -> "Plan":
    """Which cores to try; raise where options do not go together."""
    from spikewatt.flow.compare.run import Plan
    from spikewatt.flow.compare.variants import LANES, SIZES, parse_array

    sizes = SIZES if options.array is None else (parse_array(options.array),)
    # All that can be refused is refused before the first file is read.
    router = check_router(options.router, options.mesh)
    if options.mesh is not None:
        parse_mesh(options.mesh)
    if options.sweep_rate is not None:
        if options.mesh is not None:
            raise ParameterError("--sweep-rate is for one core: leave --mesh out")
        if options.rival is not None:
            raise ParameterError("--sweep-rate is for one network and its equal: leave --rival out")
    if options.rival is not None and (options.timesteps is not None or options.mode != "window"):
        raise ParameterError(
            "--timesteps and --mode make a pair of one network: with --rival the networks run as "
            "they are, leave both out"
        )
    return Plan(
        lanes=LANES if options.lanes is None else (options.lanes,),
        mesh=options.mesh,
        router=router.value,
        sizes=sizes,
        refine=options.refine,
        glitches=options.glitches,
    )


def _folder(out: Path | None) -> AbstractContextManager[Path | None]:
    """Where results are collected until all is done: what cannot be written to is told at once."""
    from spikewatt.base.files import staged

    return nullcontext() if out is None else staged(out)


def _compare(network: "Network", data: Path, plan: "Plan", options: CompareCommand) -> None:
    from spikewatt.flow.compare.output import show, write
    from spikewatt.flow.compare.run import compare as run_comparison
    from spikewatt.model.network.dataset import load_samples
    from spikewatt.model.network.file import load_network

    rival = None if options.rival is None else load_network(options.rival)
    try:
        with naming(data):
            x, y = load_samples(data)
            images = min(IMAGES, len(x)) if options.images is None else options.images
            with (
                _folder(options.out) as part,
                progress_bar(quiet=options.output.quiet) as progress,
            ):
                comparison = run_comparison(
                    network,
                    x,
                    y,
                    images=images,
                    rival=rival,
                    timesteps=options.timesteps,
                    mode=options.mode,
                    plan=plan,
                    liberty=options.liberty,
                    progress=progress,
                )
                if part is not None:
                    write(part, comparison)
    except NetworkError as error:
        if rival is not None or isinstance(error, CapacityError):
            raise
        raise NetworkError(
            f"{error}; or name a quantised network of the same task with --rival"
        ) from None
    if options.output.as_json:
        print(comparison.to_text())
    else:
        show(comparison)


def _sweep(network: "Network", rates: str, options: CompareCommand) -> None:
    from spikewatt.flow.compare.output import show_sweep, write_sweep
    from spikewatt.flow.compare.sweep import parse_rates, sweep
    from spikewatt.flow.compare.variants import NeuroVariant, parse_array

    images = IMAGES if options.images is None else options.images
    size = (8, 8) if options.array is None else parse_array(options.array)
    with (
        _folder(options.out) as part,
        progress_bar(quiet=options.output.quiet) as progress,
    ):
        points = sweep(
            network,
            parse_rates(rates),
            timesteps=options.timesteps,
            mode=options.mode,
            neuro=NeuroVariant(options.lanes or 16),
            size=size,
            images=images,
            liberty=options.liberty,
            progress=progress,
        )
        if part is not None:
            write_sweep(part, points)
    if options.output.as_json:
        print(points.to_text())
    else:
        show_sweep(points)
