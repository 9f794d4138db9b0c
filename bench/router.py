"""Throughput and latency of one router under load: ``docs/router/saturation.*``.

Every port in gets packets at random times, as many to each port where they may leave, and queues
what the router does not take. Every packet that leaves is taken as the next router would take it: a
clockless one after its matched delay and its click, a clocked one at once.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.harness import PERIOD
from spikewatt.cosim.traffic import Passage, RouterDesign, Traffic, pass_through
from spikewatt.flow.plots import drawing
from spikewatt.hdl.router.asynchronous import ClickRouter
from spikewatt.hdl.router.routing import TARGETS
from spikewatt.hdl.router.synchronous import SyncRouter
from spikewatt.model.params import PORTS, Delays, PacketParams, Port, RouterKind
from spikewatt.synth.click import simulation_cells
from spikewatt.synth.verilog import export

PACKET = PacketParams(axon_bits=16, slot_bits=6)  # a payload that holds a packet's number
SEED = 11
WARM = 0.25  # of the time in which packets are offered; then it counts
LOADS = {  # packets per ns and port
    RouterKind.CLICK: (0.02, 0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.8, 1.2),
    RouterKind.SYNC: (0.002, 0.01, 0.02, 0.03, 0.04, 0.05, 0.055, 0.06, 0.065, 0.07, 0.08, 0.1),
}
COLOURS = {RouterKind.CLICK: "#4c78a8", RouterKind.SYNC: "#f58518"}
LABELS = {RouterKind.CLICK: "clockless", RouterKind.SYNC: "clocked, 10 ns"}


@dataclass(frozen=True)
class Point:
    """One load: packets per ns and port, and mean latency in ns, from offered to taken.

    Latency means something where the router is ``steady``; elsewhere it grows with the run.
    """

    router: str
    offered: float
    accepted: float
    latency_ns: float

    @property
    def per_cycle(self) -> float:
        """Packets accepted per port in a clock period of 10 ns."""
        return self.accepted * PERIOD / 1000

    @property
    def steady(self) -> bool:
        """Whether the router takes what is offered."""
        return self.accepted >= 0.99 * self.offered


def packets(source: Port, targets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Packets uint64[n] from a port to ports; the payload is number and source."""
    step = {Port.EAST: (1, 0), Port.WEST: (-1, 0), Port.SOUTH: (0, 1), Port.NORTH: (0, -1)}
    hops = np.array([step.get(port, (0, 0)) for port in PORTS])[targets]
    mask, hop = (1 << PACKET.hop_bits) - 1, PACKET.hop_bits
    payload = np.arange(len(targets)) * len(PORTS) + int(source)
    word = (hops[:, 0] & mask) | (hops[:, 1] & mask) << hop | payload << (2 * hop + 2)
    return word.astype(np.uint64)


def traffic(count: int, load: float, wait: int) -> Traffic:
    """``count`` packets into every port, ``load`` of them per ns."""
    rng = np.random.default_rng(SEED)
    times = [np.cumsum(rng.exponential(1000 / load, count)).astype(np.int64) for _ in PORTS]
    words = [packets(port, rng.choice(TARGETS[port], count)) for port in PORTS]
    return Traffic(times, words, [np.full(len(PORTS) * count, wait) for _ in PORTS])


def measure(kind: RouterKind, offered: Traffic, passage: Passage) -> Point:
    """What was taken per ns while packets were offered, and how late."""
    number = [sink.words >> np.uint64(2 * PACKET.hop_bits + 2) for sink in passage.sinks]
    payload = np.concatenate(number).astype(np.int64)
    came = np.concatenate([sink.times for sink in passage.sinks])
    count = len(offered.times[0])
    assert len(np.unique(payload)) == len(payload) == len(PORTS) * count
    when = np.array(offered.times)[payload % len(PORTS), payload // len(PORTS)]
    end = min(times[-1] for times in offered.times)
    begin = WARM * end
    per_ns = 1000 / (end - begin) / len(PORTS)
    counted = (when >= begin) & (when < end)
    accepted = ((came >= begin) & (came < end)).sum() * per_ns
    latency = (came - when)[counted].mean() / 1000
    asked = counted.sum() * per_ns
    return Point(
        str(kind), round(float(asked), 4), round(float(accepted), 4), round(float(latency), 3)
    )


def curve(kind: RouterKind, count: int) -> list[Point]:
    """All loads of one router."""
    delays = Delays()
    click = kind is RouterKind.CLICK
    component = ClickRouter(PACKET, delays) if click else SyncRouter(PACKET)
    text = simulation_cells() + export(component, "router")
    wait = delays.route + delays.fire if click else 1
    points = []
    for load in LOADS[kind]:
        offered = traffic(count, load, wait)
        with tempfile.TemporaryDirectory() as folder:
            passage = pass_through(RouterDesign(kind, text, PACKET), offered, Path(folder))
        points.append(measure(kind, offered, passage))
    return points


def table(points: Sequence[Point]) -> str:
    """Markdown."""
    head = "| router | offered, 1/ns | accepted, 1/ns | accepted, per 10 ns | latency, ns |\n"
    rows = (
        f"| {LABELS[RouterKind(p.router)]} | {p.offered:g} | {p.accepted:.4f} "
        f"| {p.per_cycle:.3f} | {f'{p.latency_ns:.2f}' if p.steady else 'grows'} |\n"
        for p in points
    )
    return head + "|---|--:|--:|--:|--:|\n" + "".join(rows)


def plot(path: Path, points: Sequence[Point]) -> None:
    """Accepted throughput and latency over the load."""
    with drawing(path, (8, 3.2)) as figure:
        left, right = figure.subplots(1, 2)
        for kind in RouterKind:
            mine = [p for p in points if p.router == kind]
            style = {"color": COLOURS[kind], "marker": "o", "markersize": 3, "label": LABELS[kind]}
            offered = [p.offered for p in mine]
            left.plot(offered, [p.accepted for p in mine], **style)
            steady = [p for p in mine if p.steady]
            right.plot([p.offered for p in steady], [p.latency_ns for p in steady], **style)
        offered_label = "offered, packets per ns and port"
        left.set(xlabel=offered_label, ylabel="accepted, packets per ns and port")
        right.set(xlabel=offered_label, ylabel="mean latency, ns")
        for axes in (left, right):
            axes.set(xscale="log", yscale="log")
        left.legend(frameon=False)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=4000, help="into every port, at each load")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "router")
    arguments = parser.parse_args()
    points = [point for kind in RouterKind for point in curve(kind, arguments.packets)]
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(point), "per_cycle": round(point.per_cycle, 4)} for point in points]
    (arguments.out / "saturation.json").write_text(json.dumps(rows, indent=1) + "\n")
    (arguments.out / "saturation.md").write_text(table(points))
    plot(arguments.out / "saturation.svg", points)
    print(table(points))


if __name__ == "__main__":
    main()
