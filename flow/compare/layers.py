"""Energy by layer; the layers of a core add up to what an inference takes on it.

The systolic core computes one layer after another, so that the time of every batch is cut where a
layer's first vector enters (weights that are loaded ahead count where they are loaded). The
neuromorphic core works on all layers in the same tick: its energy is shared by the synapse words
that each layer reads.
"""

import numpy as np

from spikewatt.flow.compare.search import Found
from spikewatt.flow.compare.sides import NeuroSide, SystolicSide
from spikewatt.flow.compare.variants import NeuroVariant, SystolicVariant
from spikewatt.model.golden.systolic import first_vectors
from spikewatt.model.network.graph import INPUT

__all__ = ["neuro_layers", "systolic_layers"]


def neuro_layers(side: NeuroSide, search: Found[NeuroVariant]) -> dict[str, float]:
    """J of an inference by population, input first, shared by synapse words read."""
    assert search.variant is not None
    assert search.best is not None
    network, lanes = side.network, search.variant.lanes
    words: dict[str, float] = {}
    # As the user lists them, whatever the order of the connections.
    order = [population.name for population in network.populations]
    for link in sorted(network.connections, key=lambda link: order.index(link.target)):
        sent = side.spikes if link.source == INPUT else side.fired(link.source)
        # An axon's row is whole words, so that a narrow layer pays for lanes that it leaves idle.
        groups = -(-link.weights.shape[1] // lanes)
        words[link.target] = words.get(link.target, 0.0) + float(sent.sum()) * groups
    whole = sum(words.values()) or 1.0
    joules = search.best.energy_per_inference_j
    return {name: joules * share / whole for name, share in words.items()}


def systolic_layers(side: SystolicSide, search: Found[SystolicVariant]) -> dict[str, float]:
    """J of an inference by layer, by its name, from all batches, cut in time."""
    assert search.variant is not None
    assert search.price is not None
    program, price = side.program(search.variant), search.price
    cuts = [first_vectors(program, int(images))[1:] for images in price.images]
    sums = np.sum(price.parts(cuts), axis=0) / price.images.sum()
    return dict(zip(side.network.layer_names, sums.tolist(), strict=True))
