"""The command ``spikewatt compare``."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikewatt.base.errors import CapacityError, DataError, NetworkError, ParameterError
from spikewatt.model.params import RouterKind
from spikewatt.targets.mesh_size import check_router, parse_mesh

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.flow.compare.run import Plan
    from spikewatt.model.network.graph import Network

__all__ = ["compare"]

IMAGES = 64
"""Samples that a comparison runs unless it is told otherwise."""


class PairMode(StrEnum):
    """When a layer of the spiking network fires."""

    WINDOW = "window"
    EVERY_TICK = "every-tick"


def compare(
    network: Annotated[
        Path | None, typer.Argument(help="Network file (.swn); a sweep has one to fall back on.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="NPZ with x[n, inputs] and, optionally, y[n].", show_default="none"),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many samples to run and price.", show_default="64, or all there are"
        ),
    ] = None,
    timesteps: Annotated[
        int | None, typer.Option(min=1, max=255, help="T.", show_default="the network's")
    ] = None,
    mode: Annotated[PairMode, typer.Option(help="When layers fire.")] = PairMode.WINDOW,
    rival: Annotated[
        Path | None,
        typer.Option(
            help="Quantised network of the same task, for a network that has no exact equal.",
            show_default="the network itself",
        ),
    ] = None,
    array: Annotated[
        str | None,
        typer.Option(help="Rows x columns of the array, like 8x8.", show_default="search"),
    ] = None,
    lanes: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Lanes of the spiking core.", show_default="search"),
    ] = None,
    mesh: Annotated[
        str | None,
        typer.Option(
            metavar="CxR|auto",
            help="Spread the spiking network over columns x rows of cores.",
            show_default="one core",
        ),
    ] = None,
    router: Annotated[
        RouterKind | None,
        typer.Option(help="What joins the cores of a mesh.", show_default="click"),
    ] = None,
    refine: Annotated[
        bool, typer.Option(help="Try the array's options on the cheapest size.")
    ] = True,
    glitches: Annotated[
        bool, typer.Option(help="Bound glitches by a simulation with delays (Icarus).")
    ] = True,
    sweep_rate: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST:LAST:POINTS",
            help="Instead of --data: random inputs of these spike rates, like 0.01:0.3:8.",
            show_default="no sweep",
        ),
    ] = None,
    liberty: Annotated[
        Path | None,
        typer.Option(help="Library to price with.", show_default="the built-in 45 nm one"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for JSON, CSV and plots.", show_default="none")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Price a spiking network and its quantised rival, both as RTL, both proven bit-exact."""
    from spikewatt.flow.compare.run import Plan
    from spikewatt.flow.compare.variants import LANES, SIZES, parse_array
    from spikewatt.model.network.dataset import load_shipped
    from spikewatt.model.network.file import load_network

    sizes = SIZES if array is None else (parse_array(array),)
    if network is None and sweep_rate is None:
        raise ParameterError("NETWORK is missing: name a network file (.swn)")
    loaded = load_shipped("digits_t7") if network is None else load_network(network)
    check_router(router, mesh)
    if mesh is not None:
        parse_mesh(mesh)
    if sweep_rate is not None:
        if mesh is not None:
            raise ParameterError("--sweep-rate is for one core: leave --mesh out")
        if rival is not None:
            raise ParameterError("--sweep-rate is for one network and its equal: leave --rival out")
        chosen = IMAGES if images is None else images
        _sweep(loaded, sweep_rate, sizes, lanes, chosen, timesteps, mode, liberty, out, as_json)
        return
    if data is None:
        raise ParameterError("--data is missing: name an NPZ with the samples, or --sweep-rate")
    if rival is not None and (timesteps is not None or mode is not PairMode.WINDOW):
        raise ParameterError(
            "--timesteps and --mode make a pair of one network: with --rival the networks run as "
            "they are, leave both out"
        )
    plan = Plan(
        lanes=LANES if lanes is None else (lanes,),
        mesh=mesh,
        router=check_router(router, mesh).value,
        sizes=sizes,
        refine=refine,
        glitches=glitches,
    )
    other = None if rival is None else load_network(rival)
    _compare(loaded, data, images, other, timesteps, mode, plan, liberty, out, as_json)


def _folder(out: Path | None) -> AbstractContextManager[Path | None]:
    """Where results are collected until all is done: what cannot be written to is told at once."""
    from spikewatt.base.files import staged

    return nullcontext() if out is None else staged(out)


def _compare(
    network: "Network",
    data: Path,
    images: int | None,
    rival: "Network | None",
    timesteps: int | None,
    mode: PairMode,
    plan: "Plan",
    liberty: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    from spikewatt.flow.compare.output import show, write
    from spikewatt.flow.compare.run import compare as run_comparison
    from spikewatt.flow.console import progress_bar
    from spikewatt.model.network.dataset import load_samples

    try:
        x, y = load_samples(data)
        chosen = min(IMAGES, len(x)) if images is None else images
        with _folder(out) as part, progress_bar() as progress:
            found = run_comparison(
                network,
                x,
                y,
                images=chosen,
                rival=rival,
                timesteps=timesteps,
                mode=mode.value,
                plan=plan,
                liberty=liberty,
                progress=progress,
            )
            if part is not None:
                write(part, found)
    except DataError as error:
        prefix = "" if str(error).startswith(str(data)) else f"{data}: "
        raise DataError(f"{prefix}{error}") from None
    except NetworkError as error:
        if rival is not None or isinstance(error, CapacityError):
            raise
        raise NetworkError(
            f"{error}; or name a quantised network of the same task with --rival"
        ) from None
    if as_json:
        print(found.to_text())
    else:
        show(found)


def _sweep(
    network: "Network",
    rates: str,
    sizes: Sequence[tuple[int, int]],
    lanes: int | None,
    images: int,
    timesteps: int | None,
    mode: PairMode,
    liberty: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    from spikewatt.flow.compare.output import show_sweep, write_sweep
    from spikewatt.flow.compare.sweep import parse_rates, sweep
    from spikewatt.flow.compare.variants import NeuroVariant, usual
    from spikewatt.flow.console import progress_bar

    rows, columns = sizes[0] if len(sizes) == 1 else (8, 8)
    with _folder(out) as part, progress_bar() as progress:
        found = sweep(
            network,
            parse_rates(rates),
            timesteps=timesteps,
            mode=mode.value,
            neuro=NeuroVariant(lanes or 16),
            systolic=usual(rows, columns, min(32, images)),
            images=images,
            liberty=liberty,
            progress=progress,
        )
        if part is not None:
            write_sweep(part, found)
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
    else:
        show_sweep(found)
