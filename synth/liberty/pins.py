"""Pins of a cell: single ones, and those of buses and bundles one by one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from spikewatt.synth.liberty.function import Function, parse_function
from spikewatt.synth.liberty.library import InternalPower, Pin, Sense, TimingArc
from spikewatt.synth.liberty.syntax import Group
from spikewatt.synth.liberty.tables import Tables

__all__ = ["Buses", "expression", "read_pins", "state_names"]

Direction = Literal["input", "output", "inout", "internal"]

_ARCS = {
    "clear",
    "combinational",
    "combinational_fall",
    "combinational_rise",
    "falling_edge",
    "preset",
    "rising_edge",
    "three_state_disable",
    "three_state_disable_fall",
    "three_state_disable_rise",
    "three_state_enable",
    "three_state_enable_fall",
    "three_state_enable_rise",
}
Buses = Mapping[str, tuple[str, ...]]
"""Names that stand for several pins or states, one for each bit."""

_BANKS = ("ff_bank", "latch_bank")
_GATING = ("clock", "enable", "test", "out", "obs")
_RANGE = re.compile(r"(.*)\[(\d+):(\d+)\]")
_WIDEST = 1 << 16


def expression(group: Group, attribute: str) -> Function | None:
    """An attribute as an expression."""
    text = group.text(attribute)
    if text is None:
        return None
    try:
        return parse_function(text)
    except ValueError as error:
        raise group.flaw(f"{attribute}: {error}", attribute) from None


@dataclass(frozen=True)
class _Bit:
    """One pin, and the bus or bundle that it is a bit of."""

    name: str
    group: Group
    bus: tuple[str, ...] = ()
    place: int = 0

    def aligned(self, names: Sequence[str]) -> bool:
        """Whether a bus of these bits meets this pin's own bus bit by bit."""
        return len(names) == len(self.bus) > 1


def state_names(group: Group) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the states that a group declares, and of their inverses: a bank has one a bit.

    Besides ``(state, inverse)`` there is ``(state)``, and ``(data, state, inverse)``, of which
    OpenSTA leaves out the first as well. A bank ends with its number of bits.
    """
    names, bits = group.names, 1
    if group.kind in _BANKS:
        size = names.pop() if names else ""
        if not size.isdecimal() or not 0 < int(size) <= _WIDEST:
            raise group.flaw(f"{group.kind} must end with its number of bits, not {size!r}")
        bits = int(size)
    if not 1 <= len(names) <= 3:
        raise group.flaw(f"{group.kind} must name its state and the inverse, not {names}")
    if len(names) == 1:
        names.append(f"{names[0]}__inverse")
    if bits == 1:
        return (names[-2],), (names[-1],)
    # No brackets: a bit of a bank is a variable of its own, where the cell is written as Verilog.
    state, inverse = (tuple(f"{name}__{place}" for place in range(bits)) for name in names[-2:])
    return state, inverse


def read_pins(cell: Group, library: Group, tables: Tables) -> tuple[dict[str, Pin], Buses]:
    """Pins of ``cell``, power pins (``pg_pin``) left out; and its buses, bundles and banks."""
    bits: list[_Bit] = []
    buses: dict[str, tuple[str, ...]] = {}
    for group in cell.every("pin", "bus", "bundle"):
        if group.kind == "pin":
            bits += _single(group)
        else:
            several = list(_several(group, cell, library))
            bits += several
            buses[group.name] = several[0].bus
    for bank in cell.every(*_BANKS):
        # A bit of a bank is named after the whole.
        states = state_names(bank)
        buses |= {bits[0].removesuffix("__0"): bits for bits in states if len(bits) > 1}
    maker = _Maker(tables, library, buses)
    return {bit.name: maker.pin(bit) for bit in bits}, buses


@dataclass(frozen=True)
class _Maker:
    tables: Tables
    defaults: Group
    buses: Mapping[str, tuple[str, ...]]

    def pin(self, bit: _Bit) -> Pin:
        group, capacity = bit.group, self.tables.units.capacitance
        direction = self._direction(group)
        nominal = group.number("capacitance")
        rise, fall = group.number("rise_capacitance"), group.number("fall_capacitance")
        if nominal is None:
            # Where the library gives edges alone, the larger one stands for both.
            nominal = max(rise or 0.0, fall or 0.0)
            if rise is None and fall is None and direction != "internal":
                nominal = self.defaults.number(f"default_{direction}_pin_cap") or 0.0
        most = group.number("max_capacitance")
        function = self._aligned(expression(group, "function"), bit)
        return Pin(
            name=bit.name,
            direction=direction,
            capacitance=nominal * capacity,
            rise_capacitance=(nominal if rise is None else rise) * capacity,
            fall_capacitance=(nominal if fall is None else fall) * capacity,
            max_capacitance=None if most is None else most * capacity,
            function=function,
            three_state=self._aligned(expression(group, "three_state"), bit),
            clock=group.flag("clock"),
            gating=next((g for g in _GATING if group.flag(f"clock_gate_{g}_pin")), None),
            timing=tuple(self._timing(bit, function)),
            power=tuple(self._power(bit)),
        )

    @staticmethod
    def _direction(group: Group) -> Direction:
        text = group.text("direction") or ("internal" if group.text("internal_node") else None)
        if text not in get_args(Direction):
            stated = "none" if text is None else repr(text)
            known = ", ".join(get_args(Direction))
            raise group.flaw(f"pin direction must be one of {known}; it is {stated}", "direction")
        return cast(Direction, text)

    def _timing(self, bit: _Bit, function: Function | None) -> Iterator[TimingArc]:
        for group in bit.group.every("timing"):
            kind = group.text("timing_type") or "combinational"
            # Set-up, hold and recovery are constraints and no delays.
            if kind not in _ARCS:
                continue
            tables = {
                name: self.tables.table(_only(group, name), self.tables.units.time)
                for name in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
            }
            when = self._aligned(expression(group, "when"), bit)
            for related in self._related(group, bit):
                sense = self._sense(group, kind, related, function)
                yield TimingArc(related=related, kind=kind, sense=sense, when=when, **tables)

    @staticmethod
    def _sense(group: Group, kind: str, related: str, function: Function | None) -> Sense:
        text = group.text("timing_sense")
        if text in get_args(Sense):
            return cast(Sense, text)
        if text is not None:
            known = ", ".join(get_args(Sense))
            raise group.flaw(f"timing_sense must be one of {known}, not {text!r}", "timing_sense")
        # A library may leave the sense out where the function tells it.
        if kind.startswith("combinational") and function is not None:
            return _unateness(function, related)
        return "non_unate"

    def _power(self, bit: _Bit) -> Iterator[InternalPower]:
        for group in bit.group.every("internal_power"):
            both, rise, fall = (
                self.tables.table(_only(group, name), self.tables.units.energy)
                for name in ("power", "rise_power", "fall_power")
            )
            # `power` is of both edges, unless one has a table of its own.
            rise, fall = rise or both, fall or both
            if rise is None and fall is None:
                continue
            when = self._aligned(expression(group, "when"), bit)
            for related in self._related(group, bit) or [None]:
                yield InternalPower(related=related, when=when, rise=rise, fall=fall)

    def _related(self, group: Group, bit: _Bit) -> list[str]:
        names: list[str] = []
        for word in group.words("related_pin"):
            bits = self.buses.get(word) or _bits(word)
            names += [bits[bit.place]] if bit.aligned(bits) else bits
        for word in group.words("related_bus_pins"):
            names += self.buses.get(word) or _bits(word)
        return list(dict.fromkeys(names))

    def _aligned(self, function: Function | None, bit: _Bit) -> Function | None:
        """``function`` with each bus replaced by its bit at the place of ``bit``."""
        if function is None or not self.buses:
            return function
        names = {
            name: bits[bit.place]
            for name in function.inputs
            if (bits := self.buses.get(name)) and bit.aligned(bits)
        }
        return function.renamed(names) if names else function


def _only(group: Group, kind: str) -> Group | None:
    groups = group.every(kind)
    return groups[-1] if groups else None


def _unateness(function: Function, pin: str) -> Sense:
    """How ``function`` follows ``pin``; non-unate where it is too wide to try."""
    others = tuple(name for name in function.inputs if name != pin)
    # A truth table of 2^16 bits is quick, one of 2^20 is not; no cell of a standard library comes
    # near.
    if pin not in function.inputs or len(others) > 15:
        return "non_unate"
    table, half = function.truth((*others, pin)), 1 << len(others)
    low, high = table & (1 << half) - 1, table >> half
    if low & ~high == 0:
        return "positive_unate"
    return "negative_unate" if high & ~low == 0 else "non_unate"


def _bits(name: str) -> list[str]:
    """``A[3:0]`` as its four names; another name as itself."""
    match = _RANGE.fullmatch(name)
    if match is None or abs(int(match[2]) - int(match[3])) > _WIDEST:
        return [name]
    first, last = int(match[2]), int(match[3])
    step = 1 if last >= first else -1
    return [f"{match[1]}[{k}]" for k in range(first, last + step, step)]


def _single(group: Group) -> Iterator[_Bit]:
    names = group.names
    if not names:
        raise group.flaw("pin has no name: write pin(NAME)")
    for name in names:
        for bit in _bits(name):
            yield _Bit(bit, group)


def _several(group: Group, cell: Group, library: Group) -> Iterator[_Bit]:
    """Pins of a bus or bundle: what it says of all, then what it says of each."""
    names = _members(group, cell, library)
    own = {bit.name: bit.group for inner in group.every("pin") for bit in _single(inner)}
    shared = [inner for inner in group.groups if inner.kind != "pin"]
    for place, name in enumerate(names):
        pin = own.get(name, Group("pin", name, group.offset))
        # What a pin says of itself goes before what its bus says of all.
        merged = Group(
            "pin",
            name,
            pin.offset,
            pin.end,
            {**group.attributes, **pin.attributes},
            shared + pin.groups,
        )
        yield _Bit(name, merged, tuple(names), place)


def _members(group: Group, cell: Group, library: Group) -> list[str]:
    if group.kind == "bundle":
        members = group.words("members")
        if not members:
            raise group.flaw(f"bundle({group.name}) has no members: list them")
        return members
    wanted = group.text("bus_type")
    for kind in [*cell.every("type"), *library.every("type")]:
        if kind.name != wanted:
            continue
        first, last, width = (kind.number(n) for n in ("bit_from", "bit_to", "bit_width"))
        if first is None or last is None:
            first, last = (width or 1) - 1, 0
        return _bits(f"{group.name}[{int(first)}:{int(last)}]")
    raise group.flaw(f"bus({group.name}) is of type {wanted!r}, which is not defined", "bus_type")
