"""A library of round numbers, and netlists of a few gates by the names of their nets.

2 V, fF, ns, fJ (Liberty's energy unit is V² times the unit of capacitance), nW. Every table is a
plane through its four points, so that a figure between or beyond them is what the formula says.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Instance, Memory, Netlist, Port

__all__ = ["FEMTO", "LIBRARY", "NANO", "build", "read"]

FEMTO, NANO = 1e-15, 1e-9


def _plane(name: str, base: float, slew: float = 0, load: float = 0) -> str:
    """Table of ``base + slew · ns + load · fF``."""
    rows = [f'"{base + slew * s}, {base + slew * s + load * 10}"' for s in (0, 1)]
    return f"{name} (plane) {{ values ({', '.join(rows)}); }}"


def _arc(related: str, sense: str, rise: str, fall: str, kind: str = "combinational") -> str:
    sense = f"timing_sense : {sense};" if sense else ""
    return f'timing () {{ related_pin : "{related}"; timing_type : {kind}; {sense} {rise} {fall} }}'


def _power(rise: str, fall: str = "", related: str = "", when: str = "") -> str:
    related = f'related_pin : "{related}";' if related else ""
    when = f'when : "{when}";' if when else ""
    return f"internal_power () {{ {related} {when} {rise} {fall} }}"


def _input(name: str, rise: float, fall: float, more: str = "") -> str:
    return (
        f"pin ({name}) {{ direction : input; capacitance : {max(rise, fall)}; "
        f"rise_capacitance : {rise}; fall_capacitance : {fall}; {more} }}"
    )


def _flat(arc: str, related: str, rise: float, fall: float) -> str:
    """Arc without transition times, and its energies."""
    rises, falls = _plane("rise_power", rise), _plane("fall_power", fall)
    return _arc(related, arc, "", "") + _power(rises, falls, related)


_INVERTER = _arc(
    "A",
    "negative_unate",
    _plane("rise_transition", 0.1, 0.5, 0.02),
    _plane("fall_transition", 0.2, 0.25, 0.01),
) + _power(_plane("rise_power", 1, 2, 0.1), _plane("fall_power", 3, 4, 0.2), "A")
_BUFFER = _arc(
    "A",
    "positive_unate",
    _plane("rise_transition", 0.1, 0.5, 0.02),
    _plane("fall_transition", 0.2, 0.25, 0.01),
) + _power(_plane("rise_power", 1, 2, 0.1), _plane("fall_power", 3, 4, 0.2), "A")
_SIDE = _power(_plane("power", 8), when="B") + _power(_plane("power", 1), when="!B")
_DATA = _power(_plane("rise_power", 1, 10), _plane("fall_power", 3, 10))
_CLOCK = "clock : true;" + _power(_plane("rise_power", 9, 7), _plane("fall_power", 5, 7))
_EDGES = _plane("rise_transition", 0.3, 1), _plane("fall_transition", 0.4, 1)
_EITHER = "".join(
    _arc(
        pin, "non_unate", _plane("rise_transition", base, 1), _plane("fall_transition", base / 2, 1)
    )
    + _power(_plane("rise_power", 2), _plane("fall_power", 4), pin)
    for pin, base in (("A", 0.5), ("B", 0.25))
)
LIBRARY = f"""library (small) {{
  delay_model : table_lookup; time_unit : "1ns"; voltage_unit : "1V"; nom_voltage : 2;
  capacitive_load_unit (1, ff); leakage_power_unit : "1nW";
  lu_table_template (plane) {{ variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance; index_1 ("0, 1"); index_2 ("0, 10"); }}
  power_lut_template (plane) {{ variable_1 : input_transition_time;
    variable_2 : total_output_net_capacitance; index_1 ("0, 1"); index_2 ("0, 10"); }}
  cell (INV) {{ area : 1; cell_leakage_power : 8;
    leakage_power () {{ when : "A"; value : 0; }} leakage_power () {{ when : "!A"; value : 4; }}
    {_input("A", 2, 3)} pin (Y) {{ direction : output; function : "!A"; {_INVERTER} }} }}
  cell (BUF) {{ area : 1; cell_leakage_power : 2; leakage_power () {{ value : 6; }}
    {_input("A", 5, 1)} pin (Y) {{ direction : output; function : "A"; {_BUFFER} }} }}
  cell (NAND) {{ area : 2; cell_leakage_power : 20;
    leakage_power () {{ when : "A B"; value : 10; }} leakage_power () {{ when : "!A"; value : 5; }}
    {_input("A", 4, 1)} {_input("B", 1, 3)}
    pin (Y) {{ direction : output; function : "!(A B)";
      {_flat("negative_unate", "A", 2, 4)} {_flat("negative_unate", "B", 6, 8)} }} }}
  cell (XOR) {{ area : 3; cell_leakage_power : 1; {_input("A", 1, 1)} {_input("B", 1, 1)}
    pin (Y) {{ direction : output; function : "A ^ B"; {_EITHER} }} }}
  cell (AND) {{ area : 2; cell_leakage_power : 1;
    {_input("A", 1, 1, _SIDE)}
    {_input("B", 1, 1, _power(_plane("power", 16), when="!Y"))}
    pin (Y) {{ direction : output; function : "A B"; }} }}
  cell (RISE) {{ area : 1; cell_leakage_power : 0; {_input("A", 1, 1)}
    pin (Y) {{ direction : output; function : "A"; {_power(_plane("rise_power", 6), "", "A")} }} }}
  cell (LONE) {{ area : 1; cell_leakage_power : 0; {_input("A", 1, 1)}
    pin (Y) {{ direction : output; function : "A";
      {_power(_plane("rise_power", 6), _plane("fall_power", 2))} }} }}
  cell (TIE) {{ area : 1; cell_leakage_power : 3;
    pin (Y) {{ direction : output; function : "1"; }} }}
  cell (DFF) {{ area : 9; cell_leakage_power : 30;
    ff (IQ, IQN) {{ next_state : "D"; clocked_on : "CK"; }}
    {_input("D", 2, 2, _DATA)}
    {_input("CK", 4, 4, _CLOCK)}
    pin (Q) {{ direction : output; function : "IQ";
      {_arc("CK", "", *_EDGES, "rising_edge")}
      {_power(_plane("rise_power", 10, 100), _plane("fall_power", 14, 100), "CK")} }}
    pin (QN) {{ direction : output; function : "IQN";
      {_power(_plane("rise_power", 1), _plane("fall_power", 1), "CK")} }} }}
  cell (DFFR) {{ area : 9; cell_leakage_power : 30;
    ff (IQ, IQN) {{ next_state : "D"; clocked_on : "CK"; clear : "R"; }}
    {_input("D", 2, 2)} {_input("CK", 4, 4, "clock : true;")} {_input("R", 1, 1)}
    pin (Q) {{ direction : output; function : "IQ"; {_power(_plane("power", 10), "", "CK", "D")}
      {_power(_plane("power", 50), "", "R")} }} }}
  cell (GATE) {{ area : 9; cell_leakage_power : 7;
    clock_gating_integrated_cell : "latch_posedge";
    pin (CK) {{ direction : input; clock_gate_clock_pin : true; capacitance : 3; clock : true; }}
    pin (E) {{ direction : input; clock_gate_enable_pin : true; capacitance : 1; }}
    pin (GCK) {{ direction : output; clock_gate_out_pin : true;
      {_power(_plane("power", 11), "", "CK")} }} }}
  cell (HALF) {{ area : 9; cell_leakage_power : 0; {_input("A", 1, 1)} {_input("B", 1, 1)}
    pin (S) {{ direction : output; function : "A ^ B"; }}
    pin (C) {{ direction : output; function : "B"; }} }}
}}
"""


def read(folder: Path, text: str = LIBRARY) -> Library:
    """The library, from a file in ``folder``."""
    path = folder / "small.lib"
    path.write_text(text)
    return read_liberty(path)


def build(
    instances: Mapping[str, tuple[str, Mapping[str, str]]],
    inputs: Iterable[str] = (),
    outputs: Iterable[str] = (),
    memories: tuple[Memory, ...] = (),
) -> Netlist:
    """Netlist of ``name: (cell, {pin: net})``; nets ``0`` and ``1`` are the constants.

    What stands before the last dot of an instance's name is its module.
    """
    names = ["0", "1", *inputs, *outputs]
    for _, pins in instances.values():
        names += pins.values()
    number = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return Netlist(
        name="small",
        names=tuple((name,) for name in number),
        instances=tuple(
            Instance(name, cell, name.rpartition(".")[0], {p: number[n] for p, n in pins.items()})
            for name, (cell, pins) in instances.items()
        ),
        memories=memories,
        ports={
            **{name: Port("input", (number[name],)) for name in inputs},
            **{name: Port("output", (number[name],)) for name in outputs},
        },
        attributes={},
    )
