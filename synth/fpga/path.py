"""The critical path, told in the names of the RTL."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikewatt.synth.fpga.names import Kind, Names

__all__ = ["FpgaTiming", "Hop", "read_timing"]


@dataclass(frozen=True)
class Hop:
    """A signal on a path, and the time from the one before to it.

    ``name`` ends with the signal: ``neurons.fire_0.spike``. ``ns`` covers the wire that leads here
    and the logic that makes the signal; at a register or memory where a path begins it is clock to
    output, where it ends the set-up time and the wire.
    """

    name: str
    kind: Kind
    ns: float


@dataclass(frozen=True)
class FpgaTiming:
    """The highest clock of a placed design, and the path that limits it.

    ``fmax_mhz`` is ``None`` where no register leads to another.
    """

    fmax_mhz: float | None
    path: tuple[Hop, ...]


def read_timing(report: Path, module: Mapping[str, Any]) -> FpgaTiming:
    """Timing from nextpnr's report of a mapped module, as ``write_json`` writes it.

    The slowest clock counts. Where a path leads from its one edge to the other, the path takes half
    of the period. A clock that stands still has no path to itself; the clicks of a clockless
    router are no clocks.
    """
    content = json.loads(report.read_text())
    paths = {
        # A path between two clocks is no limit of either: our clockless routers and their bridges
        # cross on purpose.
        clock: path
        for path in content["critical_paths"]
        if (clock := path["from"].split()[-1]) == path["to"].split()[-1]
        and not clock.endswith(("<async>", ".click_clk"))
    }
    achieved = {name: entry["achieved"] for name, entry in content["fmax"].items() if name in paths}
    if not achieved:
        return FpgaTiming(None, ())
    slowest = min(achieved, key=lambda name: achieved[name])
    return FpgaTiming(achieved[slowest], tuple(_hops(paths[slowest]["path"], Names(module))))


def _hops(steps: Sequence[Mapping[str, Any]], names: Names) -> list[Hop]:
    """One hop for each signal: what has no name of its own joins the next one."""
    hops: list[Hop] = []
    waiting = 0.0
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        waiting += step["delay"]
        if step["type"] == "clk-skew":
            continue  # between the clocks of the path's ends: it counts where the path begins
        if not hops or following is None:
            cell = step["to"]["cell"]
            name, kind = names.element(cell) or (names.net(cell) or cell, "logic")
        elif following["type"] == "routing" and (signal := names.net(following["net"])):
            name, kind = signal, "logic"
        else:
            continue
        # The same signal in two pieces: a wire, then what it is buffered by.
        if hops and hops[-1].name == name and kind == "logic":
            hops[-1] = Hop(name, hops[-1].kind, hops[-1].ns + waiting)
        else:
            hops.append(Hop(name, kind, waiting))
        waiting = 0.0
    return hops
