"""Activity from SAIF, which holds totals rather than times, and SAIF from activity."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.activity import Activity, Origin
from spikewatt.energy.activity.prepared import Prepared
from spikewatt.energy.activity.saif import read_saif, write_saif
from spikewatt.synth.netlist.netlist import ONE, Netlist

__all__ = ["activity_from_saif", "write_activity"]

_READABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_$.\[\]]*")
"""What OpenSTA's reader takes for a name (power/SaifLex.ll, ID)."""


def activity_from_saif(path: Path, netlist: Netlist, scope: str) -> Activity:
    """Totals of every net of a netlist, as one block.

    SAIF cannot be replayed: it must hold the nets of the netlist, as a gate-level simulation gives
    them. Nets that it does not hold are ``unmatched``; memories have no accesses in SAIF.

    Raises
    ------
    WaveformError
        The file is no SAIF, or holds no net of the netlist below ``scope``.
    """
    saif = read_saif(path)
    if saif.duration <= 0:
        raise WaveformError(f"{path}: DURATION must be above 0, not {saif.duration}")
    known = {_plain(name): counts for name, counts in saif.below(scope).items()}
    toggles = np.zeros((1, len(netlist.names)), np.uint64)
    origins = np.full(len(netlist.names), Origin.RECORDED, np.uint8)
    high = np.zeros(len(netlist.names))
    missing = []
    pins: dict[int, list[str]] = defaultdict(list)
    for instance in netlist.instances:
        for pin, net in instance.pins.items():
            pins[net].append(f"{instance.name}.{pin}")
    for net, names in enumerate(netlist.names[2:], start=2):
        # Some tools write pins of cells in place of nets.
        found = map(_plain, (*names, *pins[net]))
        counts = next((known[name] for name in found if name in known), None)
        if counts is None:
            missing.append(names[0])
            origins[net] = Origin.ASSUMED
            continue
        _, t1, _, changes = counts
        toggles[0, net], high[net] = changes, t1 * saif.timescale
    if len(missing) == len(netlist.names) - 2:
        raise WaveformError(f"{path} holds no net of {netlist.name} below {scope}")
    # SAIF knows nets, not enables: what memories took stays unknown, and is not guessed.
    ports = sum(len(memory.ports) for memory in netlist.memories)
    none = np.zeros((1, ports), np.uint64)
    end = saif.duration * saif.timescale
    return Activity(
        edges_s=np.array([0.0, end]),
        toggles=toggles,
        high_s=high,
        origins=origins,
        accesses=none,
        clock_edges=none,
        unmatched=tuple(missing),
        matched=0,
        judged=0,
        scope=scope,
    )


def _plain(name: str) -> str:
    return name.replace("\\", "").replace(" ", "")


def write_activity(path: Path, prepared: Prepared, activity: Activity) -> None:
    r"""Write the totals of all nets as SAIF: under each net's first name, and at all pins of cells.

    OpenSTA takes pins alone, and only of cells. Names that its reader cannot read are left out:
    those that yosys made up (``$0\q[3:0]``), and ones with a hyphen or a slash.

    Raises
    ------
    WaveformError
        The file cannot be written.
    """
    tick = prepared.tick_s
    duration = round(activity.duration_s / tick)
    totals, high = activity.totals.tolist(), np.rint(activity.high_s / tick).astype(int).tolist()
    high[ONE] = duration
    # Times at 0 and at 1, and none at X: a replay has no X.
    rows = (
        (levels, duration - high[net], high[net], 0, totals[net])
        for levels, net in _named(prepared.netlist)
        if all(map(_READABLE.fullmatch, levels))
    )
    write_saif(path, prepared.matches.scope or prepared.netlist.name, duration, tick, rows)


def _named(netlist: Netlist) -> Iterator[tuple[tuple[str, ...], int]]:
    """Nets by the levels of a name, and pins of cells with their nets."""
    for net, names in enumerate(netlist.names):
        if net > 1 and names:
            yield netlist.levels(names[0]), net
    for instance in netlist.instances:
        levels = netlist.levels(instance.name)
        for pin, net in instance.pins.items():
            yield (*levels, pin), net
