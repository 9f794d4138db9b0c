"""Streams and ports of the systolic core."""

from amaranth.hdl import signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from spikewatt.model.params import bits_for
from spikewatt.model.params.systolic import SystolicParams

__all__ = [
    "FillPort",
    "LoadPort",
    "ResultPort",
    "SystolicProbe",
    "VectorPort",
    "activations_layout",
    "batch_bits",
    "row_bits",
    "sums_layout",
    "weights_layout",
]


def batch_bits(params: SystolicParams) -> int:
    """Width of the number of a vector in its batch, and of a batch less one."""
    return max(1, bits_for(params.batch))


def row_bits(rows: int) -> int:
    """Width of the number of a memory's row."""
    return max(1, bits_for(rows))


def activations_layout(params: SystolicParams) -> data.ArrayLayout:
    """A word of activations: one for each row of the array."""
    return data.ArrayLayout(unsigned(params.activation_bits), params.rows)


def weights_layout(params: SystolicParams) -> data.ArrayLayout:
    """A word of weights: one for each column of the array."""
    return data.ArrayLayout(signed(params.weight_bits), params.columns)


def sums_layout(params: SystolicParams) -> data.ArrayLayout:
    """Accumulators, one for each column."""
    return data.ArrayLayout(signed(params.accumulator_bits), params.columns)


class LoadPort(wiring.Signature):
    """Weights on their way into the array, seen by the loader.

    Members
    -------
    enable : Out(1)
        Take ``weights``.
    row : Out
        The row that takes them; where weights are shifted in, all rows move and the first one takes
        them.
    buffer : Out(1)
        The buffer of the processing elements that takes them.
    weights : Out(weight_bits[columns])
    """

    def __init__(self, params: SystolicParams) -> None:
        super().__init__(
            {
                "enable": Out(1),
                "row": Out(row_bits(params.rows)),
                "buffer": Out(1),
                "weights": Out(weights_layout(params)),
            }
        )


class VectorPort(wiring.Signature):
    """Vectors of activations on their way into the array, seen by the one who sends them.

    Members
    -------
    valid : Out(1)
        A vector enters.
    last : Out(1)
        It is the last one for its tile of weights.
    buffer : Out(1)
        The buffer with that tile.
    last_tile : Out(1)
        The tile is the last one of its layer: it may leave columns unused.
    activations : Out(activation_bits[rows])
    live : Out(rows)
        Rows that take part.
    """

    def __init__(self, params: SystolicParams) -> None:
        super().__init__(
            {
                "valid": Out(1),
                "last": Out(1),
                "buffer": Out(1),
                "last_tile": Out(1),
                "activations": Out(activations_layout(params)),
                "live": Out(params.rows),
            }
        )


class FillPort(wiring.Signature):
    """A word from the host into the unified buffer, seen by the sender.

    Members
    -------
    enable, row, bank, word : Out
    """

    def __init__(self, params: SystolicParams) -> None:
        super().__init__(
            {
                "enable": Out(1),
                "row": Out(row_bits(params.activation_rows)),
                "bank": Out(row_bits(params.banks)),
                "word": Out(activations_layout(params)),
            }
        )


class ResultPort(wiring.Signature):
    """Requantised activations into the unified buffer, seen by the sender.

    Members
    -------
    enable, row : Out
    part : Out
        Which part of a word they are, where a word has several.
    word : Out(activation_bits[columns])
    """

    def __init__(self, params: SystolicParams) -> None:
        word = data.ArrayLayout(unsigned(params.activation_bits), params.columns)
        super().__init__(
            {
                "enable": Out(1),
                "row": Out(row_bits(params.activation_rows)),
                "part": Out(row_bits(params.parts)),
                "word": Out(word),
            }
        )


class SystolicProbe(wiring.Signature):
    """What a test bench or a meter sees of a core: outputs that nothing inside depends on.

    Members
    -------
    result : Out(1)
        A word of requantised activations is written; ``word`` is it.
    word : Out
    weight_read, bias_read, activation_read, activation_write, accumulator_read,
    accumulator_write : Out(1)
        That memory is accessed in this cycle.
    """

    def __init__(self, params: SystolicParams) -> None:
        accesses = (
            "weight_read",
            "bias_read",
            "activation_read",
            "activation_write",
            "accumulator_read",
            "accumulator_write",
        )
        super().__init__(
            {
                "result": Out(1),
                "word": Out(params.columns * params.activation_bits),
                **dict.fromkeys(accesses, Out(1)),
            }
        )
