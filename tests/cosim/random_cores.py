"""Random programs and events for any core, drawn so that much happens in few ticks."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.program import Program
from spikewatt.model.golden.core import run
from spikewatt.model.params import CoreParams, Leak, NeuronType
from spikewatt.model.run import Run

__all__ = ["RandomCase", "random_case", "random_events", "random_program"]

IntArray = NDArray[np.int64]
Rng = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class RandomCase:
    """A program, its events int64[n, 2] (axon, delay) before each tick, and what must come out."""

    name: str
    program: Program
    events: list[IntArray]
    golden: Run


def random_case(build: str, params: CoreParams, number: int) -> RandomCase:
    """Case ``number`` of a build: the same in every run."""
    rng = np.random.default_rng([zlib.crc32(build.encode()), number])
    program = random_program(rng, params)
    events = random_events(rng, params, ticks=int(rng.integers(6, 12)))
    name = f"{build}, case {number}"
    return RandomCase(name=name, program=program, events=events, golden=run(program, events))


def random_program(rng: Rng, params: CoreParams) -> Program:
    """Fill every table that a program holds."""
    types = tuple(_type(rng, params) for _ in range(rng.integers(1, params.types + 1)))
    synapses = _weights(rng, params)
    return Program(
        params=params,
        types=types,
        group_type=rng.integers(0, len(types), params.groups),
        threshold=_thresholds(rng, params),
        bias=_biases(rng, params),
        synapses=synapses,
        **_rows(rng, params),
        **_fanout(rng, params),
    )


def _type(rng: Rng, params: CoreParams) -> NeuronType:
    leak = params.leaks[rng.integers(len(params.leaks))]
    top = params.membrane_range[1]
    amount = {
        Leak.NONE: 0,
        Leak.SUBTRACT: int(rng.choice([1, 2, top // 8 + 1, top])),
        Leak.SHIFT: int(rng.choice(params.shifts)) if leak is Leak.SHIFT else 0,
        Leak.MULTIPLY: int(rng.choice(np.array([0, 1, 2048, 4000, 4095, rng.integers(4096)]))),
    }[leak]
    longest = (1 << params.refractory_bits) - 1
    window = None
    if params.window_bits and rng.random() < 0.75:
        first = int(rng.integers(min(6, (1 << params.window_bits) - 1)))
        room = (1 << params.window_bits) - 1 - first
        window = first, int(rng.choice([1, min(room, 2), min(room, 4), room]))
    return NeuronType(
        leak=leak,
        leak_amount=amount,
        reset=params.resets[rng.integers(len(params.resets))],
        compare=params.compares[rng.integers(len(params.compares))],
        refractory=int(rng.choice([0, min(longest, 1), min(longest, 2), longest])),
        silent=bool(rng.random() < 0.15),
        window=window,
    )


def _weights(rng: Rng, params: CoreParams) -> IntArray:
    """Of all values, or lifted so that neurons fire, or nothing but the extremes and zeros."""
    shape = (params.synapse_words, params.lanes)
    if params.weight_bits == 1:
        return rng.integers(0, 2, shape)
    half = 1 << params.weight_bits - 1
    anything = rng.integers(-half, half, shape)
    kind = rng.integers(4)
    if kind == 0:
        return anything
    if kind == 1:
        return np.minimum(anything + half // 2, half - 1)
    if kind == 2:
        return rng.choice(np.array([-half, 0, half - 1]), shape)
    return np.where(rng.random(shape) < 0.5, 0, anything)


def _thresholds(rng: Rng, params: CoreParams) -> IntArray:
    """Near what a few weights add up to; some at 0 and some at the top."""
    top = params.membrane_range[1]
    reach = min(top, 3 << params.weight_bits - 1)
    usual = rng.integers(0, reach + 1, params.neurons)
    anything = rng.integers(0, top + 1, params.neurons)
    kind = rng.choice(4, params.neurons, p=[0.8, 0.08, 0.06, 0.06])
    return np.select([kind == 0, kind == 1, kind == 2], [usual, 0, top], anything)


def _biases(rng: Rng, params: CoreParams) -> IntArray:
    """Mostly none, so that groups can sleep; some of any size."""
    if not params.bias_bits or rng.random() < 0.25:
        return np.zeros(params.neurons, np.int64)
    half = 1 << params.bias_bits - 1
    anything = rng.integers(-half, half, params.neurons)
    ends = rng.choice(np.array([-half, half - 1]), params.neurons)
    anything = np.where(rng.random(params.neurons) < 0.3, ends, anything)
    awake = np.repeat(rng.random(params.groups) < 0.4, params.lanes)
    return np.where(awake & (rng.random(params.neurons) < 0.7), anything, 0)


def _rows(rng: Rng, params: CoreParams) -> dict[str, Any]:
    """Ragged rows, some missing; in the order of their first group, anywhere in the SRAM."""
    axons, groups, words = params.axons, params.groups, params.synapse_words
    first = np.sort(rng.integers(0, groups, axons)) * int(rng.random() < 0.8)
    longest = np.minimum(groups - first, words)
    length = np.where(rng.random(axons) < 0.2, longest, rng.integers(1, longest + 1))
    present = rng.random(axons) < rng.choice([0.5, 0.9, 1.0])
    base = rng.integers(0, words - length + 1)
    if words >= axons * groups:  # room for all: side by side, in any order
        order = rng.permutation(axons)
        base[order] = np.cumsum([0, *length[order][:-1]])
    last = first + length - 1
    return {
        "row_first": np.where(present, first, 0),
        "row_last": np.where(present, last, -1),
        "row_base": np.where(present, base, 0),
        "fan_out": np.where(present, length * params.lanes, 0),
    }


def _fanout(rng: Rng, params: CoreParams) -> dict[str, Any]:
    """Lists of any length, now and then shared or empty; entries repeat, some leave the core."""
    neurons, entries, half = params.neurons, params.destinations, 1 << params.hop_bits - 1
    cuts = np.sort(rng.integers(0, entries + 1, neurons - 1))
    start = np.concatenate([[0], cuts])
    count = np.minimum(np.diff([*start, entries]), 9)
    borrow = rng.random(neurons) < 0.1
    lender = rng.integers(0, neurons, neurons)
    start, count = np.where(borrow, start[lender], start), np.where(borrow, count[lender], count)
    away = rng.random(entries) < rng.choice([0.0, 0.3, 0.6])
    few = max(1, params.axons // int(rng.choice([1, 3])))
    delays = np.array([1, params.delay_slots - 1, rng.integers(1, params.delay_slots)])
    return {
        "fanout_start": start,
        "fanout_count": count,
        "axon": rng.integers(0, few, entries),
        "delay": rng.choice(delays, entries),
        "dx": np.where(away, rng.integers(-half, half, entries), 0),
        "dy": np.where(away, rng.integers(-half, half, entries), 0),
    }


def random_events(rng: Rng, params: CoreParams, *, ticks: int) -> list[IntArray]:
    """Events before each tick: often a few, at times all axons at once, at times none for long."""
    events = []
    busy = rng.choice([0.15, 0.4, 0.9])
    for tick in range(ticks):
        share = rng.choice([0.0, 0.1, busy, busy, 1.0]) if tick < 0.6 * ticks else 0.0
        (axons,) = np.nonzero(rng.random(params.axons) < share)
        again = axons[rng.random(len(axons)) < 0.15]
        axons = rng.permutation(np.concatenate([axons, again]))
        delays = np.where(
            rng.random(len(axons)) < 0.7, 1, rng.integers(1, params.delay_slots, len(axons))
        )
        events.append(np.stack([axons, delays], axis=1))
    return events
