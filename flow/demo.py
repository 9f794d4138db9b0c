"""What the demo shows beside the run: both comparisons, on the cores that a search found."""

from collections.abc import Iterator

from numpy.typing import ArrayLike

from spikewatt.base.progress import Progress, silent
from spikewatt.flow.ahead import Wanted
from spikewatt.flow.compare.result import Comparison
from spikewatt.flow.compare.run import Plan, compare
from spikewatt.flow.compare.variants import usual
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.hdl.systolic.core import SystolicCore
from spikewatt.model.compile.mapping import fit_params
from spikewatt.model.compile.systolic.program import map_quantised
from spikewatt.model.network.dataset import load_shipped
from spikewatt.model.network.graph import Network
from spikewatt.model.network.pair import spiking_pair
from spikewatt.model.network.quantised import QuantisedNetwork
from spikewatt.model.network.quantised_pair import quantised_pair
from spikewatt.synth.liberty.reader import LibertyFiles

__all__ = ["shipped_comparisons", "wanted_cores"]

PLAN = Plan(lanes=(16,), sizes=((8, 8),), refine=False, glitches=False)
"""The cheapest neuromorphic core of the search, and an array near its cheapest; docs/comparison.md
has all of them."""
TIMESTEPS = 7


def shipped_comparisons(
    x: ArrayLike,
    y: ArrayLike,
    *,
    images: int = 32,
    liberty: LibertyFiles | None = None,
    progress: Progress = silent,
) -> dict[str, Comparison]:
    """``equal_function`` and ``equal_accuracy`` of the digits, over the first ``images``."""
    options = {"images": images, "plan": PLAN, "liberty": liberty, "progress": progress}
    pair, rival = load_shipped(f"digits_t{TIMESTEPS}"), load_shipped("digits_qnn")
    return {
        "equal_function": compare(pair, x, y, **options),
        "equal_accuracy": compare(load_shipped("digits"), x, y, rival=rival, **options),
    }


def wanted_cores(network: Network, *, lanes: int, images: int, compare: bool) -> list[Wanted]:
    """Cores of the demo, in its order.

    Parameters
    ----------
    network, lanes:
        What runs first, and the lanes of its core.
    images:
        How many are priced.
    compare:
        With those of the comparisons.
    """
    cores = [Wanted(Blueprint.of(NeuroCore, fit_params(network, lanes=lanes)), "neuro")]
    if compare:
        pair, rival = load_shipped(f"digits_t{TIMESTEPS}"), load_shipped("digits_qnn")
        for spiking, other in ((spiking_pair(pair), pair), (network, rival)):
            cores += _compared(spiking, quantised_pair(other), images)
    return cores


def _compared(spiking: Network, quantised: QuantisedNetwork, images: int) -> Iterator[Wanted]:
    """Cores of one comparison."""
    for lanes in PLAN.lanes:
        yield Wanted(Blueprint.of(NeuroCore, fit_params(spiking, lanes=lanes)), "neuro")
    for batch in PLAN.batches_of(images):
        for rows, columns in PLAN.sizes:
            fields = usual(rows, columns, batch).fields
            params = map_quantised(quantised, batch=batch, **fields).params
            yield Wanted(Blueprint.of(SystolicCore, params), "systolic")
