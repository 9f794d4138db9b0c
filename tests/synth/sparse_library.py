"""A library that lacks all that synthesis likes: presets, falling edges, clock gates."""

__all__ = ["SPARSE"]


def _cell(name: str, area: float, inputs: str, function: str, extra: str = "") -> str:
    pins = "".join(
        f"    pin ({pin}) {{ direction : input; capacitance : 1.0; }}\n" for pin in inputs.split()
    )
    return (
        f"  cell ({name}) {{\n    area : {area};\n{extra}{pins}"
        f'    pin (Y) {{ direction : output; function : "{function}"; }}\n  }}\n'
    )


SPARSE = (
    'library (sparse) {\n  time_unit : "1ns";\n  voltage_unit : "1V";\n'
    "  capacitive_load_unit (1, ff);\n  nom_voltage : 1.0;\n"
    + _cell("NOT", 1, "A", "!A")
    + _cell("BUF", 2, "A", "A")
    + _cell("NAND", 2, "A B", "!(A & B)")
    + _cell("NOR", 2, "A B", "!(A | B)")
    + _cell(
        "FLOP",
        6,
        "C D",
        "Q",
        '    ff (Q, N) { clocked_on : "C"; next_state : "D"; }\n',
    )
    + _cell(
        "FLOPCLEAR",
        7,
        "C D R",
        "Q",
        '    ff (Q, N) { clocked_on : "C"; next_state : "D"; clear : "!R"; }\n',
    )
    + _cell("LATCH", 4, "G D", "Q", '    latch (Q, N) { enable : "!G"; data_in : "D"; }\n')
    + "}\n"
)
