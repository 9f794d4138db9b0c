"""Cells of a library: their state, leakage and kind."""

from spikewatt.synth.liberty.function import Function
from spikewatt.synth.liberty.library import Cell, FlipFlop, Latch, Pin, StateLeakage
from spikewatt.synth.liberty.pins import expression, read_pins
from spikewatt.synth.liberty.syntax import Group
from spikewatt.synth.liberty.tables import Tables

__all__ = ["read_cell"]

_BOTH = ("L", "H", "N", "T", "X")
_BANKS = ("ff_bank", "latch_bank")


def read_cell(group: Group, library: Group, tables: Tables) -> Cell | str:
    """The cell that ``group`` describes, or why it is left out."""
    name = group.name
    states = group.every("ff", "latch")
    # Left out and not refused: a library of a thousand cells may have some that nobody uses.
    if banks := group.every(*_BANKS):
        return f"cell {name} left out: {banks[0].kind} (several bits in one cell) is not read"
    if len(states) > 1:
        return f"cell {name} left out: it holds {len(states)} states, and one is read"
    pins = read_pins(group, library, tables)
    sequential = None
    if states:
        sequential = (_flip_flop if states[0].kind == "ff" else _latch)(states[0])
    clock_gate = group.text("clock_gating_integrated_cell")
    statetable = bool(group.every("statetable"))
    _check_names(group, pins, sequential)
    known = sequential is not None or clock_gate is not None or statetable
    return Cell(
        name=name,
        area=group.number("area") or 0.0,
        pins=pins,
        sequential=sequential,
        clock_gate=clock_gate,
        statetable=statetable,
        leakage=_leakage(group, library) * tables.units.leakage,
        leakage_states=_leakage_states(group, tables.units.leakage),
        dont_use=group.flag("dont_use"),
        macro=_is_macro(group, pins, known),
    )


def _is_macro(group: Group, pins: dict[str, Pin], known: bool) -> bool:
    if group.every("memory") or group.flag("is_macro_cell") or group.flag("is_memory_cell"):
        return True
    # An output of which nothing is said: a memory, or a cell that we could only guess.
    return not known and any(
        pin.direction in ("output", "inout") and pin.function is None for pin in pins.values()
    )


def _flip_flop(group: Group) -> FlipFlop:
    state, inverted = _state_names(group)
    return FlipFlop(
        state=state,
        inverted=inverted,
        next_state=_needed(group, "next_state"),
        clocked_on=_needed(group, "clocked_on"),
        clear=expression(group, "clear"),
        preset=expression(group, "preset"),
        both=_both(group, "clear_preset_var1"),
        both_inverted=_both(group, "clear_preset_var2"),
    )


def _latch(group: Group) -> Latch:
    state, inverted = _state_names(group)
    return Latch(
        state=state,
        inverted=inverted,
        data_in=expression(group, "data_in"),
        enable=expression(group, "enable"),
        clear=expression(group, "clear"),
        preset=expression(group, "preset"),
        both=_both(group, "clear_preset_var1"),
        both_inverted=_both(group, "clear_preset_var2"),
    )


def _state_names(group: Group) -> tuple[str, str]:
    names = group.names
    if len(names) != 2:
        raise group.flaw(f"{group.kind} must name its state and the inverse, not {names}")
    return names[0], names[1]


def _needed(group: Group, attribute: str) -> Function:
    function = expression(group, attribute)
    if function is None:
        raise group.flaw(f"{group.kind} has no {attribute}: add it")
    return function


def _both(group: Group, attribute: str) -> str:
    text = group.text(attribute) or "L"
    if text not in _BOTH:
        raise group.flaw(f"{attribute} must be one of {', '.join(_BOTH)}, not {text!r}", attribute)
    return text


def _check_names(group: Group, pins: dict[str, Pin], sequential: FlipFlop | Latch | None) -> None:
    """Every name in a function must be a pin or a state of the cell."""
    known = set(pins)
    functions = [f for pin in pins.values() for f in (pin.function, pin.three_state)]
    if sequential is not None:
        known |= {sequential.state, sequential.inverted}
        functions += [f for f in vars(sequential).values() if isinstance(f, Function)]
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
