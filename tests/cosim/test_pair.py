"""A window-mode network on the RTL: the golden run, and so the quantised network."""

import numpy as np
import pytest

from spikewatt.cosim.recording import Simulation
from spikewatt.cosim.samples import run_samples
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.network.pair import Mode, spiking_pair
from spikewatt.model.run import Run, comparable, difference
from tests.model.pairs import domain, layered, quantised, trains

CASES = [
    # sizes, thresholds, bias, T, lanes
    ((3, 4, 3, 2), (5, 6), 0, 3, 1),
    ((3, 9, 5, 3), (6, 5), 9, 7, 4),
    ((3, 12, 20, 10), (3, 8), 3, 3, 8),
    ((2, 5, 4, 6, 2), (4, 7, 1), 5, 2, 4),
]


@pytest.mark.parametrize("mode", ["window", "every-tick"])
@pytest.mark.parametrize(
    "case",
    [CASES[0], *(pytest.param(case, marks=pytest.mark.long) for case in CASES[1:])],
    ids=str,
)
def test_rtl_equals_golden_and_the_quantised_network(case: tuple, mode: Mode) -> None:
    sizes, thresholds, bias, steps, lanes = case
    network = layered(sizes, thresholds, 1, bias=bias, T=steps)
    pair = spiking_pair(network, mode=mode)
    program = map_network(pair, lanes=lanes)
    counts = np.random.default_rng(lanes).permutation(domain(sizes[0], steps))[:40]
    spikes = trains(counts, pair.ticks, steps, "anywhere")
    golden = run_batch(program, spikes)
    rtl = run_samples(program, [program.input_events(sample) for sample in spikes])
    assert {"spikes", "membranes", "final_scheduler"} <= set(comparable(rtl, golden))
    assert difference(rtl, golden) is None
    if mode == "every-tick":
        return
    activations, acc = quantised(network, counts, steps)
    for layer, expected in zip(pair.populations[:-1], activations, strict=True):
        np.testing.assert_array_equal(rtl.of("spike_counts", layer.name), expected)
        assert expected.any()
    np.testing.assert_array_equal(pair.readout.scores(rtl), acc)


def test_under_icarus() -> None:
    network = layered((3, 4, 3, 2), (5, 6), 2, bias=4, T=3)
    pair = spiking_pair(network)
    program = map_network(pair, lanes=2)
    spikes = trains(domain(3, 3)[::9], pair.ticks, 3, "late")
    golden = run_batch(program, spikes)
    samples = [program.input_events(sample) for sample in spikes]
    observed: list[tuple[int, int]] = []

    def observe(first: int, run: Run) -> Run:
        observed.append((first, run.samples))
        return run

    rtl = run_samples(program, samples, Simulation(simulator="icarus", observe=observe))
    assert observed == [(0, len(spikes))]
    assert {"spikes", "membranes", "final_scheduler"} <= set(comparable(rtl, golden))
    assert difference(rtl, golden) is None
    observed.clear()
    native = run_samples(program, samples, Simulation(observe=observe))
    assert observed == [(k, 1) for k in range(len(spikes))]
    assert difference(rtl, native, comparable(rtl, golden)) is None
