"""The critical path, told in the names of the RTL."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spikewatt.synth.fpga.names import Kind, Names

__all__ = ["Hop", "Timing", "read_timing"]


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

    def to_json(self) -> dict[str, Any]:
        """The hop as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Timing:
    """The highest clock of a placed design, and the path that limits it.

    ``fmax_mhz`` is ``None`` where no register leads to another.
    """

    fmax_mhz: float | None
    path: tuple[Hop, ...]


def read_timing(report: Path, module: Mapping[str, Any]) -> Timing:
    """Timing from nextpnr's report of a mapped module, as ``write_json`` writes it.

    The slowest clock counts; one that stands still (a constant) has no path from itself to itself.
    """
    content = json.loads(report.read_text())
    paths = {
        path["from"].split()[-1]: path
        for path in content["critical_paths"]
        if path["from"] == path["to"] and path["from"] != "<async>"
    }
    achieved = {name: entry["achieved"] for name, entry in content["fmax"].items() if name in paths}
    if not achieved:
        return Timing(None, ())
    slowest = min(achieved, key=lambda name: achieved[name])
    return Timing(achieved[slowest], tuple(_hops(paths[slowest]["path"], Names(module))))


def _hops(steps: Sequence[Mapping[str, Any]], names: Names) -> list[Hop]:
    """One hop for each signal: what has no name of its own joins the next one."""
    hops: list[Hop] = []
    waiting = 0.0
    last = len(steps) - 1
    for place, step in enumerate(steps):
        waiting += step["delay"]
        follows = steps[place + 1] if place < last else None
        if place == 0:
            found = names.element(step["from"]["cell"], step["from"]["port"])
        elif place == last:
            found = names.element(step["to"]["cell"], step["to"]["port"])
        elif follows is not None and follows["type"] == "routing":
            signal = names.net(follows["net"])
            found = (signal, "logic") if signal else None
        else:
            found = None
        if found is None and place == last:
            found = (hops[-1].name if hops else step["to"]["cell"], "register")
        if found is None:
            continue
        name, kind = found
        if hops and (hops[-1].name == name and kind == "logic"):
            hops[-1] = Hop(name, hops[-1].kind, hops[-1].ns + waiting)
        else:
            hops.append(Hop(name, kind, waiting))
        waiting = 0.0
    return hops
