"""Activity from SAIF, which holds totals rather than times, and SAIF from activity."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.activity import Activity, Origin
from spikewatt.energy.activity.prepared import Prepared
from spikewatt.energy.activity.propagate import propagate
from spikewatt.energy.activity.saif import read_saif, write_saif
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import ONE, Netlist

__all__ = ["activity_from_saif", "write_activity"]

_READABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_$.\[\]]*")
"""What OpenSTA's reader takes for a name (power/SaifLex.ll, ID)."""

ROUNDING = 1e-6
"""Share of the duration by which the times of a net may miss it: writers round."""


def activity_from_saif(
    path: Path, netlist: Netlist, scope: str, library: Library | None = None
) -> Activity:
    """Totals of every net of a netlist, as one block.

    SAIF cannot be replayed: it should hold the nets of the netlist, as a gate-level simulation
    gives them, or the pins of its cells. With a library, nets that it does not hold are
    propagated from the others, as OpenSTA does; what is left is ``unmatched``. Memories have no
    accesses in SAIF.

    Raises
    ------
    WaveformError
        The file is no SAIF, or holds no net of the netlist below ``scope``; or, with a library, not
        all of its inputs and states; or has a net whose times do not add up to its duration.
    """
    saif = read_saif(path)
    if saif.duration <= 0:
        raise WaveformError(f"{path}: DURATION must be above 0, not {saif.duration}")
    end = saif.duration * saif.timescale
    known = {_plain(name): counts for name, counts in saif.below(scope).items()}
    toggles, duty = np.zeros(len(netlist.names)), np.zeros(len(netlist.names))
    told = np.zeros(len(netlist.names), np.bool_)
    for net, names in enumerate(_all_names(netlist)):
        counts = next((known[name] for name in names if name in known), None)
        if net > ONE and counts is not None:
            low, high, unknown, changes = counts
            if abs(low + high + unknown - saif.duration) > max(1, ROUNDING * saif.duration):
                raise WaveformError(
                    f"{path}: {names[0]} is {low + high + unknown:,} ticks at 0, 1 and X together, "
                    f"and the file lasts {saif.duration:,}: it is not of one simulation"
                )
            toggles[net], duty[net] = changes, high / saif.duration
            told[net] = True
    if not told.any():
        raise WaveformError(f"{path} holds no net of {netlist.name} below {scope}")
    propagated: tuple[int, ...] = ()
    if library is not None:
        result = propagate(netlist, library, toggles, duty, told)
        _refuse_untold(path, netlist, result.untold)
        propagated = tuple(result.nets)
    told[:2] = True
    unused = _unused(netlist)
    origins = np.full(len(netlist.names), Origin.RECORDED, np.uint8)
    origins[list(propagated)] = Origin.INFERRED
    missing = np.flatnonzero(~told).tolist()
    origins[missing] = [Origin.UNUSED if net in unused else Origin.ASSUMED for net in missing]
    # SAIF knows nets, not enables: what memories took stays unknown, and is not guessed.
    none = np.zeros((1, sum(len(memory.ports) for memory in netlist.memories)), np.uint64)
    return Activity(
        edges_s=np.array([0.0, end]),
        toggles=(toggles if propagated else toggles.astype(np.uint64))[None, :],
        high_s=duty * end,
        origins=origins,
        accesses=none,
        clock_edges=none,
        unmatched=tuple(netlist.names[net][0] for net in missing if net not in unused),
        matched=0,
        judged=0,
        scope=scope,
        propagated=propagated,
        summed=int(told[ONE + 1 :].sum()),
    )


def _all_names(netlist: Netlist) -> list[list[str]]:
    """Names of each net, and those of the pins at it, which some tools write in its place."""
    names = [[_plain(name) for name in aliases] for aliases in netlist.names]
    for instance in netlist.instances:
        for pin, net in instance.pins.items():
            names[net].append(f"{_plain(instance.name)}.{pin}")
    return names


def _unused(netlist: Netlist) -> set[int]:
    """Nets at which there is nothing."""
    used = {net for instance in netlist.instances for net in instance.pins.values()}
    used |= {net for port in netlist.ports.values() for net in port.nets}
    for memory in netlist.memories:
        for port in memory.ports:
            clock = () if port.clock is None else (port.clock,)
            used |= {*clock, *port.enable, *port.address, *port.data}
    return set(range(2, len(netlist.names))) - used


def _refuse_untold(path: Path, netlist: Netlist, untold: Sequence[int]) -> None:
    if untold:
        names = ", ".join(netlist.names[net][0] for net in untold[:3])
        raise WaveformError(
            f"{path} does not hold {len(untold):,} of the inputs and states of {netlist.name} "
            f"({names}{', …' if len(untold) > 3 else ''}): write it with all ports and registers "
            "below the scope, or give an FST or VCD"
        )


def _plain(name: str) -> str:
    """A name without what escapes it; tools that flatten put slashes between its levels."""
    return name.replace("\\", "").replace(" ", "").replace("/", ".")


def write_activity(path: Path, prepared: Prepared, activity: Activity) -> None:
    r"""Write the totals of all nets as SAIF: under each net's first name, and at all pins of cells.

    OpenSTA takes pins alone, and only of cells. Names that its reader cannot read are left out:
    those that yosys made up (``$0\q[3:0]``), and ones with a hyphen or a slash.

    Raises
    ------
    WaveformError
        The file cannot be written.
    """
    # SAIF knows ticks of 1, 10 and 100 of a unit: a half one is five tenths.
    tick = prepared.tick_s / (5 if prepared.inputs == "before" else 1)
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
