"""A small network, and its file."""

from pathlib import Path

import numpy as np
import pytest

from spikewatt.model.network.file import save_network
from spikewatt.model.network.graph import INPUT, Connection, Encoder, Network, Population, Readout
from spikewatt.model.params import Compare, Leak, NeuronType, Reset


@pytest.fixture
def small_network() -> Network:
    """Two populations with everything that a network file can hold, in few bytes."""
    lif = NeuronType(
        leak=Leak.MULTIPLY,
        leak_amount=4000,
        reset=Reset.SUBTRACT,
        compare=Compare.GREATER,
        refractory=2,
    )
    return Network(
        name="small",
        encoder=Encoder(inputs=2, timesteps=4, low=-1.0, high=3.0, gain=0.5),
        populations=(
            Population(
                name="h",
                neuron=lif,
                threshold=np.array([100, 300, 7]),
                bias=np.array([-1, 0, 200]),
                threshold_float=np.array([0.5, 1.5, 0.25]),
                bias_float=np.array([-0.5, 0.0, 1.0]),
            ),
            Population(name="o", neuron=NeuronType(silent=True), threshold=np.array([0, 0])),
        ),
        connections=(
            Connection(
                source=INPUT,
                target="h",
                weights=np.array([[1, -8, 7], [0, 3, -2]]),
                weight_bits=4,
                weights_float=np.array([[0.125, -1.0, 0.875], [0.0, 0.375, -0.25]]),
            ),
            Connection(source="h", target="h", weights=np.eye(3, dtype=int), weight_bits=1),
            Connection(
                source="h",
                target="o",
                weights=np.array([[1, 2], [-256, 255], [0, 0]]),
                weight_bits=9,
                delay=5,
            ),
        ),
        readout=Readout(population="o", kind="count"),
        state_bits=13,
        drain_ticks=6,
        metadata={"seed": 3, "note": "ünï", "nested": {"rate": 0.1}},
    )


@pytest.fixture
def saved(small_network: Network, tmp_path: Path) -> Path:
    """File of the small network."""
    path = tmp_path / "small.swn"
    save_network(small_network, path)
    return path
