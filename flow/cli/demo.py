"""The command ``spikewatt demo``."""

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from spikewatt.flow.cli.options import Output
from spikewatt.flow.cli.run import Job, Pricing, Simulation, report_run

if TYPE_CHECKING:  # imported where needed: help and errors come at once
    from spikewatt.base.progress import Progress
    from spikewatt.flow.compare.result import Comparison

__all__ = ["DemoCommand", "demo"]


@dataclass(frozen=True, kw_only=True)
class DemoCommand:
    """Options of ``spikewatt demo``."""

    simulation: Simulation
    energy: Annotated[bool, typer.Option(help="End with a joule ledger.")] = True
    compare: Annotated[
        bool, typer.Option(help="Compare with quantised networks on the systolic core.")
    ] = True
    pricing: Pricing
    output: Output


def demo(options: DemoCommand) -> None:
    """Run the network that ships with spikewatt on real images of handwritten digits."""
    from spikewatt.model.network.dataset import load_digits

    network, x, y = load_digits()
    comparisons: dict[str, Comparison] = {}
    asked, pricing = options.simulation.images, options.pricing
    images = min(pricing.energy_images, len(x) if asked is None else asked)

    def compare(progress: "Progress") -> "dict[str, Comparison]":
        from spikewatt.flow.demo import shipped_comparisons

        comparisons.update(
            shipped_comparisons(x, y, images=images, liberty=pricing.liberty, progress=progress)
        )
        return comparisons

    job = Job(
        simulation=options.simulation,
        energy=options.energy,
        pricing=options.pricing,
        output=options.output,
        # A comparison is one of joules.
        compare=compare if options.compare and options.energy else None,
    )
    with contextlib.ExitStack() as stack:
        if options.energy:
            from spikewatt.flow.ahead import build_ahead
            from spikewatt.flow.demo import wanted_cores

            lanes, compared = options.simulation.lanes, options.compare
            cores = wanted_cores(network, lanes=lanes, images=images, compare=compared)
            stack.enter_context(build_ahead(cores, pricing.liberty))
        report_run(network, (x, y), job)
    if comparisons and not options.output.as_json:
        from spikewatt.flow.compare.output import show

        for comparison in comparisons.values():
            show(comparison, variants=False)
