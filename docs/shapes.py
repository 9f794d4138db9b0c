"""Shapes for pictures of circuits, as SVG."""

from collections.abc import Sequence

from pictures import INK, rect

__all__ = ["arrow", "box", "bubble", "dot", "line", "path", "tips", "xor"]

Points = Sequence[tuple[float, float]]


def tips(*colours: str) -> str:
    """Arrow tips, 5 beyond the end of a line."""
    marks = (
        f'<marker id="tip{colour[1:]}" viewBox="0 0 10 10" refX="5" refY="5" markerWidth="10" '
        'markerHeight="10" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 1L10 5L0 9z" fill="{colour}"/></marker>'
        for colour in colours
    )
    return f"<defs>{''.join(marks)}</defs>"


def arrow(points: Points, colour: str, wide: float = 1.5) -> str:
    """Straight pieces with a tip at their end."""
    return line(points, colour, wide, f'marker-end="url(#tip{colour[1:]})"')


def line(points: Points, colour: str = INK, wide: float = 1.5, more: str = "") -> str:
    """Straight pieces."""
    joined = " ".join(f"{x:g},{y:g}" for x, y in points)
    style = f'fill="none" stroke="{colour}" stroke-width="{wide:g}" stroke-linejoin="round"'
    return f'<polyline points="{joined}" {style} {more}/>'


def path(d: str, colour: str = INK, fill: str = "#ffffff", wide: float = 1.5) -> str:
    """Any shape."""
    return f'<path d="{d}" fill="{fill}" stroke="{colour}" stroke-width="{wide:g}"/>'


def dot(x: float, y: float, colour: str) -> str:
    """Where wires join."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="2.8" fill="{colour}"/>'


def bubble(x: float, y: float) -> str:
    """An inversion."""
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="3.5" fill="#ffffff" stroke="{INK}" stroke-width="1.5"/>'
    )


def box(x: float, y: float, w: float, h: float, colour: str = INK, more: str = 'rx="4"') -> str:
    """A white rectangle."""
    return rect(x, y, w, h, "#ffffff", f'stroke="{colour}" stroke-width="1.5" {more}')


def xor(x: float, y: float) -> str:
    """An XOR gate, 40 by 34, inputs 10 above and below ``y``."""
    body = f"M{x + 4} {y - 17}q16 0 36 17q-20 17 -36 17q10 -17 0 -34z"
    return path(body) + path(f"M{x - 2} {y - 17}q10 17 0 34", fill="none")
