"""Cells of a library: their state, leakage and kind."""

from collections.abc import Callable, Iterator, Sequence

from spikewatt.synth.liberty.function import Function
from spikewatt.synth.liberty.library import Cell, FlipFlop, Latch, Pin, StateLeakage, Supply
from spikewatt.synth.liberty.pins import Buses, expression, read_pins, state_names
from spikewatt.synth.liberty.syntax import Group
from spikewatt.synth.liberty.tables import Tables

__all__ = ["read_cell"]

_BOTH = ("L", "H", "N", "T", "X")
_FLIP_FLOPS = ("ff", "ff_bank")
_LATCHES = ("latch", "latch_bank")


def read_cell(group: Group, library: Group, tables: Tables) -> Cell:
    """The cell that ``group`` describes.

    Raises
    ------
    FlawError
        Something in it is not Liberty, or is what no pricing can use.
    """
    pins, buses = read_pins(group, library, tables)
    states = tuple(
        state
        for declared in group.every(*_FLIP_FLOPS, *_LATCHES)
        for state in _states(declared, buses)
    )
    clock_gate = group.text("clock_gating_integrated_cell")
    statetable = bool(group.every("statetable"))
    _check_names(group, pins, states)
    known = bool(states) or clock_gate is not None or statetable
    return Cell(
        name=group.name,
        area=group.number("area") or 0.0,
        pins=pins,
        states=states,
        clock_gate=clock_gate,
        statetable=statetable,
        leakage=_leakage(group, library) * tables.units.leakage,
        leakage_states=_leakage_states(group, tables.units.leakage),
        dont_use=group.flag("dont_use"),
        macro=_is_macro(group, pins, known),
        power_pins=dict(_power_pins(group)),
    )


def _power_pins(group: Group) -> Iterator[tuple[str, Supply]]:
    for pin in group.every("pg_pin"):
        kind = pin.text("pg_type") or ""
        for name in pin.names:
            yield name, "power" if "power" in kind else "ground" if "ground" in kind else "well"


def _is_macro(group: Group, pins: dict[str, Pin], known: bool) -> bool:
    if group.every("memory") or group.flag("is_macro_cell") or group.flag("is_memory_cell"):
        return True
    # An output of which nothing is said: a memory, or a cell that we could only guess.
    return not known and any(
        pin.direction in ("output", "inout") and pin.function is None for pin in pins.values()
    )


def _states(group: Group, buses: Buses) -> Iterator[FlipFlop | Latch]:
    """The state of a group, or those of a bank, bit by bit."""
    names = state_names(group)
    bits = len(names[0])
    for place, (state, inverted) in enumerate(zip(*names, strict=True)):

        def of_bit(attribute: str, place: int = place) -> Function | None:
            function = expression(group, attribute)
            # In a bank a bus stands for its bit of the same place.
            own = {name: bus[place] for name, bus in buses.items() if len(bus) == bits > 1}
            return function.renamed(own) if function is not None and own else function

        if group.kind in _FLIP_FLOPS:
            yield _flip_flop(group, state, inverted, of_bit)
        else:
            yield _latch(group, state, inverted, of_bit)


def _flip_flop(
    group: Group, state: str, inverted: str, read: Callable[[str], Function | None]
) -> FlipFlop:
    return FlipFlop(
        state=state,
        inverted=inverted,
        next_state=_needed(group, "next_state", read),
        clocked_on=_needed(group, "clocked_on", read),
        clear=read("clear"),
        preset=read("preset"),
        both=_both(group, "clear_preset_var1"),
        both_inverted=_both(group, "clear_preset_var2"),
    )


def _latch(
    group: Group, state: str, inverted: str, read: Callable[[str], Function | None]
) -> Latch:
    return Latch(
        state=state,
        inverted=inverted,
        data_in=read("data_in"),
        enable=read("enable"),
        clear=read("clear"),
        preset=read("preset"),
        both=_both(group, "clear_preset_var1"),
        both_inverted=_both(group, "clear_preset_var2"),
    )


def _needed(group: Group, attribute: str, read: Callable[[str], Function | None]) -> Function:
    function = read(attribute)
    if function is None:
        raise group.flaw(f"{group.kind} has no {attribute}: add it")
    return function


def _both(group: Group, attribute: str) -> str:
    text = group.text(attribute) or "L"
    if text not in _BOTH:
        raise group.flaw(f"{attribute} must be one of {', '.join(_BOTH)}, not {text!r}", attribute)
    return text


def _check_names(group: Group, pins: dict[str, Pin], states: Sequence[FlipFlop | Latch]) -> None:
    """Every name in a function must be a pin or a state of the cell."""
    known = set(pins)
    functions = [f for pin in pins.values() for f in (pin.function, pin.three_state)]
    for state in states:
        known |= {state.state, state.inverted}
        functions += [f for f in vars(state).values() if isinstance(f, Function)]
    for function in functions:
        for name in function.inputs if function else ():
            if name not in known:
                raise group.flaw(
                    f"cell {group.name}: {name!r} in {str(function)!r} is no pin of it"
                )


def _leakage(group: Group, library: Group) -> float:
    # 0 is a value, and no reason for the default.
    own = group.number("cell_leakage_power")
    return own if own is not None else library.number("default_cell_leakage_power") or 0.0


def _leakage_states(group: Group, unit: float) -> tuple[StateLeakage, ...]:
    states: list[StateLeakage] = []
    for state in group.every("leakage_power"):
        value = state.number("value")
        if value is None:
            raise state.flaw("leakage_power has no value: add it")
        states.append(StateLeakage(expression(state, "when"), value * unit))
    return tuple(states)
