"""What a Liberty library says about its cells, in SI units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikewatt.synth.liberty.function import Function

__all__ = [
    "Cell",
    "FlipFlop",
    "InternalPower",
    "Latch",
    "Library",
    "Pin",
    "Sense",
    "StateLeakage",
    "Supply",
    "Table",
    "TimingArc",
]

FloatArray = NDArray[np.float64]
Sense = Literal["positive_unate", "negative_unate", "non_unate"]
Supply = Literal["power", "ground", "well"]


@dataclass(frozen=True, eq=False)
class Table:
    """A non-linear model: values over input slew and output load.

    Parameters
    ----------
    slew:
        float64[m], s, ascending; ``[0.0]`` for a table that does not depend on it.
    load:
        float64[n], F, ascending; ``[0.0]`` for a table that does not depend on it.
    values:
        float64[m, n]: J for energies, s for delays and slews.
    """

    slew: FloatArray
    load: FloatArray
    values: FloatArray

    def at(self, slew: ArrayLike, load: ArrayLike) -> FloatArray:
        """Values at slews (s) and loads (F) of one shape: bilinear, and linear beyond the table."""
        i, a = _place(self.slew, np.asarray(slew, np.float64))
        j, b = _place(self.load, np.asarray(load, np.float64))
        columns = len(self.load)
        # The table as one row: tens of thousands of short look-ups are mostly NumPy's own calls.
        flat, corner = self.values.ravel(), i * columns + j
        down, right = columns * (len(self.slew) > 1), int(columns > 1)
        c = 1 - b
        low = flat[corner] * c + flat[corner + right] * b
        corner += down
        high = flat[corner] * c + flat[corner + right] * b
        return low * (1 - a) + high * a


def _place(axis: FloatArray, x: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Index of the interval of each ``x``, and how far along it lies."""
    if len(axis) == 1:
        return np.zeros(x.shape, np.int64), np.zeros(x.shape)
    index = axis[1:-1].searchsorted(x, side="right")  # beyond the ends, the outermost interval
    return index, (x - axis[index]) / (axis[index + 1] - axis[index])


@dataclass(frozen=True, eq=False)
class TimingArc:
    """An arc from ``related`` to the pin that holds it.

    ``kind`` is Liberty's ``timing_type`` (``combinational`` if unsaid). Constraints (setup, hold,
    …) are not kept.
    """

    related: str
    kind: str
    sense: Sense
    when: Function | None
    cell_rise: Table | None
    cell_fall: Table | None
    rise_transition: Table | None
    fall_transition: Table | None


@dataclass(frozen=True, eq=False)
class InternalPower:
    """Energy (J) of one transition of the pin that holds it, or of ``related``'s arc to it.

    ``rise`` and ``fall`` are the same table where the library gives one ``power`` table.
    ``related`` is ``None`` where the library names no pin.
    """

    related: str | None
    when: Function | None
    rise: Table | None
    fall: Table | None


@dataclass(frozen=True)
class Pin:
    """A pin. Capacitances in F; power pins (``pg_pin``) are not pins here.

    ``rise_capacitance`` and ``fall_capacitance`` are ``capacitance`` where the library does not
    give them. ``gating`` is the pin's part in an integrated clock gate.
    """

    name: str
    direction: Literal["input", "output", "inout", "internal"]
    capacitance: float = 0.0
    rise_capacitance: float = 0.0
    fall_capacitance: float = 0.0
    max_capacitance: float | None = None
    function: Function | None = None
    three_state: Function | None = None
    clock: bool = False
    gating: Literal["clock", "enable", "test", "out", "obs"] | None = None
    timing: tuple[TimingArc, ...] = ()
    power: tuple[InternalPower, ...] = ()


@dataclass(frozen=True)
class FlipFlop:
    """``ff``: the names of its state and its complement, and what sets them."""

    state: str
    inverted: str
    next_state: Function
    clocked_on: Function
    clear: Function | None = None
    preset: Function | None = None
    both: str = "L"
    """State under clear and preset at once: ``clear_preset_var1``, one of L, H, N, T, X."""
    both_inverted: str = "L"


@dataclass(frozen=True)
class Latch:
    """``latch``: transparent while ``enable`` holds."""

    state: str
    inverted: str
    data_in: Function | None
    enable: Function | None
    clear: Function | None = None
    preset: Function | None = None
    both: str = "L"
    both_inverted: str = "L"


@dataclass(frozen=True)
class StateLeakage:
    """Leakage (W) while ``when`` holds; ``None``: whatever the state."""

    when: Function | None
    watts: float


@dataclass(frozen=True)
class Cell:
    """A cell; ``states`` are its ``ff`` and ``latch`` groups, one for each bit of a bank.

    ``clock_gate`` is Liberty's ``clock_gating_integrated_cell`` (``latch_posedge``, …); such a
    cell need not have a ``latch`` group nor functions. ``statetable`` says whether the cell has a
    state table in place of them.
    """

    name: str
    area: float
    pins: Mapping[str, Pin]
    states: tuple[FlipFlop | Latch, ...] = ()
    clock_gate: str | None = None
    statetable: bool = False
    leakage: float = 0.0
    """``cell_leakage_power``, W."""
    leakage_states: tuple[StateLeakage, ...] = ()
    dont_use: bool = False
    macro: bool = False
    """A memory or other black box: neither function nor state is known."""
    power_pins: Mapping[str, Supply] = field(default_factory=dict)
    """Its ``pg_pin`` groups; what they are connected to is no net of the design."""
    voltage: float | None = None
    """Supply, V, where libraries of several supplies are taken together; else the library's."""
    unusable: str = ""
    """Why an instance of the cell cannot be priced: the line of the file, and what is wrong."""

    @property
    def sequential(self) -> FlipFlop | Latch | None:
        """The first of ``states``: all bits of a bank have one kind and one clock."""
        return self.states[0] if self.states else None


@dataclass(frozen=True)
class Library:
    """A library at its nominal (or default operating) conditions.

    ``voltage`` in V; ``warnings`` say what the reader met and left out.
    """

    name: str
    voltage: float
    cells: Mapping[str, Cell]
    has_power: bool
    """Whether any cell has internal-power tables or leakage."""
    source: str = ""
    warnings: tuple[str, ...] = field(default=())
    digest: str = field(default="", init=False, repr=False, compare=False)
    """Of the text that it was read from; empty for any other, also for a changed copy."""
