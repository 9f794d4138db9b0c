"""The fast golden run equals the plain one, field by field."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.program import InputPort, Program
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.core import run
from spikewatt.model.network.graph import Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import Compare, Leak, NeuronType, Reset
from spikewatt.model.run import FIELDS, Run, comparable, difference, together
from tests.model.builders import make_program, random_network, random_program

SEEDS = range(120)
TICKS, BATCH = 14, 3


def input_spikes(program: Program, inputs: int, seed: int) -> NDArray[np.bool_]:
    """Random spikes bool[B, T, inputs]; the last sample gets none in its second half."""
    rng = np.random.default_rng([seed, 2])
    spikes = rng.random((BATCH, TICKS, inputs)) < rng.choice([0.1, 0.4, 0.9])
    spikes[-1, TICKS // 2 :] = False
    return spikes


def plain(program: Program, spikes: NDArray[np.bool_]) -> Run:
    """What `spikewatt.model.golden.core.run` says of every sample."""
    return together([run(program, program.input_events(sample)) for sample in spikes])


def assert_equal(got: Run, expected: Run) -> None:
    """Equal in all that the first one keeps; the plain run keeps more."""
    assert comparable(got, expected) == tuple(n for n in FIELDS if n in got.arrays)
    assert len(got.arrays) >= 10
    assert difference(got, expected) is None, str(difference(got, expected))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fast_run_equals_the_plain_one(seed: int) -> None:
    program = random_program(seed)
    spikes = input_spikes(program, random_network(seed).encoder.inputs, seed)
    expected = plain(program, spikes)
    assert_equal(run_batch(program, spikes), expected)


def test_the_random_cases_reach_everything() -> None:
    """Equality over cases in which nothing happens would prove nothing."""
    kinds, seen = set(), dict.fromkeys(("recurrent", "two inputs", "bias", "one bit", "window"), 0)
    totals = dict.fromkeys(
        ("merges", "held", "clipped", "pending", "packets", "spikes", "windowed spikes"), 0
    )
    for seed in SEEDS:
        network, program = random_network(seed), random_program(seed)
        kinds |= {p.neuron for p in network.populations}
        links = network.connections
        seen["recurrent"] += any(link.source == link.target for link in links)
        seen["two inputs"] += sum(link.source == "input" for link in links) > 1
        seen["bias"] += bool(program.bias.any())
        seen["window"] += any(kind.windowed for kind in program.types)
        seen["one bit"] += any(link.weight_bits == 1 for link in links)
        spikes = input_spikes(program, network.encoder.inputs, seed)
        trace = run_batch(program, spikes)
        low, high = program.params.membrane_range
        totals["merges"] += int(trace.merges.sum())
        totals["held"] += int((trace.final_refractory > 0).sum())
        totals["clipped"] += int(((trace.membranes == low) | (trace.membranes == high)).sum())
        totals["pending"] += int(trace.final_scheduler.sum())
        totals["packets"] += int((program.dx | program.dy).any())
        windowed = program.neuron_types("windowed") != 0
        totals["windowed spikes"] += int(trace.spikes[:, :, windowed].sum())
        totals["spikes"] += int(trace.spikes.sum())
    assert min(seen.values()) >= 10, seen
    assert min(totals.values()) >= 20, totals
    assert {kind.leak for kind in kinds} == set(Leak)
    assert {kind.reset for kind in kinds} == set(Reset)
    assert {kind.compare for kind in kinds} == set(Compare)
    assert {kind.refractory for kind in kinds} == {0, 1, 2, 3}
    assert {kind.silent for kind in kinds} == {False, True}


@pytest.mark.parametrize(("shape", "ports"), [((2, 5, 0), 1), ((0, 5, 1), 1), ((2, 5, 1), 0)])
def test_empty_input(shape: tuple, ports: int) -> None:
    silent = NeuronType(silent=True)
    program = make_program([[1]], bias=1, kinds=[silent], inputs=(InputPort(0, 1),) * ports)
    trace = run_batch(program, np.ones(shape, np.bool_))
    expected = np.tile(np.arange(1, 6), (shape[0], 1)) * (1 + bool(ports and shape[2]))
    assert np.array_equal(trace.membranes[:, :, 0], expected)


def wide_program(weights: NDArray[np.int64]) -> Program:
    """Program of one silent neuron with 32 bits that all axons reach."""
    return make_program(
        weights[:, None],
        kinds=[NeuronType(silent=True)],
        inputs=(InputPort(0, 1),),
        state_bits=32,
        delay_slots=2,
    )


@pytest.mark.parametrize("weight", [-256, 255])
def test_the_largest_sum_of_a_core(weight: int) -> None:
    program = wide_program(np.full(1 << 16, weight))
    spikes = np.ones((1, 2, 1 << 16), np.bool_)
    spikes[0, 1, 1::2] = False
    trace = run_batch(program, spikes)
    assert trace.membranes[0, :, 0].tolist() == [weight << 16, (weight << 16) + (weight << 15)]


@pytest.mark.parametrize("weight", [-256, -255, -128, -127, -3, 1, 127, 128, 255])
@pytest.mark.parametrize("others", [0, 1, 2, 3])
def test_16_bits_hold_what_is_summed_in_them(weight: int, others: int) -> None:
    """As many equal weights as fit, and a few more or less; ``others`` go before, one by one."""
    most = 32767 // abs(weight)
    for count in sorted({max(1, most + k) for k in range(-5, 6)}):
        program = wide_program(np.full(count + others, weight))
        last = program.row_last.copy()
        last[:others] = -1  # rows of another length are not added together with the rest
        program = replace(program, row_last=last)
        trace = run_batch(program, np.ones((1, 2, count + others), np.bool_))
        assert trace.membranes[0, :, 0].tolist() == [count * weight, 2 * count * weight], count


def layered(rng: np.random.Generator, rate: float, **neuron) -> tuple[Program, NDArray[np.bool_]]:
    """Layers whose blocks are cut at 256 neurons and between types, with quiet stretches."""
    kinds = [
        NeuronType(reset=Reset(int(rng.integers(3))), **neuron),
        NeuronType(leak=Leak.SHIFT, leak_amount=int(rng.integers(1, 5)), reset=Reset.SUBTRACT),
    ]
    sizes, names = (37, 300, 530), ("input", "a", "b")
    ends = [(0, 1), (1, 2), (2, 1), (1, 1)]
    network = Network(
        name="layered",
        encoder=Encoder(inputs=sizes[0], timesteps=4),
        populations=tuple(
            Population(
                name=name,
                neuron=kind,
                threshold=rng.integers(20, 400, size),
                bias=rng.integers(-2, 3, size) * (rng.random(size) < 0.01),
            )
            for name, kind, size in zip(names[1:], kinds, sizes[1:], strict=True)
        ),
        connections=tuple(
            Connection(
                source=names[s],
                target=names[t],
                weights=rng.integers(-128, 128, (sizes[s], sizes[t]))
                * (rng.random((sizes[s], sizes[t])) < (1 if s == 0 else 0.05)),
                weight_bits=8,
                delay=int(rng.integers(1, 4)),
            )
            for s, t in ends
        ),
        readout=Readout(population="b"),
        state_bits=12,
    )
    spikes = (rng.random((2, 40, sizes[0])) < rate) & (rng.random((2, 40, 1)) < 0.3)
    return map_network(network, lanes=int(rng.choice([2, 5, 8]))), spikes


@pytest.mark.parametrize("seed", range(12))
def test_larger_networks_with_quiet_stretches(seed: int) -> None:
    rng = np.random.default_rng([seed, 7])
    refractory = int(rng.integers(3)) if seed % 2 else 0
    window = (int(rng.integers(9)), int(rng.integers(1, 20))) if seed % 3 == 0 else None
    program, spikes = layered(rng, rng.choice([0.02, 0.2]), refractory=refractory, window=window)
    got = run_batch(program, spikes)
    assert_equal(got, plain(program, spikes))
    assert got.spikes.any()
    assert not got.spikes.any(axis=2).all(), "never quiet"


WAKING = {
    "a window that opens": (NeuronType(window=(5, 2), reset=Reset.SUBTRACT), 10, [5, 6]),
    "a window that closes": (NeuronType(window=(1, 4), reset=Reset.NONE), 10, [1, 2, 3, 4]),
    "the end of a refractory time": (NeuronType(refractory=3, reset=Reset.NONE), 40, [0, 4, 8]),
    "a leak that has come to rest": (NeuronType(leak=Leak.SHIFT, leak_amount=3), 60, []),
}


@pytest.mark.parametrize("name", WAKING)
def test_what_wakes_a_sleeping_block(name: str) -> None:
    """One event in tick 0, none afterwards."""
    kind, threshold, expected = WAKING[name]
    program = make_program(
        [[40]], kinds=[kind], threshold=threshold, inputs=(InputPort(0, 1),), window_bits=4
    )
    spikes = np.zeros((1, 10, 1), np.bool_)
    spikes[0, 0] = True
    got = run_batch(program, spikes)
    assert_equal(got, plain(program, spikes))
    assert np.flatnonzero(got.spikes[0, :, 0]).tolist() == expected


def test_a_bias_ends_with_tick_0_for_a_window() -> None:
    kind = NeuronType(window=(9, 1), reset=Reset.SUBTRACT)
    program = make_program(np.zeros((1, 1)), kinds=[kind], bias=5, window_bits=4)
    spikes = np.zeros((1, 4, 1), np.bool_)
    assert_equal(run_batch(program, spikes), plain(program, spikes))


@pytest.mark.parametrize("largest_bias", [1, (1 << 30) - 1, (1 << 31) - 1])
@pytest.mark.parametrize("bits", [4, 20, 21, 30, 31, 32])
@pytest.mark.parametrize("leak", [Leak.NONE, Leak.SUBTRACT, Leak.SHIFT, Leak.MULTIPLY])
def test_updates_at_the_ends_of_the_membrane(bits: int, leak: Leak, largest_bias: int) -> None:
    """Updated in 32 bits where nothing can overflow, else in 64; a bias may be wider than both."""
    top = (1 << bits - 1) - 1
    amount = {Leak.NONE: 0, Leak.SUBTRACT: top, Leak.SHIFT: bits - 1, Leak.MULTIPLY: 4095}[leak]
    kinds = [
        NeuronType(leak=leak, leak_amount=amount, reset=reset, compare=compare)
        for reset in (Reset.SUBTRACT, Reset.NONE)
        for compare in Compare
    ]
    program = make_program(
        np.array([[255], [-256]]) * np.ones(8, int),
        kinds=[kinds[n // 2] for n in range(8)],
        threshold=[top, top - 1] * 4,
        bias=np.array([largest_bias, -largest_bias] * 4),
        inputs=(InputPort(0, 1),),
        state_bits=bits,
        bias_bits=32,
        types=8,
        shifts=(bits - 1,),
    )
    spikes = np.zeros((2, 8, 2), np.bool_)
    spikes[0, :, 0] = spikes[1, :, 1] = True
    got = run_batch(program, spikes)
    assert_equal(got, plain(program, spikes))
    assert got.membranes.max() == top or leak is not Leak.NONE or largest_bias == 1
    assert got.membranes.min() == -top - 1 or leak is not Leak.NONE or largest_bias == 1


def test_more_spikes_than_one_block_merge_and_wait() -> None:
    """Every neuron sends to one axon, over all delays: full slots, and merges by the hundred."""
    neurons, slots = 300, 8
    always = NeuronType(reset=Reset.NONE)
    program = make_program(
        np.ones((2, neurons)),
        kinds=[always],
        threshold=0,
        sends={n: [(n % 2, 1 + n % (slots - 1), 0, 0)] for n in range(neurons)},
        inputs=(InputPort(0, 1),),
        delay_slots=slots,
        types=1,
    )
    program = replace(program, types=(always,), group_type=np.zeros(neurons, np.int64))
    spikes = np.ones((2, 12, 2), np.bool_)
    got = run_batch(program, spikes)
    assert_equal(got, plain(program, spikes))
    assert got.total("merges") > 1000
