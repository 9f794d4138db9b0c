"""Flip-flops, latches and clock gates as Liberty."""

from statistics import mean

from spikewatt.synth.technology import table
from spikewatt.synth.technology.catalogue import Gate, Keeper
from spikewatt.synth.technology.energy import TAU, Analysis, short_circuit, switched
from spikewatt.synth.technology.stages import Stage
from spikewatt.synth.technology.writer import attribute, group, lookup, number

__all__ = ["keeper_cell"]

_INPUT = 0.75
"""Unit capacitances of a clock, data or asynchronous pin: an inverter smaller than the unit's."""

_LATCH_COLUMNS, _EXTRA_COLUMNS = 8, 2
"""Columns of one latch with its part of the clock inverters; of an asynchronous pin or gate."""

_UNIT = Analysis(Gate("", ("A",), {"Z": "!A"}, (Stage("Z", "A"),)))


def keeper_cell(keeper: Keeper) -> list[str]:
    """The cell of a flip-flop, latch or clock gate."""
    latches = 2 if keeper.kind == "ff" else 1
    extra = _EXTRA_COLUMNS * ((keeper.asynchronous is not None) + (keeper.gate is not None))
    columns = _LATCH_COLUMNS * latches + extra + keeper.drive
    unit = mean(_UNIT.leakage(state) for state in _UNIT.states())
    body = [attribute("area", number(columns * table.COLUMN_AREA))]
    # Half-size channels, of which one in each pair is off: half a unit inverter for each column.
    body.append(attribute("cell_leakage_power", number(unit * 0.5 * (columns + keeper.drive))))
    if keeper.gate:
        body.append(attribute("clock_gating_integrated_cell", f'"{keeper.gate}"'))
    body += _state(keeper)
    body += group(f"pin ({keeper.clock})", _clock_pin(keeper, latches))
    body += group(f"pin ({keeper.data})", _data_pin(keeper))
    if keeper.asynchronous:
        pin = keeper.asynchronous[1]
        lines = [attribute("direction", "input"), _capacitance(_INPUT)]
        body += group(f"pin ({pin})", lines)
    body += group(f"pin ({keeper.output})", _output_pin(keeper))
    return group(f"cell ({keeper.name}_X{keeper.drive})", body)


def _state(keeper: Keeper) -> list[str]:
    if keeper.kind == "ff":
        body = [("next_state", keeper.data), ("clocked_on", keeper.active)]
    else:
        body = [("data_in", keeper.data), ("enable", keeper.active)]
    if keeper.asynchronous:
        body.append((keeper.asynchronous[0], f"!{keeper.asynchronous[1]}"))
    lines = [attribute(name, f'"{value}"') for name, value in body]
    return group(f'{keeper.kind} ("IQ", "IQN")', lines)


def _capacitance(units: float) -> str:
    return attribute("capacitance", number(units * table.UNIT_CAPACITANCE))


def _inner_power(drive: int, size: float, units: float) -> list[str]:
    """Energy of nodes inside that follow a pin, whatever the load."""
    lines = lookup(
        "power",
        drive,
        lambda slew, load: switched(units) + short_circuit(size, slew, units),
    )
    return group("internal_power ()", lines)


def _clock_pin(keeper: Keeper, latches: int) -> list[str]:
    units = table.CLOCK_NODES if latches == 2 else table.CLOCK_NODES / 2
    gating = [attribute("clock_gate_clock_pin", "true")] if keeper.gate else []
    return [
        attribute("direction", "input"),
        attribute("clock", "true"),
        *gating,
        _capacitance(_INPUT + (_gate_effort(keeper) if keeper.gate else 0.0)),
        *_inner_power(keeper.drive, 0.5, units),
    ]


def _gate_effort(keeper: Keeper) -> float:
    return _gate_stages(keeper)[0].capacitance("CK")


def _data_pin(keeper: Keeper) -> list[str]:
    gating = [attribute("clock_gate_enable_pin", "true")] if keeper.gate else []
    opens = "rising" if keeper.active.startswith("!") != (keeper.kind == "ff") else "falling"
    constraints = [
        line
        for kind, value in (("setup", table.SETUP), ("hold", table.HOLD))
        for line in _constraint(keeper, f"{kind}_{opens}", value)
    ]
    return [
        attribute("direction", "input"),
        *gating,
        _capacitance(_INPUT),
        *_inner_power(keeper.drive, 0.5, table.DATA_NODES),
        *constraints,
    ]


def _constraint(keeper: Keeper, kind: str, value: float) -> list[str]:
    tables = [
        line
        for edge in ("rise", "fall")
        for line in group(f"{edge}_constraint (scalar)", [f'values ("{number(value * 1e-3)}");'])
    ]
    lines = [attribute("related_pin", f'"{keeper.clock}"'), attribute("timing_type", kind)]
    return group("timing ()", [*lines, *tables])


def _gate_stages(keeper: Keeper) -> tuple[Stage, ...]:
    """Clock and latched enable to the output: AND for a rising, OR for a falling clock's gate."""
    form = "series" if keeper.gate == "latch_posedge" else "parallel"
    first = Stage("n", (form, "CK", "IQ"), 0.5 * keeper.drive)
    return first, Stage("GCK", "n", keeper.drive)


def _output_pin(keeper: Keeper) -> list[str]:
    lines = [
        attribute("direction", "output"),
        attribute("max_capacitance", number(table.LOADS[-1] * keeper.drive)),
    ]
    if keeper.gate:
        rising = keeper.gate == "latch_posedge"
        function = "CK & IQ" if rising else "CK | !IQ"
        stages = _gate_stages(keeper)
        follow = Analysis(Gate("", ("CK", "IQ"), {"GCK": function}, stages))
        event = follow.events("CK", {"IQ": rising})["GCK"]
        related = attribute("related_pin", '"CK"')
        return [
            *lines,
            attribute("clock_gate_out_pin", "true"),
            attribute("function", f'"{function}"'),
            *group("internal_power ()", [related, *lookup("power", keeper.drive, event.energy)]),
            *_arc(keeper, "CK", "combinational", "positive_unate", follow, "CK"),
        ]
    return [*lines, attribute("function", '"IQ"'), *_state_power(keeper), *_state_arcs(keeper)]


def _path(keeper: Keeper) -> Analysis:
    """From the clock to the output: clock inverters, the latch and the output inverter."""
    half = (Stage("a", "CK", 0.75), Stage("b", "a", 0.75), Stage("c", "b", 0.5))
    return Analysis(Gate("", ("CK",), {"Q": "!CK"}, (*half, Stage("Q", "c", keeper.drive))))


def _state_power(keeper: Keeper) -> list[str]:
    """Energy of the state and of the output's inverter, when the output moves."""
    last = Stage("Q", "c", keeper.drive)
    units = last.parasitic + last.capacitance("c")
    units += table.STATE_NODES if keeper.kind == "ff" else 0.0
    slew = 4 * TAU  # of the half-size inverter before it, at a fan-out of about one

    def energy(_: float, load: float) -> float:
        external = last.parasitic + load / table.UNIT_CAPACITANCE
        return switched(units) + short_circuit(last.size, slew, external)

    related = [keeper.clock] + ([keeper.data] if keeper.kind == "latch" else [])
    if keeper.asynchronous:
        related.append(keeper.asynchronous[1])
    lines: list[str] = []
    for pin in related:
        name = attribute("related_pin", f'"{pin}"')
        lines += group("internal_power ()", [name, *lookup("power", keeper.drive, energy)])
    return lines


def _state_arcs(keeper: Keeper) -> list[str]:
    path = _path(keeper)
    edge = "falling_edge" if keeper.active.startswith("!") else "rising_edge"
    lines = _arc(keeper, keeper.clock, edge, "non_unate", path, "CK")
    if keeper.kind == "latch":
        lines += _arc(keeper, keeper.data, "combinational", "positive_unate", path, "CK")
    if keeper.asynchronous:
        kind, pin = keeper.asynchronous
        sense = "positive_unate" if kind == "clear" else "negative_unate"
        lines += _arc(keeper, pin, kind, sense, path, "CK")
    return lines


def _arc(keeper: Keeper, pin: str, kind: str, sense: str, path: Analysis, source: str) -> list[str]:
    edges = (("rise", table.PULL_UP), ("fall", table.PULL_DOWN))
    if kind in ("clear", "preset"):
        edges = edges[1:] if kind == "clear" else edges[:1]
    lines = [
        attribute("related_pin", f'"{pin}"'),
        attribute("timing_type", kind),
        attribute("timing_sense", sense),
    ]
    for edge, factor in edges:
        for name, which in ((f"cell_{edge}", 0), (f"{edge}_transition", 1)):

            def value(
                slew: float, load: float, which: int = which, factor: float = factor
            ) -> float:
                return path.delay(source, keeper.output, slew, load)[which] * factor * 1e-3

            lines += lookup(name, keeper.drive, value)
    return group("timing ()", lines)
