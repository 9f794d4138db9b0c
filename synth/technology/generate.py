"""Write ``spikewatt45.lib`` beside this file: ``python -m spikewatt.synth.technology.generate``."""

from spikewatt.synth.technology import table
from spikewatt.synth.technology.catalogue import gates, sequential_cells
from spikewatt.synth.technology.gates import gate_cell
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.technology.sequential import sequential_cell
from spikewatt.synth.technology.writer import attribute, group, number

__all__ = ["library_text", "main"]

# Two strengths: a mapper that does not size gates has no use for more.
_DRIVES = (1, 2)
_HEADER = """/* spikewatt45: a 45 nm-class library at 0.9 V, 25 C, derived from published figures.
   No figure in it was measured or extracted. spikewatt.synth.technology.generate writes it from
   table.py, which names the sources; docs/technology.md says how far to trust it. */
"""


def library_text() -> str:
    """The library as Liberty text."""
    body = [*_settings()]
    for drive in _DRIVES:
        body += _templates(drive)
    for drive in _DRIVES:
        for gate in gates(drive):
            body += ["", *gate_cell(gate, drive)]
        for cell in sequential_cells(drive):
            body += ["", *sequential_cell(cell)]
    for name, value in (("TIEHI", "1"), ("TIELO", "0")):
        body += ["", *_tie(name, value)]
    return _HEADER + "\n".join(group("library (spikewatt45)", body)) + "\n"


def _settings() -> list[str]:
    # Slews from 20 to 80 %, as the figures of the table are meant.
    percent = {"upper": 80, "lower": 20}
    thresholds = [
        attribute(f"slew_{end}_threshold_pct_{edge}", str(value))
        for end, value in percent.items()
        for edge in ("rise", "fall")
    ]
    thresholds += [
        attribute(f"{side}_threshold_pct_{edge}", "50")
        for side in ("input", "output")
        for edge in ("rise", "fall")
    ]
    voltage = number(table.VOLTAGE)
    conditions = [("process", "1"), ("voltage", voltage), ("temperature", "25")]
    return [
        attribute("delay_model", "table_lookup"),
        attribute("time_unit", '"1ns"'),
        attribute("voltage_unit", '"1V"'),
        attribute("current_unit", '"1uA"'),
        attribute("pulling_resistance_unit", '"1kohm"'),
        attribute("leakage_power_unit", '"1nW"'),
        "capacitive_load_unit (1, ff);",
        attribute("nom_process", "1"),
        attribute("nom_voltage", voltage),
        attribute("nom_temperature", "25"),
        *group("operating_conditions (typical)", [attribute(*pair) for pair in conditions]),
        attribute("default_operating_conditions", "typical"),
        attribute("default_max_transition", number(table.SLEWS[-1] * 1e-3)),
        attribute("default_fanout_load", "1"),
        attribute("default_input_pin_cap", "0"),
        attribute("default_output_pin_cap", "0"),
        attribute("default_inout_pin_cap", "0"),
        *thresholds,
    ]


def _templates(drive: int) -> list[str]:
    # The table is in ps, the library's unit is 1 ns. Loads grow with the drive, so that each
    # strength is tabulated over the same fan-out.
    slews = ", ".join(number(slew * 1e-3) for slew in table.SLEWS)
    loads = ", ".join(number(load * drive) for load in table.LOADS)
    index = [f'index_1 ("{slews}");', f'index_2 ("{loads}");']
    load = attribute("variable_2", "total_output_net_capacitance")
    return [
        *group(
            f"lu_table_template (x{drive})",
            [attribute("variable_1", "input_net_transition"), load, *index],
        ),
        *group(
            f"power_lut_template (x{drive})",
            [attribute("variable_1", "input_transition_time"), load, *index],
        ),
    ]


def _tie(name: str, value: str) -> list[str]:
    output = [
        attribute("direction", "output"),
        attribute("max_capacitance", number(table.LOADS[-1])),
        attribute("function", f'"{value}"'),
    ]
    body = [
        attribute("area", number(2 * table.COLUMN_AREA)),
        attribute("cell_leakage_power", "0"),
        *group("pin (Z)", output),
    ]
    return group(f"cell ({name})", body)


def main() -> None:
    """Write the library."""
    default_library_path().write_text(library_text())


if __name__ == "__main__":
    main()
