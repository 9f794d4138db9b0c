"""Static CMOS stages: what an inverting gate loads, drives, takes and leaks, by logical effort.

A stage is its pull-down network: a pin, or ``("series" | "parallel", network, …)``. The pull-up is
the dual. Channels in series are widened so that every path drives as the unit inverter does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spikewatt.synth.technology import table

__all__ = ["CmosStage", "Network"]

Network = str | tuple[Any, ...]
_DUAL = {"series": "parallel", "parallel": "series"}


def _parts(network: Network) -> tuple[str, tuple[Network, ...]]:
    return ("pin", ()) if isinstance(network, str) else (network[0], network[1:])


def _dual(network: Network) -> Network:
    kind, parts = _parts(network)
    return network if kind == "pin" else (_DUAL[kind], *map(_dual, parts))


def _depth(network: Network) -> int:
    """Channels in the longest path."""
    kind, parts = _parts(network)
    if kind == "pin":
        return 1
    return sum(map(_depth, parts)) if kind == "series" else max(map(_depth, parts))


def _channels(network: Network, outside: int = 0) -> list[tuple[str, int]]:
    """Each channel's pin and how long its longest path is; ``outside``: channels beyond."""
    kind, parts = _parts(network)
    if isinstance(network, str):
        return [(network, outside + 1)]
    depths = list(map(_depth, parts))
    # What else stands in the path that the part lies in.
    rest = sum(depths) if kind == "series" else 0
    return [
        channel
        for part, depth in zip(parts, depths, strict=True)
        for channel in _channels(part, outside + (rest - depth if rest else 0))
    ]


def _at_output(network: Network, outside: int = 0) -> int:
    """Width of the channels that touch the output, the shallowest part of a series there."""
    kind, parts = _parts(network)
    if kind == "pin":
        return outside + 1
    if kind == "parallel":
        return sum(_at_output(part, outside) for part in parts)
    depth = sum(map(_depth, parts))
    return min(_at_output(part, outside + depth - _depth(part)) for part in parts)


def _conducts(network: Network, on: Mapping[str, bool]) -> bool:
    kind, parts = _parts(network)
    if isinstance(network, str):
        return on[network]
    return (all if kind == "series" else any)(_conducts(part, on) for part in parts)


def _leak(network: Network, on: Mapping[str, bool], outside: int = 0) -> float:
    """Leaking width of a network that doesn't conduct, in unit channels."""
    kind, parts = _parts(network)
    if kind == "pin":
        return outside + 1.0
    depth = sum(map(_depth, parts)) if kind == "series" else 0
    leaks = [
        _leak(part, on, outside + (depth - _depth(part) if depth else 0))
        for part in parts
        if not _conducts(part, on)
    ]
    if kind == "parallel":
        return sum(leaks)
    # Each further channel that is off in a stack lets less through.
    return min(leaks) * table.STACK ** (len(leaks) - 1)


@dataclass(frozen=True)
class CmosStage:
    """An inverting gate that drives ``output``; ``size`` in unit inverters."""

    output: str
    pull_down: Network
    size: float = 1.0
    fingers: int = 1

    @classmethod
    def standard(cls, output: str, pull_down: Network, drive: float) -> "CmosStage":
        """A stage of a drive strength, with no input beyond what ``table.EFFORT`` allows."""
        unit = cls(output, pull_down)
        # The input that needs the widest channels decides.
        effort = max(map(unit.capacitance, unit.inputs))
        fingers = max(1, round(drive))
        return cls(output, pull_down, drive * min(1.0, table.EFFORT / effort), fingers)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Pins and nodes that it reads, in order of appearance."""
        return tuple(dict.fromkeys(pin for pin, _ in _channels(self.pull_down)))

    @property
    def columns(self) -> int:
        """Columns of channel pairs."""
        return len(_channels(self.pull_down)) * self.fingers

    @property
    def parasitic(self) -> float:
        """Capacitance of its output, in unit capacitances (an inverter of size 1 has 1)."""
        width = _at_output(self.pull_down) + table.RATIO * _at_output(_dual(self.pull_down))
        return width / (1 + table.RATIO) * self.size

    def capacitance(self, pin: str) -> float:
        """Capacitance of an input, in unit capacitances: its logical effort times its size."""
        n = sum(width for name, width in _channels(self.pull_down) if name == pin)
        p = sum(width for name, width in _channels(_dual(self.pull_down)) if name == pin)
        return (n + table.RATIO * p) / (1 + table.RATIO) * self.size

    def value(self, nodes: Mapping[str, bool]) -> bool:
        """Its output."""
        return not _conducts(self.pull_down, nodes)

    def leakage(self, nodes: Mapping[str, bool]) -> float:
        """Leakage (nW) in a state, of the network that is off."""
        if self.value(nodes):
            current = _leak(self.pull_down, nodes) * table.LEAKAGE_N
        else:
            # A p-channel conducts where its gate is low.
            off = {pin: not nodes[pin] for pin in self.inputs}
            current = _leak(_dual(self.pull_down), off) * table.LEAKAGE_P * table.RATIO
        return current * table.UNIT_WIDTH * self.size * table.VOLTAGE
