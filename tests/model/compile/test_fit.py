"""The smallest core of a network, and cores that are too small for it."""

from dataclasses import replace

import numpy as np
import pytest

from spikewatt.base.errors import CapacityError, ParameterError
from spikewatt.model.compile.mapping import fit_params, map_network
from spikewatt.model.network.graph import INPUT, Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import Compare, CoreParams, Leak, NeuronType, Reset
from tests.model.builders import dense_network


def test_smallest_core_of_the_digits_shape() -> None:
    """64 inputs, 128 hidden, 10 outputs: the sizes by hand, at 8 lanes."""
    fitted = fit_params(dense_network(64, 128, 10, state_bits=12), lanes=8)
    assert fitted == CoreParams(
        neurons=144,  # 128 / 8 = 16 groups, and 10 / 8 rounded up = 2
        axons=192,  # 64 + 128
        weight_bits=8,
        state_bits=12,
        bias_bits=0,
        lanes=8,
        delay_slots=2,  # delay 1 only
        scheduler_bits=32,
        synapse_words=1280,  # 64 * 16 + 128 * 2
        destinations=128,  # one for each hidden neuron; the outputs have none
        refractory_bits=0,
        types=1,
        leaks=(Leak.NONE,),
        shifts=(1,),
        resets=(Reset.ZERO,),
        compares=(Compare.GREATER_EQUAL,),
        hop_bits=1,
    )


def rich_network() -> Network:
    """Network that asks for something of everything."""
    kinds = [
        NeuronType(leak=Leak.SHIFT, leak_amount=3, refractory=4, reset=Reset.NONE),
        NeuronType(leak=Leak.SHIFT, leak_amount=1, compare=Compare.GREATER, window=(3, 5)),
    ]
    populations = (
        Population(
            name="a", neuron=kinds[0], threshold=np.full(5, 9), bias=np.array([0, 3, 0, -4, 0])
        ),
        Population(name="b", neuron=kinds[1], threshold=np.full(3, 9)),
        Population(name="c", neuron=kinds[0], threshold=np.full(2, 9)),
    )
    sizes = {INPUT: 2, "a": 5, "b": 3, "c": 2}
    ends = [("a", "b", 1), (INPUT, "a", 2), ("b", "a", 4), (INPUT, "c", 1), ("a", "c", 1)]
    rng = np.random.default_rng(5)
    connections = tuple(
        Connection(
            source=source,
            target=target,
            weights=rng.integers(-8, 8, (sizes[source], sizes[target])),
            weight_bits=4,
            delay=delay,
        )
        for source, target, delay in ends
    )
    return Network(
        name="rich",
        encoder=Encoder(inputs=2, timesteps=8),
        populations=populations,
        connections=connections,
        readout=Readout(population="c"),
        state_bits=10,
    )


def test_smallest_core_of_a_rich_network() -> None:
    fitted = fit_params(rich_network(), lanes=4, clock_gating=False)
    assert fitted == CoreParams(
        neurons=16,  # 5 -> 2 groups, 3 -> 1, 2 -> 1
        axons=17,  # 5 + 2 + 3 + 2 + 5
        weight_bits=4,
        state_bits=10,
        bias_bits=3,  # -4..3
        lanes=4,
        delay_slots=8,  # delay 4 needs 5 slots
        scheduler_bits=32,  # 17 axons, rounded up to a power of two
        synapse_words=5 * 1 + 2 * 2 + 3 * 2 + 2 * 1 + 5 * 1,
        destinations=13,  # a: 5 to b, 5 to c; b: 3 to a
        refractory_bits=3,
        window_bits=4,  # 3 + 5 = 8
        types=2,
        leaks=(Leak.SHIFT,),
        shifts=(1, 3),
        resets=(Reset.ZERO, Reset.NONE),
        compares=(Compare.GREATER_EQUAL, Compare.GREATER),
        hop_bits=1,
        clock_gating=False,
    )


@pytest.mark.parametrize(("bias", "bits"), [([0], 0), ([-1], 1), ([1], 2), ([-2], 2), ([127], 8)])
def test_bias_bits(bias: list[int], bits: int) -> None:
    population = Population(
        name="p", neuron=NeuronType(), threshold=np.array([1]), bias=np.array(bias)
    )
    network = replace(
        dense_network(1, 1),
        populations=(population,),
        connections=(),
        readout=Readout(population="p"),
    )
    assert fit_params(network).bias_bits == bits
    assert map_network(network).bias.tolist() == bias + [0] * 7


def test_no_lanes_is_a_parameter_error() -> None:
    for lanes in (0, -1, 65):
        with pytest.raises(ParameterError) as caught:
            fit_params(dense_network(1, 1), lanes=lanes)
        assert str(caught.value) == f"lanes must be an integer from 1 to 64, not {lanes}"


def test_a_network_too_large_for_any_core_names_the_limit() -> None:
    with pytest.raises(CapacityError) as caught:
        fit_params(dense_network(1, 40_000, 2, 30_000), lanes=8)
    assert str(caught.value).startswith(
        "network 'layers' needs neurons = 70008, and one core has at most 65536: choose "
    )


SMALLER = [
    ("neurons", 12, 16),
    ("axons", 16, 17),
    ("weight_bits", 3, 4),
    ("bias_bits", 2, 3),
    ("delay_slots", 4, 8),
    ("synapse_words", 21, 22),
    ("destinations", 12, 13),
    ("refractory_bits", 2, 3),
    ("window_bits", 0, 4),
    ("types", 1, 2),
]


@pytest.mark.parametrize(("name", "have", "needed"), SMALLER)
def test_a_limit_too_small_is_named(name: str, have: int, needed: int) -> None:
    network = rich_network()
    with pytest.raises(CapacityError) as caught:
        map_network(network, replace(fit_params(network, lanes=4), **{name: have}))
    assert str(caught.value) == (
        f"network 'rich' needs {name} = {needed}, and this core has {have}: "
        f"choose a core with {name} >= {needed}"
    )


@pytest.mark.parametrize("have", [9, 11])
def test_the_membrane_must_be_exactly_as_wide(have: int) -> None:
    network = rich_network()
    with pytest.raises(CapacityError) as caught:
        map_network(network, replace(fit_params(network, lanes=4), state_bits=have))
    assert str(caught.value) == (
        f"network 'rich' is made for state_bits = 10, and this core has {have}: "
        "choose a core with state_bits = 10"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"leaks": (Leak.NONE,)}, "leak SHIFT is not built into this core: (<Leak.NONE: 0>,)"),
        ({"shifts": (1, 2)}, "leak shift 3 is not built into this core: (1, 2)"),
        ({"resets": (Reset.ZERO,)}, "reset NONE is not built into this core: (<Reset.ZERO: 0>,)"),
        (
            {"compares": (Compare.GREATER_EQUAL,)},
            "compare GREATER is not built into this core: (<Compare.GREATER_EQUAL: 0>,)",
        ),
    ],
)
def test_a_datapath_that_lacks_something_is_named(change: dict, message: str) -> None:
    network = rich_network()
    with pytest.raises(ParameterError) as caught:
        map_network(network, replace(fit_params(network, lanes=4), **change))
    assert str(caught.value) == message
