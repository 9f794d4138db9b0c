"""How the layers of a quantised network lie on a systolic array: words, tiles, folds."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from spikewatt.model.network.quantised import QuantisedLayer, QuantisedNetwork
from spikewatt.model.params.systolic import Loading, SystolicParams

__all__ = ["Fold", "LayerPlan", "lay_out", "list_folds"]


@dataclass(frozen=True)
class Fold:
    """One tile of weights: the array multiplies by it once a vector.

    ``columns``: those that the network fills. ``loads``: words that load it. ``inputs``: the
    activation that each of its rows takes.
    """

    layer: int
    tile: int
    word: int
    columns: int
    loads: int
    inputs: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class LayerPlan:
    """How a layer lies on the array.

    ``words``: for each word of activations, the activation of each row that is used; ``rows``: rows
    that every word but the last takes. ``tiles``: words of results. ``source``, ``target``: first
    rows of its inputs and outputs in the unified buffer.
    """

    layer: QuantisedLayer
    words: tuple[tuple[int, ...], ...]
    rows: int
    tiles: int
    source: int
    target: int

    @property
    def final(self) -> bool:
        """Whether its accumulators are the network's result."""
        return self.layer.requantisation is None


def _packed(count: int, width: int) -> tuple[tuple[int, ...], ...]:
    """Activations 0..count-1 in words of ``width``."""
    return tuple(tuple(range(at, min(at + width, count))) for at in range(0, count, width))


def _words_of_outputs(outputs: int, params: SystolicParams) -> tuple[tuple[int, ...], ...]:
    """Words in which a layer leaves its results: each tile of columns fills its own lanes."""
    tiles = _packed(outputs, params.columns)
    if params.wide:
        return tuple(
            tuple(tile[at : at + params.rows])
            for tile in tiles
            for at in range(0, len(tile), params.rows)
        )
    parts = params.parts
    # Fewer columns than rows: several results make a word, one bank each.
    return tuple(sum(tiles[at : at + parts], ()) for at in range(0, len(tiles), parts))


def lay_out(network: QuantisedNetwork, params: SystolicParams, batch: int) -> tuple[LayerPlan, ...]:
    """Lay the layers out; inputs and outputs of a layer take turns at both ends of the buffer."""
    words = [_packed(network.layers[0].inputs, params.rows)]
    words += [_words_of_outputs(layer.outputs, params) for layer in network.layers[:-1]]
    per_row = params.banks if params.wide else 1
    rows = [-(-len(layer_words) // per_row) * batch for layer_words in words]
    high = max((a + b for a, b in pairwise(rows)), default=rows[0])
    # A layer reads at one end while it writes at the other; the next one turns round. No copy, and
    # no more room than the two largest neighbours take.
    starts = [0 if k % 2 == 0 else high - count for k, count in enumerate(rows)]
    return tuple(
        LayerPlan(
            layer=layer,
            words=words[k],
            rows=params.rows if params.wide or k == 0 else params.parts * params.columns,
            tiles=-(-layer.outputs // params.columns),
            source=starts[k],
            target=starts[k + 1] if k + 1 < len(starts) else 0,
        )
        for k, layer in enumerate(network.layers)
    )


def list_folds(plans: tuple[LayerPlan, ...], params: SystolicParams) -> Iterator[Fold]:
    """A tile's words one after another, tile after tile, layer after layer."""
    for number, plan in enumerate(plans):
        for tile in range(plan.tiles):
            columns = min(params.columns, plan.layer.outputs - tile * params.columns)
            for word, inputs in enumerate(plan.words):
                last = word == len(plan.words) - 1
                loads = len(inputs) if last else plan.rows
                # A shift moves the whole column: rows without a weight cost their cycles too.
                if params.loading is Loading.SHIFT:
                    loads = params.rows
                yield Fold(number, tile, word, columns, loads, inputs)
