"""One small comparison, made once for all tests, and stand-ins for the arithmetic around it."""

from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.compare.run import Plan, compare
from spikewatt.model.network.graph import Network
from spikewatt.model.params import Leak
from spikewatt.targets.price import PricedRun
from tests.model.pairs import layered

__all__ = ["CATEGORIES", "IMAGES", "NETWORK", "PLAN", "X", "Y", "leaky", "near", "priced", "small"]

NETWORK: Network = layered((6, 8, 4), (5,), 1, bias=6, T=3)
X: NDArray[np.float64] = np.random.default_rng(0).integers(0, 4, (7, 6)) / 3
Y: NDArray[np.int64] = np.arange(7) % 4
IMAGES = 5
PLAN = Plan(lanes=(2, 4), sizes=((4, 4),), batches=(1, 2), refine=False)
CATEGORIES = ("clock", "control", "datapath", "sram", "leakage")


@lru_cache
def small() -> Comparison:
    """Two neuromorphic cores and an array with two batches, on five of seven samples."""
    return compare(NETWORK, X, Y, images=IMAGES, plan=PLAN)


def leaky() -> Network:
    """The same sizes, with a leak: it has no exact equal."""
    hidden, out = NETWORK.populations
    neuron = replace(hidden.neuron, leak=Leak.SHIFT, leak_amount=3)
    return replace(
        NETWORK, name="leaky", populations=(replace(hidden, neuron=neuron), out), drain_ticks=1
    )


def near(value: float, expected: float, rel: float = 1e-9) -> bool:
    """Within a relative margin: `pytest.approx` would pass any joule."""
    return abs(value - expected) <= rel * abs(expected)


def priced(joules: float, *, period_s: float = 5e-9, error: float | None = None, **more: Any):
    """What a search and the bounds look at of a priced core; its clock has 10 ns."""
    fields = {
        "per_inference_j": joules,
        "standard_error_j": error,
        "images": np.ones(4, np.int64),
        "proven": 4,
        "network": None,
        "by_category": dict.fromkeys(CATEGORIES, joules / len(CATEGORIES)),
        "latency_s": 1e-6,
        "seconds_per_inference": 1e-6,
        "leakage_w": joules / len(CATEGORIES) / 1e-6,
        "area_um2": {"logic": 2.0, "memory": 1.0, "total": 3.0},
        "mapped": SimpleNamespace(cells=10, gating="library"),
        "timing": SimpleNamespace(period_s=period_s),
        "period_s": 1e-8,
    }
    return cast(PricedRun, SimpleNamespace(**(fields | more)))
