"""Names of nets, and what a waveform calls the same bits."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.waveform import Signal, Waveform
from spikewatt.synth.netlist.names import inverse_of
from spikewatt.synth.netlist.netlist import Netlist

__all__ = ["Buses", "Names", "SourceBit", "plain"]

_INDEXED = re.compile(r"^(.*)\[(-?\d+)\]$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SourceBit:
    """A bit of a signal, perhaps inverted."""

    signal: Signal
    bit: int
    inverted: bool


@dataclass(frozen=True)
class Buses:
    """The buses of a netlist.

    Parameters
    ----------
    ends:
        Lowest and highest index of each, by its name.
    rising:
        Those whose lowest index is the most significant bit.
    """

    ends: Mapping[str, tuple[int, int]]
    rising: frozenset[str]

    @classmethod
    def of(cls, netlist: Netlist) -> "Buses":
        """Those that the names of a netlist tell of."""
        ends: dict[str, tuple[int, int]] = {}
        for names in netlist.names:
            for name in names:
                name = plain(name)
                if indexed := _INDEXED.match(inverse_of(name) or name):
                    stem, index = indexed[1], int(indexed[2])
                    low, high = ends.get(stem, (index, index))
                    ends[stem] = (min(low, index), max(high, index))
        return cls(ends, frozenset(plain(name) for name in netlist.ascending))


def plain(name: str) -> str:
    """A name without what escapes it."""
    return name.replace("\\", "").replace(" ", "")


class Names:
    """What a waveform shows below a scope, by the names of a netlist."""

    def __init__(self, wave: Waveform, scope: str, buses: Buses) -> None:
        self._wave, self._buses = wave, buses
        self._prefix = f"{scope}." if scope else ""
        self._packed: Mapping[str, Sequence[SourceBit]] | None = None

    def first(self, aliases: Iterable[str]) -> SourceBit | None:
        """The bit that has any of these names; the first of them counts."""
        return next((bit for name in aliases if (bit := self.bit(name)) is not None), None)

    def bit(self, name: str) -> SourceBit | None:
        """The bit that has this name."""
        name = plain(name)
        whole = self._find(name)
        if whole is not None and whole.width == 1:
            return SourceBit(whole, 0, inverted=False)
        if (inverse := inverse_of(name)) is not None:  # of a register of the RTL
            bit = self.bit(inverse)
            return None if bit is None else replace(bit, inverted=not bit.inverted)
        if indexed := _INDEXED.match(name):
            return self._bit_of(indexed[1], int(indexed[2]))
        # A register of which one bit is left, in the netlist or in the waveform.
        whole = whole or self._only(name)
        return None if whole is None else SourceBit(whole, 0, inverted=False)

    def _bit_of(self, stem: str, index: int) -> SourceBit | None:
        ends = self._buses.ends[stem]
        if (bit := self._part(stem, ends, index)) is not None:
            return bit
        signal = self._find(stem)
        if signal is None:
            return self._packed_bit(stem, index)
        # Without indices, or with others, a bus that the netlist counts from an offset (`[11:4]`)
        # has its bits from 0 on.
        offset = 0 if ends[0] >= 0 and ends[1] < signal.width else ends[1] - signal.width + 1
        place = index - offset
        if not 0 <= place < signal.width:
            return None
        place = signal.width - 1 - place if stem in self._buses.rising else place
        return SourceBit(signal, place, inverted=False)

    def _find(self, name: str) -> Signal | None:
        full = self._wave.known(self._prefix + name)
        if full in self._wave.ambiguous:
            raise self._twice(full)
        return self._wave.signals.get(full)

    def _parts(self, stem: str) -> Sequence[Signal]:
        return self._wave.parts.get(self._wave.known(self._prefix + stem), ())

    def _only(self, stem: str) -> Signal | None:
        """The one bit of a bus that is shown, alone."""
        parts = self._parts(stem)
        return parts[0] if len({part.identity for part in parts}) == 1 else None

    def _part(self, stem: str, ends: tuple[int, int], index: int) -> SourceBit | None:
        """A bit by the indices that the waveform tells, if all of the bus's are among them."""
        parts = self._parts(stem)
        shown = [end for part in parts if part.ends for end in part.ends]
        if not shown or ends[0] < min(shown) or ends[1] > max(shown):
            return None
        bits = [(part, bit) for part in parts if (bit := part.place(index)) is not None]
        if len({part.identity for part, _ in bits}) > 1:
            raise self._twice(f"{self._prefix}{stem}[{index}]")
        return SourceBit(*bits[0], inverted=False) if bits else None

    def _packed_bit(self, stem: str, index: int) -> SourceBit | None:
        """A bit of a packed struct, or of a packed array of several dimensions."""
        if self._packed is None:
            self._packed = _packed(self._wave, self._prefix, self._buses.ends)
        bits = self._packed.get(stem, ())
        low, high = self._buses.ends[stem]
        if low < 0 or high >= len(bits):
            return None
        return bits[len(bits) - 1 - index if stem in self._buses.rising else index]

    def _twice(self, name: str) -> WaveformError:
        return WaveformError(
            f"{self._wave.path} shows {name} twice, as two different signals: "
            "name a scope that holds the design once"
        )


def _packed(
    wave: Waveform, prefix: str, stems: Mapping[str, tuple[int, int]]
) -> dict[str, list[SourceBit]]:
    """Bits of the buses that are shown by their fields or elements, the least significant first.

    Simulators that take a packed struct or array apart (Verilator does) declare its parts in the
    order of their digits. Members of a union have the same digits, so any of them will do.
    """
    parts: dict[str, list[Signal]] = defaultdict(list)
    for name, signal in wave.signals.items():
        if not name.startswith(prefix):
            continue
        for at in range(len(prefix) + 1, len(name)):
            if name[at] in ".[" and (stem := name[len(prefix) : at]) in stems:
                parts[stem].append(signal)
    return {
        stem: [
            SourceBit(signal, bit, inverted=False)
            for signal in reversed(signals)
            for bit in range(signal.width)
        ]
        for stem, signals in parts.items()
        if not _left_out(signals, prefix + stem)
    }


def _left_out(signals: Iterable[Signal], bus: str) -> bool:
    """Whether these are single bits of a bus, by their indices, and some are missing."""
    indices = {end for signal in signals if signal.stem == bus for end in signal.ends or ()}
    return bool(indices) and indices != set(range(len(indices)))
