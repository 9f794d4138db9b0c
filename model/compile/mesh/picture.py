"""Picture of a network on its mesh: what each tile holds, and the packets on every link."""

from dataclasses import dataclass, replace
from html import escape

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import DataError
from spikewatt.model.compile.mesh.program import MeshProgram, Piece
from spikewatt.model.params import PORTS, Port

__all__ = ["mesh_svg"]

_INK, _QUIET, _LINE, _PAPER = "#1f2933", "#66727f", "#d5dce2", "#f7f9fa"
_COLOURS = ("#2f6f9f", "#b4542d", "#2e7d4f", "#7a5195", "#b08a1e", "#3b8686", "#a23b5a", "#5c6b2f")
_TILE, _GAP, _LEFT, _TOP = 188, 92, 118, 126
_ROW, _HEAD, _FOOT = 24, 34, 30
_Point = tuple[float, float]
_ROWS = 6  # populations of a tile that are shown before the rest is counted


@dataclass(frozen=True, kw_only=True)
class _Style:
    """How text stands: its anchor is the side of it that is at its point."""

    anchor: str = "start"
    fill: str = _INK
    size: int = 12
    weight: int = 400


_PLAIN = _Style()
_TITLE = _Style(size=16, weight=600)
_NAME = _Style(weight=600)
_ASIDE = _Style(fill=_QUIET)
_NUMBER = _Style(anchor="end", fill=_QUIET, size=11)


def mesh_svg(
    program: MeshProgram, traffic: NDArray[np.int64], *, from_host: int | None = None
) -> str:
    """Draw a mesh as SVG; the same data give the same text.

    A tile shows its populations and how full its core is; a link is as wide and as dark as its
    packets are many, one arrow each way.

    Parameters
    ----------
    traffic:
        int64[tiles, 5], packets that left each router by each `Port`: `Run.traffic`.
    from_host:
        Packets that the host sent, where known.

    Raises
    ------
    DataError
        When the traffic is not of this mesh.
    """
    return _Drawing(program, np.asarray(traffic), from_host).svg()


class _Drawing:
    """The parts of the picture, back to front."""

    def __init__(
        self, program: MeshProgram, traffic: NDArray[np.int64], from_host: int | None
    ) -> None:
        params = program.params
        shape = (params.tiles, len(PORTS))
        if traffic.shape != shape:
            raise DataError(f"traffic must have shape {shape}, not {traffic.shape}")
        self._program, self._params, self._traffic = program, params, traffic
        self._from_host = from_host
        # Links give the scale: what a tile takes in is a number in its corner.
        links = traffic[:, : Port.LOCAL]
        self._most = max(1, int(links.max()), from_host or 0)
        self._held: list[list[tuple[str, Piece]]] = [[] for _ in program.tiles]
        for name, pieces in program.neurons_of.items():
            for piece in pieces:
                self._held[piece.tile].append((name, piece))
        rows = min(_ROWS, max(1, *(len(held) for held in self._held)))
        self._height = _HEAD + _ROW * rows + _FOOT
        self._colour = {
            name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(program.neurons_of)
        }

    def svg(self) -> str:
        """The whole picture."""
        params, core = self._params, self._params.core
        w = _LEFT + params.columns * (_TILE + _GAP) - _GAP + 28
        h = _TOP + params.rows * (self._height + _GAP) - _GAP + 28
        packets = int(self._traffic[:, Port.LOCAL].sum() + self._traffic[0, Port.NORTH])
        title = f"{params.columns} × {params.rows} mesh"
        size = f"cores of {core.neurons} neurons and {core.axons} axons"
        sums = f"{packets:,} packets, {int(self._traffic.sum()):,} hops"
        return "\n".join(
            [
                (
                    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" '
                    f'height="{h}" font-family="sans-serif" font-size="12" fill="{_INK}">'
                ),
                f'<rect width="{w}" height="{h}" fill="#ffffff"/>',
                _text(24, 32, title, _TITLE),
                _text(24, 50, f"{size} · {sums}", _ASIDE),
                *self._links(),
                *self._host(),
                *(part for tile in range(params.tiles) for part in self._tile(tile)),
                "</svg>\n",
            ]
        )

    def _corner(self, tile: int) -> tuple[float, float]:
        x, y = self._params.place(tile)
        return _LEFT + x * (_TILE + _GAP), _TOP + y * (self._height + _GAP)

    def _tile(self, tile: int) -> list[str]:
        x, y = self._corner(tile)
        column, row = self._params.place(tile)
        held, neurons = self._held[tile], self._params.core.neurons
        used = sum(len(piece.neurons) for _, piece in held)
        arrived = int(self._traffic[tile, Port.LOCAL])
        shown = held if len(held) <= _ROWS else held[: _ROWS - 1]
        parts = [
            f'<g class="tile" id="tile-{tile}">',
            _rect(x, y, _TILE, self._height, _PAPER, f'stroke="{_LINE}" stroke-width="1.5" rx="8"'),
            _text(x + 12, y + 21, f"({column}, {row})", _NAME),
            _text(x + _TILE - 12, y + 21, f"{arrived:,} in", _NUMBER),
        ]
        for i, (name, piece) in enumerate(shown):
            top = y + _HEAD + i * _ROW
            whole = max(part.members.stop for part in self._program.neurons_of[name])
            some = len(piece.members)
            count = f"{some}" if some == whole else f"{some} of {whole}"
            parts += [
                _rect(x + 12, top, 4, 16, self._colour[name], 'rx="2"'),
                _text(x + 22, top + 12, _short(name), hint=name),
                _text(x + _TILE - 12, top + 12, count, _NUMBER),
            ]
        if len(shown) < len(held):
            top = y + _HEAD + len(shown) * _ROW + 12
            parts.append(_text(x + 22, top, f"and {len(held) - len(shown)} more", _ASIDE))
        if not held:
            parts.append(_text(x + 12, y + _HEAD + 12, "empty", _ASIDE))
        return [*parts, *self._fill(x + 12, y + self._height - 18, tile, used, neurons), "</g>"]

    def _fill(self, x: float, y: float, tile: int, used: int, neurons: int) -> list[str]:
        """How full the core is, population by population."""
        wide = _TILE - 24 - 40
        parts = [_rect(x, y, wide, 6, _LINE, 'rx="3"')]
        for name, piece in self._held[tile]:
            start, stop = (wide * n / neurons for n in (piece.neurons.start, piece.neurons.stop))
            parts.append(_rect(x + start, y, stop - start, 6, self._colour[name]))
        percent = f"{100 * used / neurons:.0f} %"
        return [*parts, _text(x + _TILE - 24, y + 7, percent, _NUMBER)]

    def _links(self) -> list[str]:
        params, parts = self._params, []
        for tile in range(params.tiles):
            x, y = params.place(tile)
            left, top = self._corner(tile)
            if x + 1 < params.columns:
                a, b, middle = left + _TILE + 5, left + _TILE + _GAP - 5, top + self._height / 2
                parts += self._arrow(tile, Port.EAST, tile + 1, (a, middle - 9), (b, middle - 9))
                parts += self._arrow(tile + 1, Port.WEST, tile, (b, middle + 9), (a, middle + 9))
            if y + 1 < params.rows:
                a, b, middle = (
                    top + self._height + 5,
                    top + self._height + _GAP - 5,
                    left + _TILE / 2,
                )
                below = tile + params.columns
                parts += self._arrow(tile, Port.SOUTH, below, (middle + 9, a), (middle + 9, b))
                parts += self._arrow(below, Port.NORTH, tile, (middle - 9, b), (middle - 9, a))
        return parts

    def _arrow(self, tile: int, port: Port, to: int, a: _Point, b: _Point) -> list[str]:
        ends = [f"({x}, {y})" for x, y in map(self._params.place, (tile, to))]
        return self._line(int(self._traffic[tile, port]), " → ".join(ends), a, b)

    def _line(self, packets: int | None, hint: str, a: _Point, b: _Point) -> list[str]:
        """Arrow from a to b, as wide as its packets are many, and their number beside it."""
        # Width goes with packets, darkness with their root: few are still seen beside many.
        share = (packets or 0) / self._most
        colour = _mix(_LINE, _INK, share**0.5) if packets != 0 else _LINE
        colour = _QUIET if packets is None else colour
        wide, tip = 1.2 + 6 * share, 6 + 5 * share
        (ax, ay), (bx, by) = a, b
        ux, uy = np.sign(bx - ax), np.sign(by - ay)
        nx, ny = bx - ux * tip, by - uy * tip
        half = tip * 0.7
        corners = ((bx, by), (nx - uy * half, ny + ux * half), (nx + uy * half, ny - ux * half))
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        number = "" if packets is None else f"{packets:,}"
        parts = [
            f'<g class="link"><title>{escape(hint)}: {number or "not counted"}</title>',
            (
                f'<line x1="{ax:.1f}" y1="{ay:.1f}" x2="{nx:.1f}" y2="{ny:.1f}" stroke="{colour}" '
                f'stroke-width="{wide:.2f}"/><polygon points="{points}" fill="{colour}"/>'
            ),
        ]
        if packets and uy:
            anchor, shift = ("start", 9) if ax == max(ax, bx) and uy > 0 else ("end", -9)
            parts.append(
                _text(ax + shift, (ay + by) / 2 + 4, number, replace(_NUMBER, anchor=anchor))
            )
        elif packets:
            parts.append(
                _text(
                    (ax + bx) / 2,
                    ay + ux * (-5 - wide / 2) + (0 if ux > 0 else 8),
                    number,
                    replace(_NUMBER, anchor="middle"),
                )
            )
        return [*parts, "</g>"]

    def _host(self) -> list[str]:
        """The host: spikes enter at the west of tile (0, 0) and leave at its north."""
        x, y = self._corner(0)
        middle, above = y + self._height / 2, y - 44
        edge = f"M{x + _TILE} {above}H40a16 16 0 0 0 -16 16V{y + self._height}"
        dots = f'stroke="{_QUIET}" stroke-width="1.5" stroke-dasharray="2 5"'
        parts = [
            f'<g class="host" id="host"><path d="{edge}" fill="none" {dots}/>',
            _text(x + 12, above + 20, "host", replace(_NAME, fill=_QUIET)),
            *self._line(self._from_host, "host → (0, 0)", (29, middle), (x - 5, middle)),
        ]
        if self._program.host_axons or self._traffic[0, Port.NORTH]:
            out = int(self._traffic[0, Port.NORTH])
            at = x + _TILE / 2
            parts += self._line(out, "(0, 0) → host", (at, y - 5), (at, above + 5))
        return [*parts, "</g>"]


def _short(name: str) -> str:
    return name if len(name) <= 12 else f"{name[:11]}…"


def _mix(a: str, b: str, share: float) -> str:
    """Colour between two, ``#rrggbb``."""
    pairs = [(int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(low + (high - low) * share):02x}" for low, high in pairs)


def _rect(x: float, y: float, w: float, h: float, fill: str, more: str = "") -> str:
    box = f'x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"'
    return f'<rect {box} fill="{fill}" {more}/>'


def _text(x: float, y: float, words: str, style: _Style = _PLAIN, hint: str = "") -> str:
    title = f"<title>{escape(hint)}</title>" if hint else ""
    how = (
        f'text-anchor="{style.anchor}" fill="{style.fill}" font-size="{style.size}" '
        f'font-weight="{style.weight}"'
    )
    return f'<text x="{x:.1f}" y="{y:.1f}" {how}>{title}{escape(words)}</text>'
