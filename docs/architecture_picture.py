"""Draw ``architecture.svg``, the way of the data through the folders.

``python docs/architecture_picture.py``
"""

from pathlib import Path

from pictures import CHOSEN, HEAD, HIDDEN, INK, INPUT, MARKER, PALE, TIP, rect, text

YOURS, MODELS, HARDWARE, GATES, RESULT = PALE, INPUT, HIDDEN, "#6b4e9b", CHOSEN
KEY = {
    "what you bring": YOURS,
    "networks and golden models": MODELS,
    "hardware and its simulation": HARDWARE,
    "gates and joules": GATES,
    "what is found": RESULT,
}
COLUMNS, ROWS = (20, 220, 420, 620, 820, 1020), (60, 150, 240, 330)
WIDE, HIGH = 160, 54

# Name: (column, row, what it is, folder, colour).
BOXES = {
    "spiking": (0, 0, "spiking network", "model/network", YOURS),
    "pair": (0, 1, "exact pair", "model/network/pair", MODELS),
    "rival": (0, 2, "quantised rival", "model/network/quantised", MODELS),
    "program": (1, 0, "on a core, on a mesh", "model/compile", MODELS),
    "golden": (1, 1, "golden models", "model/golden", MODELS),
    "folds": (1, 2, "on an array", "model/compile/systolic", MODELS),
    "neuro": (2, 0, "neuromorphic core", "hdl/neuro", HARDWARE),
    "mesh": (2, 1, "mesh, clockless routers", "hdl/router", HARDWARE),
    "systolic": (2, 2, "systolic core", "hdl/systolic", HARDWARE),
    "verilog": (3, 0, "Verilog", "synth/verilog", HARDWARE),
    "sim": (3, 1, "RTL simulation", "cosim", HARDWARE),
    "equal": (3, 2, "equal in every tick", "targets", RESULT),
    "gates": (4, 0, "gate netlist", "synth/asic, netlist", GATES),
    "replay": (4, 1, "every gate, every time", "energy/activity", GATES),
    "other": (4, 2, "any netlist, its waveform", "yours", YOURS),
    "library": (5, 0, "Liberty library", "synth/liberty, technology", YOURS),
    "prices": (5, 1, "joules per toggle", "energy/pricing", GATES),
    "ledger": (5, 2, "ledger", "energy/pricing", RESULT),
    "verdict": (5, 3, "comparison, report", "flow", RESULT),
}
STRAIGHT = (
    ("spiking", "pair"),
    ("pair", "rival"),
    ("spiking", "program"),
    ("rival", "folds"),
    ("program", "golden"),
    ("folds", "golden"),
    ("program", "neuro"),
    ("folds", "systolic"),
    ("neuro", "verilog"),
    ("verilog", "sim"),
    ("verilog", "gates"),
    ("library", "gates"),
    ("library", "prices"),
    ("gates", "replay"),
    ("sim", "replay"),
    ("sim", "equal"),
    ("other", "replay"),
    ("prices", "ledger"),
    ("ledger", "verdict"),
)
ELBOWS = (
    "380,105 410,105 410,177 418,177",  # a network may need many cores
    "580,177 600,177 600,95 618,95",  # the mesh becomes Verilog too,
    "580,267 600,267 600,95 618,95",  # and the systolic core
    "380,177 400,177 400,222 660,222 660,238",  # the golden model judges the simulation
    "980,187 1000,187 1000,267 1018,267",  # toggles times their prices
    "700,294 700,357 1018,357",  # only what was equal is reported
)


def corner(name: str) -> tuple[int, int]:
    """Upper left corner of a box."""
    column, row, *_ = BOXES[name]
    return COLUMNS[column], ROWS[row]


def straight(a: str, b: str) -> str:
    """An arrow from one box to its neighbour in the same row or column."""
    (ax, ay), (bx, by) = corner(a), corner(b)
    if ay == by:
        y = ay + HIGH / 2
        ends = (ax + WIDE, y, bx, y) if bx > ax else (ax, y, bx + WIDE, y)
    else:
        x = ax + WIDE / 2
        ends = (x, ay + HIGH, x, by) if by > ay else (x, ay, x, by + HIGH)
    x1, y1, x2, y2 = ends
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{PALE}" {TIP}/>'


def picture() -> str:
    """The whole picture as SVG."""
    parts = [HEAD.format(w=1200, h=404, ink=INK), MARKER]
    stages = ("Network", "Program", "Hardware", "Run", "Activity", "Ledger")
    for x, stage in zip(COLUMNS, stages, strict=True):
        parts.append(text(x + WIDE / 2, 36, stage, "middle", PALE))
    parts += [straight(a, b) for a, b in STRAIGHT]
    parts += [f'<polyline points="{p}" fill="none" stroke="{PALE}" {TIP}/>' for p in ELBOWS]
    for name, (_, _, title, folder, colour) in BOXES.items():
        x, y = corner(name)
        border = f'stroke="{colour}" stroke-width="1.5" rx="6"'
        parts.append(rect(x, y, WIDE, HIGH, "#ffffff", border))
        parts.append(text(x + WIDE / 2, y + 24, title, "middle"))
        parts.append(text(x + WIDE / 2, y + 42, folder, "middle", PALE))
    for place, (meaning, colour) in enumerate(KEY.items()):
        x, y = 20 + place % 3 * 210, 338 + place // 3 * 26
        parts.append(rect(x, y, 18, 14, "#ffffff", f'stroke="{colour}" stroke-width="1.5" rx="3"'))
        parts.append(text(x + 26, y + 12, meaning))
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    (Path(__file__).parent / "architecture.svg").write_text(picture())
