"""Parameters of a weight-stationary systolic core: a description that models and hardware read."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from spikewatt.base.errors import ParameterError
from spikewatt.model.params.checks import choice, within
from spikewatt.model.params.tables import CONFIG_TABLE_SHIFT, Field, Table, bits_for

__all__ = ["SYSTOLIC_LIMITS", "Loading", "Rounding", "SystolicParams", "SystolicTable"]

SYSTOLIC_LIMITS = {
    "rows": 256,
    "columns": 256,
    "layers": 64,
    "weight_words": 1 << 22,
    "bias_words": 1 << 16,
    "activation_rows": 1 << 20,
    "accumulator_rows": 1 << 20,
    "batch": 1 << 12,
}
"""Largest value of each size of one core."""


class Loading(IntEnum):
    """How weights get into the array."""

    ROWS = 0
    """Each word goes straight to its row."""
    SHIFT = 1
    """Words enter at the top and move down, a row a cycle."""


class Rounding(IntEnum):
    """What requantisation does with the bits that the shift drops."""

    FLOOR = 0
    HALF_UP = 1
    HALF_EVEN = 2


class SystolicTable(IntEnum):
    """Number of a table in the configuration map."""

    LAYERS = 0
    WEIGHTS = 1
    BIASES = 2


@dataclass(frozen=True, kw_only=True)
class SystolicParams:
    """Sizes and abilities of one systolic core.

    Parameters
    ----------
    rows, columns:
        Processing elements of the array, R x C, 1 to 256 each: inputs and outputs of a tile.
    activation_bits:
        Width of an activation, unsigned, 1 to 8.
    weight_bits:
        Width of a weight, signed, 2 to 8.
    accumulator_bits:
        Width of an accumulator, signed, 4 to 40; sums must fit.
    bias_bits:
        Width of a bias, signed, 0 to 32; 0 leaves the biases out.
    multiplier_bits:
        Width of the requantisation's multiplier, unsigned, 1 to 24.
    shifts, roundings:
        What requantisation is built for: shifts of 0 to 40 bits, members of `Rounding`.
    layers:
        Layers that the sequencer can hold, 1 to 64.
    weight_words, bias_words:
        Rows of the weight and bias SRAMs, ``columns`` values each.
    activation_rows:
        Rows of each bank of the unified buffer.
    accumulator_rows:
        Rows of the accumulator SRAM, ``columns`` sums each.
    batch:
        Largest number of inputs that run together.
    tile_rows, tile_columns:
        Processing elements between two pipeline registers; 1 is the plain systolic array. They
        divide ``rows`` and ``columns``.
    loading:
        How weights get into the array.
    double_buffer:
        Load the next tile's weights while this one computes.
    isolate_activations, isolate_weights:
        Keep a zero operand out of the multipliers.
    gate_idle:
        Stop rows and columns that a tile does not use.
    clock_gating:
        Stop the core's clock while it has nothing to do.

    Raises
    ------
    ParameterError
        Names the parameter, its range and the value.
    """

    rows: int = 8
    columns: int = 8
    activation_bits: int = 8
    weight_bits: int = 8
    accumulator_bits: int = 24
    bias_bits: int = 0
    multiplier_bits: int = 16
    shifts: tuple[int, ...] = (16,)
    roundings: tuple[Rounding, ...] = (Rounding.HALF_UP,)
    layers: int = 2
    weight_words: int = 1024
    bias_words: int = 16
    activation_rows: int = 64
    accumulator_rows: int = 32
    batch: int = 32
    tile_rows: int = 1
    tile_columns: int = 1
    loading: Loading = Loading.ROWS
    double_buffer: bool = True
    isolate_activations: bool = False
    isolate_weights: bool = False
    gate_idle: bool = False
    clock_gating: bool = True

    def __post_init__(self) -> None:
        for name, high in SYSTOLIC_LIMITS.items():
            within(name, getattr(self, name), 1, high)
        within("activation_bits", self.activation_bits, 1, 8)
        within("weight_bits", self.weight_bits, 2, 8)
        within("accumulator_bits", self.accumulator_bits, 4, 40)
        within("bias_bits", self.bias_bits, 0, 32)
        within("multiplier_bits", self.multiplier_bits, 1, 24)
        choice("roundings", self.roundings, Rounding)
        if not self.shifts or len(set(self.shifts)) != len(self.shifts):
            raise ParameterError(f"shifts must name each shift once, not {self.shifts!r}")
        for shift in self.shifts:
            within("a member of shifts", shift, 0, 40)
        for name in ("rows", "columns"):
            whole, part = getattr(self, name), getattr(self, f"tile_{name}")
            within(f"tile_{name}", part, 1, whole)
            if whole % part:
                raise ParameterError(f"tile_{name} must divide {name} ({whole}), not {part!r}")
        if not isinstance(self.loading, Loading):
            raise ParameterError(f"loading must be a member of Loading, not {self.loading!r}")
        for table in self.tables.values():
            if table.rows << table.chunk_bits > 1 << CONFIG_TABLE_SHIFT:
                raise ParameterError(
                    f"{table.rows} rows of {table.bits} bits of the table {table.id.name} exceed "
                    f"the {1 << CONFIG_TABLE_SHIFT} words that the configuration port can address"
                )

    @property
    def buffers(self) -> int:
        """Weights that a processing element holds."""
        return 2 if self.double_buffer else 1

    @property
    def row_stages(self) -> int:
        """Pipeline stages from the top of the array to its bottom."""
        return self.rows // self.tile_rows

    @property
    def column_stages(self) -> int:
        """Pipeline stages from the left of the array to its right."""
        return self.columns // self.tile_columns

    def sum_bits(self, row: int) -> int:
        """Width that holds any sum of the products of rows 0..``row``, signed."""
        return self.activation_bits + self.weight_bits + bits_for(row + 1)

    @property
    def banks(self) -> int:
        """Banks of the unified buffer.

        With at least as many columns as rows one bank holds a word of ``rows`` activations, and a
        result fills all banks at once; with fewer columns a word spreads over all banks, and a
        result fills one.
        """
        return -(-max(self.rows, self.columns) // min(self.rows, self.columns))

    @property
    def wide(self) -> bool:
        """Whether a word of activations lies in one bank."""
        return self.columns >= self.rows

    @property
    def parts(self) -> int:
        """Results that make a word of activations: 1 where a result is at least a word."""
        return 1 if self.wide else self.rows // self.columns

    @property
    def lanes(self) -> int:
        """Activations in a row of a bank."""
        return min(self.rows, self.columns)

    @property
    def masks_rows(self) -> bool:
        """Whether rows that a tile does not use have to be told apart."""
        return self.gate_idle or not self.wide

    @property
    def has_live(self) -> bool:
        """Whether a bit beside each activation says that it takes part."""
        return self.isolate_activations or self.gate_idle

    @cached_property
    def tables(self) -> dict[SystolicTable, Table]:
        """Every table the configuration port reaches, with its row layout."""

        def field(name: str, bits: int, signed: bool = False, count: int = 1) -> tuple[Field, ...]:
            return (Field(name, bits, signed, count),) if bits else ()

        columns, row_bits = self.columns, max(1, bits_for(self.activation_rows))
        layer = (
            # Counts are stored less one, so that a full one fits the bits that number its things.
            *field("words", max(1, bits_for(self.activation_rows * self.banks))),
            *field("tiles", max(1, bits_for(self.weight_words))),
            *field("rows", bits_for(self.rows)),
            *field("last_rows", bits_for(self.rows)),
            *field("last_columns", bits_for(columns)),
            *field("source", row_bits),
            *field("target", row_bits),
            *field("multiplier", self.multiplier_bits),
            *field("shift", bits_for(len(self.shifts))),
            *field("rounding", bits_for(len(self.roundings))),
            *field("clip_max", self.activation_bits),
            *field("final", 1),
        )
        layout = {
            SystolicTable.LAYERS: (self.layers, layer),
            SystolicTable.WEIGHTS: (
                self.weight_words,
                field("weight", self.weight_bits, True, columns),
            ),
        }
        if self.bias_bits:
            biases = field("bias", self.bias_bits, True, columns)
            layout[SystolicTable.BIASES] = (self.bias_words, biases)
        return {key: Table(id=key, rows=n, fields=fields) for key, (n, fields) in layout.items()}
