"""A library of delays in round numbers: each is a plane of input slew and load.

ns and fF: a delay is ``base + slew / 2 + load / 10``, a rising slew ``load / 5`` and a falling one
``load / 10``.
"""

from pathlib import Path

from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty

__all__ = ["NANO", "timed_library"]

NANO = 1e-9
_HEAD = """library (timed) {
  delay_model : table_lookup; time_unit : "1ns"; voltage_unit : "1V"; nom_voltage : 1.0;
  capacitive_load_unit (1, ff); leakage_power_unit : "1nW";
  lu_table_template (plane) { variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance; index_1 ("0, 1"); index_2 ("0, 10"); }
"""


def _table(name: str, base: float, slew: float, load: float) -> str:
    rows = [f'"{base + slew * s}, {base + slew * s + load * 10}"' for s in (0, 1)]
    return f"{name} (plane) {{ values ({', '.join(rows)}); }}"


def _arc(related: str, rise: float, fall: float, *more: str) -> str:
    tables = [_table("cell_rise", rise, 0.5, 0.1), _table("cell_fall", fall, 0.5, 0.1)]
    tables += [_table("rise_transition", 0, 0, 0.2), _table("fall_transition", 0, 0, 0.1)]
    return f'timing () {{ related_pin : "{related}"; {" ".join([*more, *tables])} }}'


def _pin(name: str, capacitance: float, more: str = "") -> str:
    return f"pin ({name}) {{ direction : input; capacitance : {capacitance}; {more} }}"


def _gate(name: str, function: str, arcs: str, pins: str = "AB") -> str:
    inputs = " ".join(_pin(pin, 1) for pin in pins)
    return (
        f"cell ({name}) {{ area : 1; {inputs} "
        f'pin (Y) {{ direction : output; function : "{function}"; {arcs} }} }}'
    )


def _keeper(name: str, group: str, edge: str, asynchronous: str = "") -> str:
    arcs = _arc("CK", 1, 2, f"timing_type : {edge}_edge;") + asynchronous
    if group.startswith("latch"):
        arcs += _arc("D", 50, 50)
    return (
        f"cell ({name}) {{ area : 1; {group} {_pin('D', 2)} {_pin('CK', 1, 'clock : true;')} "
        f'{_pin("R", 1)} pin (Q) {{ direction : output; function : "IQ"; {arcs} }} }}'
    )


_CELLS = [
    _gate("INV", "!A", _arc("A", 1, 2), "A"),
    _gate("NAND", "!(A B)", _arc("A", 3, 4) + _arc("B", 5, 6)),
    _gate("AND", "A B", _arc("A", 1, 1) + _arc("B", 1, 1)),
    _gate("OR", "A + B", _arc("A", 1, 1) + _arc("B", 1, 1)),
    _gate("XOR", "A ^ B", _arc("A", 7, 8) + _arc("B", 9, 10)),
    _keeper(
        "DFF",
        'ff (IQ, IQN) { next_state : "D"; clocked_on : "CK"; clear : "R"; }',
        "rising",
        _arc("R", 90, 90, "timing_type : clear; timing_sense : negative_unate;"),
    ),
    _keeper("DFFN", 'ff (IQ, IQN) { next_state : "D"; clocked_on : "!CK"; }', "falling"),
    _keeper("LAT", 'latch (IQ, IQN) { data_in : "D"; enable : "CK"; }', "rising"),
    'cell (ICG) { area : 1; clock_gating_integrated_cell : "latch_posedge"; '
    + _pin("CK", 1, "clock_gate_clock_pin : true;")
    + _pin("E", 2, "clock_gate_enable_pin : true;")
    + "pin (GCK) { direction : output; clock_gate_out_pin : true; } }",
]


def timed_library(folder: Path) -> Library:
    """The library, from a file in ``folder``."""
    path = folder / "timed.lib"
    path.write_text(_HEAD + "\n".join(_CELLS) + "\n}\n")
    return read_liberty(path)
