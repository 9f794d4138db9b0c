"""The main job: a network through the RTL, held against the golden model."""

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.base.errors import ParameterError
from spikewatt.base.files import staged
from spikewatt.base.progress import Progress, silent
from spikewatt.cosim.simulate import Simulator
from spikewatt.cosim.verilated import Trace
from spikewatt.flow.compare.plots import energy_bars
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.plots import power_trace
from spikewatt.flow.report import RunReport
from spikewatt.model.network.dataset import load_digits, load_samples
from spikewatt.model.network.file import load_network
from spikewatt.model.network.graph import Network
from spikewatt.model.params import RouterKind
from spikewatt.targets.evaluate import check_classes
from spikewatt.targets.ledger import price_samples, readout_groups
from spikewatt.targets.mesh import MeshTarget
from spikewatt.targets.mesh_size import parse_mesh
from spikewatt.targets.target import CoreTarget, Target

__all__ = ["load_digits", "load_network", "load_samples", "price_samples", "readout_groups", "run"]

IntArray = NDArray[np.int64]


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ParameterError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def run(
    network: Network,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    lanes: int = 8,
    mesh: str | None = None,
    router: str = "click",
    simulator: Simulator = "verilator",
    trace: Trace = "none",
    energy: int = 0,
    liberty: Path | str | None = None,
    compare: Callable[[Progress], Mapping[str, Comparison]] | None = None,
    out: Path | str | None = None,
    progress: Progress = silent,
) -> RunReport:
    """Map a network onto a core of its size, simulate the RTL, compare it with the golden model.

    Parameters
    ----------
    x:
        Samples [n, inputs], within the encoder's range.
    y:
        Classes int[n], for the accuracies.
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
        Library to price with; the built-in technology by default.
    compare:
        Makes comparisons that belong to the report; their energies are drawn into ``out``.
    out:
        Folder for ``report.json`` and the waveform, and with ``energy`` for ``neuro.json``, the
        gates, and ``power.svg``, the power of every cycle of the first image; ``out`` if there is a
        waveform.
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
    _check_choice("simulator", simulator, get_args(Simulator))
    _check_choice("trace", trace, get_args(Trace))
    spikes = network.stimulus(x)
    classes = check_classes(y, len(spikes), network)
    if mesh is None:
        target: Target = CoreTarget(network, lanes=lanes)
    else:
        _check_choice("router", router, [kind.value for kind in RouterKind])
        target = MeshTarget(network, mesh=parse_mesh(mesh), lanes=lanes, router=router)
    with contextlib.ExitStack() as stack:
        folder, waveform = Path(out or "out"), None
        part = stack.enter_context(staged(folder)) if out or trace != "none" else None
        if part and trace != "none":
            waveform = part / f"{target.top}.{trace}"
        progress("running the golden model")
        evaluation = target.run(
            spikes,
            classes,
            simulator=simulator,
            trace=trace,
            waveform=waveform,
            progress=progress,
        )
        figures, ledger = evaluation.figures(), None
        if energy and figures["bit_exact"]:
            priced = target.price(evaluation, energy, liberty, progress)
            ledger = priced.to_json()
            if part:
                shutil.copyfile(priced.price.mapped.netlist, part / f"{target.top}.json")
                edges, joules = priced.price.block_cycles(0)
                title = f"{network.name}: power of every cycle of one image"
                power_trace(part / "power.svg", edges, joules, title)
        if part:
            target.draw(part, evaluation)
        found = compare(progress) if compare and figures["bit_exact"] else {}
        if part:
            for name, comparison in found.items():
                energy_bars(part / f"{name}.svg", comparison)
        report = RunReport(
            network=network.name,
            simulator=simulator,
            waveform=str(folder / waveform.name) if waveform else None,
            **figures,
            energy=ledger,
            comparison={name: one.to_json() for name, one in found.items()} or None,
            seconds=time.perf_counter() - start,
        )
        if part:
            (part / "report.json").write_text(report.to_text() + "\n")
    return report
