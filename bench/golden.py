"""Speed of the golden model beside matrix products and frameworks: ``python bench/golden.py``.

Useful synaptic events a second: a spike counts the stored synapses of its axon, once, whoever
computes it and however. Two networks of 8-bit weights, integrate and fire, inputs at 10 %:
256-256-10, sample after sample, and 1024-1024, 64 samples side by side. What is timed gives the
spikes of the plain model (`spikewatt.model.golden.core`), and is held against it before:

- ``golden``: `run_batch`, with every spike, final states, merges and counts of every tick;
- ``golden, membranes``: the same with every membrane of every tick;
- ``sgemm``: NumPy's float32 products of the same spikes and weights, and nothing else: no neuron,
  no order of ticks, all ticks of a sample (or of the batch) in one product;
- ``torch``, ``norse``: tick by tick, products and neurons in float32, where they are installed
  (``pip install torch norse``).
"""

import argparse
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.core import run
from spikewatt.model.network.graph import Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import NeuronType, Reset
from spikewatt.model.run import Keep, difference

TICKS = 64
RATE = 0.1
DISTINCT = 64
"""Samples that differ; a longer run shows them again."""

Spikes = NDArray[np.bool_]
LEAN = Keep(membranes=False)


@dataclass(frozen=True)
class Case:
    """A network, its spikes bool[DISTINCT, TICKS, inputs], and how many samples go side by side."""

    name: str
    network: Network
    program: Program
    spikes: Spikes
    side_by_side: int


@dataclass(frozen=True)
class Row:
    """A measurement, as in the JSON."""

    case: str
    by: str
    events_per_second: float


def make_case(name: str, sizes: tuple[int, ...], threshold: int, side_by_side: int) -> Case:
    """Dense layers of random weights."""
    rng = np.random.default_rng(12)
    names = ["input", *(f"layer {k}" for k in range(1, len(sizes)))]
    network = Network(
        name=name,
        encoder=Encoder(inputs=sizes[0], timesteps=TICKS),
        populations=tuple(
            Population(
                name=layer, neuron=NeuronType(reset=Reset.ZERO), threshold=np.full(size, threshold)
            )
            for layer, size in zip(names[1:], sizes[1:], strict=True)
        ),
        connections=tuple(
            Connection(
                source=names[k],
                target=names[k + 1],
                weights=rng.integers(-128, 128, (sizes[k], sizes[k + 1])),
                weight_bits=8,
            )
            for k in range(len(sizes) - 1)
        ),
        readout=Readout(population=names[-1]),
        state_bits=20,  # nobody saturates, so that float32 computes the same
    )
    spikes = rng.random((DISTINCT, TICKS, sizes[0])) < RATE
    return Case(name, network, map_network(network, lanes=16), spikes, side_by_side)


def check(case: Case) -> None:
    """Hold the fast run against the plain one, on one sample."""
    fast = run_batch(case.program, case.spikes[:1])
    plain = run(case.program, case.program.input_events(case.spikes[0]))
    unequal = difference(fast, plain)
    if unequal is not None:
        sys.exit(f"{case.name}: {unequal}")


def fired(case: Case, spikes: Spikes) -> list[NDArray[np.float32]]:
    """What each layer's sources send, float32[samples, TICKS, sources].

    A neuron's spike of the last tick would arrive after it, and does no work.
    """
    hidden = run_batch(case.program, spikes, keep=LEAN)
    sent = [spikes.astype(np.float32)]
    for link in case.network.connections[1:]:
        late = hidden.of("spikes", link.source)
        late = np.concatenate([np.zeros_like(late[:, :1]), late[:, :-1]], axis=1)
        sent.append(late.astype(np.float32))
    return sent


def by_golden(case: Case, keep: Keep, count: int) -> int:
    """Run ``count`` samples in one call; returns the events. 64 side by side are a call each."""
    if case.side_by_side > 1:
        runs = [run_batch(case.program, case.spikes, keep=keep) for _ in range(count // DISTINCT)]
        return sum(each.total("synaptic_ops") for each in runs)
    spikes = np.concatenate([case.spikes] * (count // DISTINCT))
    return run_batch(case.program, spikes, keep=keep).total("synaptic_ops")


def sgemm(case: Case) -> Callable[[int], None]:
    """Products of one sample's ticks, or of those of all that go side by side."""
    weights = [link.weights.astype(np.float32) for link in case.network.connections]
    size = case.side_by_side
    sent = [each.reshape(DISTINCT // size, size * TICKS, -1) for each in fired(case, case.spikes)]

    def multiply(count: int) -> None:
        for _ in range(count // DISTINCT):
            for k in range(DISTINCT // size):
                for spikes, matrix in zip(sent, weights, strict=True):
                    np.matmul(spikes[k], matrix)

    return multiply


def frames(case: Case, framework: str) -> Callable[[int], None]:
    """Ticks of torch, the neurons its own or Norse's."""
    import torch  # pyright: ignore[reportMissingImports]  # measured where it is installed

    step = _norse_step() if framework == "norse" else _torch_step
    threshold = float(case.network.populations[0].threshold[0])
    weights = [torch.tensor(k.weights, dtype=torch.float32) for k in case.network.connections]
    size = case.side_by_side
    shown = torch.tensor(case.spikes, dtype=torch.float32)

    def simulate(batch: Any) -> Any:
        """Spikes of the last layer, [samples, TICKS, n]."""
        late = [torch.zeros(size, matrix.shape[1]) for matrix in weights]
        v = [torch.zeros(size, matrix.shape[1]) for matrix in weights]
        out = []
        for t in range(TICKS):
            sources = [batch[:, t], *late[:-1]]
            for k, matrix in enumerate(weights):
                late[k], v[k] = step(sources[k] @ matrix, v[k], threshold)
            out.append(late[-1])
        return torch.stack(out, dim=1)

    with torch.no_grad():
        last = case.network.populations[-1].name
        expected = run_batch(case.program, case.spikes[:size], keep=LEAN).of("spikes", last)
        if not np.array_equal(simulate(shown[:size]).numpy() > 0, expected):
            sys.exit(f"{case.name}: the spikes of {framework} are not those of the plain model")

    def show(count: int) -> None:
        with torch.no_grad():
            for k in range(0, count, size):
                first = k % DISTINCT
                simulate(shown[first : first + size])

    return show


def _torch_step(current: Any, v: Any, threshold: float) -> tuple[Any, Any]:
    v = v + current
    spikes = (v >= threshold).float()
    return spikes, v * (1 - spikes)


def _norse_step() -> Callable[[Any, Any, float], tuple[Any, Any]]:
    import torch  # pyright: ignore[reportMissingImports]  # measured where it is installed
    from norse.torch.functional import iaf  # pyright: ignore  # an extra

    def step(current: Any, v: Any, threshold: float) -> tuple[Any, Any]:
        # Norse's neuron fires above its threshold, ours at it; membranes are integers.
        params = iaf.IAFParameters(v_th=torch.as_tensor(threshold - 0.5))
        spikes, state = iaf.iaf_feed_forward_step(current, iaf.IAFFeedForwardState(v=v), params)
        return spikes, state.v

    return step


def rate(
    action: Callable[[int], Any], events: float, seconds: float, smallest: int
) -> tuple[float, float]:
    """Events a second, and in a second of one processor, of ``action(samples)``; best of 3.

    One go takes at least so many seconds. ``events``: of one sample. The second figure is the one
    that other work on the machine disturbs least.
    """
    count = smallest
    while (spent := _timed(action, count))[0] < seconds:
        more = int(1.2 * seconds / spent[0] * count) // smallest
        count = smallest * max(2 * count // smallest, more)
    goes = [spent, _timed(action, count), _timed(action, count)]
    wall, processor = (min(times) for times in zip(*goes, strict=True))
    return count * events / wall, count * events / processor


def _timed(action: Callable[[int], Any], count: int) -> tuple[float, float]:
    """Seconds that ``action(count)`` takes, and seconds of processors."""
    wall, processor = time.perf_counter(), time.process_time()
    action(count)
    return time.perf_counter() - wall, time.process_time() - processor


def measure(case: Case, seconds: float) -> list[Row]:
    """All that can be measured of a case."""
    check(case)
    events = run_batch(case.program, case.spikes, keep=LEAN).total("synaptic_ops") / DISTINCT
    actions: dict[str, Callable[[int], Any]] = {
        "golden": partial(by_golden, case, LEAN),
        "golden, membranes": partial(by_golden, case, Keep()),
        "sgemm": sgemm(case),
    }
    for framework in ("torch", "norse"):
        if importlib.util.find_spec(framework) is None:
            print(f"{case.name:14} {framework}: NOT MEASURED, for it is not installed")
        else:
            actions[framework] = frames(case, framework)
    rows = []
    for by, action in actions.items():
        smallest = case.side_by_side if by in ("torch", "norse") else DISTINCT
        per_second, per_processor = rate(action, events, seconds, smallest)
        rows.append(Row(case.name, by, per_second))
        print(
            f"{case.name:14} {by:18} {per_second / 1e9:7.3f} · 10⁹ events/s, "
            f"{per_processor / 1e9:7.3f} in a second of one processor"
        )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time of a measurement")
    args = parser.parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores; load {os.getloadavg()[0]:.1f}")
    cases = (
        make_case("256-256-10 x1", (256, 256, 10), 900, 1),
        make_case("1024-1024 x64", (1024, 1024), 1800, DISTINCT),
    )
    rows = [row for case in cases for row in measure(case, args.seconds)]
    if args.json is not None:
        args.json.write_text(json.dumps({"rows": [asdict(row) for row in rows]}, indent=2) + "\n")


if __name__ == "__main__":
    main()
