"""Draw the pictures of ``router.md``: ``python docs/router_pictures.py``.

``router.svg`` is drawn from the router's own tables, ``mesh.svg`` from a run of the golden model
over all held-out digits, and the times in ``element.svg`` are the delays by default.
"""

from collections.abc import Sequence
from pathlib import Path

from pictures import CHOSEN, HEAD, HIDDEN, INK, INPUT, PALE, rect, text
from shapes import arrow, box, bubble, dot, line, path, tips, xor

from spikewatt.hdl.router.routing import TARGETS, sources
from spikewatt.model.compile.mesh.mapping import MeshFit, map_mesh
from spikewatt.model.compile.mesh.picture import mesh_svg
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.dataset import load_digits
from spikewatt.model.params import PORTS, Delays, Port

HERE = Path(__file__).parent / "router"
QUIET = "#66727f"
SOURCES = dict(zip(PORTS, (INPUT, HIDDEN, CHOSEN, "#7a5195", "#b08a1e"), strict=True))


def gates() -> list[str]:
    """The fire condition and what it clocks."""
    req, click, data = INPUT, HIDDEN, INK
    parts = [
        line([(44, 84), (205, 84)], req),
        arrow([(520, 109), (600, 109)], req),
        arrow([(550, 109), (550, 194), (49, 194)], req),
        line([(185, 194), (185, 104), (207, 104)], req),
        line([(185, 144), (207, 144)], req),
        line([(606, 220), (197, 220), (197, 164), (207, 164)], req),
        line([(243, 94), (268, 94), (268, 114), (288, 114)]),
        line([(250, 154), (268, 154), (268, 134), (288, 134)]),
        line([(328, 124), (360, 124)]),
        line([(550, 109), (550, 56), (503, 56)], req),
        line([(470, 56), (438, 56), (438, 109), (450, 109)], req),
        line([(44, 274), (450, 274)], data, 4),
        line([(520, 274), (606, 274)], data, 4),
        line([(390, 124), (424, 124), (424, 298), (450, 298)], click, 2),
        line([(424, 138), (450, 138)], click, 2),
        *(dot(x, y, req) for x, y in ((550, 109), (185, 194), (185, 144))),
        dot(424, 138, click),
        xor(203, 94),
        xor(203, 154),
        bubble(246, 154),
        path("M288 105h20a19 19 0 0 1 0 38h-20z"),
        path("M360 108v32l30 -16z", click),
        path("M503 44v24l-26 -12z"),
        bubble(473, 56),
        box(450, 92, 70, 62),
        path("M450 131l9 7l-9 7", click, "none"),
        box(450, 254, 70, 60),
        path("M450 291l9 7l-9 7", click, "none"),
        box(76, 66, 74, 36),
        *(path(f"M{x} 77v14l11 -7z", QUIET) for x in (88, 107, 126)),
        box(76, 256, 74, 36, PALE, 'rx="4" stroke-dasharray="4 3"'),
    ]
    words = [
        ("i", 24, 50, "middle", QUIET),
        ("o", 624, 50, "middle", QUIET),
        *((name, 38, y + 4, "end", INK) for name, y in (("req", 84), ("ack", 194), ("data", 274))),
        *(
            (name, 612, y + 4, "start", INK)
            for name, y in (("req", 109), ("ack", 220), ("data", 274))
        ),
        ("matched delay", 113, 56, "middle", QUIET),
        ("late req", 176, 76, "middle", QUIET),
        ("logic, if any", 113, 310, "middle", QUIET),
        ("fire", 344, 116, "middle", QUIET),
        ("fire buffer", 372, 96, "middle", QUIET),
        ("click", 407, 116, "middle", click),
        ("phase", 489, 127, "middle", INK),
        ("data", 489, 289, "middle", INK),
        ("phase", 300, 188, "middle", req),
    ]
    return parts + [text(x, y, name, anchor, fill) for name, x, y, anchor, fill in words]


def wave(y: float, turns: Sequence[float], colour: str, scale: float, x: float, end: float) -> str:
    """A signal that starts low and turns over at the given times, ps."""
    points, low = [(x, y)], True
    for time in turns:
        at = x + time * scale
        points += [(at, y if low else y - 16), (at, y - 16 if low else y)]
        low = not low
    return line([*points, (end, points[-1][1])], colour, 2)


def words_of(y: float, change: float, colour: str, x: float, end: float) -> list[str]:
    """Data that change from one token's to the next one's."""
    top, m = y - 16, y - 8
    before = f"M{x} {top}H{change - 4}L{change} {m}L{change - 4} {y}H{x}"
    after = f"M{end} {top}H{change + 4}L{change} {m}L{change + 4} {y}H{end}"
    name = text((change + end) / 2, y - 4, "token", "middle", colour)
    return [path(before, PALE, "none"), path(after, colour, "none"), name]


def timing(x: float, top: float) -> list[str]:
    """One token: what turns over when, with the delays by default and 60 ps for each gate."""
    delays, gate, begin, scale, end = Delays(), 60, 160, 0.2, 330 + x
    late = begin + delays.link
    fire = late + gate
    click = fire + delays.fire
    phase = click + gate
    gone = phase + delays.link + gate + delays.fire + gate  # of an equal stage behind
    rows = {name: top + 34 * n for n, name in enumerate(_ROWS)}
    turns = {
        "i.req": ([begin], INPUT),
        "late req": ([late], INPUT),
        "fire": ([fire, phase + gate], INK),
        "click": ([click, phase + gate + delays.fire], HIDDEN),
        "phase = i.ack = o.req": ([phase], INPUT),
        "o.ack": ([gone], INPUT),
    }
    parts = [text(x - 10, y - 4, _ROWS[name], "end") for name, y in rows.items()]
    for name, (times, colour) in turns.items():
        parts.append(wave(rows[name], times, colour, scale, x, end))
    parts += words_of(rows["i.data"], x + (begin - 60) * scale, INK, x, end)
    parts += words_of(rows["o.data"], x + phase * scale, INK, x, end)
    order = ["i.req", "late req", "fire", "click", "phase = i.ack = o.req"]
    whens = (begin, late, fire, click, phase)
    notes = (f"{delays.link} ps", "", f"{delays.fire} ps", "")
    for n, note in enumerate(notes):
        ax, bx = x + whens[n] * scale, x + whens[n + 1] * scale
        y = rows[order[n]]
        parts.append(arrow([(ax, y), (bx - 4, rows[order[n + 1]] - 20)], PALE, 1))
        if note:
            parts.append(text(bx + 5, y + 12, note, "start", QUIET))
    return parts


_ROWS = {
    "i.data": "i.data",
    "i.req": "i.req",
    "late req": "late req",
    "fire": "fire",
    "click": "click",
    "phase = i.ack = o.req": "phase",
    "o.data": "o.data",
    "o.ack": "o.ack",
}


def element() -> str:
    """A stage, and one token that passes it."""
    caption = "phase is i.ack and o.req as well"
    return "\n".join(
        [
            HEAD.format(w=1060, h=336, ink=INK),
            tips(INPUT, PALE),
            text(20, 26, "A Click stage", fill=INK),
            *gates(),
            text(712, 26, f"One token: {caption}"),
            *timing(720, 66),
            "</svg>\n",
        ]
    )


def held(x: float, y: float, colour: str) -> str:
    """A packet's register."""
    return rect(x - 4, y - 4, 8, 8, colour, 'rx="1.5"')


def merge(x: float, y: float, half: float) -> str:
    """A merge: two links in at the left, one out at the right."""
    return path(f"M{x} {y - half}L{x + 24} {y - 8}V{y + 8}L{x} {y + half}z") + held(x + 11, y, INK)


def tree(port: Port, x: float, y: float) -> tuple[list[str], dict[Port, tuple[float, float]]]:
    """The merges of a port, and where its sources come in."""
    came = sources(port)
    if len(came) == 2:
        ends = {source: (x + 76, y - 7 + 14 * n) for n, source in enumerate(came)}
        return [merge(x + 76, y, 15)], ends
    parts = [merge(x + 76, y, 21)]
    for n in (-1, 1):
        parts += [line([(x + 24, y + 17 * n), (x + 50, y + 17 * n), (x + 76, y + 10 * n)])]
        parts += [merge(x, y + 17 * n, 14)]
    places = (-24, -10, 10, 24)
    return parts, {source: (x, y + at) for source, at in zip(came, places, strict=True)}


def router() -> str:
    """Five ports in, five ports out, and the ways between them that are built."""
    names = {p: "tile" if p is Port.LOCAL else p.name.lower() for p in PORTS}
    rows = {port: 104 + 78 * n for n, port in enumerate(PORTS)}
    left, right = 210, 560
    parts = [HEAD.format(w=900, h=562, ink=INK), tips(INK, QUIET, *SOURCES.values())]
    parts += [text(20, 26, "X, then Y")]
    heads = [(left + 14, "demultiplexers: where to,", "dx or dy counted towards 0")]
    heads += [(right + 50, "merges: as packets come,", "in turns where two wait")]
    for x, first, second in heads:
        parts += [text(x, 40, first, "middle", QUIET), text(x, 56, second, "middle", QUIET)]
    trees = {port: tree(port, right, rows[port]) for port in PORTS}
    for source, targets in TARGETS.items():
        y, colour = rows[source], SOURCES[source]
        for n, port in enumerate(targets):
            a = y + 14 * (n - (len(targets) - 1) / 2)
            bx, b = trees[port][1][source]
            curve = f"M{left + 28} {a:g}C{left + 150} {a:g} {bx - 130} {b:g} {bx} {b:g}"
            parts.append(path(curve, colour, "none", 1.8))
    for port, y in rows.items():
        tile, colour = port is Port.LOCAL, SOURCES[port]
        parts.append(arrow([(150 if tile else 110, y), (left - 6, y)], colour, 1.8))
        shape = f"M{left} {y - 9}L{left + 28} {y - 28}V{y + 28}L{left} {y + 9}z"
        parts += [path(shape, colour), held(left + 15, y, colour), *trees[port][0]]
        parts.append(arrow([(right + 100, y), (732 if tile else 755, y)], INK, 1.8))
        if not tile:
            parts.append(text(102, y + 4, f"from the {names[port]}", "end"))
            parts.append(text(768, y + 4, f"to the {names[port]}"))
    return "\n".join([*parts, *local(rows[Port.LOCAL]), "</svg>\n"])


def local(y: float) -> list[str]:
    """Bridges and the tile below them."""
    parts = [box(20, y + 60, 860, 46, PALE, 'rx="6"')]
    for x, name, up in ((70, "bridge out", True), (738, "bridge in", False)):
        middle = x + 40
        parts.append(box(x, y - 18, 80, 36))
        parts.append(text(middle, y + 4, name, "middle"))
        first, last = (y + 60, y + 24) if up else (y + 18, y + 54)
        parts.append(arrow([(middle, first), (middle, last)], QUIET, 1.8))
    parts.append(text(450, y + 88, "tile: network interface and core, clocked", "middle"))
    parts.append(
        text(450, y + 130, "■ holds one packet, and clicks only when one passes", "middle", QUIET)
    )
    return parts


def mesh() -> str:
    """All held-out digits on four cores."""
    network, x, _ = load_digits()
    program = map_mesh(network, MeshFit(mesh=(2, 2)))
    spikes = network.stimulus(x)
    trace = run_mesh(program, spikes)
    sent = sum(len(tick) for image in spikes for tick in program.input_packets(image))
    return mesh_svg(program, trace.traffic, from_host=sent)


if __name__ == "__main__":
    for name, draw in {"element": element, "router": router, "mesh": mesh}.items():
        (HERE / f"{name}.svg").write_text(draw())
