"""The main job: a network through the RTL, held against the golden model."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from spikewatt.cosim.samples import Progress, run_samples
from spikewatt.cosim.simulate import Simulator
from spikewatt.cosim.verilated import Trace
from spikewatt.flow.evaluate import Evaluation
from spikewatt.flow.report import RunReport
from spikewatt.model.batch import run_batch
from spikewatt.model.dataset import load_digits, load_samples
from spikewatt.model.encoding import encode
from spikewatt.model.errors import DataError, SpikewattError
from spikewatt.model.mapping import map_network
from spikewatt.model.netfile import load_network
from spikewatt.model.network import Network

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
        folder, waveform = Path(out or "out"), None
        if trace != "none":
            waveform = stack.enter_context(staged(folder)) / f"neuro.{trace}"
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
    return RunReport(
        network=network.name,
        simulator=simulator,
        waveform=str(folder / waveform.name) if waveform else None,
        **evaluation.figures(),
        seconds=time.perf_counter() - start,
    )
