"""Map a quantised network onto a systolic core: what its memories hold, and in which order."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import CapacityError, DataError, ParameterError
from spikewatt.model.compile.configuration import pack_table, table_addresses
from spikewatt.model.compile.systolic.plan import Fold, LayerPlan, lay_out, list_folds
from spikewatt.model.network.quantised import QuantisedNetwork
from spikewatt.model.params.checks import within
from spikewatt.model.params.systolic import (
    SYSTOLIC_LIMITS,
    Loading,
    Rounding,
    SystolicParams,
    SystolicTable,
)

__all__ = ["SystolicProgram", "fit_systolic", "map_quantised"]

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SystolicProgram:
    """A quantised network on one core.

    Parameters
    ----------
    params:
        The hardware.
    network:
        What it computes.
    batch:
        Inputs that the unified buffer is laid out for, at most.

    Raises
    ------
    CapacityError
        Names the limit that is too small and the value that would do.
    ParameterError
        A batch that no core takes, or a shift or rounding that this one is not built for.
    """

    params: SystolicParams
    network: QuantisedNetwork
    batch: int

    def __post_init__(self) -> None:
        for name, needed in _needs(self.network, self.params, self.batch).items():
            if getattr(self.params, name) < needed:
                raise CapacityError(
                    f"network {self.network.name!r} needs {name} = {needed}, and this core has "
                    f"{getattr(self.params, name)}"
                )
        for number, layer in enumerate(self.network.layers[:-1]):
            how = layer.requantisation
            assert how is not None  # QuantisedNetwork sees to it
            where = f"network {self.network.name!r}, layer {number}"
            if how.shift not in self.params.shifts:
                raise ParameterError(
                    f"{where}: shift {how.shift} is not built into this core: {self.params.shifts}"
                )
            if how.rounding not in self.params.roundings:
                built = ", ".join(rounding.name for rounding in self.params.roundings)
                raise ParameterError(
                    f"{where}: rounding {how.rounding.name} is not built into this core: {built}"
                )

    @cached_property
    def plans(self) -> tuple[LayerPlan, ...]:
        """How each layer lies on the array."""
        return lay_out(self.network, self.params, self.batch)

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        """Every tile of weights, in the order in which it is loaded."""
        return tuple(list_folds(self.plans, self.params))

    def weights(self, fold: Fold) -> IntArray:
        """Weights int64[rows, columns] of a fold, without padding."""
        layer = self.plans[fold.layer].layer
        at = fold.tile * self.params.columns
        return layer.weights[list(fold.inputs), at : at + fold.columns]

    def input_words(self, x: IntArray) -> IntArray:
        """Words int64[words * n, rows] that the host sends for inputs int[n, inputs].

        Word by word, and the inputs of the batch within each word; padded with zeros.

        Raises
        ------
        DataError
            Inputs that are not the network's, or more of them than a batch.
        """
        x = self.network.check_inputs(x)
        if len(x) > self.batch:
            raise DataError(f"a batch of at most {self.batch} inputs, not {len(x)}")
        words = self.plans[0].words
        out = np.zeros((len(words), len(x), self.params.rows), np.int64)
        for k, inputs in enumerate(words):
            # Word by word, because the array multiplies all vectors by one tile before the next is
            # loaded.
            out[k, :, : len(inputs)] = x[:, list(inputs)]
        return out.reshape(-1, self.params.rows)

    def outputs(self, words: IntArray, n: int) -> IntArray:
        """Accumulators int64[n, outputs] of the words int[tiles * n, columns] that come back."""
        # Tile by tile, and within each vector by vector: as they leave the accumulators.
        tiles = words.reshape(self.plans[-1].tiles, n, self.params.columns)
        flat = np.moveaxis(tiles, 0, 1).reshape(n, -1)
        return flat[:, : self.network.layers[-1].outputs]

    def tables(self) -> dict[SystolicTable, NDArray[np.uint32]]:
        """Configuration words uint32[rows, chunks] of every table."""
        params = self.params
        weights = np.zeros((params.weight_words, params.columns), np.int64)
        at = 0
        for fold in self.folds:
            block = np.zeros((fold.loads, params.columns), np.int64)
            block[: len(fold.inputs), : fold.columns] = self.weights(fold)
            if params.loading is Loading.SHIFT:
                block = block[::-1]  # the first word goes deepest
            weights[at : at + fold.loads] = block
            at += fold.loads
        columns = {SystolicTable.LAYERS: self._layers(), SystolicTable.WEIGHTS: {"weight": weights}}
        if params.bias_bits:
            biases = np.zeros((params.bias_words, params.columns), np.int64)
            at = 0
            for plan in self.plans:
                padded = np.zeros(plan.tiles * params.columns, np.int64)
                padded[: plan.layer.outputs] = plan.layer.bias
                biases[at : at + plan.tiles] = padded.reshape(-1, params.columns)
                at += plan.tiles
            columns[SystolicTable.BIASES] = {"bias": biases}
        return {key: pack_table(params.tables[key], value) for key, value in columns.items()}

    def _layers(self) -> dict[str, IntArray]:
        """Rows of the table of layers; counts are stored less one."""
        params = self.params
        names = [field.name for field in params.tables[SystolicTable.LAYERS].fields]
        rows = {name: np.zeros(params.layers, np.int64) for name in names}
        for k, plan in enumerate(self.plans):
            how = plan.layer.requantisation
            # The last tile of outputs may be narrower than the array.
            used = plan.layer.outputs - (plan.tiles - 1) * params.columns
            entry = {
                "words": len(plan.words) - 1,
                "tiles": plan.tiles - 1,
                "rows": plan.rows - 1,
                "last_rows": len(plan.words[-1]) - 1,
                "last_columns": used - 1,
                "source": plan.source,
                "target": plan.target,
                "final": int(plan.final),
            }
            if how is not None:
                entry["multiplier"] = how.multiplier
                entry["shift"] = params.shifts.index(how.shift)
                entry["rounding"] = params.roundings.index(how.rounding)
                entry["clip_max"] = how.clip_max
            for name, value in entry.items():
                # A field of no bits is not in the table: there is but one value it could have.
                if name in rows:
                    rows[name][k] = value
        return rows

    def config_words(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Addresses and values, uint32[n] each, that load the program."""
        tables = self.tables()
        addresses = [table_addresses(self.params.tables[key]).ravel() for key in tables]
        return np.concatenate(addresses), np.concatenate([w.ravel() for w in tables.values()])


def _needs(network: QuantisedNetwork, params: SystolicParams, batch: int) -> dict[str, int]:
    """Smallest value of every size that holds the network on an array like that of ``params``."""
    within("batch", batch, 1, SYSTOLIC_LIMITS["batch"])
    plans = lay_out(network, params, batch)
    hows = [layer.requantisation for layer in network.layers]
    per_row = params.banks if params.wide else 1
    rows = [-(-len(plan.words) // per_row) * batch for plan in plans]
    bias = np.concatenate([layer.bias for layer in network.layers])
    widest = max(int(b if b >= 0 else ~b).bit_length() for b in bias)
    return {
        "activation_bits": network.activation_bits,
        "weight_bits": network.weight_bits,
        "accumulator_bits": network.accumulator_bits,
        "bias_bits": 1 + widest if bias.any() else 0,
        "multiplier_bits": max((h.multiplier.bit_length() for h in hows if h), default=1),
        "layers": len(plans),
        "weight_words": sum(fold.loads for fold in list_folds(plans, params)),
        "bias_words": sum(plan.tiles for plan in plans),
        "activation_rows": max([rows[0], *(a + b for a, b in pairwise(rows))]),
        "accumulator_rows": plans[-1].tiles * batch,
        "batch": batch,
    }


def fit_systolic(network: QuantisedNetwork, *, batch: int = 1, **options: Any) -> SystolicParams:
    """Return the smallest core that holds the network and a batch.

    Every memory is sized to both and the datapath is built for what the layers use. ``options``
    are those of `SystolicParams` that are free: ``rows``, ``columns``, ``loading``, …

    Raises
    ------
    CapacityError
        Names the size that no core can have.
    ParameterError
        An option, or the batch, out of its range.
    """
    hows = [layer.requantisation for layer in network.layers]
    built = {
        "shifts": tuple(sorted({how.shift for how in hows if how})) or (0,),
        "roundings": tuple(sorted({how.rounding for how in hows if how})) or (Rounding.FLOOR,),
    }
    # Sizes of memories follow from the array alone, so that those of a default core do no harm.
    needs = _needs(network, SystolicParams(**built, **options), batch)
    try:
        return SystolicParams(**needs, **built, **options)
    except ParameterError as error:
        raise CapacityError(f"network {network.name!r} fits no core: {error}") from None


def map_quantised(network: QuantisedNetwork, *, batch: int = 1, **options: Any) -> SystolicProgram:
    """Place a network on the smallest core that holds it; arguments as of `fit_systolic`."""
    return SystolicProgram(fit_systolic(network, batch=batch, **options), network, batch)
