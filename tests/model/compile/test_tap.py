"""Programs whose readout sends its spikes out: the same network, with packets to count."""

import dataclasses

import numpy as np
import pytest

from spikewatt.base.errors import CapacityError
from spikewatt.model.compile.mapping import fit_params, map_network
from spikewatt.model.compile.tap import board_params, count_taps, map_for_board
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.core import run
from spikewatt.model.network.graph import Network, Readout
from spikewatt.model.params import CoreParams, Fabric, NeuronType, Reset
from tests.model.pairs import layered


def counting(sizes: tuple[int, ...] = (6, 5, 7), seed: int = 0) -> Network:
    """A chain whose readout fires and is counted."""
    network = layered(sizes, (4,) * (len(sizes) - 2), seed, bias=5, T=6)
    *hidden, out = network.populations
    threshold = np.full(out.size, 9)
    firing = dataclasses.replace(out, neuron=NeuronType(reset=Reset.SUBTRACT), threshold=threshold)
    return dataclasses.replace(
        network,
        populations=(*hidden, firing),
        readout=Readout(population=out.name, kind="count"),
        drain_ticks=3,
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lanes", [1, 4])
def test_taps_change_nothing_and_tell_all(seed: int, lanes: int) -> None:
    network = counting(seed=seed)
    x = np.random.default_rng(seed).random((3, 6))
    x = network.encoder.low + x * (network.encoder.high - network.encoder.low)
    spikes = network.stimulus(x)
    program = map_for_board(network, board_params(network, lanes=lanes))
    plain = map_network(network, lanes=lanes)
    golden, expected = run_batch(program, spikes), run_batch(plain, spikes)
    for name in ("spikes", "membranes", "merges", "final_scheduler", "synaptic_ops"):
        np.testing.assert_array_equal(getattr(golden, name), getattr(expected, name))
    fired = golden.spikes[..., program.neurons_of["out"]].sum(axis=1)
    assert fired.sum() > 3
    for k, sample in enumerate(spikes):
        packets = run(program, program.input_events(sample)).sent[:, 2:]
        np.testing.assert_array_equal(count_taps(packets, program, "out"), fired[k])


def test_more_readout_neurons_than_axons() -> None:
    """The delay of a packet tells them apart too."""
    network = counting((2, 9))
    params = dataclasses.replace(board_params(network, lanes=1), delay_slots=8)
    assert params.axons < 9
    program = map_for_board(network, params)
    start = program.fanout_start[program.neurons_of["out"].start :][:9]
    packets = np.stack([a[start] for a in (program.axon, program.delay)], axis=1)
    np.testing.assert_array_equal(count_taps(packets, program, "out"), np.ones(9))


def test_no_room_for_taps() -> None:
    network = counting()
    params = board_params(network, lanes=1)
    smaller = dataclasses.replace(params, destinations=params.destinations - 1)
    assert params.destinations == 5 + 7
    with pytest.raises(CapacityError) as error:
        map_for_board(network, smaller)
    assert str(error.value) == (
        "to count the spikes of 'out' the core needs destinations = 12, and this core has 11: "
        "choose a core with destinations >= 12"
    )
    wide = counting((1, 5))
    with pytest.raises(CapacityError) as error:
        map_for_board(wide, board_params(wide, lanes=1))
    assert str(error.value) == (
        "packets of this core tell 1 neurons apart, and 'out' has 5: choose a core with more axons"
    )


def test_membranes_need_no_taps() -> None:
    network = layered((6, 5, 7), (4,), 1)
    params = board_params(network, lanes=4)
    assert params.destinations == 5
    assert (map_for_board(network, params).dx == 0).all()


@pytest.mark.parametrize("lanes", [1, 4])
def test_core_is_the_network_s_own_and_default_shifts_are_not_named(lanes: int) -> None:
    params = board_params(counting(), lanes=lanes)
    fitted = fit_params(counting(), lanes=lanes)
    assert params.fabric is Fabric.FPGA
    given = {
        field.name: getattr(params, field.name)
        for field in dataclasses.fields(params)
        if field.name not in ("shifts", "clock_gating", "fabric")
    }
    assert CoreParams(**given, fabric=Fabric.FPGA) == params
    for name in given.keys() - {"destinations", "scheduler_bits"}:
        assert getattr(params, name) == getattr(fitted, name)
