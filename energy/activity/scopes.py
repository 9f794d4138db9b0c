"""Where in a waveform the design is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Candidate:
    """A scope with the ports of the design, and how much of the design it shows.

    Parameters
    ----------
    shows:
        Number of state bits, and of nets.
    bits:
        Which bits the state bits and ports are.
    """

    scope: str
    shows: tuple[int, int]
    bits: tuple[tuple[str, int] | None, ...]


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
    ports = [net for port in netlist.ports.values() for net in port.nets if net > 1]
    all_shown = [_candidate(wave, netlist, scope, buses, (nets, ports)) for scope in having]
    most = max(candidate.shows for candidate in all_shown)
    best = [candidate for candidate in all_shown if candidate.shows == most]
    # The name of the module decides between instances that show as much.
    named = [c for c in best if c.scope.rpartition(".")[2] == netlist.name] or best
    outermost = min(named, key=lambda candidate: len(candidate.scope))
    others = [
        candidate.scope
        for candidate in named
        if candidate.bits != outermost.bits
        and not candidate.scope.startswith(f"{outermost.scope}.")
    ]
    if others:
        raise WaveformError(
            f"{wave.path} has several scopes with the ports of {netlist.name} "
            f"({', '.join(sorted([outermost.scope, *others]))}): name one with --scope"
        )
    return outermost.scope


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


def _candidate(
    wave: Waveform,
    netlist: Netlist,
    scope: str,
    buses: Buses,
    nets: tuple[Sequence[int], Sequence[int]],
) -> _Candidate:
    names, (states, ports) = Names(wave, scope, buses), nets
    bits = [_where(names, netlist.names[net]) for net in (*states, *ports)]
    shown = sum(bit is not None for bit in bits[: len(states)])
    every = sum(_where(names, aliases) is not None for aliases in netlist.names[2:])
    return _Candidate(scope, (shown, every), tuple(bits))


def _where(names: Names, aliases: Iterable[str]) -> tuple[str, int] | None:
    try:
        bit = names.first(aliases)
    except WaveformError:  # shown twice: told if this scope is the one
        return "twice", 0
    return None if bit is None else (bit.signal.identity, bit.bit)
