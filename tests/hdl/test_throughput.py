"""Cycles: dense networks keep the lanes busy, and silence costs next to nothing."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pywellen import Waveform  # pyright: ignore[reportAttributeAccessIssue]  # has no stubs

from spikewatt.cosim.native import NativeCore
from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import run
from spikewatt.model.params import CoreParams, Fabric, NeuronType
from spikewatt.model.run import Run
from tests.cosim.agree import check_trace

NEURONS = AXONS = 64
IntArray = NDArray[np.int64]


FABRICS = (Fabric.ASIC, Fabric.FPGA)


def dense(lanes: int, *, axons: int = AXONS, fabric: Fabric = Fabric.ASIC) -> CoreParams:
    """64 neurons; room for the rows of 64 axons, whatever the number of axons."""
    return CoreParams(
        fabric=fabric,
        neurons=NEURONS,
        axons=axons,
        lanes=lanes,
        delay_slots=4,
        synapse_words=AXONS * NEURONS // lanes,
        types=1,
    )


def connected(
    params: CoreParams, *, fires: bool = False, blocks: int = 1, overlap: int = 0
) -> Program:
    """The first 64 axons and the neurons in ``blocks``: axons reach the neurons of their block.

    They also reach so many groups of the next block as ``overlap`` says. If it ``fires``, every
    neuron does, in every tick that reaches it.
    """
    rng = np.random.default_rng(5)
    axon, neurons = np.arange(params.axons), np.arange(NEURONS)
    reached = axon < AXONS
    span = params.groups // blocks
    first = np.where(reached, axon * blocks // AXONS * span, 0)
    last = np.minimum(first + span - 1 + overlap, params.groups - 1)
    last = np.where(reached, last, -1)
    return Program(
        params=params,
        types=(NeuronType(silent=not fires),),
        group_type=np.zeros(params.groups, np.int64),
        threshold=np.zeros(NEURONS, np.int64),
        bias=np.zeros(NEURONS, np.int64),
        synapses=rng.integers(0 if fires else -128, 128, (params.synapse_words, params.lanes)),
        row_first=first,
        row_last=last,
        row_base=np.where(reached, params.groups * axon, 0),
        fan_out=np.where(reached, params.lanes * (last - first + 1), 0),
        fanout_start=neurons,
        fanout_count=np.full(NEURONS, int(fires)),
        axon=neurons,
        delay=np.ones(NEURONS, np.int64),
        dx=np.zeros(NEURONS, np.int64),
        dy=np.zeros(NEURONS, np.int64),
    )


def events(axons: int, ticks: int) -> list[IntArray]:
    """The first ``axons`` axons before each tick."""
    numbers = np.arange(axons)
    return [np.stack([numbers, np.ones_like(numbers)], axis=1)] * ticks


def simulate(program: Program, stimulus: list[IntArray], file: Path) -> Run:
    """Run from the cleared state, with a waveform, and compare with the golden model."""
    with NativeCore(program.params, trace="vcd", waveform=file) as core:
        core.configure(program)
        rtl = core.run(stimulus)
    check_trace("throughput", rtl, program, run(program, stimulus))
    return rtl


def enabled(file: Path, signal: str) -> int:
    """Edges of the core's clock, after reset, at which a signal is set."""
    signals = {var.full_name: var.signal for var in Waveform(str(file)).all_vars()}
    edges = [time for time, level in signals["neuro.core_clk"] if level == 1]
    running = [time - 1 for time in edges if signals["neuro.rst"].value_at(time - 1) == 0]
    return sum(signals[signal].value_at(time) == 1 for time in running)


def integrating(file: Path) -> list[tuple[int, int]]:
    """For each tick the cycles that read a synapse word, and those from the first to the last."""
    signals = {var.full_name: var.signal for var in Waveform(str(file)).all_vars()}
    clock, synapse = signals["neuro.clk"], signals["neuro.probe__synapse"]
    idle = signals["neuro.idle"]
    edges = [time for time, level in clock if level == 1]
    reads: list[list[int]] = [[]]
    for number, time in enumerate(edges):
        before = time - 1  # what the flip-flops see
        if idle.value_at(before) == 1 and reads[-1]:
            reads.append([])
        if synapse.value_at(before) == 1:
            reads[-1].append(number)
    return [(len(tick), tick[-1] - tick[0] + 1) for tick in reads if tick]


@pytest.mark.parametrize("fires", [False, True], ids=["silent", "firing"])
@pytest.mark.parametrize(
    ("lanes", "fabric"),
    [
        (8, Fabric.ASIC),
        (8, Fabric.FPGA),
        pytest.param(4, Fabric.ASIC, marks=pytest.mark.long),
        pytest.param(1, Fabric.FPGA, marks=pytest.mark.long),
    ],
)
def test_dense_network_keeps_the_lanes_busy(
    lanes: int, fabric: Fabric, fires: bool, tmp_path: Path
) -> None:
    params = dense(lanes, fabric=fabric)
    program = connected(params, fires=fires)
    file = tmp_path / "dense.vcd"
    simulate(program, events(AXONS, 3), file)
    ticks = integrating(file)
    words = AXONS * params.groups
    assert [read for read, _ in ticks] == [words] * 3
    for read, cycles in ticks:
        assert read * lanes / cycles >= 0.95 * lanes


def test_a_silent_axon_costs_its_share_of_the_scan(tmp_path: Path) -> None:
    few, many = dense(8), dense(8, axons=10 * AXONS)
    stimulus = [*events(10, 3), *events(0, 3), *events(1, 2)]
    small, large = (
        simulate(connected(params), stimulus, tmp_path / "scan.vcd") for params in (few, many)
    )
    more_words = many.scheduler_words - few.scheduler_words
    assert more_words == 18
    np.testing.assert_array_equal(large.tick_cycles - small.tick_cycles, more_words)
    np.testing.assert_array_equal(large.updates, small.updates)


def most_cycles(params: CoreParams, due: IntArray, visited: IntArray) -> IntArray:
    """Cycles of ticks as `NeuroCore` gives them: ``due`` axons that reach all groups visited."""
    words = np.arange(params.scheduler_words) * params.scheduler_bits
    in_word = np.clip(due[:, None] - words, 1, params.scheduler_bits)
    awake_bits = 3 * -(-params.groups // params.awake_bits)
    shortest, grown, drained = (1, 4, 9) if params.registered else (3, 3, 5)
    walk = visited * np.maximum(shortest, due) + grown * (due > 0) + drained * (visited > 0)
    return 5 + in_word.sum(axis=1) + awake_bits + walk


@pytest.mark.parametrize("fabric", FABRICS)
def test_cycles_of_a_tick(fabric: Fabric, tmp_path: Path) -> None:
    params = dense(8, fabric=fabric)
    due = np.array([0, 0, 0, 0, 2, 0, 1, 40, 40, 0])
    stimulus = [event for axons in due for event in events(axons, 1)]
    rtl = simulate(connected(params), stimulus, tmp_path / "cycles.vcd")
    np.testing.assert_array_equal(rtl.updates[0] > 0, [1, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    most = most_cycles(params, due, rtl.updates[0])
    feeding = 2 * np.append(due[1:], 0)  # the host sends the next tick's events meanwhile
    alone = feeding < most
    assert alone.sum() == len(due) - 1
    spare = (most - rtl.tick_cycles[0])[alone]
    assert -1 <= spare.min() <= spare.max() <= 3  # the last event's write may come before


@pytest.mark.parametrize("blocks", [1, 2, 8])
def test_blocks_cost_their_own_entries(blocks: int, tmp_path: Path) -> None:
    """A group reads the rows that reach it, not those before or behind it in the list.

    Three cycles more where the set of rows grows: once a block.
    """
    params = dense(8)
    program = connected(params, blocks=blocks)
    rtl = simulate(program, events(AXONS, 3), tmp_path / "blocks.vcd")
    listing = 5 + AXONS + 3 * -(-params.groups // 32)
    walking = params.groups * AXONS // blocks + 3 * blocks
    assert (rtl.synapse_words == params.groups * AXONS // blocks).all()
    last = rtl.tick_cycles[0, -1]  # the host sends nothing meanwhile
    assert listing + walking <= last <= listing + walking + 5


def test_a_sliding_window_costs_its_own_entries(tmp_path: Path) -> None:
    """Rows that end are dropped while others of the window go on."""
    params = dense(8)
    program = connected(params, blocks=params.groups, overlap=1)
    rtl = simulate(program, events(AXONS, 3), tmp_path / "sliding.vcd")
    entries = AXONS * 2 - AXONS // params.groups
    most = 5 + AXONS + 3 + entries + 3 * params.groups + 5
    assert (rtl.synapse_words == entries).all()
    assert most - 7 <= rtl.tick_cycles[0, -1] <= most


def test_an_unchanged_state_is_not_written(tmp_path: Path) -> None:
    """A visit reads the state once, and writes it only if it changed; the reset clears it."""
    params = dense(8)
    program = connected(params)
    still = dataclasses.replace(program, synapses=np.zeros_like(program.synapses))
    sram = "neuro.logic.neurons.state.sram"
    accesses = []
    for case in (still, program):
        file = tmp_path / "state.vcd"
        rtl = simulate(case, events(5, 4), file)
        assert rtl.updates[0].tolist() == [params.groups] * 4
        reads, writes = (enabled(file, f"{sram}.{kind}__enable") for kind in ("read", "write"))
        accesses.append((reads, writes - params.groups))
    assert accesses == [(4 * params.groups, 0), (4 * params.groups, 4 * params.groups)]
