"""Pins of library cells: which there are, and what an instance connects."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from spikewatt.base.errors import NetlistError
from spikewatt.synth.liberty.library import Library, Supply
from spikewatt.synth.netlist.netlist import ONE, ZERO
from spikewatt.synth.netlist.wires import WiresOfModule

__all__ = ["SUPPLIES", "PinTable"]

_BIT = re.compile(r"(.+)\[(\d+)\]")
# Libraries from before power pins were part of Liberty do not name theirs. These are the names of
# the open libraries; a pin of a cell that is called so is that pin.
SUPPLIES: dict[str, Supply] = {
    **dict.fromkeys(("VDD", "VCC", "VPWR", "VDDPE", "VDDCE"), "power"),
    **dict.fromkeys(("VSS", "GND", "VGND", "VSSE"), "ground"),
    **dict.fromkeys(("VPB", "VNB", "VPW", "VNW"), "well"),
}
_LEVELS: dict[Supply, int] = {"power": ONE, "ground": ZERO}


class PinTable:
    """Pins of every cell that was asked for."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._buses: dict[str, dict[str, list[str]]] = {}
        self._inputs: dict[str, list[str]] = {}

    def _look_up(self, kind: str) -> None:
        """Learn the pins of a cell; ``A[0]``, ``A[1]`` are bits of its port ``A``."""
        buses: dict[str, list[tuple[int, str]]] = defaultdict(list)
        pins = self._library.cells[kind].pins
        for pin in pins:
            match = _BIT.fullmatch(pin)
            buses[match[1] if match else pin].append((int(match[2]) if match else 0, pin))
        self._buses[kind] = {name: [pin for _, pin in sorted(bits)] for name, bits in buses.items()}
        self._inputs[kind] = [name for name, pin in pins.items() if pin.direction == "input"]

    def connect(
        self,
        name: str,
        kind: str,
        connections: Mapping[str, Sequence[int | str]],
        wires: WiresOfModule,
    ) -> dict[str, int]:
        """Wire of every connected pin of an instance, and of every input; power pins have none."""
        if kind not in self._buses:
            self._look_up(kind)
        buses = self._buses[kind]
        connected: dict[str, int] = {}
        for port, bits in connections.items():
            pins = buses.get(port)
            if pins is None and (supply := self._supply(kind, port)) is not None:
                # A logic pin that is tied to a supply then reads a constant.
                if supply in _LEVELS and isinstance(bits[0] if bits else "z", int):
                    wires.bind(bits[0], _LEVELS[supply], f"power pin {port} of {name}")
                continue
            if pins is None or len(bits) > len(pins):
                raise NetlistError(_misfit(name, kind, port, bits, pins))
            # Fewer bits than pins: the upper ones stay open.
            for pin, bit in zip(pins, bits, strict=False):
                if bit != "z":
                    connected[pin] = wires[bit]
        # An open input has a net of its own, so that whoever asks for its value is told that nobody
        # drives it.
        for pin in self._inputs[kind]:
            if pin not in connected:
                connected[pin] = wires.of("z")[0]
        return connected

    def _supply(self, kind: str, port: str) -> Supply | None:
        known = self._library.cells[kind].power_pins
        return known.get(port) or SUPPLIES.get(port.upper())


def _misfit(
    name: str, kind: str, port: str, bits: Sequence[int | str], pins: Sequence[str] | None
) -> str:
    if pins is None:
        return f"instance {name} connects {port}, which cell {kind} of the library does not have"
    return f"instance {name} connects {len(bits)} bits to {port}, and cell {kind} has {len(pins)}"
