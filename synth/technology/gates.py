"""Combinational cells as Liberty."""

from collections.abc import Iterable, Mapping, Sequence

from spikewatt.synth.liberty.function import parse_function
from spikewatt.synth.technology import table
from spikewatt.synth.technology.catalogue import Gate
from spikewatt.synth.technology.energy import Analysis, Event
from spikewatt.synth.technology.writer import attribute, group, lookup, number

__all__ = ["arcs", "gate_cell"]

State = Mapping[str, bool]


def gate_cell(gate: Gate, drive: int) -> list[str]:
    """The cell of a gate."""
    analysis = Analysis(gate)
    # One column more than there are channel pairs: the gap to the next cell.
    columns = 1 + sum(stage.columns for stage in gate.stages)
    body = [attribute("area", number(columns * table.COLUMN_AREA)), *_leakage(analysis)]
    for pin in gate.inputs:
        body += group(f"pin ({pin})", _input(analysis, pin, drive))
    for output in gate.outputs:
        body += group(f"pin ({output})", _output(analysis, output, drive))
    return group(f"cell ({gate.name}_X{drive})", body)


def _leakage(analysis: Analysis) -> list[str]:
    states = list(analysis.states())
    watts = [number(analysis.leakage(state)) for state in states]
    # What tools take that do not know the state: all states alike.
    mean = sum(map(analysis.leakage, states)) / len(states)
    lines = [attribute("cell_leakage_power", number(mean))]
    for value in dict.fromkeys(watts):
        chosen = [s for s, w in zip(states, watts, strict=True) if w == value]
        lines += group("leakage_power ()", [attribute("value", value), *_when(chosen, len(states))])
    return lines


def _when(states: Sequence[State], all_states: int) -> list[str]:
    """``when`` of these states; none where they are all there are."""
    if len(states) == all_states:
        return []
    terms = [
        " & ".join(name if level else f"!{name}" for name, level in state.items())
        for state in states
    ]
    text = terms[0] if len(terms) == 1 else " | ".join(f"({term})" for term in terms)
    return [attribute("when", f'"{text}"')]


def _input(analysis: Analysis, pin: str, drive: int) -> list[str]:
    capacitance = analysis.fed(pin) * table.UNIT_CAPACITANCE
    # Transitions of the pin by which no output moves: they cost energy too, and no arc tells it.
    hidden = [
        (state, event)
        for state in analysis.states(pin)
        for output, event in analysis.events(pin, state).items()
        if output is None and event.units
    ]
    return [
        attribute("direction", "input"),
        attribute("capacitance", number(capacitance)),
        *_power(hidden, 2 ** (len(analysis.gate.inputs) - 1), drive, None),
    ]


def _output(analysis: Analysis, output: str, drive: int) -> list[str]:
    function = analysis.gate.outputs[output]
    most = table.LOADS[-1] * drive
    lines = [
        attribute("direction", "output"),
        attribute("max_capacitance", number(most)),
        attribute("function", f'"{function}"'),
    ]
    for pin in analysis.gate.inputs:
        moves = [
            (state, events[output])
            for state in analysis.states(pin)
            if output in (events := analysis.events(pin, state))
        ]
        lines += arcs(analysis, pin, output, drive, _sense(function, pin))
        lines += _power(moves, len(moves), drive, pin)
    return lines


def _power(
    cases: list[tuple[dict[str, bool], Event]], states: int, drive: int, related: str | None
) -> list[str]:
    """Internal power: one group for the states that cost the same."""
    lines: list[str] = []
    # States that cost the same share a group: fewer tables, and exactly the same sums.
    for event in dict.fromkeys(event for _, event in cases):
        body = [attribute("related_pin", f'"{related}"')] if related else []
        body += _when([state for state, same in cases if same == event], states)
        body += lookup("power", drive, event.energy)
        lines += group("internal_power ()", body)
    return lines


def _sense(function: str, pin: str) -> str:
    parsed = parse_function(function)
    others = tuple(name for name in parsed.inputs if name != pin)
    truth, half = parsed.truth((*others, pin)), 1 << len(others)
    low, high = truth & (1 << half) - 1, truth >> half
    if not low & ~high:
        return "positive_unate"
    return "negative_unate" if not high & ~low else "non_unate"


def arcs(analysis: Analysis, pin: str, output: str, drive: int, sense: str) -> list[str]:
    """Delays and slews from ``pin`` to ``output``."""
    edges: Iterable[tuple[str, float]] = (("rise", table.PULL_UP), ("fall", table.PULL_DOWN))
    body = [attribute("related_pin", f'"{pin}"'), attribute("timing_sense", sense)]
    for edge, factor in edges:
        for kind, which in ((f"cell_{edge}", 0), (f"{edge}_transition", 1)):

            def value(
                slew: float, load: float, which: int = which, factor: float = factor
            ) -> float:
                return analysis.delay(pin, output, slew, load)[which] * factor * 1e-3

            body += lookup(kind, drive, value)
    return group("timing ()", body)
