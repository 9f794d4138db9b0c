"""The main job: a network through the RTL, held against the golden model."""

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from numpy.typing import ArrayLike

from spikewatt.base.errors import ParameterError
from spikewatt.base.files import staged
from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.choices import ModelTrace, Simulator, Trace
from spikewatt.cosim.recording import Simulation
from spikewatt.flow.compare.plots import energy_bars
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.plots import power_trace
from spikewatt.flow.report import RunReport
from spikewatt.model.network.dataset import load_digits, load_samples
from spikewatt.model.network.file import load_network
from spikewatt.model.network.graph import Network
from spikewatt.model.params import RouterKind
from spikewatt.model.run import COUNTERS
from spikewatt.synth.liberty.reader import LibertyFiles
from spikewatt.targets.evaluate import Samples, check_classes, prove, run_figures
from spikewatt.targets.mesh import MeshTarget
from spikewatt.targets.mesh_size import parse_mesh
from spikewatt.targets.neuro import NeuroTarget
from spikewatt.targets.price import PricedRun
from spikewatt.targets.target import Target

__all__ = ["RunOptions", "load_digits", "load_network", "load_samples", "run"]


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ParameterError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


BRIEF = 20_000_000
"""Cycles up to which a second model, three times as fast, would be built longer than it gains."""
Comparisons = Mapping[str, Comparison]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a network is run, and what is made of the run.

    Parameters
    ----------
    lanes:
        Synapse units of the core, or of each core of a mesh.
    mesh:
        ``CxR``: spread the network over so many columns and rows of cores; ``auto``: over as many
        as it needs. By default one core holds it all.
    router:
        What joins the cores of a mesh: ``click``, clockless, or ``sync``.
    simulator:
        ``verilator`` or ``icarus``; a mesh runs on Verilator.
    trace:
        Kind of waveform: ``none``, ``fst`` or ``vcd``.
    energy:
        How many of the first images to price in joules: they run once more, with a waveform, on
        Verilator, and the netlist of the core is replayed.
    liberty:
        Library to price with, a file or several; the built-in technology by default.
    compare:
        Makes comparisons that belong to the report; their energies are drawn into ``out``.
    out:
        Folder for ``report.json`` and the waveform, and with ``energy`` for ``neuro.json``, the
        gates, and ``power.svg``, the power of every cycle of the first image; ``out`` if there is a
        waveform.
    """

    lanes: int = 8
    mesh: str | None = None
    router: str = "click"
    simulator: Simulator = "verilator"
    trace: Trace = "none"
    energy: int = 0
    liberty: LibertyFiles | None = None
    compare: Callable[[Progress], Comparisons] | None = None
    out: Path | str | None = None

    def target(self, network: Network) -> NeuroTarget | MeshTarget:
        """The network on the hardware that is asked for."""
        if self.mesh is None:
            return NeuroTarget(network, lanes=self.lanes)
        _check_choice("router", self.router, [kind.value for kind in RouterKind])
        mesh = parse_mesh(self.mesh)
        return MeshTarget(network, mesh=mesh, lanes=self.lanes, router=self.router)


def run(
    network: Network,
    x: ArrayLike,
    y: ArrayLike | None = None,
    options: RunOptions | None = None,
    *,
    progress: Progress = silent,
    **changes: Any,
) -> RunReport:
    """Map a network onto a core of its size, simulate the RTL, compare it with the golden model.

    Parameters
    ----------
    x:
        Samples [n, inputs], within the encoder's range.
    y:
        Classes int[n], for the accuracies.
    options, changes:
        Options, and those that are named by themselves: `RunOptions` has them all.
    progress:
        Called with what is being done and the number of samples simulated so far.

    Returns
    -------
    RunReport
        ``bit_exact`` says whether spikes, membranes, merges and synapse reads of every tick, and
        the memories at the end, are those of the golden model.

    Raises
    ------
    SpikewattError
        Bad data, a network that does not fit, a tool that is missing.
    """
    start = time.perf_counter()
    options = replace(options or RunOptions(), **changes)
    _check_choice("simulator", options.simulator, get_args(Simulator))
    _check_choice("trace", options.trace, get_args(Trace))
    spikes = network.stimulus(x)
    samples = Samples(network, spikes, check_classes(y, len(spikes), network))
    target = options.target(network)
    with contextlib.ExitStack() as stack:
        folder, waveform = Path(options.out or "out"), None
        wanted = options.out or options.trace != "none"
        # Before all work: a folder that cannot be written to is told at once.
        part = stack.enter_context(staged(folder)) if wanted else None
        if part and options.trace != "none":
            waveform = part / f"{target.top}.{options.trace}"
        how = Simulation(
            simulator=options.simulator, trace=_model(target, samples, options), waveform=waveform
        )
        proven = prove(target, samples, how, progress)
        figures = {**run_figures(samples, target.core, proven), **target.figures(proven.rtl)}
        ledger, comparisons = None, {}
        # What is not the golden model's run has no price that means anything.
        if figures["bit_exact"]:
            if options.energy:
                priced = _priced(target, samples, options, progress)
                ledger = priced.figures()
                if part:
                    _draw(part, target, network, priced)
            if options.compare:
                comparisons = options.compare(progress)
        if part:
            target.draw(part, proven.golden)
            for name, comparison in comparisons.items():
                energy_bars(part / f"{name}.svg", comparison)
        report = RunReport(
            network=network.name,
            simulator=options.simulator,
            waveform=str(folder / waveform.name) if waveform else None,
            **figures,
            energy=ledger,
            comparison={name: comparison.report() for name, comparison in comparisons.items()}
            or None,
            seconds=time.perf_counter() - start,
        )
        if part:
            (part / "report.json").write_text(report.to_text() + "\n")
    return report


def _model(target: Target, samples: Samples, options: RunOptions) -> ModelTrace:
    """What the simulation can record: what the priced run will record, if nothing else is wanted.

    Then both are runs of one model, which takes longer to be compiled than to run; unless they are
    many, which are done sooner on another that records nothing and is optimised.
    """
    if options.energy and options.trace == "none" and options.simulator == "verilator":
        # A row word is a cycle, and nearly all cycles are row words where it matters.
        words = target.golden(samples.spikes[:1], COUNTERS).total("synapse_words")
        return target.trace if words * len(samples.spikes) <= BRIEF else "none"
    return options.trace


def _priced(target: Target, samples: Samples, options: RunOptions, progress: Progress) -> PricedRun:
    """The first samples in joules."""
    return target.price(samples.spikes[: options.energy], options.liberty, progress)


def _draw(folder: Path, target: Target, network: Network, priced: PricedRun) -> None:
    """Leave the gates, and the power of every cycle of the first image."""
    shutil.copyfile(priced.mapped.netlist, folder / f"{target.top}.json")
    edges, joules = priced.block_cycles(0)
    title = f"{network.name}: power of every cycle of one image"
    power_trace(folder / "power.svg", edges, joules, title)
