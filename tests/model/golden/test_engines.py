"""The fast engines equal the plain golden run, field by field."""

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.model.compile.program import InputPort, Program
from spikewatt.model.golden import batch
from spikewatt.model.golden.batch import run_batch, synapse_matrix
from spikewatt.model.golden.core import deliver, initial_state, run
from spikewatt.model.params import Compare, Leak, NeuronType, Reset
from spikewatt.model.run import FIELDS, Run, comparable, difference
from tests.model.builders import make_program, random_network, random_program

SEEDS = range(120)
Engine = Literal["gemm", "numba"]
ENGINES: tuple[Engine, ...] = ("gemm", "numba")
TICKS, BATCH = 14, 3


def input_spikes(program: Program, inputs: int, seed: int) -> NDArray[np.bool_]:
    """Random spikes bool[B, T, inputs]; the last sample gets none in its second half."""
    rng = np.random.default_rng([seed, 2])
    spikes = rng.random((BATCH, TICKS, inputs)) < rng.choice([0.1, 0.4, 0.9])
    spikes[-1, TICKS // 2 :] = False
    return spikes


def plain(program: Program, spikes: NDArray[np.bool_]) -> Run:
    """What `golden.run` says, in the form of the fast engines."""
    samples = []
    for sample in spikes:
        events = program.input_events(sample)
        trace = run(program, events)
        before = [initial_state(program.params), *trace.states[:-1]]
        ready = [
            deliver(state, arriving, program.params)[0].scheduler[
                (state.t + 1) % state.scheduler.shape[0]
            ]
            for state, arriving in zip(before, events, strict=True)
        ]
        last = trace.states[-1]
        samples.append(
            {
                "spikes": [output.spikes for output in trace.outputs],
                "membranes": [state.membrane for state in trace.states],
                "spike_counts": np.sum([output.spikes for output in trace.outputs], axis=0),
                "final_membranes": last.membrane,
                "final_refractory": last.refractory,
                "final_scheduler": last.scheduler,
                "merges": trace.merges,
                "active": [slot.sum() for slot in ready],
                "synaptic_ops": [output.synaptic_ops for output in trace.outputs],
                "synapse_words": [output.synapse_words for output in trace.outputs],
            }
        )
    arrays = {name: np.array([s[name] for s in samples]) for name in samples[0]}
    return Run(by="the plain model", arrays=arrays)


def assert_equal(got: Run, expected: Run) -> None:
    assert comparable(got, expected) == tuple(n for n in FIELDS if n in expected.arrays)
    assert got.arrays.keys() == expected.arrays.keys()
    assert difference(got, expected) is None, str(difference(got, expected))


@pytest.mark.parametrize("seed", SEEDS)
def test_engines_equal_the_plain_run(seed: int) -> None:
    program = random_program(seed)
    spikes = input_spikes(program, random_network(seed).encoder.inputs, seed)
    expected = plain(program, spikes)
    for engine in ENGINES:
        assert_equal(run_batch(program, spikes, engine=engine), expected)


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
        trace = run_batch(program, spikes, engine="gemm")
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


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("shape", "ports"), [((2, 5, 0), 1), ((0, 5, 1), 1), ((2, 5, 1), 0)])
def test_engines_take_empty_input(engine: Engine, shape: tuple, ports: int) -> None:
    silent = NeuronType(silent=True)
    program = make_program([[1]], bias=1, kinds=[silent], inputs=(InputPort(0, 1),) * ports)
    trace = run_batch(program, np.ones(shape, np.bool_), engine=engine)
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


def test_sums_beyond_float32_are_summed_in_float64() -> None:
    weights = np.full(1 << 16, -256)  # |sum| = 2^24: the most that a core can hold
    widest = wide_program(weights)
    narrower = wide_program(np.where(np.arange(1 << 16) == 7, -255, weights))
    assert synapse_matrix(widest).dtype == np.float64
    assert synapse_matrix(narrower).dtype == np.float32
    spikes = np.ones((1, 2, 1 << 16), np.bool_)
    spikes[0, 1, 1::2] = False
    for program, total in ((widest, -(1 << 24)), (narrower, 1 - (1 << 24))):
        for engine in ENGINES:
            trace = run_batch(program, spikes, engine=engine)
            assert trace.membranes[0, :, 0].tolist() == [total, total - (1 << 23)]


def test_the_switch_looks_at_magnitudes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "FLOAT32_EXACT", 10)
    assert synapse_matrix(make_program([[5], [-5]])).dtype == np.float64  # though they sum to 0
    assert synapse_matrix(make_program([[5], [-4]])).dtype == np.float32
    assert synapse_matrix(make_program([[5, 4], [-4, 5]])).dtype == np.float32
