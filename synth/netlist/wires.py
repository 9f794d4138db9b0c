"""Nets in the making: wires of all modules, joined where a port makes them one."""

from collections.abc import Iterable, Sequence

from spikewatt.base.errors import NetlistError
from spikewatt.synth.netlist.netlist import ONE, ZERO

__all__ = ["Wires", "WiresOfModule"]

_CONSTANTS: dict[int | str, int] = {"0": ZERO, "1": ONE, "x": ZERO}


class Wires:
    """All wires, as sets of those that are one net. The constants are wires 0 and 1."""

    def __init__(self) -> None:
        self._root = [ZERO, ONE]

    def new(self) -> int:
        """A wire of its own."""
        self._root.append(len(self._root))
        return len(self._root) - 1

    def find(self, wire: int) -> int:
        """The lowest wire of the same net."""
        root = self._root
        while root[wire] != wire:
            # Paths are halved on the way, so that the next search is short.
            root[wire] = root[root[wire]]
            wire = root[wire]
        return wire

    def join(self, wire: int, other: int, where: str) -> None:
        """Make two wires one net; ``where`` is for the error."""
        # The lowest wire stands for the net: constants, wires 0 and 1, always do.
        low, high = sorted((self.find(wire), self.find(other)))
        if (low, high) == (ZERO, ONE):
            raise NetlistError(f"{where} joins constant 0 and constant 1")
        self._root[high] = low

    def numbered(self) -> list[int]:
        """Number of the net of every wire, without gaps; the constants keep theirs."""
        numbers: dict[int, int] = {ZERO: ZERO, ONE: ONE}
        return [
            numbers.setdefault(self.find(wire), len(numbers)) for wire in range(len(self._root))
        ]


class WiresOfModule(dict[int | str, int]):
    """Wires of the bits of one instance of a module; a bit not met before gets a new one.

    Bit ``z`` is no wire; ``x`` is constant 0.
    """

    def __init__(self, wires: Wires) -> None:
        super().__init__()
        self.update(_CONSTANTS)
        self._wires = wires

    def __missing__(self, bit: int | str) -> int:
        self[bit] = wire = self._wires.new()
        return wire

    def bind(self, bit: int | str, wire: int, where: str) -> None:
        """Make a bit the same net as a wire outside."""
        if bit in self:
            self._wires.join(self[bit], wire, where)
        else:
            self[bit] = wire

    def of(self, bits: Iterable[int | str]) -> tuple[int, ...]:
        """Wires of bits; for a bit ``z`` one that nothing else has."""
        return tuple(self._wires.new() if bit == "z" else self[bit] for bit in bits)

    def outside(self, bits: Sequence[int | str]) -> list[int | None]:
        """Wires of bits, ``None`` for a bit ``z``."""
        return [None if bit == "z" else self[bit] for bit in bits]
