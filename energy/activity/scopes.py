"""Where in a waveform the design is."""

from collections.abc import Iterable, Sequence

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.naming import Buses, Names, plain
from spikewatt.energy.activity.waveform import Waveform
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["find_scope", "given_scope"]


def given_scope(wave: Waveform, scope: str) -> str:
    """The scope that a user named, with dots or slashes between its levels.

    Raises
    ------
    WaveformError
        There is none of this name.
    """
    spelled = plain(scope).strip("./")
    for name in (spelled, spelled.replace("/", ".")):
        if any(full.startswith(f"{name}.") for full in wave.signals):
            return name
    there = sorted({name.rpartition(".")[0] for name in wave.signals}, key=len)
    raise WaveformError(
        f"{wave.path} has no scope {spelled.replace('/', '.')}: it has {', '.join(there[:5])}"
        + (", …" if len(there) > 5 else "")
    )


def find_scope(wave: Waveform, netlist: Netlist, states: Iterable[int], buses: Buses) -> str:
    """The scope that has the design's ports; of several the one that shows most of its states.

    Parameters
    ----------
    states:
        Nets of the flip-flops and latches.

    Raises
    ------
    WaveformError
        No scope has them, or several show as much, of different instances.
    """
    having = _having(wave, list(_used_ports(netlist)))
    if not having:
        raise WaveformError(
            f"no scope of {wave.path} has the ports of {netlist.name}: name the one with --scope"
        )
    if len(having) == 1:
        return having[0]
    nets = [net for net in states if net < len(netlist.names)]
    shows = {scope: _shows(Names(wave, scope, buses), netlist, nets) for scope in having}
    most = max(shows.values())
    best = [scope for scope in having if shows[scope] == most]
    # The name of the module decides between instances that show as much.
    named = [scope for scope in best if scope.rpartition(".")[2] == netlist.name] or best
    outermost = min(named, key=len)
    if not all(scope == outermost or scope.startswith(f"{outermost}.") for scope in named):
        raise WaveformError(
            f"{wave.path} has several scopes with the ports of {netlist.name} "
            f"({', '.join(sorted(named))}): name one with --scope"
        )
    return outermost


def _used_ports(netlist: Netlist) -> Iterable[str]:
    """Ports with a net at which there is a cell, a memory or another port: supplies have none."""
    used = {net for instance in netlist.instances for net in instance.pins.values()}
    for memory in netlist.memories:
        for port in memory.ports:
            clock = () if port.clock is None else (port.clock,)
            used |= {*clock, *port.enable, *port.address, *port.data}
    unused = {
        name
        for name, port in netlist.ports.items()
        if port.direction != "output" and used.isdisjoint(port.nets)
    }
    names = [name for name in netlist.ports if name not in unused]
    return names or netlist.ports


def _having(wave: Waveform, ports: Sequence[str]) -> list[str]:
    """Scopes that show all ports, whole or by their bits, elements or fields."""
    names = {*wave.signals, *wave.parts}
    # A packed struct is a scope, an element of a packed array goes on with a bracket.
    for name in wave.signals:
        scope, _, leaf = name.rpartition(".")
        names.add(scope)
        if "[" in leaf:
            names.add(f"{scope}.{leaf.partition('[')[0]}")
    scopes = {name.rpartition(".")[0] for name in names}
    there = [
        scope
        for scope in scopes
        if all((f"{scope}.{plain(port)}" if scope else plain(port)) in names for port in ports)
    ]
    return sorted(there, key=lambda scope: (len(scope), scope))


def _shows(names: Names, netlist: Netlist, states: Sequence[int]) -> tuple[int, int]:
    """How many state bits a scope shows, and how many nets."""
    shown = sum(_is_shown(names, netlist.names[net]) for net in states)
    return shown, sum(_is_shown(names, aliases) for aliases in netlist.names[2:])


def _is_shown(names: Names, aliases: Iterable[str]) -> bool:
    try:
        return names.first(aliases) is not None
    except WaveformError:  # shown twice: told if this scope is the one
        return True
