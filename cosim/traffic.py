"""Traffic through one router, of either kind, in either simulator.

What comes when, and how long each packet waits to be taken, is known beforehand: a run can be
repeated, and its simulator has nothing to decide. A source offers a packet at its time, or as soon
as the one before was taken.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikewatt.cosim.harness import harness
from spikewatt.cosim.simulate import PLAIN_COCOTB, CocotbOptions, simulate
from spikewatt.model.params import PORTS, PacketParams, RouterKind

__all__ = ["Arrivals", "Departures", "Passage", "RouterDesign", "Traffic", "pass_through"]


@dataclass(frozen=True)
class RouterDesign:
    """A router to simulate.

    Parameters
    ----------
    verilog:
        Of module ``router``, and models of its cells.
    """

    kind: RouterKind
    verilog: str
    packet: PacketParams


@dataclass(frozen=True)
class Traffic:
    """What a router is to pass, by `Port`.

    Parameters
    ----------
    times, words:
        int64[packets] and uint64[packets] of each port in: when, in ps, a packet is offered at the
        earliest, and the packet.
    pauses:
        int64[packets] of each port out: how long, in ps, each packet waits to be taken, at least 1;
        a clocked router's waits whole cycles. Later packets do not wait.
    late:
        How much later than the request, in ps, the data of a clockless link come in.
    """

    times: Sequence[NDArray[np.int64]]
    words: Sequence[NDArray[np.uint64]]
    pauses: Sequence[NDArray[np.int64]]
    late: int = 0


@dataclass(frozen=True)
class Departures:
    """What a source sent: int64 ``sent`` and ``taken``, ps, and uint64 ``words``."""

    sent: NDArray[np.int64]
    taken: NDArray[np.int64]
    words: NDArray[np.uint64]


@dataclass(frozen=True)
class Arrivals:
    """What a sink took: int64 ``times``, ps, and uint64 ``words``."""

    times: NDArray[np.int64]
    words: NDArray[np.uint64]


@dataclass(frozen=True)
class Passage:
    """What went through a router, by `Port`."""

    sources: Sequence[Departures]
    sinks: Sequence[Arrivals]


def pass_through(
    router: RouterDesign,
    traffic: Traffic,
    folder: Path,
    options: CocotbOptions = PLAIN_COCOTB,
    *,
    poll: Callable[[], None] = lambda: None,
) -> Passage:
    """Send traffic through a router until nothing more moves.

    Parameters
    ----------
    folder:
        Where the simulation runs.
    options:
        Of the simulation; it always keeps the design's delays.

    Raises
    ------
    SimulationError
        The router takes no more packets, or more leave it than came.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for port in PORTS:
        offers = zip(traffic.times[port].tolist(), traffic.words[port].tolist(), strict=True)
        lines = [f"{when} {word:x}" for when, word in offers]
        # In the file and not in the design, so that one build serves all.
        late = [str(traffic.late)] * (router.kind is RouterKind.CLICK)
        _write(folder / f"offers_{port:d}", [*late, *lines])
        _write(folder / f"pauses_{port:d}", map(str, traffic.pauses[port].tolist()))
    # The bench ends when so many have come; more than that would be one made up.
    packets = sum(map(len, traffic.words))
    simulate(
        router.verilog + harness(router.kind, router.packet),
        "harness",
        "spikewatt.cosim.bench.traffic",
        folder,
        replace(options, timing=True, env={"TRAFFIC_PACKETS": str(packets)}),
        poll=poll,
    )
    return Passage(
        [Departures(*_read(folder / f"sent_{port:d}", 3)) for port in PORTS],
        [Arrivals(*_read(folder / f"came_{port:d}", 2)) for port in PORTS],
    )


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


def _read(path: Path, columns: int) -> list[NDArray]:
    """Columns of a log: times in decimal, then packets in hexadecimal."""
    rows = [line.split() for line in path.read_text().splitlines()]
    # A router that nothing passed leaves an empty log.
    *times, words = zip(*rows, strict=True) if rows else [[]] * columns
    return [
        *(np.array(column, np.int64) for column in times),
        np.array([int(word, 16) for word in words], np.uint64),
    ]
