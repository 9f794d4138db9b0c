"""Parameters of one core: a description that models and hardware both read."""

from dataclasses import dataclass
from functools import cached_property

from spikewatt.base.errors import ParameterError
from spikewatt.model.params.checks import choice, power_of_two, within
from spikewatt.model.params.fabric import Fabric
from spikewatt.model.params.neuron import LEAK_FRACTION_BITS, Compare, Leak, NeuronType, Reset
from spikewatt.model.params.tables import (
    CONFIG_TABLE_SHIFT,
    Field,
    Table,
    TableId,
    bits_for,
    core_tables,
)

__all__ = ["DEFAULT_SHIFTS", "LIMITS", "CoreParams"]

DEFAULT_SHIFTS = (1, 2, 3, 4, 5, 6, 7, 8)
"""Leak shifts that are built by default, as far as the membrane is wide."""

LIMITS = {
    "neurons": 1 << 16,
    "axons": 1 << 16,
    "synapse_words": 1 << 20,
    "destinations": 1 << 20,
    "delay_slots": 64,
    "refractory_bits": 8,
    "window_bits": 12,
    "types": 16,
    "lanes": 64,
}
"""Largest value of each size of one core."""


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
        Width of a bias, signed, 0 to 32; 0 leaves the biases out.
    lanes:
        Synapse units that work side by side, 1 to 64: neurons of one group.
    delay_slots:
        Scheduler slots D, a power of two from 2 to 64; delays are 1 to D-1 ticks.
    scheduler_bits:
        Axons in one scheduler word, a power of two from 1 to 64; by default 32, on an FPGA 8.
    synapse_words:
        Rows of the synapse SRAM, ``lanes`` weights each; by default all axons to all neurons.
    destinations:
        Entries of the destination-list SRAM; by default one for each neuron.
    refractory_bits:
        Width of the refractory counter, 0 to 8; 0 leaves it out.
    window_bits:
        Width of the counter of ticks that windows need, 0 to 12; 0 leaves windows out. It stays at
        its highest value, so the latest window ends there at the latest.
    types:
        Neuron types the core can hold at once, 1 to 16.
    leaks, shifts, resets, compares:
        What the datapath is built for. ``shifts`` are the values of ``k`` that
        ``Leak.SHIFT`` can be given; by default 1 to 8, as far as the membrane is wide.
    hop_bits:
        Width of the signed relative offsets (dx, dy) of a destination, 1 to 10.
    clock_gating:
        Stop the core's clock while it has nothing to do; by default on an ASIC.
    fabric:
        What the core is built on, which changes its cycles and its netlist, never its results.

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
    scheduler_bits: int = 0
    synapse_words: int = 0
    destinations: int = 0
    refractory_bits: int = 4
    window_bits: int = 0
    types: int = 4
    leaks: tuple[Leak, ...] = tuple(Leak)
    shifts: tuple[int, ...] = DEFAULT_SHIFTS
    resets: tuple[Reset, ...] = tuple(Reset)
    compares: tuple[Compare, ...] = tuple(Compare)
    hop_bits: int = 5
    clock_gating: bool | None = None
    fabric: Fabric = Fabric.ASIC

    def __post_init__(self) -> None:
        if self.fabric not in set(Fabric):
            raise ParameterError(f"fabric must be one of {', '.join(Fabric)}, not {self.fabric!r}")
        object.__setattr__(self, "fabric", Fabric(self.fabric))
        # A gate would take the clock off an FPGA's clock network.
        if self.clock_gating is None:
            object.__setattr__(self, "clock_gating", self.fabric is Fabric.ASIC)
        if not self.scheduler_bits:
            object.__setattr__(self, "scheduler_bits", 8 if self.registered else 32)
        self._check_sizes()
        # By identity: shifts that were asked for are refused where they are too long, not left out.
        if self.shifts is DEFAULT_SHIFTS:
            narrow = tuple(k for k in DEFAULT_SHIFTS if k < self.state_bits)
            object.__setattr__(self, "shifts", narrow)
        if not self.synapse_words:
            object.__setattr__(self, "synapse_words", self.axons * self.groups)
        if not self.destinations:
            object.__setattr__(self, "destinations", self.neurons)
        for name in ("synapse_words", "destinations"):
            within(name, getattr(self, name), 1, LIMITS[name])
        choice("leaks", self.leaks, Leak)
        choice("resets", self.resets, Reset)
        choice("compares", self.compares, Compare)
        if Leak.SHIFT in self.leaks and not self.shifts:
            raise ParameterError("shifts must not be empty when leaks hold Leak.SHIFT")
        for shift in self.shifts:
            within("shifts", shift, 1, self.state_bits - 1)
        for table in self.tables.values():
            if (table.rows << table.chunk_bits) > 1 << CONFIG_TABLE_SHIFT:
                raise ParameterError(
                    f"table {table.id.name} must hold at most 2^{CONFIG_TABLE_SHIFT} "
                    f"configuration words, not {table.rows << table.chunk_bits}"
                )

    def _check_sizes(self) -> None:
        for name in ("neurons", "axons", "lanes", "types"):
            within(name, getattr(self, name), 1, LIMITS[name])
        within("weight_bits", self.weight_bits, 1, 9)
        within("state_bits", self.state_bits, 4, 32)
        within("bias_bits", self.bias_bits, 0, 32)
        if self.neurons % self.lanes:
            raise ParameterError(f"lanes must divide neurons ({self.neurons}), not {self.lanes!r}")
        within("delay_slots", self.delay_slots, 2, LIMITS["delay_slots"])
        power_of_two("delay_slots", self.delay_slots)
        within("scheduler_bits", self.scheduler_bits, 1, 64)
        power_of_two("scheduler_bits", self.scheduler_bits)
        within("refractory_bits", self.refractory_bits, 0, LIMITS["refractory_bits"])
        within("window_bits", self.window_bits, 0, LIMITS["window_bits"])
        within("hop_bits", self.hop_bits, 1, 10)

    @property
    def registered(self) -> bool:
        """Registers follow the memories, and words are written whole."""
        return self.fabric is not Fabric.ASIC

    @property
    def awake_bits(self) -> int:
        """Groups whose awake bits share a word."""
        return min(8 if self.registered else 32, self.groups)

    @property
    def groups(self) -> int:
        """Groups of ``lanes`` neurons that are updated together."""
        return self.neurons // self.lanes

    @property
    def accumulator_bits(self) -> int:
        """Width that holds any sum of one weight of every axon: sums are exact."""
        # Axons of the most negative weight, which is a power of two, just fit. Weights of one bit
        # have no sign, and their sum needs one.
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

    @cached_property
    def tables(self) -> dict[TableId, Table]:
        """Every table the configuration port reaches, with its row layout."""
        return core_tables(self)  # pyright: ignore[reportArgumentType]  # one class, two paths

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
        within(f"leak_amount of {kind.leak.name}", kind.leak_amount, 0, limit)
        if kind.leak is Leak.SHIFT and kind.leak_amount not in self.shifts:
            raise ParameterError(
                f"leak shift {kind.leak_amount} is not built into this core: {self.shifts!r}"
            )
        within("refractory", kind.refractory, 0, (1 << self.refractory_bits) - 1)
        if kind.windowed and not self.window_bits:
            raise ParameterError("a window is not built into this core: its window_bits is 0")
        within("window's end (first + ticks)", kind.window_end, 0, (1 << self.window_bits) - 1)

    @property
    def event_fields(self) -> tuple[Field, ...]:
        """Payload of the event stream: the axon that an event arrives at, and its delay."""
        return Field("axon", self.axon_bits), Field("delay", self.slot_bits)

    @cached_property
    def membrane_range(self) -> tuple[int, int]:
        """Lowest and highest membrane, both included."""
        half = 1 << self.state_bits - 1
        return -half, half - 1
