"""Draw the pictures of the documents: ``python docs/pictures.py``.

``raster.svg`` is drawn from the RTL: one held-out image through the native runner. ``power.svg`` is
the joules of its every cycle.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.native import NativeCore
from spikewatt.flow.plots import power_trace
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.network.dataset import load_digits
from spikewatt.targets.neuro import NeuroTarget

HERE = Path(__file__).parent
INK, PALE, INPUT, HIDDEN, CHOSEN = "#1f2933", "#9aa5b1", "#2f6f9f", "#b4542d", "#2e7d4f"
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
    'font-family="sans-serif" font-size="12" fill="{ink}">'
    '<rect width="{w}" height="{h}" fill="#ffffff"/>'
)

MARKER = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{PALE}"/></marker></defs>'
)
TIP = 'marker-end="url(#tip)"'


def text(x: float, y: float, words: str, anchor: str = "start", fill: str = INK) -> str:
    """A line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{words}</text>'


def rect(x: float, y: float, w: float, h: float, fill: str, more: str = "") -> str:
    """A rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="{fill}" {more}/>'


LEFT, STEP = 160, 28
"""Where ticks begin, and how wide one is."""


def at(tick: int) -> float:
    """Middle of a tick."""
    return LEFT + (tick + 0.5) * STEP


def events(spikes: NDArray[np.bool_], name: str, colour: str, top: float) -> list[str]:
    """Raster of spikes bool[ticks, neurons]."""
    ticks, neurons = spikes.shape
    pitch = 100 / 64 if neurons <= 64 else 165 / 128
    return [
        text(LEFT, top - 10, f"{name}: {int(spikes.sum())} spikes"),
        rect(LEFT, top, STEP * ticks, neurons * pitch, "none", f'stroke="{PALE}"'),
        *(rect(at(t) - 2, top + n * pitch, 4, 2.2, colour) for t, n in np.argwhere(spikes)),
    ]


def membranes(v: NDArray[np.int32], top: float, height: float) -> list[str]:
    """Membranes int[ticks, classes] over time; the largest at the end stands out."""
    low, high, best = int(v.min()), int(v.max()), int(v[-1].argmax())

    def y(value: float) -> float:
        return top + (high - value) * height / max(high - low, 1)

    parts = [text(LEFT, top - 10, f"{v.shape[1]} output membranes, read after the last tick")]
    for neuron in range(v.shape[1]):
        line = " ".join(f"{at(t):.1f},{y(value):.1f}" for t, value in enumerate(v[:, neuron]))
        colour, thick = (CHOSEN, 2.5) if neuron == best else (PALE, 1)
        stroke = f'stroke="{colour}" stroke-width="{thick}"'
        parts.append(f'<polyline points="{line}" fill="none" {stroke}/>')
    parts += [text(at(t), top + height + 20, str(t), "middle", PALE) for t in range(len(v))]
    return [*parts, text(at(len(v)) - 8, y(v[-1, best]) + 4, f"class {best}", fill=CHOSEN)]


def raster(sample: int = 3) -> str:
    """One image: its pixels, spikes of input and hidden neurons, membranes of the readout."""
    network, x, y = load_digits()
    program = map_network(network)
    spikes = network.stimulus(x[[sample]])[0]
    with NativeCore(program.params) as core:
        core.configure(program)
        trace = core.run(program.input_events(spikes))
    hidden, output = (list(program.neurons_of[p.name]) for p in network.populations)
    parts = [HEAD.format(w=700, h=520, ink=INK)]
    parts.append(text(20, 30, f"held-out image {sample}, a {y[sample]}"))
    for i, value in enumerate(x[sample]):
        shade = 255 - int(value) * 15
        grey = f"rgb({shade},{shade},{shade})"
        parts.append(rect(20 + i % 8 * 14, 40 + i // 8 * 14, 13, 13, grey))
    parts += events(spikes, "64 inputs", INPUT, 40)
    parts += events(trace.spikes[0][:, hidden], "128 hidden neurons", HIDDEN, 170)
    parts += membranes(trace.membranes[0][:, output], 370, 90)
    cycles = (
        f"{trace.total('tick_cycles'):,} cycles, {trace.total('synapse_words'):,} synapse words"
    )
    parts.append(text(LEFT, 503, f"tick · in RTL: {cycles} of 8 synapses"))
    return "\n".join([*parts, "</svg>\n"])


def power(path: Path, sample: int = 3) -> None:
    """Power of every clock cycle of one image."""
    network, x, y = load_digits()
    priced = NeuroTarget(network).price(network.stimulus(x[[sample]]))
    title = f"held-out image {sample}, a {y[sample]}: power of every clock cycle"
    power_trace(path, *priced.block_cycles(0), title)


if __name__ == "__main__":
    (HERE / "raster.svg").write_text(raster())
    power(HERE / "power.svg")
