"""The main job: a network through the RTL, held against the golden model."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.cosim.bench.record import Recording
from spikewatt.cosim.samples import Progress, run_samples, scheduler_bits
from spikewatt.cosim.simulate import Simulator
from spikewatt.cosim.trace import RtlTrace, first_difference
from spikewatt.cosim.verilated import Trace
from spikewatt.flow.report import RunReport
from spikewatt.model.batch import BatchTrace, run_batch
from spikewatt.model.dataset import load_digits, load_samples
from spikewatt.model.encoding import encode, read_class
from spikewatt.model.errors import DataError, NetworkError, SpikewattError
from spikewatt.model.mapping import map_network
from spikewatt.model.netfile import load_network
from spikewatt.model.network import Network
from spikewatt.model.params import TableId
from spikewatt.model.program import Program
from spikewatt.model.reference import run_float

__all__ = ["load_digits", "load_network", "load_samples", "run", "staged"]


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Folder to write into; what is in it moves to ``out`` at the end, if the end is reached."""
    parent = next(p for p in out.absolute().parents if p.exists())
    try:
        part = Path(tempfile.mkdtemp(prefix=".spikewatt-", dir=out if out.is_dir() else parent))
    except OSError as error:
        raise SpikewattError(
            f"cannot write to {out} ({error.strerror}): choose another folder with --out"
        ) from None
    try:
        yield part
        out.mkdir(parents=True, exist_ok=True)
        for path in part.iterdir():
            path.replace(out / path.name)
    except OSError as error:
        raise SpikewattError(
            f"cannot write to {out} ({error.strerror}): choose another folder with --out"
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _scores(network: Network, program: Program, trace: BatchTrace | RtlTrace) -> NDArray:
    """Scores of the readout: [..., classes], from arrays [..., ticks, neurons]."""
    neurons = program.neurons_of[network.readout.population]
    columns = slice(neurons.start, neurons.stop)
    if network.readout.kind == "membrane":
        return trace.membranes[..., -1, columns]
    return trace.spikes[..., columns].sum(axis=-2)


def _final_difference(program: Program, recording: Recording, golden: BatchTrace) -> str | None:
    """Compare the memories after the last sample with the golden model's."""
    params = program.params
    state = recording.tables[TableId.STATE]
    for name, got, expected in (
        ("membrane", state["membrane"].ravel(), golden.membranes[-1, -1]),
        ("refractory", state.get("refractory", np.zeros(0)).ravel(), golden.refractory[-1]),
        (
            "scheduler",
            scheduler_bits(params, recording.tables[TableId.SCHEDULER]),
            golden.scheduler[-1],
        ),
    ):
        if got.size and not np.array_equal(got, expected):
            return f"the {name} SRAM after the last sample differs from the model"
    return None


def _accuracy(classes: NDArray, y: NDArray | None) -> float | None:
    return None if y is None else float(np.mean(classes == y))


def _float_accuracy(network: Network, spikes: NDArray[np.bool_], y: NDArray | None) -> float | None:
    if y is None:
        return None
    try:
        return _accuracy(read_class(run_float(network, spikes)), y)
    except NetworkError:
        return None


def _activity(
    network: Network, program: Program, spikes: NDArray[np.bool_], golden: BatchTrace
) -> tuple[dict[str, int], dict[str, float]]:
    """Spikes, and spikes per neuron and timestep, of the inputs and of the neurons that fire."""
    hidden = [p for p in network.populations if not p.neuron.silent]
    counts = {
        "input": int(spikes.sum()),
        "hidden": sum(
            int(golden.spikes[:, :, (r := program.neurons_of[p.name]).start : r.stop].sum())
            for p in hidden
        ),
    }
    sizes = {"input": network.encoder.inputs, "hidden": sum(p.size for p in hidden)}
    steps = len(spikes) * network.encoder.timesteps
    rates = {key: counts[key] / (steps * max(sizes[key], 1)) for key in counts}
    rates["all"] = sum(counts.values()) / (steps * sum(sizes.values()))
    return {**counts, "all": sum(counts.values())}, rates


def run(
    network: Network,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    lanes: int = 8,
    simulator: Simulator = "verilator",
    trace: Trace = "none",
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
    trace, out:
        Kind of waveform, and the folder it goes to.
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
    spikes = encode(x, network.encoder)
    classes = None if y is None else np.asarray(y)
    if classes is not None and classes.shape != spikes.shape[:1]:
        raise DataError(f"y must have shape ({len(spikes)},), not {classes.shape}")
    driven = np.pad(spikes, ((0, 0), (0, network.drain_ticks), (0, 0)))
    program = map_network(network, lanes=lanes)
    progress("running the golden model", 0)
    golden = run_batch(program, driven)
    samples = [program.input_events(sample) for sample in driven]

    with contextlib.ExitStack() as stack:
        waveform, final = None, None
        if trace != "none":
            out = Path(out or "out")
            waveform = stack.enter_context(staged(out)) / f"neuro.{trace}"
            final = str(out / waveform.name)
        recording = run_samples(
            program,
            samples,
            simulator=simulator,
            trace=trace,
            waveform=waveform,
            progress=progress,
        )
    differences = [
        found
        for sample, rtl in enumerate(recording.traces)
        if (found := first_difference(rtl, golden, sample))
    ]
    if end := _final_difference(program, recording, golden):
        differences.append(end)
    predictions = np.array(
        [int(read_class(_scores(network, program, rtl))) for rtl in recording.traces]
    )
    counts, rates = _activity(network, program, spikes, golden)
    cycles, operations = sum(recording.cycles), int(golden.synaptic_ops.sum())
    params = program.params
    return RunReport(
        network=network.name,
        simulator=simulator,
        images=len(spikes),
        ticks=len(spikes) * network.ticks,
        bit_exact=not differences,
        difference=differences[0] if differences else None,
        accuracy={
            "float": _float_accuracy(network, driven, classes),
            "quantised": _accuracy(read_class(_scores(network, program, golden)), classes),
            "rtl": _accuracy(predictions, classes),
        },
        spikes=counts,
        spike_rate=rates,
        synaptic_ops=operations,
        synapse_words=int(golden.synapse_words.sum()),
        merges=int(golden.merges.sum()),
        cycles=cycles,
        cycles_per_image=cycles / len(spikes),
        sop_per_cycle=operations / cycles,
        rtl_cycles_per_second=cycles / recording.seconds,
        seconds=time.perf_counter() - start,
        core={
            name: getattr(params, name)
            for name in ("neurons", "axons", "lanes", "weight_bits", "state_bits", "delay_slots")
        },
        waveform=final,
        predictions=predictions.tolist(),
    )
