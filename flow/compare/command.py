"""The command ``spikewatt compare``."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikewatt.model.errors import DataError, NetworkError, ParameterError

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.flow.compare.run import Plan
    from spikewatt.model.network import Network

__all__ = ["compare"]


class PairMode(StrEnum):
    """When a layer of the spiking network fires."""

    WINDOW = "window"
    EVERY_TICK = "every-tick"


def compare(
    network: Annotated[Path, typer.Argument(help="Network file (.swn).")],
    data: Annotated[
        Path | None,
        typer.Option(help="NPZ with x[n, inputs] and, optionally, y[n].", show_default="none"),
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="How many samples to run and price.")] = 64,
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
            help="Instead: random inputs of these spike rates, 0.01:0.3:8 for one.",
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
    from spikewatt.model.netfile import load_network

    sizes = SIZES if array is None else (parse_array(array),)
    loaded = load_network(network)
    if sweep_rate is not None:
        _sweep(loaded, sweep_rate, sizes, lanes, images, timesteps, mode, liberty, out, as_json)
        return
    if data is None:
        raise ParameterError("--data is missing: name an NPZ with the samples, or --sweep-rate")
    plan = Plan(
        lanes=LANES if lanes is None else (lanes,),
        sizes=sizes,
        refine=refine,
        glitches=glitches,
    )
    other = None if rival is None else load_network(rival)
    _compare(loaded, data, images, other, timesteps, mode, plan, liberty, out, as_json)


def _compare(
    network: "Network",
    data: Path,
    images: int,
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
    from spikewatt.model.dataset import load_samples

    try:
        x, y = load_samples(data)
        with progress_bar(min(images, len(x))) as progress:
            found = run_comparison(
                network,
                x,
                y,
                images=images,
                rival=rival,
                timesteps=timesteps,
                mode=mode.value,
                plan=plan,
                liberty=liberty,
                progress=progress,
            )
    except DataError as error:
        prefix = "" if str(error).startswith(str(data)) else f"{data}: "
        raise DataError(f"{prefix}{error}") from None
    except NetworkError as error:
        if rival is not None:
            raise
        raise NetworkError(
            f"{error}; or name a quantised network of the same task with --rival"
        ) from None
    if out is not None:
        write(out, found)
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
    from spikewatt.flow.compare.variants import NeuroVariant, SystolicVariant
    from spikewatt.flow.console import progress_bar

    rows, columns = sizes[0] if len(sizes) == 1 else (8, 8)
    with progress_bar(images) as progress:
        found = sweep(
            network,
            parse_rates(rates),
            timesteps=timesteps,
            mode=mode.value,
            neuro=NeuroVariant(lanes or 16),
            systolic=SystolicVariant(rows, columns, min(32, images)),
            images=images,
            liberty=liberty,
            progress=progress,
        )
    if out is not None:
        write_sweep(out, found)
    if as_json:
        print(json.dumps(found.to_json(), indent=1))
    else:
        show_sweep(found)
