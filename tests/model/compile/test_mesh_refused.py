"""What is said of networks that no mesh, or not this one, can hold, and of wrong arguments."""

from dataclasses import replace
from typing import Any

import pytest

from spikewatt.base.errors import CapacityError, ParameterError
from spikewatt.model.compile.mesh.mapping import MeshFit, TileLimits, map_mesh
from spikewatt.model.network.graph import Network, Readout
from tests.model.builders import dense_network

REFUSED = [
    (
        dense_network(300, 20),
        {},
        CapacityError,
        (
            "population 'layer 1' needs axons = 300 in every tile that holds some of it, and a "
            "tile has at most 256: its sums cannot be split, so allow more axons or make its "
            "sources smaller"
        ),
    ),
    (
        dense_network(30, 20),
        {"limits": TileLimits(synapse_words=29)},
        CapacityError,
        (
            "population 'layer 1' needs synapse_words = 30 in every tile that holds some of it, "
            "and a tile has at most 29: its sums cannot be split, so allow more synapse_words or "
            "make its sources smaller"
        ),
    ),
    (
        dense_network(3, 40),
        {"mesh": (2, 1), "limits": TileLimits(neurons=16)},
        CapacityError,
        (
            "network 'layers' takes 3 tiles of 16 neurons and 256 axons, and this mesh has 2: "
            "choose a larger mesh or larger cores"
        ),
    ),
    (
        dense_network(3, 70),
        {"lanes": 1, "limits": TileLimits(neurons=1)},
        CapacityError,
        (
            "network 'layers' takes 70 tiles of 1 neurons and 256 axons, and a mesh has at most "
            "64: choose a larger mesh or larger cores"
        ),
    ),
    (
        dense_network(3, 8, 8),
        {"limits": TileLimits(destinations=7)},
        CapacityError,
        (
            "network 'layers' needs more than 7 destinations in a tile, however it is split: "
            "allow more"
        ),
    ),
    (
        replace(dense_network(3, 20), readout=Readout(population="layer 1", kind="count")),
        {"limits": TileLimits(axons=19)},
        CapacityError,
        (
            "readout 'layer 1' has 20 neurons, and a spike's packet tells 19 axons apart: "
            "allow more axons or read membranes"
        ),
    ),
    (
        dense_network(3, 4),
        {"limits": TileLimits(neurons=7)},
        ParameterError,
        "limit of neurons must be at least 8, one group of as many lanes, not 7",
    ),
    (
        dense_network(3, 4),
        {"mesh": (0, 2)},
        ParameterError,
        "columns must be an integer from 1 to 64, not 0",
    ),
    (
        dense_network(3, 4),
        {"mesh": (2, 2.0)},
        ParameterError,
        "rows must be an integer from 1 to 64, not 2.0",
    ),
    (
        dense_network(3, 4),
        {"mesh": (9, 8)},
        ParameterError,
        "columns x rows must be an integer from 1 to 64, not 72",
    ),
    (
        dense_network(3, 4),
        {"lanes": 65},
        ParameterError,
        "lanes must be an integer from 1 to 64, not 65",
    ),
    (
        dense_network(3, 4),
        {"placement": "best"},
        ParameterError,
        "placement must be 'greedy' or 'search', not 'best'",
    ),
    (
        dense_network(3, 4),
        {"rates": {"layer 2": 1.0}},
        ParameterError,
        "rates: there is no population 'layer 2'",
    ),
    (
        dense_network(3, 4),
        {"rates": {"input": -0.5}},
        ParameterError,
        "rate of 'input' must be finite and at least 0, not -0.5",
    ),
]


def place(network: Network, *, rates: Any = None, placement: Any = "greedy", **fit: Any) -> None:
    map_mesh(network, MeshFit(**fit), placement=placement, rates=rates)


@pytest.mark.parametrize(("network", "options", "kind", "message"), REFUSED)
def test_what_is_refused(network: Network, options: dict, kind: type, message: str) -> None:
    with pytest.raises(kind) as caught:
        place(network, **options)
    assert type(caught.value) is kind
    assert str(caught.value) == message


def test_limits_themselves() -> None:
    with pytest.raises(ParameterError) as caught:
        TileLimits(axons=0)
    assert str(caught.value) == "limit of axons must be an integer from 1 to 65536, not 0"
