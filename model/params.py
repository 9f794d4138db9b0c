"""Parameters of the neuromorphic core: one description that models and hardware both read."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from spikewatt.model.errors import ParameterError

__all__ = [
    "CONFIG_ADDRESS_BITS",
    "CONFIG_DATA_BITS",
    "LEAK_FRACTION_BITS",
    "LIMITS",
    "Compare",
    "CoreParams",
    "Field",
    "Leak",
    "NeuronType",
    "Reset",
    "Table",
    "TableId",
    "bits_for",
]

CONFIG_DATA_BITS = 32
"""Width of a configuration value."""
CONFIG_ADDRESS_BITS = 28
"""Width of a configuration address: table, row and chunk."""
CONFIG_TABLE_SHIFT = 24
"""Address bit at which the table's number begins."""
LEAK_FRACTION_BITS = 12
"""Fraction bits of the leak multiplier: ``v`` becomes ``floor(v * m / 4096)``."""


def bits_for(count: int) -> int:
    """Bits that number ``count`` things: ``ceil(log2(count))``."""
    return (count - 1).bit_length() if count > 1 else 0


def _within(name: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ParameterError(f"{name} must be an integer from {low} to {high}, not {value!r}")


def _power_of_two(name: str, value: int) -> None:
    if value & (value - 1):
        raise ParameterError(f"{name} must be a power of two, not {value!r}")


def _choice(name: str, values: Iterable[int], kind: type[IntEnum]) -> None:
    if not values or len(set(values)) != len(tuple(values)):
        raise ParameterError(f"{name} must name each {kind.__name__} once, not {values!r}")
    if not all(isinstance(value, kind) for value in values):
        raise ParameterError(f"{name} must hold members of {kind.__name__}, not {values!r}")


LIMITS = {
    "neurons": 1 << 16,
    "axons": 1 << 16,
    "synapse_words": 1 << 20,
    "destinations": 1 << 20,
    "delay_slots": 64,
    "refractory_bits": 8,
    "types": 16,
    "lanes": 64,
}
"""Largest value of each size of one core."""


class Leak(IntEnum):
    """What a membrane loses in a tick, before it integrates."""

    NONE = 0
    SUBTRACT = 1
    SHIFT = 2
    MULTIPLY = 3


class Reset(IntEnum):
    """What a spike does to the membrane."""

    ZERO = 0
    SUBTRACT = 1
    NONE = 2


class Compare(IntEnum):
    """How the membrane is held against the threshold."""

    GREATER_EQUAL = 0
    GREATER = 1


class TableId(IntEnum):
    """Number of a table in the configuration map."""

    ROWS = 0
    SYNAPSES = 1
    NEURONS = 2
    TYPES = 3
    STATE = 4
    FANOUT = 5
    DESTINATIONS = 6
    SCHEDULER = 7


@dataclass(frozen=True, kw_only=True)
class NeuronType:
    """Behaviour shared by all neurons of a group.

    Parameters
    ----------
    leak, leak_amount:
        Kind of leak and its parameter: the value subtracted, the shift ``k``, or the multiplier
        ``m`` in 1/4096.
    reset:
        What happens to the membrane at a spike.
    compare:
        Whether a membrane equal to the threshold fires.
    refractory:
        Ticks after a spike in which the neuron holds its membrane and discards its input.
    silent:
        A silent neuron integrates and never fires: a readout.
    """

    leak: Leak = Leak.NONE
    leak_amount: int = 0
    reset: Reset = Reset.ZERO
    compare: Compare = Compare.GREATER_EQUAL
    refractory: int = 0
    silent: bool = False

    def __post_init__(self) -> None:
        _within("leak_amount", self.leak_amount, 0, (1 << 31) - 1)
        _within("refractory", self.refractory, 0, 255)
        if not isinstance(self.silent, bool):
            raise ParameterError(f"silent must be true or false, not {self.silent!r}")


@dataclass(frozen=True)
class Field:
    """A named run of bits in a table's row; ``count`` of them side by side, lowest first."""

    name: str
    bits: int
    signed: bool = False
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Table:
    """Geometry of one memory as the configuration port sees it."""

    id: TableId
    rows: int
    fields: tuple[Field, ...]

    @cached_property
    def bits(self) -> int:
        """Width of a row."""
        return sum(field.bits * field.count for field in self.fields)

    @property
    def chunks(self) -> int:
        """Configuration words in a row."""
        return max(1, -(-self.bits // CONFIG_DATA_BITS))

    @property
    def chunk_bits(self) -> int:
        """Address bits that choose the chunk."""
        return bits_for(self.chunks)

    def address(self, row: int, chunk: int = 0) -> int:
        """Configuration address of a chunk of a row."""
        return self.id << CONFIG_TABLE_SHIFT | row << self.chunk_bits | chunk


@dataclass(frozen=True, kw_only=True)
class CoreParams:
    """Sizes and abilities of one neuromorphic core.

    Parameters
    ----------
    neurons, axons:
        Neurons (a multiple of ``lanes``) and axons, 1 to 65 536 each.
    weight_bits:
        Width of a synaptic weight, 1 to 9; signed, but 1-bit weights are {0, 1}.
    state_bits:
        Width of a membrane, signed, 4 to 32. Thresholds are non-negative membranes.
    bias_bits:
        Width of a bias, signed; 0 leaves the biases out.
    lanes:
        Synapse units that work side by side, 1 to 64: neurons of one group.
    delay_slots:
        Scheduler slots D, a power of two from 2 to 64; delays are 1 to D-1 ticks.
    scheduler_bits:
        Axons in one scheduler word, a power of two from 1 to 64.
    synapse_words:
        Rows of the synapse SRAM, ``lanes`` weights each; by default all axons to all neurons.
    destinations:
        Entries of the destination-list SRAM; by default one for each neuron.
    refractory_bits:
        Width of the refractory counter, 0 to 8; 0 leaves it out.
    types:
        Neuron types the core can hold at once, 1 to 16.
    leaks, shifts, resets, compares:
        What the datapath is built for. ``shifts`` are the values of ``k`` that
        ``Leak.SHIFT`` can be given.
    hop_bits:
        Width of the signed relative offsets (dx, dy) of a destination, 1 to 10.
    clock_gating:
        Stop the core's clock while it has nothing to do.

    Raises
    ------
    ParameterError
        Names the parameter, its range and the value.
    """

    neurons: int = 256
    axons: int = 256
    weight_bits: int = 8
    state_bits: int = 16
    bias_bits: int = 8
    lanes: int = 8
    delay_slots: int = 16
    scheduler_bits: int = 32
    synapse_words: int = 0
    destinations: int = 0
    refractory_bits: int = 4
    types: int = 4
    leaks: tuple[Leak, ...] = tuple(Leak)
    shifts: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    resets: tuple[Reset, ...] = tuple(Reset)
    compares: tuple[Compare, ...] = tuple(Compare)
    hop_bits: int = 5
    clock_gating: bool = True

    def __post_init__(self) -> None:
        self._check_sizes()
        if not self.synapse_words:
            object.__setattr__(self, "synapse_words", self.axons * self.groups)
        if not self.destinations:
            object.__setattr__(self, "destinations", self.neurons)
        for name in ("synapse_words", "destinations"):
            _within(name, getattr(self, name), 1, LIMITS[name])
        _choice("leaks", self.leaks, Leak)
        _choice("resets", self.resets, Reset)
        _choice("compares", self.compares, Compare)
        if Leak.SHIFT in self.leaks and not self.shifts:
            raise ParameterError("shifts must not be empty when leaks hold Leak.SHIFT")
        for shift in self.shifts:
            _within("shifts", shift, 1, self.state_bits - 1)
        for table in self.tables.values():
            if (table.rows << table.chunk_bits) > 1 << CONFIG_TABLE_SHIFT:
                raise ParameterError(
                    f"table {table.id.name} must hold at most 2^{CONFIG_TABLE_SHIFT} "
                    f"configuration words, not {table.rows << table.chunk_bits}"
                )

    def _check_sizes(self) -> None:
        for name in ("neurons", "axons", "lanes", "types"):
            _within(name, getattr(self, name), 1, LIMITS[name])
        _within("weight_bits", self.weight_bits, 1, 9)
        _within("state_bits", self.state_bits, 4, 32)
        _within("bias_bits", self.bias_bits, 0, self.state_bits)
        if self.neurons % self.lanes:
            raise ParameterError(f"lanes must divide neurons ({self.neurons}), not {self.lanes!r}")
        _within("delay_slots", self.delay_slots, 2, LIMITS["delay_slots"])
        _power_of_two("delay_slots", self.delay_slots)
        _within("scheduler_bits", self.scheduler_bits, 1, 64)
        _power_of_two("scheduler_bits", self.scheduler_bits)
        _within("refractory_bits", self.refractory_bits, 0, LIMITS["refractory_bits"])
        _within("hop_bits", self.hop_bits, 1, 10)

    @property
    def groups(self) -> int:
        """Groups of ``lanes`` neurons that are updated together."""
        return self.neurons // self.lanes

    @property
    def accumulator_bits(self) -> int:
        """Width that holds any sum of one weight of every axon: sums are exact."""
        return self.weight_bits + bits_for(self.axons) + (self.weight_bits == 1)

    @property
    def slot_bits(self) -> int:
        """Width of a scheduler slot's number, and of a delay."""
        return bits_for(self.delay_slots)

    @property
    def axon_bits(self) -> int:
        """Width of an axon's number."""
        return max(1, bits_for(self.axons))

    @property
    def group_bits(self) -> int:
        """Width of a group's number."""
        return max(1, bits_for(self.groups))

    @property
    def scheduler_words(self) -> int:
        """Scheduler words of one slot."""
        return -(-self.axons // self.scheduler_bits)

    @property
    def leak_amount_bits(self) -> int:
        """Width of a leak's parameter in the table of types."""
        return max(self.state_bits - 1, LEAK_FRACTION_BITS)

    @property
    def lane_state_bits(self) -> int:
        """Width of one neuron's state: membrane and refractory counter."""
        return self.state_bits + self.refractory_bits

    @cached_property
    def tables(self) -> dict[TableId, Table]:
        """Every table the configuration port reaches, with its row layout."""
        lanes, groups = self.lanes, self.groups
        word_bits = max(1, bits_for(self.synapse_words))
        entry_bits = max(1, bits_for(self.destinations))
        type_bits = bits_for(self.types)

        def field(name: str, bits: int, signed: bool = False, count: int = 1) -> list[Field]:
            return [Field(name, bits, signed, count)] if bits else []

        layout: dict[TableId, tuple[int, list[Field]]] = {
            TableId.ROWS: (
                self.axons,
                field("offset", word_bits)
                + field("first", self.group_bits)
                + field("last", self.group_bits)
                + field("present", 1),
            ),
            TableId.SYNAPSES: (
                self.synapse_words,
                field("weight", self.weight_bits, self.weight_bits > 1, lanes),
            ),
            TableId.NEURONS: (
                groups,
                field("threshold", self.state_bits - 1, count=lanes)
                + field("bias", self.bias_bits, True, lanes)
                + field("type", type_bits),
            ),
            TableId.TYPES: (
                self.types,
                field("leak", 2)
                + field("leak_amount", self.leak_amount_bits)
                + field("reset", 2)
                + field("compare", 1)
                + field("silent", 1)
                + field("refractory", self.refractory_bits),
            ),
            TableId.STATE: (
                groups,
                field("membrane", self.state_bits, True, lanes)
                + field("refractory", self.refractory_bits, count=lanes),
            ),
            TableId.FANOUT: (
                groups << bits_for(lanes),
                field("start", entry_bits) + field("count", bits_for(self.destinations + 1)),
            ),
            TableId.DESTINATIONS: (
                self.destinations,
                field("axon", self.axon_bits)
                + field("delay", self.slot_bits)
                + field("dx", self.hop_bits, True)
                + field("dy", self.hop_bits, True),
            ),
            TableId.SCHEDULER: (
                self.scheduler_words << self.slot_bits,
                field("spikes", self.scheduler_bits),
            ),
        }
        return {
            key: Table(id=key, rows=rows, fields=tuple(fields))
            for key, (rows, fields) in layout.items()
        }

    def check_type(self, kind: NeuronType) -> None:
        """Raise `ParameterError` when the datapath is not built for ``kind``."""
        for name, value, built in (
            ("leak", kind.leak, self.leaks),
            ("reset", kind.reset, self.resets),
            ("compare", kind.compare, self.compares),
        ):
            if value not in built:
                raise ParameterError(f"{name} {value.name} is not built into this core: {built!r}")
        limit = {
            Leak.NONE: 0,
            Leak.SUBTRACT: (1 << self.state_bits - 1) - 1,
            Leak.SHIFT: self.state_bits - 1,
            Leak.MULTIPLY: (1 << LEAK_FRACTION_BITS) - 1,
        }[kind.leak]
        _within(f"leak_amount of {kind.leak.name}", kind.leak_amount, 0, limit)
        if kind.leak is Leak.SHIFT and kind.leak_amount not in self.shifts:
            raise ParameterError(
                f"leak shift {kind.leak_amount} is not built into this core: {self.shifts!r}"
            )
        _within("refractory", kind.refractory, 0, (1 << self.refractory_bits) - 1)

    @cached_property
    def membrane_range(self) -> tuple[int, int]:
        """Lowest and highest membrane, both included."""
        half = 1 << self.state_bits - 1
        return -half, half - 1

    @property
    def synapse_bits(self) -> int:
        """Bits of the synapse SRAM, for reports."""
        return self.synapse_words * self.lanes * self.weight_bits

    @property
    def table_bits(self) -> int:
        """Bits of all tables together, for reports."""
        return sum(table.rows * table.bits for table in self.tables.values())
