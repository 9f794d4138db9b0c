"""Flip-flops, latches and clock gates as Liberty."""

from statistics import mean

from spikewatt.synth.technology import table
from spikewatt.synth.technology.catalogue import Gate, SequentialCell
from spikewatt.synth.technology.energy import TAU, Analysis, short_circuit, switched
from spikewatt.synth.technology.stages import CmosStage
from spikewatt.synth.technology.writer import attribute, group, lookup, number

__all__ = ["sequential_cell"]

_INPUT = 0.75
"""Unit capacitances of a clock, data or asynchronous pin: an inverter smaller than the unit's."""

_LATCH_COLUMNS, _EXTRA_COLUMNS = 8, 2
"""Columns of one latch with its part of the clock inverters; of an asynchronous pin or gate."""

_UNIT = Analysis(Gate("", ("A",), {"Z": "!A"}, (CmosStage("Z", "A"),)))


def sequential_cell(cell: SequentialCell) -> list[str]:
    """The cell of a flip-flop, latch or clock gate."""
    latches = 2 if cell.kind == "ff" else 1
    extra = _EXTRA_COLUMNS * ((cell.asynchronous is not None) + (cell.gate is not None))
    columns = _LATCH_COLUMNS * latches + extra + cell.drive
    unit = mean(_UNIT.leakage(state) for state in _UNIT.states())
    body = [attribute("area", number(columns * table.COLUMN_AREA))]
    # Half-size channels, of which one in each pair is off: half a unit inverter for each column.
    body.append(attribute("cell_leakage_power", number(unit * 0.5 * (columns + cell.drive))))
    if cell.gate:
        body.append(attribute("clock_gating_integrated_cell", f'"{cell.gate}"'))
    body += _state(cell)
    body += group(f"pin ({cell.clock})", _clock_pin(cell, latches))
    body += group(f"pin ({cell.data})", _data_pin(cell))
    if cell.asynchronous:
        pin = cell.asynchronous[1]
        lines = [attribute("direction", "input"), _capacitance(_INPUT)]
        body += group(f"pin ({pin})", lines)
    body += group(f"pin ({cell.output})", _output_pin(cell))
    return group(f"cell ({cell.name}_X{cell.drive})", body)


def _state(cell: SequentialCell) -> list[str]:
    if cell.kind == "ff":
        body = [("next_state", cell.data), ("clocked_on", cell.active)]
    else:
        body = [("data_in", cell.data), ("enable", cell.active)]
    if cell.asynchronous:
        body.append((cell.asynchronous[0], f"!{cell.asynchronous[1]}"))
    lines = [attribute(name, f'"{value}"') for name, value in body]
    return group(f'{cell.kind} ("IQ", "IQN")', lines)


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


def _clock_pin(cell: SequentialCell, latches: int) -> list[str]:
    # One latch has half of a flip-flop's clocked channels.
    units = table.CLOCK_NODES if latches == 2 else table.CLOCK_NODES / 2
    gating = [attribute("clock_gate_clock_pin", "true")] if cell.gate else []
    return [
        attribute("direction", "input"),
        attribute("clock", "true"),
        *gating,
        _capacitance(_INPUT + (_gate_effort(cell) if cell.gate else 0.0)),
        *_inner_power(cell.drive, 0.5, units),
    ]


def _gate_effort(cell: SequentialCell) -> float:
    return _gate_stages(cell)[0].capacitance("CK")


def _data_pin(cell: SequentialCell) -> list[str]:
    gating = [attribute("clock_gate_enable_pin", "true")] if cell.gate else []
    # Data are to be there when a latch closes, and at the edge of a flip-flop.
    opens = "rising" if cell.active.startswith("!") != (cell.kind == "ff") else "falling"
    constraints = [
        line
        for kind, value in (("setup", table.SETUP), ("hold", table.HOLD))
        for line in _constraint(cell, f"{kind}_{opens}", value)
    ]
    return [
        attribute("direction", "input"),
        *gating,
        _capacitance(_INPUT),
        *_inner_power(cell.drive, 0.5, table.DATA_NODES),
        *constraints,
    ]


def _constraint(cell: SequentialCell, kind: str, value: float) -> list[str]:
    tables = [
        line
        for edge in ("rise", "fall")
        for line in group(f"{edge}_constraint (scalar)", [f'values ("{number(value * 1e-3)}");'])
    ]
    lines = [attribute("related_pin", f'"{cell.clock}"'), attribute("timing_type", kind)]
    return group("timing ()", [*lines, *tables])


def _gate_stages(cell: SequentialCell) -> tuple[CmosStage, ...]:
    """Clock and latched enable to the output: AND for a rising, OR for a falling clock's gate."""
    form = "series" if cell.gate == "latch_posedge" else "parallel"
    first = CmosStage("n", (form, "CK", "IQ"), 0.5 * cell.drive)
    return first, CmosStage("GCK", "n", cell.drive)


def _output_pin(cell: SequentialCell) -> list[str]:
    lines = [
        attribute("direction", "output"),
        attribute("max_capacitance", number(table.LOADS[-1] * cell.drive)),
    ]
    if cell.gate:
        rising = cell.gate == "latch_posedge"
        function = "CK & IQ" if rising else "CK | !IQ"
        stages = _gate_stages(cell)
        follow = Analysis(Gate("", ("CK", "IQ"), {"GCK": function}, stages))
        # Only where the latch lets the clock through does the output move.
        event = follow.events("CK", {"IQ": rising})["GCK"]
        related = attribute("related_pin", '"CK"')
        return [
            *lines,
            attribute("clock_gate_out_pin", "true"),
            attribute("function", f'"{function}"'),
            *group("internal_power ()", [related, *lookup("power", cell.drive, event.energy)]),
            *_arc(cell, "CK", "combinational", "positive_unate", follow, "CK"),
        ]
    return [*lines, attribute("function", '"IQ"'), *_state_power(cell), *_state_arcs(cell)]


def _path(cell: SequentialCell) -> Analysis:
    """From the clock to the output: clock inverters, the latch and the output inverter."""
    # Two local clock inverters and the latch's, of the sizes that `table.CLOCK_NODES` counts.
    half = (CmosStage("a", "CK", 0.75), CmosStage("b", "a", 0.75), CmosStage("c", "b", 0.5))
    return Analysis(Gate("", ("CK",), {"Q": "!CK"}, (*half, CmosStage("Q", "c", cell.drive))))


def _state_power(cell: SequentialCell) -> list[str]:
    """Energy of the state and of the output's inverter, when the output moves."""
    last = CmosStage("Q", "c", cell.drive)
    units = last.parasitic + last.capacitance("c")
    # A latch's own node moves with its data, which `DATA_NODES` has counted.
    units += table.STATE_NODES if cell.kind == "ff" else 0.0
    slew = 4 * TAU  # of the half-size inverter before it, at a fan-out of about one

    def energy(_: float, load: float) -> float:
        external = last.parasitic + load / table.UNIT_CAPACITANCE
        return switched(units) + short_circuit(last.size, slew, external)

    related = [cell.clock] + ([cell.data] if cell.kind == "latch" else [])
    if cell.asynchronous:
        related.append(cell.asynchronous[1])
    lines: list[str] = []
    for pin in related:
        name = attribute("related_pin", f'"{pin}"')
        lines += group("internal_power ()", [name, *lookup("power", cell.drive, energy)])
    return lines


def _state_arcs(cell: SequentialCell) -> list[str]:
    path = _path(cell)
    edge = "falling_edge" if cell.active.startswith("!") else "rising_edge"
    lines = _arc(cell, cell.clock, edge, "non_unate", path, "CK")
    if cell.kind == "latch":
        lines += _arc(cell, cell.data, "combinational", "positive_unate", path, "CK")
    if cell.asynchronous:
        kind, pin = cell.asynchronous
        sense = "positive_unate" if kind == "clear" else "negative_unate"
        lines += _arc(cell, pin, kind, sense, path, "CK")
    return lines


def _arc(
    cell: SequentialCell, pin: str, kind: str, sense: str, path: Analysis, source: str
) -> list[str]:
    edges = (("rise", table.PULL_UP), ("fall", table.PULL_DOWN))
    if kind in ("clear", "preset"):
        # A clear makes only falling outputs, a preset only rising ones.
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
                return path.delay(source, cell.output, slew, load)[which] * factor * 1e-3

            lines += lookup(name, cell.drive, value)
    return group("timing ()", lines)
