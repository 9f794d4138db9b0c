"""A flat gate netlist with the names of the hierarchy that it came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ONE", "ZERO", "BlackBox", "Instance", "Memory", "MemoryPort", "Netlist", "Port"]

ZERO = 0
"""Net that is always 0."""
ONE = 1
"""Net that is always 1."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A cell of the library.

    ``name`` is its full name, dots between levels; ``module`` the path of the instance of the RTL
    module that it lies in (``""`` for the top), ``core.lif``. ``pins`` holds the net of every
    connected pin; an unconnected output is left out, and an unconnected input has an undriven net.
    """

    name: str
    type: str
    module: str
    pins: Mapping[str, int]

    # What dataclasses do by themselves takes ten times as long, and a netlist has thousands.
    def __reduce__(self) -> tuple[Callable[..., "Instance"], tuple[object, ...]]:
        return Instance, (self.name, self.type, self.module, self.pins)


@dataclass(frozen=True, slots=True)
class BlackBox:
    """An instance of what nobody knows: it takes no power, and what it does no netlist tells.

    ``drives``: whether a net depends on it, for nothing else drives it. Fillers, well taps and
    antenna diodes drive none.
    """

    name: str
    type: str
    drives: bool


@dataclass(frozen=True, slots=True)
class MemoryPort:
    """One port of a memory.

    ``enable`` holds one net for a read port, and one net for each data bit of a write port. A read
    port without ``clock`` is asynchronous. ``rising`` is the polarity of the clock.
    ``transparent`` says of a clocked read port which write ports, in their order, it sees through:
    it then reads what they write at the same edge, not what was there. ``resets`` says that it has
    a reset of its own.
    """

    kind: Literal["read", "write"]
    clock: int | None
    rising: bool
    enable: tuple[int, ...]
    address: tuple[int, ...]
    data: tuple[int, ...]
    transparent: tuple[bool, ...] = ()
    resets: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory kept as a macro: yosys's ``$mem_v2``.

    ``init``: what it holds at first, a character 0, 1 or x for each bit, word 0 and its least
    significant bit first; empty if that is not known. ``offset`` is the lowest address.
    """

    name: str
    module: str
    words: int
    width: int
    ports: tuple[MemoryPort, ...]
    init: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the top module: its nets, least significant first."""

    direction: Literal["input", "output", "inout"]
    nets: tuple[int, ...]


@dataclass(frozen=True)
class Netlist:
    """A design.

    ``names[n]`` are all names of net ``n``: the full path with dots between levels, and the bit in
    brackets for a bit of a bus (``core.lif.acc[3]``), counted as the RTL counts (``offset`` and
    ``upto`` observed). Names that yosys made up come last. Nets 0 and 1 are the constants; a
    constant ``x`` is net 0, and ``z`` is not a net.
    """

    name: str
    names: tuple[tuple[str, ...], ...]
    instances: tuple[Instance, ...]
    memories: tuple[Memory, ...]
    ports: Mapping[str, Port]
    attributes: Mapping[str, Mapping[str, str]]
    """Attributes of each RTL module instance, by its path: its own over those of its module."""
    undriven: tuple[int, ...] = ()
    """Nets that something reads and nothing drives: their value is not known from the netlist."""
    ascending: frozenset[str] = frozenset()
    """Full names of buses whose lowest index is the most significant bit (``[0:7]``)."""
    recorded: Mapping[int, str] = field(default_factory=dict)
    """Nets whose value depends on delays, so that only a waveform can tell it, by the attribute
    ``spikewatt_recorded`` of a wire: ``fire``, ``delay`` or ``mutex`` for those that
    `synth.click.asic` makes."""
    hierarchy: Mapping[str, str] = field(default_factory=dict)
    """Paths of the module instances of the file, each with the one around it. Where a tool made the
    design flat, ``attributes`` has more paths: those are parts of names."""
    black_boxes: tuple[BlackBox, ...] = ()
    boxed: tuple[int, ...] = ()
    """Nets that black boxes or pins without a function may drive, and that nothing else does: only
    a waveform can tell them."""
    digest: str = field(default="", init=False, repr=False, compare=False)
    """Of what it was read from; empty for any other, also for a changed copy."""

    def levels(self, name: str) -> tuple[str, ...]:
        """A full name as the levels of the file's hierarchy: names may have dots of their own."""
        path = name
        while path:
            path = path.rpartition(".")[0]
            if path in self.hierarchy:
                leaf = name[len(path) + 1 :]
                break
        else:
            return (name,)
        levels = [leaf]
        while path:
            above = self.hierarchy[path]
            levels.append(path[len(above) + 1 :] if above else path)
            path = above
        return tuple(reversed(levels))
