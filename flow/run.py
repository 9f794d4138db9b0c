"""The main job: a network through the RTL, held against the golden model."""

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.cosim.samples import Progress, run_samples
from spikewatt.cosim.simulate import Simulator
from spikewatt.cosim.verilated import Trace
from spikewatt.flow.compare.plots import energy_bars
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.evaluate import Evaluation, check_classes
from spikewatt.flow.files import staged
from spikewatt.flow.ledger import price_samples, readout_groups
from spikewatt.flow.plots import power_trace
from spikewatt.flow.report import RunReport
from spikewatt.model.batch import run_batch
from spikewatt.model.dataset import load_digits, load_samples
from spikewatt.model.encoding import encode
from spikewatt.model.errors import ParameterError
from spikewatt.model.mapping import map_network
from spikewatt.model.netfile import load_network
from spikewatt.model.network import Network

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
    simulator: Simulator = "verilator",
    trace: Trace = "none",
    energy: int = 0,
    liberty: Path | str | None = None,
    compare: Callable[[Progress], Mapping[str, Comparison]] | None = None,
    out: Path | str | None = None,
    progress: Progress = lambda what, done: None,
) -> RunReport:
    """Map a network onto a core of its size, simulate the RTL, compare it with the golden model.

    Parameters
    ----------
    x:
        Samples [n, inputs], within the encoder's range.
    y:
        Classes int[n], for the accuracies.
    lanes:
        Synapse units of the core.
    simulator:
        ``verilator`` or ``icarus``.
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
    spikes = encode(x, network.encoder)
    classes = check_classes(y, len(spikes), network)
    driven = np.pad(spikes, ((0, 0), (0, network.drain_ticks), (0, 0)))
    program = map_network(network, lanes=lanes)
    with contextlib.ExitStack() as stack:
        folder, waveform = Path(out or "out"), None
        part = stack.enter_context(staged(folder)) if out or trace != "none" else None
        if part and trace != "none":
            waveform = part / f"neuro.{trace}"
        progress("running the golden model", 0)
        golden = run_batch(program, driven)
        samples = [program.input_events(sample) for sample in driven]
        options = {"simulator": simulator, "trace": trace, "waveform": waveform}
        recording = run_samples(program, samples, progress=progress, **options)
        evaluation = Evaluation(
            network=network,
            program=program,
            spikes=driven,
            classes=classes,
            golden=golden,
            recording=recording,
        )
        figures, ledger = evaluation.figures(), None
        if energy and figures["bit_exact"]:
            priced = price_samples(
                program,
                samples[:energy],
                golden,
                driven,
                liberty,
                readout=readout_groups(network, program),
                progress=progress,
            )
            ledger = priced.to_json()
            if part:
                shutil.copyfile(priced.price.mapped.netlist, part / "neuro.json")
                edges, joules = priced.price.block_cycles(0)
                title = f"{network.name}: power of every cycle of one image"
                power_trace(part / "power.svg", edges, joules, title)
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
