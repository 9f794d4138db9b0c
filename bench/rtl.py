"""Speed of the RTL simulation by every way of driving it, in one run: ``make bench``.

The digits network, the same images: the bare Verilated model (inputs replayed cycle by cycle from a
file), the batched native runner, cocotb on Verilator and on Icarus. Rates are of the simulation
alone, in cycles per second of wall time, the best of three runs; the ratio is to the bare model
with the same waveform. Waveforms go to a temporary folder.
"""

import argparse
import os
import pickle
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from pywellen import Waveform  # pyright: ignore[reportAttributeAccessIssue]  # has no stubs
from rich.console import Console
from rich.table import Table

from spikewatt.cosim.native import NativeCore
from spikewatt.cosim.recording import JOB_VARIABLE, RecordingJob
from spikewatt.cosim.simulate import CocotbOptions, Simulator, simulate
from spikewatt.cosim.verilated import Trace, build_program
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.program import Program
from spikewatt.model.network.dataset import load_digits
from spikewatt.synth.verilog import export

INPUTS = {
    "config": ("config__payload", "<u8"),
    "event": ("i__payload", "<u4"),
    "rst": ("rst", "u1"),
    "event_valid": ("i__valid", "u1"),
    "command": ("command__payload", "u1"),
    "command_valid": ("command__valid", "u1"),
    "config_valid": ("config__valid", "u1"),
    "packet_ready": ("o__ready", "u1"),
    "answer_ready": ("response__ready", "u1"),
}
CYCLE = np.dtype([*((name, kind) for name, (_, kind) in INPUTS.items()), ("pad", "u1", 5)])
REPEATS = 3


def native(program: Program, samples: list, trace: Trace, folder: Path) -> tuple[int, float]:
    """Cycles and seconds of the batched runner, configuration included."""
    waveform = folder / f"native.{trace}" if trace != "none" else None
    with NativeCore(program.params, trace=trace, waveform=waveform) as core:
        start = time.perf_counter()
        core.configure(program)
        for events in samples:
            core.clear()
            core.run(events)
        return core.cycles, time.perf_counter() - start


def stimulus(program: Program, samples: list, folder: Path) -> Path:
    """Inputs of every cycle of the native run, read out of its waveform."""
    cycles, _ = native(program, samples, "vcd", folder)
    wave = Waveform(str(folder / "native.vcd"))
    signals = {var.full_name: var for var in wave.all_vars()}
    edges = 10 * np.arange(cycles) + 9  # just before each rising edge
    record = np.zeros(cycles, CYCLE)
    for field, (name, _) in INPUTS.items():
        changes = list(signals[f"neuro.{name}"].signal)
        times = np.array([t for t, _ in changes])
        values = np.array([int(v) for _, v in changes], np.uint64)
        record[field] = values[np.maximum(np.searchsorted(times, edges, "right") - 1, 0)]
    path = folder / "stimulus"
    record.tofile(path)
    return path


def bare(program: Program, inputs: Path, trace: Trace, folder: Path) -> tuple[int, float]:
    """Cycles and seconds of the bare model."""
    source = (Path(__file__).parent / "bare.cpp").read_text()
    binary = build_program(
        export(Blueprint.of(NeuroCore, program.params), "neuro"), source, trace=trace
    )
    command = [str(binary), str(inputs), str(folder / f"bare.{trace}")]
    cycles, seconds, idle = subprocess.run(
        command, capture_output=True, text=True, check=True
    ).stdout.split()
    assert idle == "1", "the bare model did not follow the recorded run"
    return int(cycles), float(seconds)


def under_cocotb(
    program: Program, samples: list, simulator: Simulator, folder: Path
) -> tuple[int, float]:
    """Cycles and seconds of the recording bench, which looks at the core in every cycle."""
    dialect = "assigns" if simulator == "icarus" else "blocks"
    verilog = export(Blueprint.of(NeuroCore, program.params), "neuro", dialect=dialect)
    job = RecordingJob(
        program=program, samples=samples, result=folder / "result", progress=folder / "progress"
    )
    (folder / "job").write_bytes(pickle.dumps(job))
    env = {JOB_VARIABLE: str(folder / "job")}
    module = "spikewatt.cosim.bench.record"
    simulate(verilog, "neuro", module, folder, CocotbOptions(simulator=simulator, env=env))
    run = pickle.loads(job.result.read_bytes())
    return run.total("cycles"), run.seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--cocotb-images", type=int, default=4)
    args = parser.parse_args()
    network, x, _ = load_digits()
    program = map_network(network)
    frames = network.stimulus(x[: args.images])
    samples = [program.input_events(frame) for frame in frames]
    table = Table("driven by", "waveform", "cycles", "cycles/s", "of bare")

    def row(name: str, trace: str, runs: list[tuple[int, float]], base: float | None) -> float:
        cycles, seconds = min(runs, key=lambda run: run[1])
        rate = cycles / seconds
        ratio = f"{rate / base:.3f}" if base else "1"
        table.add_row(name, trace, f"{cycles:,}", f"{rate:,.0f}", ratio)
        return rate

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = stimulus(program, samples, folder)
        bases = {}
        for trace in ("none", "vcd", "fst"):
            pairs = [
                (bare(program, inputs, trace, folder), native(program, samples, trace, folder))
                for _ in range(REPEATS)
            ]
            bases[trace] = row("bare C++", trace, [pair[0] for pair in pairs], None)
            row("native runner", trace, [pair[1] for pair in pairs], bases[trace])
        few = samples[: args.cocotb_images]
        for simulator in ("verilator", "icarus"):
            runs = [under_cocotb(program, few, simulator, folder)]
            row(f"cocotb, {simulator}", "none", runs, bases["none"])
    Console().print(table)
    print(f"{os.cpu_count()} cores")


if __name__ == "__main__":
    main()
