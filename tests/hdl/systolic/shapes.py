"""Small systolic cores that the tests of blocks build: every way to load, to tile and to gate."""

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.systolic.program import SystolicProgram, map_quantised
from spikewatt.model.network.quantised import QuantisedNetwork
from spikewatt.model.params.systolic import Loading, Rounding
from tests.model.quantised_networks import NetworkKind, random_inputs, random_network

__all__ = ["SHAPES", "Shape", "ShapedCase", "case"]

ROWS, SHIFT = Loading
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """Rows, columns and tile of an array, how it is loaded, and letters of its options.

    ``d``: two buffers; ``a``, ``w``: isolate activations, weights; ``i``: gate what is idle.
    """

    rows: int
    columns: int
    tile: tuple[int, int]
    loading: Loading
    flags: str
    batch: int = 4
    biases: bool = True

    @property
    def widest(self) -> int:
        """Neurons of the widest layer: a few tiles, and a rest."""
        return 3 * max(self.rows, self.columns) + 4


SHAPES = {
    "one element": Shape(1, 1, (1, 1), ROWS, "", batch=3),
    "plain": Shape(2, 3, (1, 1), SHIFT, "", biases=False),
    "tall": Shape(5, 2, (1, 1), ROWS, "da"),
    "tall, of tiles": Shape(6, 2, (3, 2), SHIFT, "dwi"),
    "one column": Shape(4, 1, (2, 1), ROWS, "ai"),
    "wide": Shape(3, 7, (1, 1), ROWS, "dw"),
    "one row": Shape(1, 4, (1, 2), SHIFT, "dwi"),
    "one vector": Shape(2, 2, (1, 1), ROWS, "d", batch=1),
    "masked": Shape(4, 2, (1, 1), ROWS, "", batch=2),
    "square": Shape(4, 4, (2, 2), ROWS, "dawi", batch=5),
}


@dataclass(frozen=True)
class ShapedCase:
    """A network on a core of a shape, and a batch of inputs int64[n, inputs]."""

    program: SystolicProgram
    inputs: IntArray

    @property
    def network(self) -> QuantisedNetwork:
        """The network."""
        return self.program.network


def case(name: str, number: int = 0) -> ShapedCase:
    """Case ``number`` of a shape, the same in every run."""
    shape = SHAPES[name]
    rng = np.random.default_rng([zlib.crc32(name.encode()), number])
    kind = NetworkKind(
        activation_bits=4,
        weight_bits=4,
        layers=3,
        widest=shape.widest,
        biases=shape.biases,
        shifts=(2, 5, 7),
        roundings=(Rounding.FLOOR, Rounding.HALF_EVEN),
        multiplier_bits=5,
    )
    network = random_network(rng, kind, name)
    letters = {"d": "double_buffer", "a": "isolate_activations", "w": "isolate_weights"}
    letters |= {"i": "gate_idle"}
    options = {option: letter in shape.flags for letter, option in letters.items()}
    program = map_quantised(
        network,
        batch=shape.batch,
        rows=shape.rows,
        columns=shape.columns,
        tile_rows=shape.tile[0],
        tile_columns=shape.tile[1],
        loading=shape.loading,
        **options,
    )
    count = shape.batch if number % 2 == 0 else int(rng.integers(1, shape.batch + 1))
    return ShapedCase(program, random_inputs(rng, network, count))
