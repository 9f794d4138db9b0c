"""Window mode is the quantised network, for every input there is."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.core import run
from spikewatt.model.network.pair import Mode, spiking_pair
from tests.model.pairs import domain, layered, quantised, trains


def cases() -> Iterator[tuple[tuple[int, ...], tuple[int, ...], int, int]]:
    """(sizes, thresholds, bias, T); thresholds odd and even, 1 and wide."""
    for steps in (1, 2, 3, 7):
        yield (3, 4, 3, 2), (5, 6), 0, steps
        yield (3, 4, 3, 2), (6, 5), 9, steps
        yield (3, 5, 4, 3), (1, 2), 20, steps
        yield (3, 2, 2), (4,), 4, steps
        yield (3, 2), (), 7, steps
    yield (2, 3, 3, 3, 2), (4, 7, 3), 5, 3


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_every_input_gives_the_quantised_activations(case: tuple) -> None:
    sizes, thresholds, bias, steps = case
    clipped = zeros = between = 0
    for seed in range(4):
        network = layered(sizes, thresholds, seed, bias=bias, T=steps)
        pair = spiking_pair(network)
        counts = domain(sizes[0], steps)
        activations, acc = quantised(network, counts, steps)
        program = map_network(pair, lanes=(1, 4, 8)[seed % 3])
        for how in ("early", "late", "anywhere"):
            spikes = trains(counts, pair.ticks, steps, how)
            trace = run_batch(program, spikes)
            for layer, expected in zip(pair.populations[:-1], activations, strict=True):
                numbers = program.neurons_of[layer.name]
                got = trace.spikes[:, :, numbers].sum(axis=1)
                np.testing.assert_array_equal(got, expected, err_msg=f"{layer.name}, {how}")
                clipped += int((expected == steps).sum())
                zeros += int((expected == 0).sum())
                between += int(((expected > 0) & (expected < steps)).sum())
            numbers = program.neurons_of["out"]
            np.testing.assert_array_equal(trace.membranes[:, -1, numbers], acc)
    if thresholds:
        assert min(clipped, zeros) > 0
        assert between > 0 or steps == 1


@pytest.mark.parametrize("steps", [1, 3])
def test_the_fast_run_agrees_with_the_plain_one_on_a_pair(steps: int) -> None:
    network = layered((3, 4, 3, 2), (5, 6), 2, bias=9, T=steps)
    for mode in ("window", "every-tick"):
        pair = spiking_pair(network, mode=mode)
        program = map_network(pair, lanes=2)
        spikes = trains(domain(3, steps), pair.ticks, steps, "anywhere")
        fast = run_batch(program, spikes)
        for k in range(0, len(spikes), 5):
            trace = run(program, program.input_events(spikes[k]))
            assert np.array_equal(trace.spikes[0], fast.spikes[k])
            assert np.array_equal(trace.membranes[0], fast.membranes[k])


def test_firing_every_tick_is_not_always_the_same() -> None:
    """Signed weights: a spike sent early cannot be taken back. The counts stay close."""
    differing = total = 0
    for seed in range(8):
        network = layered((3, 4, 3, 2), (5, 6), seed, bias=3, T=7)
        pair = spiking_pair(network, mode="every-tick")
        counts = domain(3, 7)
        (first, _), _ = quantised(network, counts, 7)
        trace = run_batch(map_network(pair), trains(counts, pair.ticks, 7, "anywhere"))
        got = trace.spikes[:, :, map_network(pair).neurons_of["h1"]].sum(axis=1)
        differing += int((got != first).sum())
        total += first.size
    assert 0 < differing < total / 2


@pytest.mark.parametrize("mode", ["window", "every-tick"])
@pytest.mark.parametrize("steps", [1, 3, 7])
def test_no_membrane_saturates_and_some_need_every_bit(mode: Mode, steps: int) -> None:
    """Over every input, in three orders of its spikes, beside a core with bits to spare."""
    tight = 0
    for seed in range(12):
        network = layered((3, 4, 2), (2,), seed, bias=2, T=steps)
        pair = spiking_pair(network, mode=mode)
        program = map_network(pair)
        wide = map_network(replace(pair, state_bits=30))
        counts = domain(3, steps)
        for how in ("early", "late", "anywhere"):
            spikes = trains(counts, pair.ticks, steps, how)
            narrow, free = run_batch(program, spikes), run_batch(wide, spikes)
            np.testing.assert_array_equal(narrow.membranes, free.membranes)
            np.testing.assert_array_equal(narrow.spikes, free.spikes)
            half = 1 << pair.state_bits - 2
            tight += free.membranes.min() < -half or free.membranes.max() >= half
    assert tight > 0


def narrowest(weights: list[int], bias: int, threshold: int, steps: int, mode: Mode) -> int:
    """State bits of the pair of one hidden neuron and a readout that needs few."""
    network = layered((len(weights), 1, 1), (threshold,), 0, T=steps)
    hidden, out = network.populations
    first, second = network.connections
    network = replace(
        network,
        populations=(replace(hidden, bias=np.array([bias])), out),
        connections=(
            replace(first, weights=np.array([weights]).T),
            replace(second, weights=np.zeros((1, 1), int)),
        ),
    )
    return spiking_pair(network, mode=mode).state_bits


@pytest.mark.parametrize(
    ("weights", "bias", "threshold", "steps", "window", "every_tick"),
    [
        ([7], 0, 1, 9, 7, 7),  # 63; a spike a tick leaves 55 = 9 * 7 - 8
        ([7], 1, 1, 9, 8, 7),  # 64; 56
        ([-8], 0, 1, 8, 7, 7),  # -64
        ([-8], -1, 1, 8, 8, 8),  # -65
        ([0], 7, 1, 1, 4, 4),
        ([0], 8, 1, 1, 5, 5),
        ([0], 0, 7, 1, 4, 4),  # the threshold itself
        ([0], 0, 8, 1, 5, 5),
        ([7], 0, 7, 15, 8, 5),  # 105; at most 3 + 7 = 10 before a spike
        ([7, -1], 0, 15, 15, 8, 6),  # 105; -7 after a spike in tick 1, and 13 ticks of -1
    ],
)
def test_state_bits_by_hand(
    weights: list[int], bias: int, threshold: int, steps: int, window: int, every_tick: int
) -> None:
    assert narrowest(weights, bias, threshold, steps, "window") == window
    assert narrowest(weights, bias, threshold, steps, "every-tick") == every_tick


@pytest.mark.parametrize(
    ("mode", "windows", "ticks"),
    [
        ("window", [(7, 7), (15, 7), (0, 1)], 2 * 8 + 7),
        ("every-tick", [(0, 7), (1, 7), (0, 1)], 9),
    ],
)
def test_windows_and_ticks(mode: Mode, windows: list, ticks: int) -> None:
    network = layered((3, 4, 3, 2), (5, 6), 0, T=7)
    pair = spiking_pair(network, mode=mode)
    assert [population.neuron.window for population in pair.populations] == windows
    assert (pair.ticks, pair.encoder) == (ticks, network.encoder)
    assert [p.threshold.tolist() for p in pair.populations] == [
        p.threshold.tolist() for p in network.populations
    ]
    assert all(
        a.weights is b.weights or np.array_equal(a.weights, b.weights)
        for a, b in zip(pair.connections, network.connections, strict=True)
    )


def test_other_timesteps_scale_the_bias_and_round_half_up() -> None:
    network = layered((2, 6, 2), (5,), 0, T=4)
    hidden, out = network.populations
    biases = np.array([3, -3, 2, -2, 5, 0])
    reals = biases / 10
    hidden = replace(hidden, bias=biases, bias_float=reals)
    pair = spiking_pair(replace(network, populations=(hidden, out)), timesteps=6)
    bias, real = pair.populations[0].bias, pair.populations[0].bias_float
    assert bias is not None
    assert real is not None
    assert bias.tolist() == [5, -4, 3, -3, 8, 0]  # 4.5, -4.5, 3, -3, 7.5, 0
    assert np.allclose(real, reals * 1.5)
    assert (pair.encoder.timesteps, pair.populations[0].neuron.window) == (6, (6, 6))
    halved = spiking_pair(replace(network, populations=(hidden, out)), timesteps=2)
    assert np.asarray(halved.populations[0].bias).tolist() == [2, -1, 1, -1, 3, 0]


def test_real_values_are_carried_over() -> None:
    network = layered((2, 3, 2), (5,), 0)
    links = tuple(replace(link, weights_float=link.weights / 16.0) for link in network.connections)
    populations = tuple(replace(p, threshold_float=p.threshold / 16.0) for p in network.populations)
    pair = spiking_pair(replace(network, connections=links, populations=populations))
    assert pair.has_floats
    for mine, theirs in zip(pair.connections, links, strict=True):
        assert np.array_equal(np.asarray(mine.weights_float), np.asarray(theirs.weights_float))


def test_populations_may_stand_in_any_order() -> None:
    network = layered((3, 4, 3, 2), (5, 6), 1, T=2)
    shuffled = replace(
        network,
        populations=tuple(reversed(network.populations)),
        connections=tuple(reversed(network.connections)),
    )
    windows = [(2, 2), (5, 2), (0, 1)]
    pair = spiking_pair(shuffled)
    assert [p.neuron.window for p in reversed(pair.populations)] == windows
